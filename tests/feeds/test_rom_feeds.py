"""A person's collection of ROMs: a feed, a page of its platforms, and one of each; nobody else's."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from feeds.content import FeedContent
from feeds.pages.roms import MOST_GAMES, CollectedGame, Dump, RomsPage, render_platforms, render_roms
from models import Rom, RomFolder
from models.details import LibraryDetail, LibraryLine
from models.names import name_key
from models.people import OWNER_ID
from tests.feeds.libraries import Household
from tests.feeds.world import NOON, Publishing


@pytest.fixture
def household(world: Publishing, tmp_path: Path) -> Household:
    return Household(world, tmp_path)


def rom(household: Household, folder_id: int, title: str, written: str, platform: str | None, **columns: Any) -> int:
    row = {"kind": "file", "title": title, "title_key": name_key(title), "written": written, "platform": platform}
    return household.world.add(Rom, folder_id=folder_id, added_at=NOON, **row, **columns)


def folder(household: Household, path: bytes = b"/roms", person_id: int = OWNER_ID) -> int:
    shown = path.decode()
    return household.world.add(RomFolder, person_id=person_id, path=path, shown=shown, added_at=NOON, next_due_at=NOON)


def test_a_collection_has_a_page_of_its_platforms_and_one_of_the_games_of_each(household: Household) -> None:
    here = folder(household)
    game_id = household.world.game("Chrono Trigger")
    rom(household, here, "Chrono Trigger", "Chrono Trigger (USA)", "snes", verdict="verified", game_id=game_id)
    rom(household, here, "Chrono Trigger", "Chrono Trigger (Japan)", "snes", missing_since=NOON)
    rom(household, here, "Abuse", "Abuse (1995)", None, year=1995)
    path = household.link("roms")
    household.publish()

    folder_of_link = path.rpartition("/")[0]
    page = household.world.text(f"{path}.html")
    # Where a screen is too narrow for the columns' heads each figure says what it counts.
    figures = (
        '<td class="n">1<span class="of-100"> games</span></td><td class="n">2<span class="of-100"> ROMs</span></td>'
    )
    assert f"Super Nintendo Entertainment System</a></th>{figures}" in page
    snes = household.world.text(f"{folder_of_link}/platform-super-nintendo-entertainment-system.html")
    assert 'Chrono Trigger (USA) <span class="good">verified</span>' in snes
    assert 'Chrono Trigger (Japan) <span class="quiet">missing</span>' in snes
    assert "Abuse (1995)" in household.world.text(f"{folder_of_link}/platform-platform-unknown.html")


def test_the_page_of_a_collection_follows_it_and_shows_no_folder_that_was_removed(household: Household) -> None:
    here = folder(household)
    number = rom(household, here, "Abuse", "Abuse (1995)", "dos")
    path = household.link("roms")
    household.publish()
    assert household.publish().written == 0

    with household.world.engine.begin() as connection:
        connection.execute(update(Rom).where(Rom.id == number).values(verdict="verified"))
    household.publish()
    of_dos = f"{path.rpartition('/')[0]}/platform-dos.html"
    assert "verified" in household.world.text(of_dos)

    with household.world.engine.begin() as connection:
        connection.execute(update(RomFolder).where(RomFolder.id == here).values(removed_at=NOON))
    household.publish()
    assert not (household.world.root / of_dos).exists()
    assert "There are no ROMs yet" in household.world.text(f"{path}.html")


def test_what_came_to_a_collection_is_on_the_feed_of_its_person_alone(household: Household) -> None:
    mara = household.person()
    household.publish()
    ours, hers = household.link("roms"), household.link("roms", person_id=mara)
    detail = LibraryDetail(origin="/roms", total=1, games=(LibraryLine(name="Abuse"),))
    household.event("New in your collection", "rom.added", person_id=OWNER_ID, detail=detail)
    household.publish()

    assert household.titles(ours) == ["New in your collection"]
    assert household.titles(hers) == []
    public = {path: data for path, data in household.world.files().items() if not path.startswith("private/")}
    assert [path for path, data in public.items() if b"Abuse" in data or b"your collection" in data] == []


def test_a_platform_of_very_many_games_shows_the_first_and_says_so() -> None:
    game = CollectedGame(title="Abuse", platform="DOS", dumps=(Dump(written="Abuse (1995)"),))
    page = RomsPage(path="private/a/roms", games=(game,) * (MOST_GAMES + 1))
    feed = FeedContent(feed_id=1, version=1, scope="roms", path=page.path, title="My ROMs", items=())

    assert b"5,001" in render_roms(page, feed, NOON)
    (shown,) = render_platforms(page, feed, NOON).values()
    assert b"The first 5,000 of 5,001" in shown
    assert shown.count(b"item-row") == MOST_GAMES
