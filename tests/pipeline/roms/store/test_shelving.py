"""Entries of the library for what there is a ROM of."""

from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from models import LibraryEntry
from models.people import OWNER_ID
from pipeline.ingest.turn import take_turn
from pipeline.roms.store.shelving import shelve
from tests.pipeline.roms.titled import DAY, NOON, Roms


@pytest.fixture
def roms(engine: Engine) -> Roms:
    return Roms(engine)


def shelved(roms: Roms, *rom_ids: int, now: Any = NOON) -> set[int]:
    with roms.engine.begin() as connection:
        take_turn(connection)
        return shelve(connection, OWNER_ID, {roms.row(rom_id).game_id for rom_id in rom_ids}, now)


def entry(roms: Roms) -> Any:
    with roms.connection() as connection:
        return connection.execute(select(*LibraryEntry.__table__.c)).one()


def say(roms: Roms, **values: Any) -> None:
    with roms.engine.begin() as connection:
        connection.execute(update(LibraryEntry).values(values))


def test_a_game_has_an_entry_for_each_platform_however_many_files_it_has(roms: Roms) -> None:
    folder = roms.folder()
    for written, platform in (("1", "dos"), ("2", "dos"), ("3", "amiga"), ("4", "cps1"), ("5", "mame")):
        roms.rom(folder, f"Harbour of Lanterns (1991) [a{written}]", platform)

    roms.resolve()

    assert [platform for _, platform, *_ in roms.entries()] == ["Amiga", "Arcade", "DOS"]


def test_an_entry_is_gone_with_the_last_file_and_comes_back_as_itself(roms: Roms) -> None:
    folder = roms.folder()
    one, two = (roms.rom(folder, f"Harbour of Lanterns (1991){copy}") for copy in ("", " [a]"))
    roms.resolve()
    entry_id = entry(roms).id

    roms.change(one, missing_since=NOON)
    assert (shelved(roms, one), entry(roms).last_seen_at) == (set(), None)
    roms.change(two, missing_since=NOON)
    assert shelved(roms, one)
    assert (entry(roms).last_seen_at, roms.words(), roms.wanted()) == (NOON, [], [])
    roms.change(two, missing_since=None)
    assert shelved(roms, two, now=NOON + DAY)
    assert (entry(roms).id, entry(roms).last_seen_at) == (entry_id, None)
    assert roms.words() == [["owned", "rom"]]


def test_what_is_as_it_should_be_is_not_written(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Harbour of Lanterns (1991)")
    roms.resolve()

    assert shelved(roms, rom, now=NOON + DAY) == set()


def test_what_a_person_removed_or_hid_stays_so(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Harbour of Lanterns (1991)")
    roms.resolve()

    say(roms, removed_at=NOON, last_seen_at=NOON)
    assert shelved(roms, rom) == set()
    assert (entry(roms).removed_at, entry(roms).last_seen_at) == (NOON, NOON)
    say(roms, removed_at=None, hidden_at=NOON)
    shelved(roms, rom)
    assert (entry(roms).hidden_at, entry(roms).last_seen_at) == (NOON, None)


def test_entries_of_shops_are_not_touched(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Harbour of Lanterns (1991)")
    roms.resolve()
    say(roms, store="steam", external_id="404")
    roms.change(rom, missing_since=NOON)

    shelved(roms, rom)

    assert entry(roms).last_seen_at is None
