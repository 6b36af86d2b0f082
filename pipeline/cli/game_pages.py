"""A game of IGDB as a page in the terminal."""

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from pipeline.games.listing.pages import GamePage, Kin, Release
from pipeline.games.store.links import Link
from pipeline.runtime.output import console, show

KIN_SHOWN = 12
_HOW = {
    "igdb_id": "as Twitch says",
    "external_game": "as IGDB says of Twitch",
    "name": "by its name",
    "hand": "by hand",
    "service": "as a service says",
}


def how_linked(link: Link) -> str:
    """Return in words what ties a game to its entry of IGDB."""
    words = _HOW[link.how]
    if link.how == "name" and link.confidence is not None:
        words += f", {link.confidence:.0%} sure"
    return words + (f", pinned {show(link.pinned_at)}" if link.pinned_at else "")


def print_page(page: GamePage, link: Link | None) -> None:
    """Print what IGDB knows of a game."""
    year = f" ({page.first_release_at.year})" if page.first_release_at is not None else ""
    console.print(f"{show(page.name)}{year}", markup=False, style="bold")
    console.print(_below(page, link), markup=False, soft_wrap=True)
    for parent in page.belongs_to:
        console.print(f"belongs to {show(parent.name)} (IGDB {parent.igdb_id})", markup=False)
    if page.summary:
        console.print("\n" + show(page.summary), markup=False)
    console.print()
    console.print(_facts(page))
    if page.releases:
        console.print("\nReleases", style="bold")
        console.print(_dates(page.releases))
    if page.kin:
        console.print("\nEditions, expansions and more", style="bold")
        console.print(_kin(page.kin[:KIN_SHOWN]))
        if len(page.kin) > KIN_SHOWN:
            console.print(f"and {len(page.kin) - KIN_SHOWN} more: --json lists them")
    console.print(f"\nas of {show(page.synced_at)} UTC\n")


def _below(page: GamePage, link: Link | None) -> str:
    parts = [page.what, f"IGDB {page.igdb_id}"]
    if link is not None:
        parts.append("linked " + how_linked(link))
    if page.rating is not None:
        parts.append(f"rated {page.rating:.0f} of 100 by {page.rating_count or 0}")
    if page.removed_at is not None:
        parts.append(f"no longer at IGDB since {show(page.removed_at)}")
    return show(" · ".join(parts))


def _facts(page: GamePage) -> Table:
    table = _table("what", "told")
    facts: Sequence[tuple[str, object]] = (
        ("genres", page.genres),
        ("themes", page.themes),
        ("modes", page.modes),
        ("platforms", page.platforms),
        ("companies", page.companies),
        ("franchises", page.franchises),
        ("cover", page.cover),
        ("page", page.url),
    )
    for name, value in facts:
        if value:
            table.add_row(Text(name, style="dim"), Text(show(value)))
    return table


def _dates(releases: Iterable[Release]) -> Table:
    table = _table("when", "where")
    for release in releases:
        where = " · ".join(part for part in (release.platform, release.region, release.stage) if part)
        table.add_row(Text(release.words), Text(show(where + (", cancelled" if release.cancelled else ""))))
    return table


def _kin(kin: Iterable[Kin]) -> Table:
    table = _table("what", "name")
    for relative in kin:
        table.add_row(Text(relative.what), Text(f"{show(relative.name)} (IGDB {relative.igdb_id})"))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for nth, column in enumerate(columns):
        table.add_column(column, no_wrap=nth == 0, overflow="fold")
    return table
