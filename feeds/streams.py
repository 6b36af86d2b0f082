"""Say what a feed shows of a stream or a video; pure functions."""

from collections.abc import Iterator

from feeds.content import Item
from feeds.sanitise import safe_url
from feeds.words import counted, duration, moment
from models.events import EventDetail, EventKind, StreamRecap

TAGS_SHOWN = 10


def is_of_stream(item: Item) -> bool:
    """Whether an event is about a stream or a video, and not about a campaign, a reward or a badge."""
    return item.kind.startswith(("stream.", "video."))


def stream_summary(detail: EventDetail) -> Iterator[str]:
    """Yield what the line below a stream's headline says."""
    if detail.recap is not None:
        yield _on_air(detail.recap)
        yield _watched(detail.recap)
    elif detail.viewers is not None:
        yield counted(detail.viewers, "viewer")
    if detail.seconds:
        yield _length(detail.seconds)
    if detail.campaigns:
        yield "drops enabled"


def stream_lines(detail: EventDetail) -> Iterator[str]:
    """Yield what is told of a stream, a sentence a paragraph."""
    if detail.recap is not None:
        recap = detail.recap
        yield f"On air for {_on_air(recap)}, from {moment(recap.started_at)} until {moment(recap.ended_at)}."
        if watched := _watched(recap):
            yield f"{watched}."
    elif detail.start_at is not None:
        yield f"Live since {moment(detail.start_at)}."
    if detail.recap is None and detail.viewers is not None:
        yield f"{counted(detail.viewers, 'viewer')}."
    if detail.seconds:
        yield f"{_length(detail.seconds)} long."
    if detail.campaigns:
        yield f"Drops enabled for: {', '.join(detail.campaigns)}"
    about = [f"Language: {detail.language}"] if detail.language else []
    about += [f"Tags: {', '.join(detail.tags[:TAGS_SHOWN])}"] if detail.tags else []
    if about:
        yield " · ".join(about)


def category_lines(detail: EventDetail) -> tuple[str, ...]:
    """Return a line for each category of a stream that is over, with its time."""
    categories = detail.recap.categories if detail.recap else ()
    return tuple(f"{category.name or 'No category'}: {_length(category.seconds)}" for category in categories)


def stream_picture(item: Item) -> str | None:
    """Return the stream as it looks, or the box of its game: of a stream that is over Twitch shows no picture."""
    seen, box = safe_url(item.detail.image_url), safe_url(item.detail.box_art_url)
    return box or seen if item.kind == EventKind.STREAM_OFFLINE else seen or box


def _on_air(recap: StreamRecap) -> str:
    return _length(recap.seconds)


def _watched(recap: StreamRecap) -> str:
    average = "" if recap.average_viewers is None else f"{counted(recap.average_viewers, 'viewer')} on average"
    peak = "" if recap.peak_viewers is None else f"{recap.peak_viewers:,} at the peak"
    return ", ".join(part for part in (average, peak) if part)


def _length(seconds: int) -> str:
    return duration(seconds // 60) if seconds >= 60 else "less than a minute"
