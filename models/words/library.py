"""The words of events of a person's library, journal, lists and ROMs. Pure."""

from collections.abc import Iterator, Sequence

from models.details import LibraryDetail, LibraryLine
from models.events import EventKind
from models.periods import in_words
from models.words.holdings import STORES
from models.words.kinds import Fact, FamilyWords, KindWords, Written
from models.words.units import counted_plainly

LINES_NAMED = 4
COMPLETIONS = {"main": "main story", "extras": "main story and extras", "all": "everything"}

KINDS: dict[EventKind, KindWords[LibraryDetail]] = {
    EventKind.LIBRARY_ADDED: KindWords(
        "Added to the library",
        ("game added to your library", "games added to your library"),
        lambda detail, _service: f"New in your library – {_games(detail)}{_from(detail)}",
    ),
    EventKind.LIBRARY_GONE: KindWords(
        "Gone from the library",
        ("game gone from your library", "games gone from your library"),
        lambda detail, _service: f"No longer in your library – {_games(detail)}{_from(detail)}",
    ),
    EventKind.LIBRARY_RETURNED: KindWords(
        "Back in the library",
        ("game back in your library", "games back in your library"),
        lambda detail, _service: f"Back in your library – {_games(detail)}{_from(detail)}",
    ),
    EventKind.PLAY_STARTED: KindWords(
        "Started",
        ("game started", "games started"),
        lambda detail, _service: f"You started {_game(detail)}{_on(detail)}",
    ),
    EventKind.PLAY_FINISHED: KindWords(
        "Finished",
        ("game finished", "games finished"),
        lambda detail, _service: f"You finished {_game(detail)}{_on(detail)}",
    ),
    EventKind.LIST_CHANGED: KindWords(
        "List changed",
        ("list changed", "lists changed"),
        lambda detail, _service: f"{detail.name or 'A list'} – {', '.join(list_changes(detail))}",
    ),
    EventKind.ROM_ADDED: KindWords(
        "ROMs added",
        ("ROM added to your collection", "ROMs added to your collection"),
        lambda detail, _service: f"New in your collection – {_games(detail)}{_from(detail)}",
    ),
    EventKind.ROM_MISSING: KindWords(
        "ROMs missing",
        ("ROM missing from your collection", "ROMs missing from your collection"),
        lambda detail, _service: f"Missing from your collection – {_games(detail)}{_from(detail)}",
    ),
    EventKind.ROM_RETURNED: KindWords(
        "ROMs returned",
        ("ROM back in your collection", "ROMs back in your collection"),
        lambda detail, _service: f"Back in your collection – {_games(detail)}{_from(detail)}",
    ),
    EventKind.ROM_IDENTIFIED: KindWords(
        "ROMs identified",
        ("ROM identified", "ROMs identified"),
        lambda detail, _service: f"Identified in your collection – {_games(detail)}{_from(detail)}",
    ),
}


def every_change(detail: LibraryDetail) -> list[str]:
    """Return all that happened to a list: "Ico added at 12", "Rez from 7 to 2"."""
    changes = [f"{line.name} added{f' at {line.place}' if line.place else ''}" for line in detail.added]
    changes += [f"{line.name} removed" for line in detail.removed]
    return [*changes, *(f"{line.name} from {line.place_before} to {line.place}" for line in detail.moved)]


def message_games(detail: LibraryDetail) -> tuple[list[str], int]:
    """Return the games that a message lists, each with its note, and how many there are: none where it is one alone."""
    total = max(detail.total, len(detail.games))
    return ([_line(line) for line in detail.games], total) if total > 1 else ([], 0)


def list_changes(detail: LibraryDetail) -> list[str]:
    """Return what happened to a list, in one line's words: the first changes, and how many more there are."""
    changes = every_change(detail)
    more = len(changes) - LINES_NAMED
    return [*changes[:LINES_NAMED], f"and {more} more changes"] if more > 1 else changes


def _names(detail: LibraryDetail) -> tuple[str | None, ...]:
    return (detail.game,)


def _feed_summary(_kind: str, detail: LibraryDetail) -> Iterator[str]:
    yield from list_changes(detail)
    for line in detail.games:
        yield _line(line)


def _message_facts(kind: str, _service: str | None, detail: LibraryDetail, _written: Written) -> Iterator[Fact]:
    yield "Game", detail.game
    yield "List", detail.name if kind == EventKind.LIST_CHANGED else None
    yield "Store", STORES.get(detail.store or "", detail.store)
    yield "Platform", detail.platform
    yield "Finished", in_words(detail.finished)
    yield "Completed", COMPLETIONS.get(detail.completion or "")
    yield "Time", _hours(detail.seconds)
    yield "Rating", None if detail.rating is None else f"{detail.rating} of 100"
    # Several are a list of their own.
    yield "Change", changes[0] if len(changes := every_change(detail)) == 1 else None
    yield "From", detail.origin


def _line(line: LibraryLine) -> str:
    return line.name if line.note is None else f"{line.name} ({line.note})"


def _games(detail: LibraryDetail) -> str:
    """Return the games that an event is about: "Ico", "Ico, Rez and 40 more"."""
    if not detail.games:
        return detail.game or detail.name or "a game"
    return _some(detail.games, max(detail.total, len(detail.games)))


def _some(lines: Sequence[LibraryLine], total: int) -> str:
    named = [line.name for line in lines[:LINES_NAMED]]
    more = total - len(named)
    return f"{', '.join(named)} and {more} more" if more > 0 else ", ".join(named)


def _game(detail: LibraryDetail) -> str:
    return detail.game or detail.name or "a game"


def _on(detail: LibraryDetail) -> str:
    return f" on {detail.platform}" if detail.platform else ""


def _from(detail: LibraryDetail) -> str:
    """Return where games came from or went: a shop says it better than the account there."""
    origin = STORES.get(detail.store or "") or detail.origin
    return f" ({origin})" if origin else ""


def _hours(seconds: int | None) -> str | None:
    if not seconds:
        return None
    return counted_plainly(round(seconds / 3600), "hour") if seconds >= 5400 else f"{round(seconds / 60)} min"


WORDS = FamilyWords(
    detail=LibraryDetail, kinds=KINDS, names=_names, feed_summary=_feed_summary, message_facts=_message_facts
)
