"""The words of events of a person's credits. Pure."""

from collections.abc import Iterator

from models.details import QuotaDetail
from models.events import EventKind
from models.words.kinds import Fact, FamilyWords, KindWords, Written

KINDS: dict[EventKind, KindWords[QuotaDetail]] = {
    EventKind.QUOTA_LOW: KindWords(
        "Few credits left",
        ("warning of few credits", "warnings of few credits"),
        lambda detail, _service: f"Few credits left – {': '.join(filter(None, (detail.name, _left(detail))))}",
    ),
}


def _left(detail: QuotaDetail) -> str | None:
    return f"{detail.credits:,} of {detail.of:,}" if detail.of else None


def _feed_summary(_kind: str, detail: QuotaDetail) -> Iterator[str]:
    if left := _left(detail):
        yield left


def _message_facts(_kind: str, _service: str | None, detail: QuotaDetail, written: Written) -> Iterator[Fact]:
    yield "Plan", detail.name
    yield "Left", _left(detail)
    yield "More come", written(detail.more_at) if detail.more_at else None


WORDS = FamilyWords(
    detail=QuotaDetail,
    kinds=KINDS,
    names=lambda _detail: (),
    feed_summary=_feed_summary,
    message_facts=_message_facts,
)
