"""A library as others read it, and as we read it back."""

import pytest
from sqlalchemy import insert

from models import GameList, GameListEntry
from models.people import OWNER_ID
from pipeline.library.formats import recognise
from pipeline.library.journal.entries import Addition, add_entry, forget_work
from pipeline.library.journal.playthroughs import add_playthrough
from pipeline.library.journal.states import Wish, set_state
from pipeline.library.listing.exporting import TEXTS, Exported, as_lines, load_exported, records_of
from pipeline.library.records import ListRecord, Placing, ReadOptions, Record
from pipeline.library.take_in import take_in
from tests.paths import RECORDINGS
from tests.pipeline.library.shelf import Shelf


@pytest.fixture
def exported(shelf: Shelf) -> tuple[list[Exported], list[ListRecord]]:
    """A library of a game on two platforms, one of another edition, a wish, one that IGDB lacks and a forgotten one."""
    ico, hd = shelf.game("Ico", 1, first_release_date=1000000000), shelf.game("Ico HD", 2, game_type=9, parent_game=1)
    okami, own, gone = shelf.game("Ōkami", 3), shelf.game("My own game"), shelf.game("Gone", 4)
    shelf.entry(ico, "steam", playtime_seconds=5400, last_played_at=shelf.now)
    shelf.entry(ico, "physical", platform="PlayStation 2")
    shelf.entry(okami, "gog", ownership="wished")
    shelf.entry(gone)
    today = shelf.now.date()
    with shelf.turn() as connection:
        add_entry(connection, OWNER_ID, Addition(game=own, store="itch", platform="PC"), shelf.now)
        values = {"finished": "1999-Q3", "platform": "PlayStation 2", "completion": "all", "seconds": 25200}
        add_playthrough(connection, OWNER_ID, ico, values | {"rating": 90.0, "rating_scale": 10}, shelf.now, today)
        add_playthrough(connection, OWNER_ID, hd, {"finished": "2026-01-02"}, shelf.now, today)
        wish = Wish(values={"rating": 80.0, "rating_scale": 5, "notes": "A castle,\nquiet"}, tags_added=("short",))
        set_state(connection, OWNER_ID, ico.work_id, wish, shelf.now)
        forget_work(connection, OWNER_ID, gone.work_id, shelf.now)
        listing = {"person_id": OWNER_ID, "name": "Top 25", "slug": "top-25", "ranked": True, "wants": False}
        list_id = connection.execute(
            insert(GameList).values(**listing, created_at=shelf.now).returning(GameList.id)
        ).scalar_one()
        line = {"list_id": list_id, "position": 7, "written": "Ico", "igdb_id": 1, "work_id": ico.work_id}
        connection.execute(insert(GameListEntry).values(**line))
        return load_exported(connection, OWNER_ID)


def read(data: str, name: str) -> dict[str, list[Record]]:
    records: dict[str, list[Record]] = {}
    for record in recognise(data.encode(), name, ReadOptions()).records:
        records.setdefault(record.title or record.written, []).append(record)
    return records


def test_our_own_lines_are_read_back_as_they_were_written(exported: tuple[list[Exported], list[ListRecord]]) -> None:
    games, lists = exported
    reading = recognise(b"".join(as_lines(games, lists)), "library.jsonl", ReadOptions())

    written = [record for game in games for record in records_of(game)]
    assert [msg(record) for record in reading.records] == [msg(record) for record in written]
    assert list(reading.lists) == lists == [ListRecord(name="Top 25", ranked=True)]
    assert list(reading.broken) == []


def test_a_work_is_a_line_for_each_entry_and_for_an_edition_that_was_only_played(
    exported: tuple[list[Exported], list[ListRecord]],
) -> None:
    by_name = {game.work.name: records_of(game) for game in exported[0]}
    steam, physical, hd = by_name["Ico"]

    assert (steam.store, steam.external_id, steam.platforms) == ("steam", "steam-1", ("PC",))
    assert (steam.rating, steam.rating_scale, steam.tags, steam.placings) == (
        80,
        5,
        ("short",),
        (Placing(name="Top 25", place=7),),
    )
    assert [through.finished for through in steam.playthroughs] == ["1999-Q3"]
    assert (physical.store, physical.playthroughs, physical.tags) == ("physical", (), ())
    assert (hd.igdb_id, hd.ownership, [through.finished for through in hd.playthroughs]) == (2, None, ["2026-01-02"])
    assert by_name["My own game"][0].external_id is None
    assert "Gone" not in by_name


def test_a_table_is_read_back_with_its_playthroughs_and_ratings(
    exported: tuple[list[Exported], list[ListRecord]],
) -> None:
    records = read("".join(TEXTS["csv"](exported[0])), "library.csv")
    ends = sorted(through.finished or "" for record in records["Ico"] for through in record.playthroughs)

    assert ends == ["1999-Q3", "2026-01-02"]
    assert {(record.store, record.platforms) for record in records["Ico"]} >= {("steam", ("PC",))}
    assert [record.rating for record in records["Ico"] if record.rating is not None] == [80]
    assert (records["Ōkami"][0].ownership, records["Ōkami"][0].igdb_id) == ("wished", 3)


def test_yamtrack_reads_games_by_igdbs_ids_and_what_is_no_day_is_in_the_notes(
    exported: tuple[list[Exported], list[ListRecord]],
) -> None:
    records = read("".join(TEXTS["yamtrack"](exported[0])), "yamtrack.csv")
    by_end = {record.playthroughs[0].finished: record for record in records["Ico"]}

    assert (by_end["2026-01-02"].igdb_id, by_end["2026-01-02"].status) == (1, "finished")
    assert by_end[None].notes == "A castle,\nquiet\nfinished 1999-Q3"
    assert by_end[None].playthroughs[0].seconds == 25200
    assert records["My own game"][0].igdb_id is None


def test_grouvee_reads_shelves_dates_and_stars(exported: tuple[list[Exported], list[ListRecord]]) -> None:
    data = "".join(TEXTS["grouvee"](exported[0]))
    [ico] = read(data, "grouvee.csv")["Ico"]

    assert (ico.rating, ico.igdb_id, ico.year, ico.tags) == (80, 1, 2001, ("short",))
    assert sorted((through.finished, through.completion) for through in ico.playthroughs if through.finished) == [
        ("2026-01-02", None)
    ]
    assert any(through.completion == "all" for through in ico.playthroughs)
    assert read(data, "grouvee.csv")["Ōkami"][0].ownership == "wished"


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("form", "name"),
    [("grouvee", "grouvee_export_20_columns_2026.csv"), ("yamtrack", "yamtrack_export_14_columns.csv")],
)
def test_the_columns_are_those_of_a_real_export(
    exported: tuple[list[Exported], list[ListRecord]], form: str, name: str
) -> None:
    [header, *_] = "".join(TEXTS[form](exported[0])).splitlines()
    assert header == (RECORDINGS / "library" / name).read_text().splitlines()[0]


def msg(record: Record) -> object:
    """A record but for where in its file it stood."""
    return {name: getattr(record, name) for name in record.__struct_fields__ if name != "line"}


def test_an_export_that_comes_back_changes_nothing(
    shelf: Shelf, exported: tuple[list[Exported], list[ListRecord]]
) -> None:
    reading = recognise(b"".join(as_lines(*exported)), "library.jsonl", ReadOptions())
    before = (shelf.entries(), shelf.playthroughs())
    with shelf.engine.begin() as connection:
        taken = take_in(
            connection, reading, person_id=OWNER_ID, import_id=None, source_id=None, now=shelf.now, silent=True
        )

    assert [(line.written, line.verdict) for line in taken.lines if line.verdict != "same"] == []
    assert (shelf.entries(), shelf.playthroughs()) == before
