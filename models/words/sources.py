"""The words of sources that fail, go stale, recover or change. Pure."""

from collections.abc import Iterator

from models.details import SourceDetail
from models.events import EventKind
from models.words.kinds import Fact, FamilyWords, KindWords, Written
from models.words.units import service_name

KINDS: dict[EventKind, KindWords[SourceDetail]] = {
    EventKind.SOURCE_FAILING: KindWords(
        "Source failing",
        ("source failing", "sources failing"),
        lambda detail, _service: f"Source {detail.name or ''} is failing{_reason(detail)}",
    ),
    EventKind.SOURCE_STALE: KindWords(
        "Source stale",
        ("source stale", "sources stale"),
        lambda detail, _service: f"Source {detail.name or ''} is stale{_reason(detail)}",
    ),
    EventKind.SOURCE_RECOVERED: KindWords(
        "Source recovered",
        ("source recovered", "sources recovered"),
        lambda detail, _service: f"Source {detail.name or ''} {_recovery(detail)}",
    ),
    EventKind.SOURCE_CHANGED: KindWords(
        "Source changed",
        ("source changed its format", "sources changed their format"),
        lambda detail, _service: f"Source {detail.name or ''} sent something unexpected{_reason(detail)}",
    ),
}


def _recovery(detail: SourceDetail) -> str:
    return f"is believed again{_reason(detail)}" if detail.reason else "works again"


def _reason(detail: SourceDetail) -> str:
    return f": {detail.reason}" if detail.reason else ""


def _message_facts(kind: str, service: str | None, detail: SourceDetail, written: Written) -> Iterator[Fact]:
    yield "On", service and service_name(service)
    yield "Reason", detail.reason
    yield (
        "Failed since" if kind == EventKind.SOURCE_RECOVERED else "Since",
        written(detail.since) if detail.since else None,
    )
    yield "Next attempt", written(detail.next_attempt_at) if detail.next_attempt_at else None


WORDS = FamilyWords(
    detail=SourceDetail,
    kinds=KINDS,
    names=lambda _detail: (),
    feed_summary=lambda _kind, _detail: (),
    message_facts=_message_facts,
)
