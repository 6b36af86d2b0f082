"""A library as tables: what stands in which row, and how each tracker wants it written."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from pipeline.library.formats import recognise
from pipeline.library.formats.marks import COLUMN
from pipeline.library.listing.exporting import Exported
from pipeline.library.listing.pages import Entry, Through
from pipeline.library.listing.tables import TEXTS
from pipeline.library.listing.works import ListedWork
from pipeline.library.records import Placing, ReadOptions, Record

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
EMPTY: dict[str, Any] = dict.fromkeys(ListedWork.__struct_fields__) | {
    **{name: [] for name in ("genres", "words", "stores", "platforms", "tags")},
    "work_id": 1,
    "name": "Ico",
    "igdb_id": 10,
    "is_favourite": False,
    "is_hidden": False,
    "playthroughs": 0,
    "finishes": 0,
}


def entry(store: str = "steam", **fields: Any) -> Entry:
    values: dict[str, Any] = dict.fromkeys(Entry.__struct_fields__) | {
        "id": 1,
        "work_id": 1,
        "game": "Ico",
        "store": store,
        "external_id": f"{store}-1",
        "platform": "PC",
        "title": "ICO",
        "ownership": "owned",
        "first_seen_at": NOON,
        "origin": "hand",
    }
    return Entry(**values | fields)


def through(number: int = 1, **fields: Any) -> Through:
    values: dict[str, Any] = dict.fromkeys(Through.__struct_fields__) | {
        "id": number,
        "work_id": 1,
        "game": "Ico",
        "platform": "",
        "status": "finished",
        "is_replay": False,
        "created_at": NOON,
        "origin": "hand",
    }
    return Through(**values | fields)


def work(*parts: Entry | Through, **fields: Any) -> Exported:
    """Return a work with these entries and playthroughs; `said` by its person, which is also what is listed."""
    of_person = ("status", "rating", "rating_scale", "notes", "series")
    said = {name: value for name, value in fields.items() if name in of_person}
    return Exported(
        work=ListedWork(**EMPTY | fields),
        title="Ico",
        entries=[part for part in parts if isinstance(part, Entry)],
        throughs=[part for part in parts if isinstance(part, Through)],
        placings=[Placing(name="Top 25", place=7)],
        said=said,
    )


def rows(form: str, *exported: Exported) -> list[dict[str, str]]:
    """Return the rows of a table by the names of its columns, without our own lines."""
    table = csv.DictReader(io.StringIO("".join(TEXTS[form](exported))))
    return [{name: cell for name, cell in row.items() if name != COLUMN} for row in table]


def read(form: str, *exported: Exported) -> list[Record]:
    """Return what we read of a table that we wrote."""
    return list(recognise("".join(TEXTS[form](exported)).encode(), "a.csv", ReadOptions()).records)


@pytest.mark.parametrize("form", TEXTS)
def test_a_library_without_games_is_a_table_with_its_columns_alone(form: str) -> None:
    [header] = csv.reader(io.StringIO("".join(TEXTS[form]([]))))

    assert header[-1] == COLUMN
    assert len(header) > 10


@pytest.mark.parametrize("form", TEXTS)
def test_what_no_tracker_holds_comes_back_with_our_own_line(form: str) -> None:
    exported = work(entry(), through(3, finished="1999-Q3", rating=66.67), rating=87.0, rating_scale=100)

    [record] = read(form, exported)

    assert (record.rating, record.rating_scale, record.external_id) == (87.0, 100, "steam-1")
    assert [(each.key, each.finished, each.rating) for each in record.playthroughs] == [
        ("playthrough/3", "1999-Q3", 66.67)
    ]
    # Which lists it is on no table says.
    assert record.placings == ()


def test_a_table_has_a_row_for_each_entry_and_the_first_says_what_is_said_of_the_work() -> None:
    exported = work(
        *(entry(), entry("physical", platform="PlayStation 2", ownership="lent", acquired_on=date(2012, 5, 1))),
        rating=85.0,
        is_favourite=True,
        tags=["short", "cosy"],
        series="Team Ico",
        status="paused",
    )

    steam, physical = rows("csv", exported)

    assert (steam["store"], steam["platform"], physical["store"], physical["ownership"]) == (
        *("steam", "PC"),
        *("physical", "lent"),
    )
    assert (steam["rating /10"], steam["favourite"], steam["tags"], steam["status"]) == (
        *("8.5", "yes", "short, cosy"),
        "paused",
    )
    assert (physical["rating /10"], physical["tags"], physical["acquired"]) == ("", "", "2012-05-01")


@pytest.mark.parametrize(("seconds", "hours"), [(5400, "1.5"), (3600, "1"), (36_000, "10"), (0, ""), (None, "")])
def test_playtime_is_in_hours_without_needless_zeros(seconds: int | None, hours: str) -> None:
    assert rows("csv", work(entry(playtime_seconds=seconds)))[0]["hours"] == hours


def test_a_moment_is_written_by_its_day_in_utc() -> None:
    late = datetime(2026, 11, 29, 1, tzinfo=timezone(timedelta(hours=2)))

    assert rows("csv", work(entry(last_played_at=late)))[0]["last_played"] == "2026-11-28"
    assert json.loads(rows("grouvee", work(entry(), added_at=late))[0]["shelves"]) == {
        "Played": {"date_added": "2026-11-28T23:00:00Z"}
    }


def test_a_playthrough_stands_in_the_row_of_the_platform_that_it_was_on() -> None:
    exported = work(
        entry(), entry("physical", platform="PlayStation 2"), through(platform="PlayStation 2", completion="all")
    )

    steam, physical = rows("csv", exported)

    assert (steam["status"], physical["status"], physical["completion"]) == ("", "finished", "100 %")


def test_each_further_playthrough_and_one_of_another_edition_has_a_row_of_its_own() -> None:
    exported = work(entry(), through(1, finished="2020"), through(2, finished="2021"), through(3, igdb_id=11))

    first, again, other = rows("csv", exported)

    assert (first["store"], first["finished"]) == ("steam", "2020")
    assert (again["store"], again["finished"]) == ("", "2021")
    assert other["store"] == ""
    assert [record.igdb_id for record in read("csv", exported)] == [10, 10, 11]


def test_a_work_that_is_had_nowhere_is_a_row_with_what_is_said_of_it() -> None:
    [wish] = rows("csv", work(status="backlog", notes="A castle"))
    [played] = rows("csv", work(through(status="abandoned"), status="abandoned", notes="A castle"))

    assert (wish["title"], wish["status"], wish["notes"]) == ("Ico", "backlog", "A castle")
    assert (played["title"], played["status"], played["notes"]) == ("Ico", "abandoned", "A castle")


@pytest.mark.parametrize(
    ("status", "written"),
    [("endless", "In progress"), ("mastered", "Completed"), ("abandoned", "Dropped"), (None, "Planning")],
)
def test_yamtrack_has_a_word_of_its_own_for_each_status(status: str | None, written: str) -> None:
    assert rows("yamtrack", work(status=status))[0]["status"] == written


def test_yamtrack_has_each_time_through_with_its_own_hours() -> None:
    first, again = rows("yamtrack", work(through(1, seconds=5400), through(2), seconds=9000, rating=85.0))

    assert (first["progress"], again["progress"]) == ("1h 30min", "")
    assert {first["score"], again["score"]} == {"8.5"}
    assert rows("yamtrack", work(seconds=9000))[0]["progress"] == "2h 30min"


def test_yamtrack_knows_a_game_by_igdb_or_not_at_all() -> None:
    [known], [ours] = rows("yamtrack", work()), rows("yamtrack", work(igdb_id=None))

    assert (known["media_id"], known["source"]) == ("10", "igdb")
    assert (ours["media_id"], ours["source"]) == ("", "manual")


def test_yamtracks_row_of_an_edition_that_was_only_played_has_no_shop() -> None:
    exported = work(entry(), through(igdb_id=11), rating=87.0, rating_scale=100, tags=["short"])

    [record] = read("yamtrack", exported)

    assert (record.igdb_id, record.store, record.external_id, record.ownership) == (11, None, None, None)
    assert (record.rating, record.tags) == (87.0, ("short",))


def test_what_is_no_day_is_written_into_the_notes_of_a_tracker() -> None:
    exported = work(through(started="2020-01-02", finished="2021-05", notes="slow"), notes="A castle")

    [row] = rows("yamtrack", exported)

    assert (row["start_date"], row["end_date"]) == ("2020-01-02", "")
    assert row["notes"] == "slow\nA castle\nfinished 2021-05"


def test_notes_that_a_work_and_its_playthrough_share_are_written_once() -> None:
    assert rows("yamtrack", work(through(notes="slow"), notes="slow"))[0]["notes"] == "slow"
    assert rows("grouvee", work(through(1), through(2), notes="slow"))[0]["review"] == "slow"


@pytest.mark.parametrize(
    ("fields", "shelf"),
    [
        ({"words": ["wished"], "status": "playing"}, "Wish List"),
        ({"status": "backlog"}, "Backlog"),
        ({"status": "paused"}, "Playing"),
        ({"status": "finished"}, "Played"),
        ({}, "Played"),
    ],
)
def test_grouvee_puts_a_game_on_a_shelf_by_its_status_and_on_one_for_each_tag(
    fields: dict[str, Any], shelf: str
) -> None:
    [row] = rows("grouvee", work(tags=["cosy"], added_at=NOON, **fields))

    assert list(json.loads(row["shelves"])) == [shelf, "cosy"]
    assert row["date_added_to_collection"] == "2026-11-29"


@pytest.mark.parametrize(
    ("rating", "stars"), [(None, ""), (0.0, "1"), (9.0, "1"), (50.0, "3"), (87.0, "4"), (100.0, "5")]
)
def test_grouvee_has_whole_stars_and_never_none_for_a_rating(rating: float | None, stars: str) -> None:
    assert rows("grouvee", work(rating=rating))[0]["rating"] == stars


def test_grouvee_has_the_days_of_each_playthrough_and_how_far_it_went() -> None:
    exported = work(through(1, started="2020-01-02", finished="2020", completion="extras", seconds=60), through(2))

    assert json.loads(rows("grouvee", exported)[0]["dates"]) == [
        {
            "date_started": "2020-01-02",
            "date_finished": "None",
            "seconds_played": 60,
            "level_of_completion": "Main Story + Extras",
        },
        {"date_started": "None", "date_finished": "None", "seconds_played": 0, "level_of_completion": None},
    ]


def test_grouvee_has_a_row_for_each_edition_that_was_played_each_with_an_id_of_its_own() -> None:
    exported = work(
        *(entry(), entry("gog", igdb_id=12), through(1, finished="2020-01-02"), through(2, igdb_id=11)),
        genres=["Puzzle"],
        platforms=["PC"],
        series="Team Ico",
    )

    ico, other = rows("grouvee", exported)

    assert (ico["id"], ico["igdb_id"], other["id"], other["igdb_id"]) == ("lootwire-1", "10", "lootwire-1-2", "11")
    assert [len(json.loads(row["dates"])) for row in (ico, other)] == [1, 1]
    assert (json.loads(ico["series"]), json.loads(ico["genres"])) == ({"Team Ico": {}}, {"Puzzle": {}})
