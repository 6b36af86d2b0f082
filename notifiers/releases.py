"""Says what a message shows of a release date or a game, in values that are not clean yet; pure functions."""

from collections.abc import Iterator

from models.events import EventDetail, EventKind
from models.periods import in_words


def is_of_release(kind: str) -> bool:
    """Whether an event is about a release date or a game of IGDB."""
    return kind.startswith(("release.", "game."))


def release_facts(kind: str, detail: EventDetail) -> Iterator[tuple[str, str | None]]:
    """Yield labels and values of what is told in single lines."""
    yield "Game", detail.game
    yield "Entry", detail.name
    yield "Kind" if kind == EventKind.GAME_ADDED else "As", detail.stage
    yield "Platforms" if len(detail.platforms) > 1 else "Platform", ", ".join(detail.platforms)
    yield "Out" if kind == EventKind.RELEASE_OUT else "Date", in_words(detail.when)
    yield "Before", in_words(detail.when_before)
    yield "Delay" if detail.is_delay else "Difference", _difference(detail)
    yield "Reason", detail.reason


def _difference(detail: EventDetail) -> str | None:
    if not detail.days:
        return "nobody knows for how long" if detail.is_delay else None
    days = "1 day" if abs(detail.days) == 1 else f"{abs(detail.days)} days"
    return f"{days} {'later' if detail.days > 0 else 'earlier'}"
