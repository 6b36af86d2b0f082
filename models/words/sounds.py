"""The words of events of sounds. Pure."""

from collections.abc import Iterator

from models.details import SoundDetail
from models.events import EventKind
from models.words.kinds import Fact, FamilyWords, KindWords, Written
from models.words.units import counted, length

CHAPTERS_NAMED = 5

KINDS: dict[EventKind, KindWords[SoundDetail]] = {
    EventKind.SOUND_READY: KindWords(
        "Ready to hear",
        ("sound ready", "sounds ready"),
        lambda detail, _service: f"Ready to hear – {_called(detail)}{_long(detail)}",
    ),
    EventKind.SOUND_FAILED: KindWords(
        "Not fetched",
        ("sound not fetched", "sounds not fetched"),
        lambda detail, _service: f"Not fetched – {_called(detail)}",
    ),
    EventKind.SOUND_EXPIRING: KindWords(
        "Let go soon",
        ("sound let go soon", "sounds let go soon"),
        lambda detail, _service: f"Let go soon – {_called(detail)}",
    ),
}


def _names(detail: SoundDetail) -> tuple[str | None, ...]:
    return (detail.show or detail.channel, detail.game)


def _feed_summary(_kind: str, detail: SoundDetail) -> Iterator[str]:
    if detail.reason:
        yield detail.reason
    if detail.way_out:
        yield detail.way_out
    if chapters := _chapters(detail):
        yield chapters
    if detail.muted_seconds:
        yield f"{length(detail.muted_seconds)} of it are muted."


def _message_facts(_kind: str, _service: str | None, detail: SoundDetail, written: Written) -> Iterator[Fact]:
    yield "Show", detail.show
    yield "Channel", detail.channel
    yield "Length", None if detail.seconds is None else length(detail.seconds)
    yield "Chapters", _chapters(detail)
    yield "Muted", None if not detail.muted_seconds else length(detail.muted_seconds)
    yield "Reason", detail.reason
    yield "What to do", detail.way_out
    yield "Until", None if detail.expires_at is None else written(detail.expires_at)


def _called(detail: SoundDetail) -> str:
    of = detail.show or detail.channel
    name = detail.name or detail.url or "a sound"
    return f"{of}: {name}" if of else name


def _long(detail: SoundDetail) -> str:
    return "" if detail.seconds is None else f" ({length(detail.seconds)})"


def _chapters(detail: SoundDetail) -> str | None:
    """Return the chapters' names: "Rust, Just Chatting and 3 more chapters"."""
    if not detail.chapters:
        return None
    more = len(detail.chapters) - CHAPTERS_NAMED
    named = ", ".join(detail.chapters[:CHAPTERS_NAMED])
    return f"{named} and {counted(more, 'more chapter')}" if more > 0 else named


WORDS = FamilyWords(
    detail=SoundDetail,
    kinds=KINDS,
    names=_names,
    feed_summary=_feed_summary,
    message_facts=_message_facts,
    link_label=lambda kind: "Listen" if kind == EventKind.SOUND_READY else "Details",
)
