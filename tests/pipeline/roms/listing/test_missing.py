"""What collections lack of their DATs, as rows, as a table and as a fix list; what is misnamed; families."""

import csv
import io

import pytest
from sqlalchemy import text

from pipeline.roms.dats.opening import dats_of, read_dat
from pipeline.roms.listing.dats import list_dats
from pipeline.roms.listing.missing import (
    LackingGame,
    State,
    as_csv,
    as_fix_list,
    clones_of,
    list_lacking,
    list_misnamed,
)
from tests.pipeline.roms.shelf import Shelf, game_of, hashes, logiqx, plain, rom_line, zipped

ONE, TWO, THREE, FOUR = b"the first", b"the second one", b"a third", b"and the fourth of them"
GAMES = (
    game_of("Whole", rom_line("1", ONE)),
    game_of("Half", rom_line("1", ONE), rom_line("2", TWO), more='cloneof="Whole"'),
    game_of("Absent & <gone>", rom_line("3", THREE, more='status="baddump"')),
    game_of("Undumped", '<rom name="x" size="3" status="nodump"/>'),
    game_of("Device", more='isdevice="yes"'),
    game_of("Disc", f'<disk name="disc" sha1="{"ab" * 20}"/>'),
)


@pytest.fixture
def collection(shelf: Shelf) -> Shelf:
    folder = shelf.add_folder()
    shelf.add(folder, "Whole", {"Whole.zip": zipped({"1": ONE})}, kind="archive")
    imported = shelf.bring(shelf.write("a.dat", logiqx(*GAMES, name="Ours", version="7")), platform="snes")
    assert [dat.problem for dat in imported.dats] == [None]
    return shelf


def lacking(shelf: Shelf, **which: object) -> list[LackingGame]:
    """Return what is lacking."""
    with shelf.engine.connect() as connection:
        return list(list_lacking(connection, **which))  # type: ignore[arg-type]


def test_games_without_any_file_and_without_one_of_them_are_lacking(collection: Shelf) -> None:
    games = lacking(collection)

    assert [(game.game, game.state, [file.name for file in game.files]) for game in games] == [
        ("Half", "incomplete", ["2"]),
        ("Absent & <gone>", "absent", ["3"]),
        ("Disc", "absent", ["disc"]),
    ]
    assert (games[0].dat, games[0].version, games[0].platform, games[0].parent) == ("Ours", "7", "snes", "Whole")


@pytest.mark.parametrize(("state", "names"), [("absent", ["Absent & <gone>", "Disc"]), ("incomplete", ["Half"])])
def test_only_what_is_absent_or_only_what_is_incomplete(collection: Shelf, state: State, names: list[str]) -> None:
    assert [game.game for game in lacking(collection, state=state)] == names


def test_one_dat_or_one_platform_may_be_asked_for(collection: Shelf) -> None:
    other = collection.dat(logiqx(game_of("Other", rom_line("4", FOUR)), name="Theirs")).dats[0].dat_id

    assert [game.game for game in lacking(collection, dat_id=other)] == ["Other"]
    assert [game.game for game in lacking(collection, platform="snes")] == ["Half", "Absent & <gone>", "Disc"]
    assert lacking(collection, platform="nes") == []


def test_a_file_that_lies_anywhere_is_not_lacking(collection: Shelf) -> None:
    collection.add(collection.add_folder("/other"), "loose", {"loose.bin": plain(TWO)})
    collection.identify()

    assert [game.game for game in lacking(collection)] == ["Absent & <gone>", "Disc"]


def test_what_lies_in_a_removed_folder_is_lacking_again(collection: Shelf) -> None:
    with collection.engine.begin() as connection:
        connection.execute(text("UPDATE rom_folders SET removed_at = now()"))

    assert [game.game for game in lacking(collection)] == ["Whole", "Half", "Absent & <gone>", "Disc"]


def test_an_older_version_of_a_dat_lacks_nothing(collection: Shelf) -> None:
    collection.dat(logiqx(game_of("Whole", rom_line("1", ONE)), name="Ours", version="8"))

    assert lacking(collection) == []


def test_the_table_has_a_line_for_each_file(collection: Shelf) -> None:
    rows = list(csv.DictReader(io.StringIO("".join(as_csv(lacking(collection))))))

    assert [(row["game"], row["state"], row["file"]) for row in rows] == [
        ("Half", "incomplete", "2"),
        ("Absent & <gone>", "absent", "3"),
        ("Disc", "absent", "disc"),
    ]
    known = hashes(TWO)
    assert (rows[0]["size"], rows[0]["crc32"], rows[0]["clone of"]) == ("14", f"{known.crc32:08x}", "Whole")
    assert (rows[0]["md5"], rows[0]["sha1"]) == ((known.md5 or b"").hex(), (known.sha1 or b"").hex())


def test_the_fix_list_is_a_dat_of_what_is_lacking(collection: Shelf) -> None:
    games = lacking(collection)

    written = "".join(as_fix_list(games, "fix_Ours"))

    (source,) = dats_of(io.BytesIO(written.encode()), "fix.dat")
    with source.open() as opened:
        dat = read_dat(opened)
        read = list(dat.games)
    assert (dat.kind, dat.header.name) == ("logiqx", "fix_Ours")
    assert [(game.name, game.parent, [rom.name for rom in game.roms]) for game in read] == [
        ("Half", "Whole", ["2"]),
        ("Absent & <gone>", None, ["3"]),
        ("Disc", None, ["disc"]),
    ]
    assert [(rom.sha1, rom.status, rom.is_disk) for game in read for rom in game.roms] == [
        (hashes(TWO).sha1, "good", False),
        (hashes(THREE).sha1, "baddump", False),
        (bytes.fromhex("ab" * 20), "good", True),
    ]


def test_a_fix_list_of_nothing_is_still_a_list() -> None:
    assert "</datafile>" in "".join(as_fix_list([], "fix"))


def test_what_a_dat_calls_otherwise_is_listed_with_its_right_name(collection: Shelf) -> None:
    folder = collection.add_folder("/other")
    rom = collection.add(folder, "third [!]", {"sub/third [!].bin": plain(THREE)})
    collection.identify()

    with collection.engine.connect() as connection:
        (misnamed,) = list_misnamed(connection)
        others = list_misnamed(connection, folder_id=folder - 1)

    assert (misnamed.rom_id, misnamed.folder, misnamed.path) == (rom, "/other", "sub/third [!].bin")
    assert (misnamed.written, misnamed.right_name, misnamed.dat) == ("third [!]", "3", "Ours")
    assert others == []


def test_a_family_is_the_parent_and_its_clones_with_the_sets_that_are_them(collection: Shelf) -> None:
    folder = collection.add_folder("/other")
    half = collection.add(folder, "Half", {"Half.bin": plain(TWO)})
    stranger = collection.add(folder, "x", {"x.bin": plain(FOUR)})
    collection.identify()

    with collection.engine.connect() as connection:
        family = clones_of(connection, half)
        nobody = clones_of(connection, stranger)

    assert [(each.name, each.is_parent, len(each.rom_ids)) for each in family] == [
        ("Whole", True, 1),
        ("Half", False, 1),
    ]
    assert nobody == []


def test_a_dat_has_what_is_there_also_where_a_set_goes_by_another_dat(collection: Shelf) -> None:
    collection.dat(logiqx(game_of("Whole", rom_line("1", ONE)), game_of("Two", rom_line("2", TWO)), name="Zeroes"))

    with collection.engine.connect() as connection:
        listed = {dat.name: (dat.total, dat.have, dat.incomplete) for dat in list_dats(connection)}

    assert listed == {"Ours": (5, 1, 1), "Zeroes": (2, 1, 0)}


def test_dats_are_listed_with_what_a_collection_has_of_them(collection: Shelf) -> None:
    folder = collection.add_folder("/other")
    collection.add(folder, "Half", {"Half.bin": plain(TWO)})
    collection.add(folder, "bad", {"bad.bin": plain(THREE)})
    collection.identify()
    collection.dat(logiqx(game_of("Whole", rom_line("1", ONE)), name="Ours", version="6"))

    with collection.engine.connect() as connection:
        (dat,) = list_dats(connection)
        both = list_dats(connection, with_superseded=True)

    assert (dat.name, dat.version, dat.platform, dat.games, dat.roms) == ("Ours", "7", "snes", 6, 6)
    # All files of Half are there, though in two sets: it lacks nothing.
    assert (dat.total, dat.have, dat.bad, dat.incomplete) == (5, 2, 1, 0)
    assert [(each.version, each.superseded_at is None) for each in both] == [("7", True), ("6", False)]
