"""The words of events of a person's credits. Pure."""

from collections.abc import Iterator

from models.details import QuotaDetail
from models.events import EventKind
from models.words.kinds import Fact, FamilyWords, KindWords, Written
from models.words.units import counted

KINDS: dict[EventKind, KindWords[QuotaDetail]] = {
    EventKind.QUOTA_LOW: KindWords(
        "Few credits left",
        ("warning of few credits", "warnings of few credits"),
        lambda detail, _service: f"Few credits left: {detail.credits:,} of {detail.of:,}",
    ),
}


def _feed_summary(_kind: str, detail: QuotaDetail) -> Iterator[str]:
    yield f"{counted(detail.credits, 'credit')} are left."


def _message_facts(_kind: str, _service: str | None, detail: QuotaDetail, written: Written) -> Iterator[Fact]:
    yield "Plan", detail.name
    yield "Left", counted(detail.credits, "credit")
    yield "More come", written(detail.more_at) if detail.more_at else None


WORDS = FamilyWords(
    detail=QuotaDetail,
    kinds=KINDS,
    names=lambda _detail: (),
    feed_summary=_feed_summary,
    message_facts=_message_facts,
)
