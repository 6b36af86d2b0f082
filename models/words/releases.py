"""The words of release dates and games. Pure."""

from collections.abc import Iterator

from models.details import ReleaseDetail
from models.events import EventKind
from models.periods import TBD, in_words
from models.words.kinds import Fact, FamilyWords, KindWords, Written
from models.words.units import counted_plainly

PLATFORMS_NAMED = 4

KINDS: dict[EventKind, KindWords[ReleaseDetail]] = {
    EventKind.RELEASE_ANNOUNCED: KindWords(
        "Release announced",
        ("release announced", "releases announced"),
        lambda detail, _service: f"{_game(detail)}: {_announced(detail)}{_where(detail.platforms)}",
    ),
    EventKind.RELEASE_PRECISED: KindWords(
        "Date made precise",
        ("date made precise", "dates made precise"),
        lambda detail, _service: f"{_game(detail)}: {_precised(detail)}{_where(detail.platforms)}",
    ),
    EventKind.RELEASE_MOVED: KindWords(
        "Release moved",
        ("release moved", "releases moved"),
        lambda detail, _service: f"{_game(detail)}: {_moved(detail)}{_where(detail.platforms)}",
    ),
    EventKind.RELEASE_OUT: KindWords(
        "Out now",
        ("game out", "games out"),
        lambda detail, _service: f"{_game(detail)} {_out(detail)}",
    ),
    EventKind.RELEASE_CANCELLED: KindWords(
        "Release cancelled",
        ("release cancelled", "releases cancelled"),
        lambda detail, _service: f"{_game(detail)}: {_cancelled(detail)}{_where(detail.platforms)}",
    ),
    EventKind.GAME_ADDED: KindWords(
        "New game",
        ("new game", "new games"),
        lambda detail, _service: _new_entry(detail) if detail.name else f"New game: {_game(detail)}",
    ),
}


def feed_lines(kind: str, detail: ReleaseDetail) -> Iterator[str]:
    """Yield what a feed says of a release, a sentence a paragraph."""
    if detail.stage and kind != EventKind.GAME_ADDED:
        yield f"{'Out' if kind == EventKind.RELEASE_OUT else 'Comes out'} as: {detail.stage}"
    if detail.platforms:
        yield f"On {', '.join(detail.platforms)}"
    if when := _when(detail):
        yield f"{when[:1].upper()}{when[1:]}"
    if difference := feed_difference(detail):
        yield f"That is {difference}."
    if detail.reason:
        yield f"{detail.reason}."


def _names(detail: ReleaseDetail) -> tuple[str | None, ...]:
    return (detail.game,)


def _feed_summary(_kind: str, detail: ReleaseDetail) -> Iterator[str]:
    if detail.platforms:
        yield ", ".join(detail.platforms)
    if when := _when(detail):
        yield when
    if difference := feed_difference(detail):
        yield difference


def _message_facts(kind: str, _service: str | None, detail: ReleaseDetail, _written: Written) -> Iterator[Fact]:
    yield "Game", detail.game
    yield "Entry", detail.name
    yield "Kind" if kind == EventKind.GAME_ADDED else "As", detail.stage
    yield "Platforms" if len(detail.platforms) > 1 else "Platform", ", ".join(detail.platforms)
    yield "Out" if kind == EventKind.RELEASE_OUT else "Date", in_words(detail.when)
    yield "Before", in_words(detail.when_before)
    yield "Delay" if detail.is_delay else "Difference", _message_difference(detail)
    yield "Reason", detail.reason


def _when(detail: ReleaseDetail) -> str | None:
    when, before = in_words(detail.when), in_words(detail.when_before)
    if when is None:
        return None if before is None else f"was planned for {before}"
    return when if before is None else f"{when}, was {before}"


def feed_difference(detail: ReleaseDetail) -> str | None:
    """Return how far a date moved: "a delay of 7 months", "2 weeks earlier"; None where it did not."""
    if not detail.days:
        return "a delay for as long as nobody knows" if detail.is_delay else None
    if detail.is_delay:
        return f"a delay of {_difference(detail)}"
    return f"{_difference(detail)} {'later' if detail.days > 0 else 'earlier'}"


def _message_difference(detail: ReleaseDetail) -> str | None:
    if not detail.days:
        return "nobody knows for how long" if detail.is_delay else None
    if detail.is_delay:
        return _difference(detail)
    return f"{_difference(detail)} {'later' if detail.days > 0 else 'earlier'}"


def _game(detail: ReleaseDetail) -> str:
    return detail.game or detail.name or "A game"


def _new_entry(detail: ReleaseDetail) -> str:
    kind, game, name = detail.stage or "entry", detail.game or "", detail.name or ""
    # Most are called by their game: "Rust: Depths".
    return f"New {kind}: {name}" if not game or game.casefold() in name.casefold() else f"New {kind} for {game}: {name}"


def _announced(detail: ReleaseDetail) -> str:
    what = detail.stage or "release"
    if detail.when == TBD:
        return f"{what} announced, date to be determined"
    when = in_words(detail.when)
    return f"{what} announced for {when}" if when else f"{what} announced"


def _precised(detail: ReleaseDetail) -> str:
    before = "" if detail.when_before == TBD else _was(detail)
    return f"{detail.stage or 'release'} now dated{_after(' ', detail.when)}{before}"


def _moved(detail: ReleaseDetail) -> str:
    what = detail.stage or "release"
    if detail.when == TBD:
        return f"{what} postponed, date to be determined{_was(detail)}"
    return f"{what} {_moved_by(detail)}{_after(' to ', detail.when)}{_was(detail)}"


def _was(detail: ReleaseDetail) -> str:
    return _after(", was ", detail.when_before)


def _after(words: str, when: str | None) -> str:
    """Return a period behind some words, or "" for one that cannot be read."""
    shown = in_words(when)
    return f"{words}{shown}" if shown else ""


def _moved_by(detail: ReleaseDetail) -> str:
    """Return what a move means: "delayed by 21 days", "moved forward by about 3 months", "changed"."""
    days = detail.days
    if days is None or days == 0:
        return "delayed" if detail.is_delay else "changed"
    how = "delayed" if detail.is_delay else "moved" if days > 0 else "moved forward"
    return f"{how} by {_difference(detail)}"


def _difference(detail: ReleaseDetail) -> str:
    """Return how far two dates are apart, whichever is the later: "3 days", "about 2 months"."""
    # Of two days the difference is known; of two quarters it is about that of their ends.
    exact = all(
        written is not None and len(written) == len("2026-11-21") for written in (detail.when, detail.when_before)
    )
    return _span(abs(detail.days or 0), exact=exact)


def _out(detail: ReleaseDetail) -> str:
    stage = f" as {detail.stage}" if detail.stage else ""
    stage = f" in {detail.stage}" if detail.stage and detail.stage.endswith("access") else stage
    return f"is out{stage}{_where(detail.platforms)}{_after(' – ', detail.when)}"


def _cancelled(detail: ReleaseDetail) -> str:
    before = detail.when_before
    planned = _after(", was planned for ", before) if before != TBD else ""
    off = "release no longer listed" if detail.reason else "release cancelled"
    return f"{off}{planned}"


def _where(platforms: tuple[str, ...]) -> str:
    if not platforms:
        return ""
    more = len(platforms) - PLATFORMS_NAMED
    named = ", ".join(platforms[:PLATFORMS_NAMED])
    return f" ({named} and {more} more)" if more > 0 else f" ({named})"


def _span(days: int, *, exact: bool) -> str:
    if exact or days < 14:
        return counted_plainly(days, "day")
    months = round(days / 30.44)
    if months < 24:
        return f"about {counted_plainly(months, 'month')}"
    return f"about {round(days / 365.25)} years"


WORDS = FamilyWords(
    detail=ReleaseDetail, kinds=KINDS, names=_names, feed_summary=_feed_summary, message_facts=_message_facts
)
