"""A library as others read it, and as we read it back."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from models import GameList, GameListEntry, GameState, LibraryEntry, PersonWork, Playthrough
from models.people import OWNER_ID
from pipeline.library.compare import Change
from pipeline.library.formats import recognise
from pipeline.library.journal.entries import Addition, add_entry, forget_work
from pipeline.library.journal.playthroughs import add_playthrough
from pipeline.library.journal.states import Wish, set_state
from pipeline.library.journal.turns import end_writing
from pipeline.library.listing.exporting import Exported, as_lines, load_exported, records_of
from pipeline.library.listing.tables import TEXTS
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
    records = read(plain("".join(TEXTS["csv"](exported[0]))), "library.csv")
    ends = sorted(through.finished or "" for record in records["Ico"] for through in record.playthroughs)

    assert ends == ["1999-Q3", "2026-01-02"]
    assert {(record.store, record.platforms) for record in records["Ico"]} >= {("steam", ("PC",))}
    assert [record.rating for record in records["Ico"] if record.rating is not None] == [80]
    assert (records["Ōkami"][0].ownership, records["Ōkami"][0].igdb_id) == ("wished", 3)


def test_yamtrack_reads_games_by_igdbs_ids_and_what_is_no_day_is_in_the_notes(
    exported: tuple[list[Exported], list[ListRecord]],
) -> None:
    records = read(plain("".join(TEXTS["yamtrack"](exported[0]))), "yamtrack.csv")
    by_end = {record.playthroughs[0].finished: record for record in records["Ico"]}

    assert (by_end["2026-01-02"].igdb_id, by_end["2026-01-02"].status) == (1, "finished")
    assert by_end[None].notes == "A castle,\nquiet\nfinished 1999-Q3"
    assert by_end[None].playthroughs[0].seconds == 25200
    assert records["My own game"][0].igdb_id is None


def test_grouvee_reads_shelves_dates_and_stars(exported: tuple[list[Exported], list[ListRecord]]) -> None:
    data = plain("".join(TEXTS["grouvee"](exported[0])))
    ico, hd = read(data, "grouvee.csv")["Ico"]

    assert (ico.rating, ico.igdb_id, ico.year, ico.tags) == (80, 1, 2001, ("short",))
    assert [(through.finished, through.completion) for through in ico.playthroughs] == [(None, "all")]
    assert (hd.igdb_id, [through.finished for through in hd.playthroughs]) == (2, ["2026-01-02"])
    assert read(data, "grouvee.csv")["Ōkami"][0].ownership == "wished"


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("form", "name"),
    [("grouvee", "grouvee_export_20_columns_2026.csv"), ("yamtrack", "yamtrack_export_14_columns.csv")],
)
def test_the_columns_are_those_of_a_real_export(
    exported: tuple[list[Exported], list[ListRecord]], form: str, name: str
) -> None:
    [header, *_] = plain("".join(TEXTS[form](exported[0]))).splitlines()
    assert header == (RECORDINGS / "library" / name).read_text().splitlines()[0]


def msg(record: Record) -> object:
    """A record but for where in its file it stood."""
    return {name: getattr(record, name) for name in record.__struct_fields__ if name != "line"}


def plain(table: str) -> str:
    """A table as a tracker gives it on: without the column of our own lines."""
    written = io.StringIO()
    # As the real exports are written, of which one puts all cells within quotation marks.
    write = csv.writer(
        written, quoting=csv.QUOTE_ALL if table.startswith('"') else csv.QUOTE_MINIMAL, lineterminator="\n"
    )
    write.writerows(row[:-1] for row in csv.reader(io.StringIO(table)))
    return written.getvalue()


def export(shelf: Shelf, form: str) -> bytes:
    with shelf.engine.connect() as connection:
        exported, lists = load_exported(connection, OWNER_ID)
    return b"".join(as_lines(exported, lists)) if form == "jsonl" else "".join(TEXTS[form](exported)).encode()


def bring_back(shelf: Shelf, data: bytes) -> list[tuple[str, str, Sequence[Change]]]:
    """What comes of the lines of a file that are not the same."""
    reading = recognise(data, "library", ReadOptions())
    with shelf.engine.begin() as connection:
        taken = take_in(
            connection, reading, person_id=OWNER_ID, import_id=None, source_id=None, now=shelf.now, silent=True
        )
    assert reading.broken == []
    return [(line.written, line.verdict, line.changes) for line in taken.lines if line.verdict != "same"]


@pytest.fixture
def hard(shelf: Shelf, exported: object) -> Shelf:
    """That library, and what other formats do not hold: what is called otherwise, ratings of any scale, seconds."""
    moss, kite = shelf.game("Moss", 20, first_release_date=1500000000), shelf.game("Kite", 21)
    ours, played = shelf.game("Homebrew", None), shelf.game("Played alone", 22)
    shelf.entry(moss, "steam", playtime_seconds=5417, last_played_at=shelf.now - timedelta(days=99), title="MOSS™")
    shelf.entry(kite, "epic", playtime_seconds=1)
    shelf.entry(ours, "itch", title="Homebrew")
    shelf.entry(shelf.game("On a penguin", 24), "steam", platform="Linux")
    shelf.entry(shelf.game("Lent", 23), "physical", ownership="lent", platform="Nintendo Switch")
    own: dict[str, Any] = {
        "name": "Mooooss",
        "year": 1984,
        "genres": ["Quiet", "Art"],
        "cover_url": "https://a.example/b.png",
    }
    with shelf.turn() as connection:
        set_state(connection, OWNER_ID, moss.work_id, Wish(values=own | {"rating": 70.0, "rating_scale": 5}), shelf.now)
        for game, rating, scale in ((kite, 66.67, 3), (ours, 87.0, 100)):
            wish = Wish(values={"rating": rating, "rating_scale": scale})
            set_state(connection, OWNER_ID, game.work_id, wish, shelf.now)
            # As if an import had said it, so that one may change it.
            connection.execute(update(GameState).where(GameState.work_id == game.work_id).values(set_by={}))
        ended: dict[str, Any] = {"finished": "2021-05", "rating": 50.0, "rating_scale": 10, "notes": "x"}
        for values in ({"started": "2020"}, ended):
            add_playthrough(connection, OWNER_ID, played, values, shelf.now, shelf.now.date())
        end_writing(connection, OWNER_ID, [moss.work_id, kite.work_id, ours.work_id], shelf.now)
    return shelf


@pytest.mark.parametrize("form", ["jsonl", *TEXTS])
def test_an_export_that_comes_back_changes_nothing(hard: Shelf, form: str) -> None:
    data = export(hard, form)
    before = (hard.entries(), hard.playthroughs(), hard.states())

    assert bring_back(hard, data) == []
    assert (hard.entries(), hard.playthroughs(), hard.states()) == before


def test_a_row_that_was_changed_since_is_read_as_it_is_of_the_same_entry(hard: Shelf) -> None:
    data = export(hard, "csv").replace(b",6.667,", b",9,")

    [(written, verdict, changes)] = bring_back(hard, data)

    assert (written, verdict) == ("Kite", "changed")
    assert [(change.old, change.new) for change in changes if change.field == "rating"] == [(66.67, 90.0)]


def test_lines_of_json_bring_what_a_person_said_of_a_game_into_another_library(hard: Shelf) -> None:
    data = export(hard, "jsonl")
    with hard.engine.begin() as connection:
        for table in (LibraryEntry, Playthrough, GameState, PersonWork, GameListEntry, GameList):
            connection.execute(delete(table))

    bring_back(hard, data)

    [moss] = [row for row in hard.states() if row.name is not None]
    assert (moss.name, moss.year, moss.genres, moss.cover_url) == (
        "Mooooss",
        1984,
        ["Quiet", "Art"],
        "https://a.example/b.png",
    )
    assert export(hard, "jsonl").count(b'"game"') == data.count(b'"game"')
