"""The words of streams and videos. Pure."""

import re
from collections.abc import Iterator

from models.details import StreamDetail, StreamRecap
from models.events import EventKind
from models.words.kinds import Fact, FamilyWords, KindWords, Written
from models.words.units import counted, duration, length, moment

TAGS_SHOWN = 10

KINDS: dict[EventKind, KindWords[StreamDetail]] = {
    EventKind.STREAM_ONLINE: KindWords(
        "Live",
        ("stream live", "streams live"),
        lambda detail, _service: _joined(
            ": ", f"{_channel(detail) or 'A channel'} is live", _joined(" – ", detail.game, detail.name)
        ),
    ),
    EventKind.STREAM_RERUN: KindWords(
        "Rerun",
        ("rerun", "reruns"),
        lambda detail, _service: _joined(
            ": ", f"{_channel(detail) or 'A channel'} {_shows(detail)}", _joined(" – ", detail.game, detail.name)
        ),
    ),
    EventKind.STREAM_OFFLINE: KindWords(
        "Stream over",
        ("stream over", "streams over"),
        lambda detail, _service: f"{_channel(detail) or detail.name or ''} went offline{_after(detail.recap)}",
    ),
    EventKind.STREAM_TITLE_CHANGED: KindWords(
        "New title",
        ("new title", "new titles"),
        lambda detail, _service: _joined(": ", f"{_channel(detail) or 'A channel'} changed the title", detail.name),
    ),
    EventKind.STREAM_CATEGORY_CHANGED: KindWords(
        "New category",
        ("other category", "other categories"),
        lambda detail, _service: f"{_channel(detail) or detail.name or ''} {_moved(detail)}",
    ),
    EventKind.VIDEO_PUBLISHED: KindWords(
        "New video",
        ("new video", "new videos"),
        lambda detail, _service: (
            _joined(" – ", f"New video of {_channel(detail)}" if _channel(detail) else "New video", detail.name)
            + _minutes_long(detail.seconds)
        ),
    ),
}
# A message's headline says it already.
_HEADED_BY_TITLE = frozenset(
    {
        EventKind.STREAM_ONLINE,
        EventKind.STREAM_RERUN,
        EventKind.STREAM_TITLE_CHANGED,
        EventKind.VIDEO_PUBLISHED,
    }
)
_SHOWN = {
    "rerun": "shows a rerun",
    "playlist": "shows a playlist",
    "watch_party": "holds a watch party",
    "premiere": "shows a premiere",
}
_LIVE = frozenset({EventKind.STREAM_ONLINE, EventKind.STREAM_TITLE_CHANGED, EventKind.STREAM_CATEGORY_CHANGED})


def feed_lines(detail: StreamDetail) -> Iterator[str]:
    """Yield what a feed says of a stream, a sentence a paragraph."""
    if detail.recap is not None:
        recap = detail.recap
        yield f"On air for {length(recap.seconds)}, from {moment(recap.started_at)} until {moment(recap.ended_at)}."
        if viewers := _feed_viewers(recap):
            yield f"{viewers}."
    elif detail.start_at is not None:
        yield f"{'Not live, on' if detail.type else 'Live'} since {moment(detail.start_at)}."
    if detail.recap is None and detail.viewers is not None:
        yield f"{counted(detail.viewers, 'viewer')}."
    if detail.seconds:
        long = f"{length(detail.seconds)} long."
        yield f"{long[0].upper()}{long[1:]}"
    if detail.campaigns:
        yield f"Drops enabled for: {', '.join(detail.campaigns)}"
    about = [f"Language: {detail.language}"] if detail.language else []
    about += [f"Tags: {', '.join(detail.tags[:TAGS_SHOWN])}"] if detail.tags else []
    if about:
        yield " · ".join(about)


def feed_categories(detail: StreamDetail) -> tuple[str, ...]:
    """Return a line for each category of a stream that is over, with its time."""
    categories = detail.recap.categories if detail.recap else ()
    return tuple(f"{category.name or 'No category'}: {length(category.seconds)}" for category in categories)


def message_categories(detail: StreamDetail) -> tuple[str, ...]:
    """Return a line for each category of a stream that is over, with its time; none if it had but one."""
    categories = detail.recap.categories if detail.recap else ()
    if len(categories) < 2:
        return ()
    return tuple(f"{category.name or 'no category'}: {length(category.seconds)}" for category in categories)


def _names(detail: StreamDetail) -> tuple[str | None, ...]:
    return _channel(detail), detail.game


def _feed_summary(_kind: str, detail: StreamDetail) -> Iterator[str]:
    if detail.recap is not None:
        yield length(detail.recap.seconds)
        yield _feed_viewers(detail.recap)
    elif detail.viewers is not None:
        yield counted(detail.viewers, "viewer")
    if detail.seconds:
        yield length(detail.seconds)
    if detail.campaigns:
        yield "drops enabled"


def _message_facts(kind: str, _service: str | None, detail: StreamDetail, written: Written) -> Iterator[Fact]:
    if kind not in _HEADED_BY_TITLE:
        yield "Title", detail.name
    if kind == EventKind.STREAM_TITLE_CHANGED:
        yield "Before", next((str(change.old) for change in detail.changes if change.old), None)
    if kind != EventKind.STREAM_CATEGORY_CHANGED and not message_categories(detail):
        yield "Category", detail.game
    if kind in _LIVE:
        yield "Viewers", None if detail.viewers is None else f"{detail.viewers:,}"
        yield "Drops enabled for", ", ".join(detail.campaigns)
    if kind == EventKind.STREAM_ONLINE:
        yield "Live since", written(detail.start_at) if detail.start_at else None
        yield "Language", detail.language
        yield "Tags", ", ".join(detail.tags)
    if detail.recap is not None:
        yield "On air", f"{length(detail.recap.seconds)}, from {written(detail.recap.started_at)}"
        yield "Viewers", _message_viewers(detail.recap)
    yield "Length", None if detail.seconds is None else length(detail.seconds)


def _message_note(_kind: str, detail: StreamDetail, _written: Written) -> str:
    return "drops enabled" if detail.campaigns else ""


def _link_label(kind: str) -> str:
    return "Channel" if kind == EventKind.STREAM_OFFLINE else "Watch"


def _feed_viewers(recap: StreamRecap) -> str:
    average = "" if recap.average_viewers is None else f"{counted(recap.average_viewers, 'viewer')} on average"
    return _with_peak(average, recap)


def _message_viewers(recap: StreamRecap) -> str:
    average = "" if recap.average_viewers is None else f"{recap.average_viewers:,} on average"
    return _with_peak(average, recap)


def _with_peak(average: str, recap: StreamRecap) -> str:
    peak = "" if recap.peak_viewers is None else f"{recap.peak_viewers:,} at the peak"
    return ", ".join(part for part in (average, peak) if part)


def _channel(detail: StreamDetail) -> str | None:
    return detail.channel or detail.channel_login


def _joined(separator: str, first: str | None, second: str | None) -> str:
    """Return both, or the second alone where it says the first already: "Rust" and "Rust, day 3"."""
    if not first or not second:
        return first or second or ""
    says_so = re.search(rf"(?<!\w){re.escape(first)}(?!\w)", second, re.IGNORECASE)
    return second if says_so else f"{first}{separator}{second}"


def _shows(detail: StreamDetail) -> str:
    """Return what a channel shows that is no live stream; a type that is new to us is named as Twitch names it."""
    shown = _SHOWN.get(detail.type or "rerun")
    return shown or f"shows a {(detail.type or '').replace('_', ' ')}, not live"


def _moved(detail: StreamDetail) -> str:
    old = next((change.old for change in detail.changes), None)
    if old and detail.game:
        return f"went from {old} to {detail.game}"
    return f"is now in {detail.game}" if detail.game else f"is in no category now{f', after {old}' if old else ''}"


def _after(recap: StreamRecap | None) -> str:
    return "" if recap is None else f" after {length(recap.seconds)}"


def _minutes_long(seconds: int | None) -> str:
    return f" ({duration(seconds // 60)})" if seconds and seconds >= 60 else ""


WORDS = FamilyWords(
    detail=StreamDetail,
    kinds=KINDS,
    names=_names,
    feed_summary=_feed_summary,
    message_facts=_message_facts,
    message_note=_message_note,
    link_label=_link_label,
)
