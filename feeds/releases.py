"""Say what a feed shows of a release date or a game; pure functions."""

from collections.abc import Iterator

from feeds.content import Item
from feeds.words import counted
from models.events import EventDetail, EventKind
from models.periods import in_words


def is_of_release(item: Item) -> bool:
    """Whether an event is about a release date or a game of IGDB."""
    return item.kind.startswith(("release.", "game."))


def release_summary(item: Item) -> Iterator[str]:
    """Yield what the line below a release's headline says."""
    detail = item.detail
    if detail.platforms:
        yield ", ".join(detail.platforms)
    if when := _when(item):
        yield when
    if difference := _difference(detail):
        yield difference


def release_lines(item: Item) -> Iterator[str]:
    """Yield what is told of a release, a sentence a paragraph."""
    detail = item.detail
    if detail.stage and item.kind != EventKind.GAME_ADDED:
        yield f"Comes out as: {detail.stage}"
    if detail.platforms:
        yield f"On {', '.join(detail.platforms)}"
    if when := _when(item):
        yield f"{when[:1].upper()}{when[1:]}"
    if difference := _difference(detail):
        yield f"That is {difference}."
    if detail.reason:
        yield f"{detail.reason}."


def _when(item: Item) -> str | None:
    when, before = in_words(item.detail.when), in_words(item.detail.when_before)
    if when is None:
        return None if before is None else f"was planned for {before}"
    return when if before is None else f"{when}, was {before}"


def _difference(detail: EventDetail) -> str | None:
    if not detail.days:
        return "a delay for as long as nobody knows" if detail.is_delay else None
    if detail.is_delay:
        return f"a delay of {counted(detail.days, 'day')}"
    return f"{counted(abs(detail.days), 'day')} {'later' if detail.days > 0 else 'earlier'}"
