"""What trackers say: Yamtrack, Grouvee, HowLongToBeat, Backloggd, RetroAchievements."""

import pytest

from tests.pipeline.library.formats.examples import (
    BACKLOGGD,
    BACKLOGGD_CSV,
    GROUVEE,
    HLTB,
    HLTB_HEADER,
    RETROACHIEVEMENTS,
    YAMTRACK,
    read,
)


def test_yamtracks_films_are_no_games() -> None:
    film, *games = read(YAMTRACK).records

    assert film.no_game == "a film, no game"
    assert [game.no_game for game in games] == [None, None, None]


def test_yamtrack_gives_igdbs_ids_progress_and_a_score_out_of_ten() -> None:
    _, portal, portal_2, own = read(YAMTRACK).records
    (way,) = portal.playthroughs

    assert (portal.igdb_id, portal.rating, portal.rating_scale, portal.notes) == (71, 85.0, 10, "good")
    assert (way.status, way.started, way.finished, way.seconds) == ("finished", "2024-02-08", "2024-02-09", 10_800)
    assert (portal_2.status, portal_2.playthroughs[0].seconds) == ("playing", 2700)
    assert (own.igdb_id, own.status, own.playthroughs) == (None, "backlog", ())


def test_yamtracks_newer_columns_change_nothing() -> None:
    lines = YAMTRACK.decode().splitlines()

    wider = "\n".join([f'{lines[0]},"created_at"', *(f'{line},"2026-01-01"' for line in lines[1:])])

    assert read(wider).records == read(YAMTRACK).records


def test_on_grouvee_a_finish_says_more_than_the_backlog() -> None:
    left_behind, wanted, waiting = read(GROUVEE).records
    (way,) = left_behind.playthroughs

    assert (left_behind.status, left_behind.rating, left_behind.series) == ("finished", 80.0, "Behind")
    assert (way.status, way.started, way.finished, way.seconds) == ("finished", "2010-01-01", "2020-02-02", 36_300)
    assert (wanted.ownership, wanted.status) == ("wished", None)
    assert (waiting.status, waiting.playthroughs, waiting.tags) == ("backlog", (), ("With friends",))


@pytest.mark.parametrize(("release", "year"), [("1999-Q3", 1999), ("2022", 2022), ("2018-11-27", 2018), ("", None)])
def test_of_grouvees_release_dates_the_year_is_kept(release: str, year: int | None) -> None:
    (record,) = read(f"id,name,shelves,release_date,giantbomb_id\n1,Ico,{{}},{release},1\n").records

    assert record.year == year


def test_grouvees_newer_export_has_igdbs_ids_and_a_level_is_a_finish() -> None:
    dates = '"[{""date_started"": ""None"", ""date_finished"": ""None"", ""level_of_completion"": ""Main Story""}]"'
    text = f'id,name,shelves,dates,giantbomb_id,igdb_id\n1,Ico,"{{""Backlog"": {{}}}}",{dates},,25076\n'

    (record,) = read(text).records

    assert (record.igdb_id, record.status, record.playthroughs[0].completion) == (25076, "finished", "main")
    assert (record.playthroughs[0].finished, record.playthroughs[0].seconds) == (None, None)


def test_a_cell_of_grouvees_that_is_no_json_costs_its_row() -> None:
    reading = read("id,name,shelves,giantbomb_id\n1,Ico,{bad,1\n2,Rez,{},2\n")

    assert [each.written for each in reading.records] == ["Rez"]
    assert [(each.line, each.written) for each in reading.broken] == [(2, "Ico")]
    assert "`shelves` holds JSON that cannot be read" in reading.broken[0].reason


def test_howlongtobeat_keeps_a_year_a_year_and_times_as_it_means_them() -> None:
    ico, rez = read(HLTB).records
    (way,) = ico.playthroughs

    assert (ico.status, ico.rating, ico.platforms) == ("finished", 70.0, ("PlayStation 2",))
    assert (way.finished, way.seconds, way.completion) == ("2012", 46 * 60 + 30, "main")
    assert (rez.status, rez.playthroughs, rez.rating) == ("backlog", (), None)
    assert (rez.store, rez.ownership, rez.tags) == ("steam", "owned", ("Custom-1",))


@pytest.mark.parametrize(
    ("written", "seconds"), [("--", None), ("46:30", 2790), ("32", 32), ("12h 30m", 45_000), ("3:00:00", 10_800)]
)
def test_times_of_howlongtobeat(written: str, seconds: int | None) -> None:
    row = f"Ico,PC,,,,,,,X,,,,,First-Play,--,{written},,--,,--,,,,,\n"

    assert read(HLTB_HEADER + row).records[0].playthroughs[0].seconds == seconds


def test_backloggds_flags_say_more_than_its_status_word() -> None:
    waiting, finished, wished = read(BACKLOGGD_CSV).records

    assert (waiting.status, waiting.playthroughs) == ("backlog", ())
    assert (finished.status, finished.rating, finished.rating_scale) == ("finished", 90.0, 10)
    assert (wished.status, wished.ownership) == (None, "wished")


def test_a_transfer_to_backloggd_gives_a_playthrough_with_the_ends_of_its_ranges() -> None:
    (record,) = read(BACKLOGGD).records
    (way,) = record.playthroughs

    assert (record.igdb_slug, record.rating, record.is_favourite, record.notes) == ("raft", 50.0, True, "wet")
    assert (way.platform, way.started, way.finished) == ("PC (Microsoft Windows)", "2024-08-02", "2024-08-03")


def test_retroachievements_say_what_was_beaten_on_what_and_when() -> None:
    beaten, subset = read(RETROACHIEVEMENTS).records
    (way,) = beaten.playthroughs

    assert (beaten.title, beaten.tags, beaten.platforms) == ("Some Plumber", ("Hack",), ("NES/Famicom",))
    assert (way.status, way.completion, way.finished) == ("finished", "main", "2014-01-08")
    assert beaten.ownership is None
    assert subset.no_game == "a set of achievements of another game"
