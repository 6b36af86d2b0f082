"""Says what a message shows of a stream or a video, in values that are not clean yet; pure functions."""

from collections.abc import Iterator

from models.events import EventDetail, EventKind, StreamRecap
from notifiers.words import duration, moment

# Their headline says it already.
_HEADED_BY_TITLE = frozenset({EventKind.STREAM_ONLINE, EventKind.STREAM_TITLE_CHANGED, EventKind.VIDEO_PUBLISHED})
_LIVE = frozenset({EventKind.STREAM_ONLINE, EventKind.STREAM_TITLE_CHANGED, EventKind.STREAM_CATEGORY_CHANGED})


def is_of_stream(kind: str) -> bool:
    """Whether an event is about a stream or a video, and not about a campaign, a reward or a source."""
    return kind.startswith(("stream.", "video."))


def stream_facts(kind: str, detail: EventDetail) -> Iterator[tuple[str, str | None]]:
    """Yield labels and values of what is told in single lines."""
    if kind not in _HEADED_BY_TITLE:
        yield "Title", detail.name
    if kind == EventKind.STREAM_TITLE_CHANGED:
        yield "Before", next((str(change.old) for change in detail.changes if change.old), None)
    if kind != EventKind.STREAM_CATEGORY_CHANGED and not stream_categories(detail):
        yield "Category", detail.game
    if kind in _LIVE:
        yield "Viewers", None if detail.viewers is None else f"{detail.viewers:,}"
        yield "Drops enabled for", ", ".join(detail.campaigns)
    if kind == EventKind.STREAM_ONLINE:
        yield "Live since", moment(detail.start_at) if detail.start_at else None
        yield "Language", detail.language
        yield "Tags", ", ".join(detail.tags)
    if detail.recap is not None:
        yield "On air", f"{duration(detail.recap.seconds)}, from {moment(detail.recap.started_at)}"
        yield "Viewers", _viewers(detail.recap)
    yield "Length", None if detail.seconds is None else duration(detail.seconds)


def stream_categories(detail: EventDetail) -> tuple[str, ...]:
    """Return a line for each category of a stream that is over, with its time; none if it had but one."""
    categories = detail.recap.categories if detail.recap else ()
    if len(categories) < 2:
        return ()
    return tuple(f"{category.name or 'no category'}: {duration(category.seconds)}" for category in categories)


def _viewers(recap: StreamRecap) -> str | None:
    average = "" if recap.average_viewers is None else f"{recap.average_viewers:,} on average"
    peak = "" if recap.peak_viewers is None else f"{recap.peak_viewers:,} at the peak"
    return ", ".join(part for part in (average, peak) if part) or None
