"""Which entries and playthroughs lines are, and by which keys they are known when they come again."""

from datetime import date
from typing import Any

import msgspec
import pytest

from pipeline.library.compare import Change, EntryFacts, ThroughFacts
from pipeline.library.lines import (
    KnownGame,
    end_of,
    entries_of,
    entry_changes,
    in_short,
    key_of_through,
    played,
)
from pipeline.library.records import PlaythroughRecord, Record
from pipeline.library.store.entries import EntryKey

ICO = KnownGame(id=1, igdb_id=10, public_id="abc", name="Ico", work_id=1)
ONCE = PlaythroughRecord(key="once", status="finished")
OWNED = EntryFacts(game_id=1, igdb_id=10, title="Ico", ownership="owned")


def line(**fields: Any) -> Record:
    values: dict[str, Any] = {"line": 1, "written": "Ico"}
    return Record(**values | fields)


def keys(**fields: Any) -> list[EntryKey]:
    return [key for key, _ in entries_of(line(**{"ownership": "owned"} | fields), ICO)]


def test_hours_of_a_game_that_nobody_is_said_to_have_are_a_playthrough() -> None:
    [through] = played(line(playtime_seconds=3600, status="finished"))

    assert (through.seconds, through.status) == (3600, "finished")


@pytest.mark.parametrize("status", [None, "backlog"])
def test_what_was_played_without_a_status_waits_no_longer(status: str | None) -> None:
    [through] = played(line(playtime_seconds=60, status=status))

    assert through.status == "paused"


def test_hours_of_a_game_that_somebody_has_stay_with_its_entry() -> None:
    assert list(played(line(playtime_seconds=3600, ownership="owned"))) == []
    assert list(played(line(playtime_seconds=0))) == []


def test_playthroughs_that_a_line_has_are_its_own() -> None:
    assert played(line(playtime_seconds=3600, playthroughs=(ONCE,))) == (ONCE,)


def test_a_line_that_says_of_nobody_that_they_have_a_game_is_no_entry() -> None:
    assert keys(ownership=None, store="steam", external_id="7") == []


def test_each_platform_is_an_entry_and_playtime_counts_once() -> None:
    entries = list(entries_of(line(ownership="owned", platforms=("PS2", "PS3"), playtime_seconds=60), ICO))

    assert [key for key, _ in entries] == [
        EntryKey("other", "game/abc", "PlayStation 2"),
        EntryKey("other", "game/abc", "PlayStation 3"),
    ]
    assert [facts.playtime_seconds for _, facts in entries] == [60, None]


def test_a_shop_for_computers_has_a_game_once_whichever_computers_a_line_names() -> None:
    for platforms in ((), ("Windows",), ("Linux", "Mac")):
        assert keys(store="steam", external_id="7", platforms=platforms) == [EntryKey("steam", "7", "PC")]


def test_a_shops_id_is_of_one_platform() -> None:
    assert keys(store="playstation", external_id="7", platforms=("PS4", "PS5")) == [
        EntryKey("playstation", "7", "PlayStation 4")
    ]
    assert keys(store="steam", external_id="7", platforms=("PS4",)) == [EntryKey("steam", "7", "PlayStation 4")]


def test_a_game_of_no_platform_and_no_shop_is_an_entry_all_the_same() -> None:
    assert keys() == [EntryKey("other", "game/abc", "")]


def test_an_entry_holds_what_its_line_says_of_the_game_that_it_means() -> None:
    record = line(title="Ico HD", ownership="lent", acquired_on=date(2012, 5, 1), is_hidden=True)

    [(_, facts)] = entries_of(record, ICO)

    assert (facts.game_id, facts.igdb_id, facts.title) == (1, 10, "Ico HD")
    assert (facts.ownership, facts.acquired_on, facts.is_hidden) == ("lent", date(2012, 5, 1), True)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"store": "gog", "external_id": "7", "igdb_id": 10}, "csv:gog/7:once"),
        ({"store": "gog", "igdb_id": 10}, "csv:igdb/10:once"),
        ({"year": 2001, "platforms": ("PS3", "PS2")}, "csv:ico/2001/playstation2playstation3:once"),
        ({}, "csv:ico//:once"),
    ],
)
def test_a_playthrough_is_known_by_the_surest_that_its_line_says(fields: dict[str, Any], key: str) -> None:
    assert key_of_through("csv", line(**fields), ONCE) == key


def test_the_key_of_a_playthrough_stays_the_same_however_title_and_platforms_are_written() -> None:
    written = key_of_through("csv", line(written="ICO", platforms=("PlayStation 3", "PS2")), ONCE)

    assert written == key_of_through("csv", line(platforms=("ps2", "PS3")), ONCE)


@pytest.mark.parametrize(
    ("status", "finished", "end"),
    [
        ("finished", None, "finished"),
        ("mastered", "2026", "mastered"),
        ("playing", "2026", "finished"),
        ("playing", None, None),
        ("abandoned", "2026", None),
    ],
)
def test_a_playthrough_has_an_end_by_its_status_or_by_its_day_but_not_where_it_was_abandoned(
    status: str, finished: str | None, end: str | None
) -> None:
    assert end_of(status, finished) == end


def test_a_change_of_an_entry_names_no_rows() -> None:
    changed = msgspec.structs.replace(OWNED, game_id=2, ownership="sold")

    assert entry_changes(OWNED, changed) == (Change(field="ownership", old="owned", new="sold"),)


def test_an_entry_that_is_of_another_row_alone_shows_what_its_game_is_called() -> None:
    other = msgspec.structs.replace(OWNED, game_id=2)

    assert entry_changes(OWNED, other) == (Change(field="game", old="Ico", new="Ico"),)


def test_a_playthrough_is_shown_by_what_it_says_alone_and_a_rating_of_zero_says_something() -> None:
    facts = ThroughFacts(game_id=1, igdb_id=10, platform="", status="abandoned", rating=0.0, rating_scale=10)

    assert in_short(facts) == {"status": "abandoned", "rating": 0.0, "rating_scale": 10}
