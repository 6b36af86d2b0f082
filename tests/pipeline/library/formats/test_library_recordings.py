"""Real files of shops, launchers and trackers, where they are at hand: ../shared/recordings beside the project."""

from collections import Counter
from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.library.records import Reading
from tests.paths import RECORDINGS
from tests.pipeline.library.formats.examples import read

LIBRARY = RECORDINGS / "library"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not LIBRARY.is_dir(), reason=f"there are no recordings in {LIBRARY}"),
]
# What each file is taken for: its format, its lines, and how many of them are no games.
FILES = {
    "backloggd_import_list.csv": ("backloggd-csv", 67, 0),
    "backloggd_transfer_v2.json": ("backloggd", 1, 0),
    "completions_200.csv": ("csv", 200, 0),
    "grouvee_export_15_columns_first_214.csv": ("grouvee", 214, 0),
    "grouvee_export_20_columns_2026.csv": ("grouvee", 3, 0),
    "heroic_gog_library.json": ("heroic", 3, 1),
    "hltb_export.csv": ("hltb", 1, 0),
    "legendary_list.csv": ("legendary-csv", 3, 1),
    "legendary_list.json": ("legendary", 4, 2),
    "playnite_export_first_289.json": ("playnite", 289, 0),
    "playnite_export_object_form.json": ("playnite", 3, 0),
    "rpg_completion_list_33.md": ("markdown", 47, 0),
    "steam_GetOwnedGames_first_65.json": ("steam", 65, 0),
    "steam_GetOwnedGames_no_appinfo_69.json": ("steam", 69, 1),
    "steam_localconfig_apps_first_half.vdf": ("steam-localconfig", 179, 19),
    "yamtrack_export_14_columns.csv": ("yamtrack", 4, 3),
}


def recorded(name: str, folder: Path = LIBRARY) -> Reading:
    return read((folder / name).read_bytes(), name)


@pytest.mark.parametrize("name", FILES)
def test_every_recording_is_taken_for_what_it_is(name: str) -> None:
    reading = recorded(name)

    no_games = sum(1 for record in reading.records if record.no_game)
    assert (reading.format, len(reading.records), no_games) == FILES[name]
    assert reading.broken == []


def test_no_recording_is_left_out() -> None:
    assert {path.name for path in LIBRARY.iterdir()} == {*FILES, "steam_GetOwnedGames_private.json"}


def test_a_private_profile_says_so() -> None:
    with pytest.raises(UsageError, match="private profile"):
        recorded("steam_GetOwnedGames_private.json")


def test_the_completion_list_gives_33_finished_games_and_two_ranked_lists() -> None:
    reading = recorded("rpg_completion_list_33.md")
    finished = [record for record in reading.records if record.playthroughs]
    ranked = [record for record in reading.records if record.placings]

    assert (len(finished), {record.status for record in finished}) == (33, {"finished"})
    assert all(record.platforms for record in finished)
    assert Counter(record.series for record in finished)["Final Fantasy"] == 7
    assert [record.written for record in finished if len(record.playthroughs) > 1] == [
        "Final Fantasy",
        "Final Fantasy IV",
        "Final Fantasy XVI",
    ]
    assert Counter(record.placings[0].name for record in ranked) == {"Top 25": 9, "FF Favorites": 5}
    assert all(record.status is None and record.ownership is None for record in ranked)
    assert [each.ranked for each in reading.lists] == [True, True]


def test_of_a_list_for_backloggd_flags_say_what_waits() -> None:
    statuses = Counter(record.status for record in recorded("backloggd_import_list.csv").records)

    assert statuses == {"finished": 43, "backlog": 24}


def test_days_before_months_are_told_by_their_column() -> None:
    records = recorded("completions_200.csv").records

    assert records[0].playthroughs[0].finished == "2026-07-26"
    assert all(record.playthroughs[0].finished for record in records)
    assert Counter(record.store for record in records)["gog"] == 91


def test_both_exports_of_grouvees_are_read() -> None:
    old = recorded("grouvee_export_15_columns_first_214.csv").records
    portal, red_dead, wished = recorded("grouvee_export_20_columns_2026.csv").records

    assert Counter(record.status for record in old) == {"finished": 160, "backlog": 19, None: 35}
    assert Counter(record.ownership for record in old)["wished"] == 35
    assert {1998, 1999, 2022} <= {record.year for record in old}
    assert (portal.igdb_id, portal.playthroughs[0].seconds) == (71, 36_300)
    assert (red_dead.status, red_dead.playthroughs[0].completion, wished.ownership) == ("finished", "main", "wished")


def test_playnite_has_stores_for_all_and_times_for_those_played() -> None:
    records = recorded("playnite_export_first_289.json").records

    assert Counter(record.store for record in records) == {"xbox": 150, "epic": 105, "gog": 19, "ea": 8, "amazon": 7}
    assert sum(1 for record in records if record.last_played_at) == 153


def test_retroachievements_progress_is_read() -> None:
    reading = recorded("retroachievements_completion_progress.json", RECORDINGS / "profiles")

    assert [record.status for record in reading.records] == [None, None, None, None, "finished"]
    assert reading.records[4].playthroughs[0].finished == "2014-01-08"
