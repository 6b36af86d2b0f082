"""What front ends count comes into the library and the journal."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from models import GameState, LibraryEntry, PersonWork, PlaySession
from models.errors import LootwireError, UsageError
from models.people import OWNER_ID
from pipeline.library.journal.games import GameOfWork
from pipeline.roms.exports.reading_back import ReadBack, read_back
from tests.pipeline.roms.exports.collection import NOON, Collection

GAMELIST = """<gameList>
\t<game><path>./a.cue</path><favorite>true</favorite><playcount>17</playcount><rating>0.9</rating>
\t\t<lastplayed>20260102T030405</lastplayed><gametime>5400</gametime></game>
\t<game><path>./b.cue</path><playcount>2</playcount></game>
\t<game><path>./nothing said.cue</path></game>
\t<game><path>./elsewhere.cue</path><gametime>60</gametime></game>
</gameList>"""


class Reading:
    """A collection with one game in it that is in the library."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.game: GameOfWork = collection.game(7, "Moss Runner")
        self.rom_id = collection.rom("a.cue", game=self.game)
        self.entry_id = collection.entry(self.game, self.rom_id)
        self.gamelist = collection.path / "gamelist.xml"
        self.gamelist.write_text(GAMELIST)

    def read(self, *files: Path, days: int = 0, **options: Any) -> ReadBack:
        with self.collection.engine.begin() as connection:
            return read_back(connection, OWNER_ID, files or [self.gamelist], NOON + timedelta(days=days), **options)

    def row(self, model: Any) -> Any:
        with self.collection.engine.connect() as connection:
            return connection.execute(select(*model.__table__.c)).one_or_none()


@pytest.fixture
def reading(collection: Collection) -> Reading:
    return Reading(collection)


def test_favourites_and_play_times_come_into_the_library(reading: Reading) -> None:
    reading.collection.rom("b.cue")

    came = reading.read(zone=ZoneInfo("Europe/Berlin"))

    entry, state = reading.row(LibraryEntry), reading.row(GameState)
    assert (entry.playtime_seconds, entry.last_played_at) == (5400, datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC))
    assert (state.is_favourite, state.set_by) == (True, {"is_favourite": "import"})
    # Scrapers write ratings there.
    assert state.rating is None
    assert [(line.path, line.changes, line.reason) for line in came.lines] == [
        ("./a.cue", ("1.5 hours", "last played 2026-01-02", "a favourite"), None),
        ("./b.cue", (), "its game is not known yet: see `lootwire roms review`"),
        ("./elsewhere.cue", (), "there is no such ROM in the collection"),
    ]
    # What was played before the first reading is no session.
    assert came.sessions == 0
    assert reading.row(PersonWork).seconds == 5400


def test_reading_the_same_again_changes_nothing(reading: Reading) -> None:
    reading.read()
    before = reading.row(LibraryEntry)

    again = reading.read(days=1)

    assert not again.is_changed
    assert reading.row(LibraryEntry) == before


def test_growth_is_a_session_and_play_time_never_shrinks(reading: Reading) -> None:
    reading.read()
    reading.gamelist.write_text(GAMELIST.replace("5400", "9000"))
    grown = reading.read(days=1)
    reading.gamelist.write_text(GAMELIST.replace("5400", "60"))
    shrunk = reading.read(days=2)

    session = reading.row(PlaySession)
    assert (session.entry_id, session.seconds, session.until_at) == (reading.entry_id, 3600, NOON + timedelta(days=1))
    assert (grown.sessions, shrunk.sessions, shrunk.is_changed) == (1, 0, False)
    assert grown.lines[0].changes == ("2.5 hours, before 1.5 hours",)
    assert reading.row(LibraryEntry).playtime_seconds == 9000


def test_what_the_person_says_stays(reading: Reading) -> None:
    reading.collection.says(reading.game, is_favourite=False)

    came = reading.read()

    assert reading.row(GameState).is_favourite is False
    assert "a favourite" not in came.lines[0].changes


def test_a_dry_run_says_the_same_and_writes_nothing(reading: Reading) -> None:
    dry = reading.read(dry_run=True)

    assert (reading.row(LibraryEntry).playtime_seconds, reading.row(GameState)) == (None, None)
    assert reading.read() == dry


def test_the_logs_of_retroarch_are_read_by_their_names(reading: Reading, tmp_path: Path) -> None:
    logs = tmp_path / "logs" / "SwanStation"
    logs.mkdir(parents=True)
    (logs / "a.lrtl").write_text('{"version": "1.0", "runtime": "0:20:19", "last_played": "2026-01-03 04:05:06"}')
    (logs / "unknown.lrtl").write_text('{"runtime": "1:00:00"}')
    (logs / "never.lrtl").write_text('{"runtime": "0:00:00", "last_played": ""}')

    came = reading.read(tmp_path / "logs")

    entry = reading.row(LibraryEntry)
    assert (entry.playtime_seconds, entry.last_played_at) == (1219, datetime(2026, 1, 3, 4, 5, 6, tzinfo=UTC))
    assert [line.reason for line in came.lines] == [None, "there is no such ROM in the collection"]


def test_of_several_files_the_most_counts_and_several_roms_add_up(reading: Reading, tmp_path: Path) -> None:
    reading.collection.rom("a (Japan).cue", game=reading.game)
    (tmp_path / "a.lrtl").write_text('{"runtime": "2:00:00"}')
    (tmp_path / "a (Japan).lrtl").write_text('{"runtime": "1:00:00"}')

    reading.read(reading.gamelist, tmp_path)

    assert reading.row(LibraryEntry).playtime_seconds == 3 * 3600


def test_launchbox_on_another_machine_is_read_with_its_stars(reading: Reading, tmp_path: Path) -> None:
    reading.collection.rom("other/a.cue")
    file = tmp_path / "Sony Playstation.xml"
    file.write_text(
        "<LaunchBox><Game><ApplicationPath>D:\\Games\\psx\\a.cue</ApplicationPath><Favorite>false</Favorite>"
        "<StarRatingFloat>4.5</StarRatingFloat><PlayCount>1</PlayCount><PlayTime>44</PlayTime>"
        "<LastPlayedDate>2024-06-11T17:31:31.578276-05:00</LastPlayedDate></Game></LaunchBox>"
    )

    reading.read(file)

    entry, state = reading.row(LibraryEntry), reading.row(GameState)
    assert (entry.playtime_seconds, entry.last_played_at) == (44, datetime(2024, 6, 11, 22, 31, 31, tzinfo=UTC))
    assert (state.rating, state.rating_scale, state.is_favourite) == (90.0, 5, False)


def test_a_disc_of_a_list_of_discs_counts_for_its_game(reading: Reading, tmp_path: Path) -> None:
    reading.collection.rom("b.m3u", "b (Disc 1).cue", "b (Disc 1).bin", game=reading.game)
    log = tmp_path / "b (Disc 1).lrtl"
    log.write_text('{"version": "1.0", "runtime": "2:00:00", "last_played": "2026-01-02 03:04:05"}')

    [line] = reading.read(log).lines

    assert (line.title, line.reason) == ("b", None)
    assert reading.row(LibraryEntry).playtime_seconds == 7200


def test_a_name_that_two_roms_have_is_not_guessed(reading: Reading, tmp_path: Path) -> None:
    reading.collection.rom("old/a.cue", game=reading.game)
    (tmp_path / "a.lrtl").write_text('{"runtime": "2:00:00"}')

    (line,) = reading.read(tmp_path / "a.lrtl").lines

    assert line.reason == "2 ROMs of the collection are called so"


def test_a_day_to_come_is_not_believed(reading: Reading, tmp_path: Path) -> None:
    (tmp_path / "a.lrtl").write_text('{"runtime": "0:00:01", "last_played": "2099-01-01 00:00:00"}')

    reading.read(tmp_path / "a.lrtl")

    assert reading.row(LibraryEntry).last_played_at is None


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("x.xml", "<gameList><game></gameList>", "line 1: it is no XML"),
        ("x.xml", "<other/>", "it is no gamelist: it has <other>"),
        ("x.lrtl", "{", "line 1: it is no log of RetroArch's: it is no JSON"),
        ("x.lrtl", '{"runtime": 5}', "it has no `runtime`"),
        ("x.lrtl", " " * 100_000, "too long"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    reading: Reading, tmp_path: Path, name: str, data: str, reason: str
) -> None:
    (tmp_path / name).write_text(data)

    with pytest.raises(LootwireError, match=f"{tmp_path / name}: .*{reason}"):
        reading.read(tmp_path / name)


def test_a_path_that_is_none_is_named(reading: Reading, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        reading.read(tmp_path / "nothing.xml")
