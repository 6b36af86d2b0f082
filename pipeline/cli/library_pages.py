"""Print what a library says of a game, and its figures, for a person at a terminal."""

from collections.abc import Sequence
from typing import Any

from models.words.library import COMPLETIONS
from models.words.units import counted
from pipeline.library.listing.adding_up import Rated, Share, Statistics
from pipeline.library.listing.pages import Through, WorkPage
from pipeline.library.listing.works import ListedWork
from pipeline.runtime.output import console, print_rows, show

NOTHING = (
    "Nothing here yet: `lootwire library import FILE` takes in what you have, `lootwire library add TITLE` one game."
)
_MOST_SHARES = 10


def rating_in_words(rating: float | None, scale: int | None) -> str:
    """Return a rating on the scale that it was given on: 90 of 100, given in stars, is `4.5/5`."""
    return "" if rating is None else f"{round(rating * (scale or 100) / 100, 2):g}/{scale or 100}"


def hours_in_words(seconds: int | None) -> str:
    """Return hours to a tenth, as a table shows them; nothing where nothing was played."""
    return f"{seconds / 3600:,.1f}" if seconds else ""


def playthrough_row(through: Through) -> dict[str, Any]:
    """Return a playthrough as a table shows it."""
    return {
        "id": through.id,
        "game": through.game,
        "started": through.started,
        "finished": through.finished,
        "platform": through.platform,
        "status": f"{through.status}{', again' if through.is_replay else ''}",
        "hours": hours_in_words(through.seconds),
        "rating": rating_in_words(through.rating, through.rating_scale),
        "completion": COMPLETIONS.get(through.completion or "", ""),
        "notes": through.notes,
        "from": through.origin,
    }


def work_row(work: ListedWork) -> dict[str, Any]:
    """Return what of a work a table shows otherwise than JSON does."""
    return {
        "status": work.status or ("wished" if "wished" in work.words else ""),
        "hours": hours_in_words(work.seconds),
        "rating": rating_in_words(work.rating, work.rating_scale),
        "last_played": "" if work.last_played_at is None else f"{work.last_played_at:%Y-%m-%d}",
    }


def print_work(page: WorkPage) -> None:
    """Print all that is known of a work."""
    work = page.work
    year = "" if work.year is None else f" ({work.year})"
    console.print(f"{show(work.name)}{year}", markup=False, style="bold")
    number = "a game that IGDB lacks" if work.igdb_id is None else f"IGDB {work.igdb_id}"
    _print_line([number, work.series and f"series {work.series}", ", ".join(work.genres)])
    row = work_row(work)
    played = f"{row['hours']} h" if row["hours"] else None
    last = f"last played {row['last_played']}" if row["last_played"] else None
    owned = "owned" if work.is_owned else None
    favourite = "a favourite" if work.is_favourite else None
    hidden = "hidden" if work.is_hidden else None
    _print_line([owned, row["status"], played, last, row["rating"], favourite, hidden])
    places = [f"{place.list}{f', place {place.position}' if place.ranked else ''}" for place in page.lists]
    relatives = [f"{relative.relation} {relative.name}".strip() for relative in page.relatives]
    for label, texts in (("Tags", work.tags), ("Lists", places), ("Related", relatives)):
        if texts:
            console.print(f"{label}: {show('; '.join(texts))}", markup=False, soft_wrap=True)
    if work.notes:
        console.print(f"\n{work.notes}", markup=False, soft_wrap=True)
    entries = [
        {
            "store": entry.store,
            "platform": entry.platform,
            "ownership": entry.ownership,
            "hours": hours_in_words(entry.playtime_seconds),
            "last_played": "" if entry.last_played_at is None else f"{entry.last_played_at:%Y-%m-%d}",
            "from": entry.origin,
        }
        for entry in page.entries
    ]
    if entries:
        console.print("")
        print_rows(entries, as_json=False, columns=tuple(entries[0]), empty="")
    if page.playthroughs:
        console.print("")
        rows = [playthrough_row(through) for through in page.playthroughs]
        columns = ("id", "started", "finished", "platform", "status", "hours", "rating", "completion", "notes")
        print_rows(rows, as_json=False, columns=columns, empty="")


def _print_line(parts: Sequence[str | None]) -> None:
    if some := [part for part in parts if part]:
        console.print(show(" · ".join(some)), markup=False, soft_wrap=True)


def print_statistics(statistics: Statistics) -> None:
    """Print a library in figures, as tables one under the other."""
    of_year = f" in {statistics.year}" if statistics.year is not None else ""
    if not statistics.games and not any(span.finishes or span.added for span in statistics.spans):
        console.print(f"Nothing was played{of_year}." if of_year else NOTHING, markup=False, soft_wrap=True)
        return
    hours = f"{statistics.seconds / 3600:,.0f} h"
    finishes = f"{counted(statistics.finishes, 'playthrough')} finished"
    console.print(f"{counted(statistics.games, 'game')}{of_year}, {hours}, {finishes}", markup=False, style="bold")
    rated = f"{statistics.rated} rated, {statistics.mean_rating} of 100 on average" if statistics.rated else None
    wished = f"{statistics.wished} wished" if statistics.wished else None
    _print_line([f"{statistics.owned} owned", f"{statistics.backlog} in the backlog", wished, rated])
    _print_line([f"{status} {count}" for status, count in statistics.statuses.items()])
    spans = [
        {"when": span.when, "added": span.added, "finished": span.finishes, "hours": hours_in_words(span.seconds)}
        for span in statistics.spans
    ]
    console.print("")
    print_rows(spans, as_json=False, columns=("when", "added", "finished", "hours"), empty="")
    for heading, shares in (
        ("platform", statistics.platforms),
        ("store", statistics.stores),
        ("genre", statistics.genres),
        ("series", statistics.series),
    ):
        _print_shares(heading, shares)
    _print_rated("best", statistics.best)
    _print_rated("most played", statistics.most_played)


def _print_shares(heading: str, shares: Sequence[Share]) -> None:
    rows = [
        {heading: share.name, "games": share.games, "hours": hours_in_words(share.seconds), "finished": share.finishes}
        for share in shares[:_MOST_SHARES]
    ]
    if rows:
        console.print("")
        print_rows(rows, as_json=False, columns=(heading, "games", "hours", "finished"), empty="")


def _print_rated(heading: str, games: Sequence[Rated]) -> None:
    rows = [
        {
            heading: game.name,
            "rating": "" if game.rating is None else f"{game.rating:g}",
            "hours": hours_in_words(game.seconds),
        }
        for game in games
    ]
    if rows:
        console.print("")
        print_rows(rows, as_json=False, columns=(heading, "rating", "hours"), empty="")
