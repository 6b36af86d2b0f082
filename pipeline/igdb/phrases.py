"""The headlines of events about releases and games; pure."""

from models.events import EventDetail, EventKind
from models.periods import in_words

PLATFORMS_NAMED = 4


def release_title(kind: EventKind, detail: EventDetail) -> str:
    """Return the headline of a `release.*` or `game.added` event."""
    game = detail.game or detail.name or "A game"
    if kind == EventKind.GAME_ADDED:
        return f"New {detail.stage or 'entry'} for {game}: {detail.name}" if detail.name else f"New game: {game}"
    said = {
        EventKind.RELEASE_ANNOUNCED: _announced,
        EventKind.RELEASE_PRECISED: _precised,
        EventKind.RELEASE_MOVED: _moved,
        EventKind.RELEASE_OUT: _out,
        EventKind.RELEASE_CANCELLED: _cancelled,
    }[kind](detail)
    return f"{game}: {said}{_where(detail.platforms)}" if kind != EventKind.RELEASE_OUT else f"{game} {said}"


def moved_by(detail: EventDetail) -> str:
    """Return what a move means: "delayed by 21 days", "moved forward by about 3 months", "moved"."""
    days = detail.days
    if days is None or days == 0:
        return "delayed" if detail.is_delay else "changed"
    how = "delayed" if detail.is_delay else "moved" if days > 0 else "moved forward"
    # Of two days the difference is known; of two quarters it is about that of their ends.
    exact = all(
        written is not None and len(written) == len("2026-11-21") for written in (detail.when, detail.when_before)
    )
    return f"{how} by {_span(abs(days), exact=exact)}"


def _announced(detail: EventDetail) -> str:
    what = detail.stage or "release"
    if detail.when == "tbd":
        return f"{what} announced, date to be determined"
    return f"{what} announced for {in_words(detail.when)}"


def _precised(detail: EventDetail) -> str:
    before = "" if detail.when_before == "tbd" else f", was {in_words(detail.when_before)}"
    return f"{detail.stage or 'release'} now dated {in_words(detail.when)}{before}"


def _moved(detail: EventDetail) -> str:
    what, before = detail.stage or "release", in_words(detail.when_before)
    if detail.when == "tbd":
        return f"{what} postponed, date to be determined, was {before}"
    return f"{what} {moved_by(detail)} to {in_words(detail.when)}, was {before}"


def _out(detail: EventDetail) -> str:
    stage = f" as {detail.stage}" if detail.stage else ""
    stage = f" in {detail.stage}" if detail.stage and detail.stage.endswith("access") else stage
    return f"is out{stage}{_where(detail.platforms)} – {in_words(detail.when)}"


def _cancelled(detail: EventDetail) -> str:
    before = detail.when_before
    planned = f", was planned for {in_words(before)}" if before and before != "tbd" else ""
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
        return f"{days} day" if days == 1 else f"{days} days"
    months = round(days / 30.44)
    if months < 24:
        return f"about {months} month" if months == 1 else f"about {months} months"
    return f"about {round(days / 365.25)} years"
