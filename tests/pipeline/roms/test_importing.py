"""DATs that are imported: again, in other versions, broken, cut off by a kill."""

import zipfile
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models import DatFile, DatGame, DatRom
from tests.crashing import Crashing, Died, Point
from tests.databases import Databases
from tests.pipeline.roms.shelf import Shelf, game_of, hashes, logiqx, plain, rom_line

ONE, TWO = b"the first", b"the second one"
SNES = "Nintendo - Super Nintendo Entertainment System (Parent-Clone)"


def counts(shelf: Shelf) -> tuple[int, int, int]:
    """Return how many DATs, games and files are stored."""
    with shelf.engine.connect() as connection:
        dats, games, roms = (
            connection.execute(select(func.count()).select_from(model)).scalar_one()
            for model in (DatFile, DatGame, DatRom)
        )
    return dats, games, roms


def living(shelf: Shelf) -> set[tuple[str, str]]:
    """Return the names and versions of the DATs that count."""
    query = select(DatFile.name, DatFile.version).where(DatFile.superseded_at.is_(None))
    with shelf.engine.connect() as connection:
        return {(name, version) for name, version in connection.execute(query)}


def test_a_dat_is_kept_with_all_it_says_and_its_platform_comes_from_its_name(shelf: Shelf) -> None:
    (dat,) = shelf.dat(logiqx(game_of("One", rom_line("1", ONE), more='cloneof="Two"'), name=SNES, version="2")).dats

    assert (dat.outcome, dat.name, dat.version, dat.platform, dat.games, dat.roms) == ("new", SNES, "2", "snes", 1, 1)
    with shelf.engine.connect() as connection:
        game = connection.execute(select(DatGame.name, DatGame.parent_name, DatGame.position)).one()
        rom = connection.execute(select(DatRom.name, DatRom.size, DatRom.crc32, DatRom.md5, DatRom.sha1)).one()
        stored = connection.execute(select(DatFile.kind, DatFile.games, DatFile.roms, DatFile.lacks_crc32)).one()
    known = hashes(ONE)
    assert tuple(game) == ("One", "Two", 1)
    assert tuple(rom) == ("1", known.size, known.crc32, known.md5, known.sha1)
    assert tuple(stored) == ("logiqx", 1, 1, False)


@pytest.mark.parametrize(("only", "lacks"), [(("size", "crc"), False), (("sha1",), True), (("crc", "sha1"), True)])
def test_a_dat_without_crc32_or_size_says_so(shelf: Shelf, only: tuple[str, ...], lacks: bool) -> None:
    shelf.dat(logiqx(game_of("One", rom_line("1", ONE, only=only)), game_of("Two", rom_line("2", TWO))))

    with shelf.engine.connect() as connection:
        assert connection.execute(select(DatFile.lacks_crc32)).scalar_one() is lacks


def test_the_same_dat_again_is_there_already_under_any_name(shelf: Shelf) -> None:
    data = logiqx(game_of("One", rom_line("1", ONE)))
    (first,) = shelf.dat(data).dats
    again = shelf.dat(data, "another name.xml")

    assert (again.dats[0].outcome, again.dats[0].dat_id, again.identified) == ("already there", first.dat_id, None)
    assert counts(shelf) == (1, 1, 1)


def test_a_newer_version_takes_the_place_of_the_old_one_and_sets_are_identified_by_it(shelf: Shelf) -> None:
    rom = shelf.add(shelf.add_folder(), "One", {"One.bin": plain(ONE)})
    other = shelf.add(shelf.add_folder("/b"), "Two", {"Two.bin": plain(TWO)})
    shelf.dat(logiqx(game_of("Old name", rom_line("1.bin", ONE)), version="20260101"))
    before = shelf.verdict(rom)

    newer = shelf.dat(
        logiqx(game_of("One", rom_line("One.bin", ONE)), game_of("Two", rom_line("2", TWO)), version="20260201")
    )

    assert before == ("Old name", "verified", "sha1", "1")
    assert (newer.dats[0].outcome, newer.dats[0].instead_of) == ("newer", "20260101")
    assert newer.identified is not None
    assert (newer.identified.changed, newer.identified.newly) == (2, (other,))
    assert shelf.verdict(rom) == ("One", "verified", "sha1", None)
    assert (counts(shelf)[0], living(shelf)) == (2, {("Test", "20260201")})


def test_what_only_an_old_version_knew_is_unknown_again(shelf: Shelf) -> None:
    rom = shelf.add(shelf.add_folder(), "One", {"One.bin": plain(ONE)})
    shelf.dat(logiqx(game_of("One", rom_line("One.bin", ONE)), version="1"))

    shelf.dat(logiqx(game_of("One", rom_line("One.bin", TWO)), version="2"))

    assert shelf.verdict(rom) == (None, "unknown", None, None)


def test_an_older_version_is_kept_and_does_not_count(shelf: Shelf) -> None:
    rom = shelf.add(shelf.add_folder(), "One", {"One.bin": plain(ONE)})
    shelf.dat(logiqx(game_of("One", rom_line("One.bin", ONE)), version="0.271"))

    older = shelf.dat(logiqx(game_of("Older", rom_line("One.bin", ONE)), version="0.99"))

    assert (older.dats[0].outcome, older.dats[0].instead_of, older.identified) == ("older", "0.271", None)
    assert shelf.verdict(rom)[0] == "One"
    assert living(shelf) == {("Test", "0.271")}


def test_without_versions_that_compare_the_one_that_comes_later_counts(shelf: Shelf) -> None:
    shelf.dat(logiqx(game_of("One", rom_line("1", ONE)), version="beta"))
    later = shelf.dat(logiqx(game_of("One", rom_line("1", ONE)), game_of("Two", rom_line("2", TWO)), version=""))

    assert later.dats[0].outcome == "newer"
    assert living(shelf) == {("Test", "")}


def test_two_long_lists_of_one_name_that_share_nothing_both_count(shelf: Shelf) -> None:
    def games(kind: str) -> list[str]:
        return [game_of(f"{kind} {number}", rom_line("r", f"{kind} {number}".encode())) for number in range(60)]

    shelf.dat(logiqx(*games("redump"), version="2026.08.01"))
    shelf.dat(logiqx(*games("tosec"), version="2026.09.01"))
    shelf.dat(logiqx(*games("tosec")[:-5], version="2026.10.01"))

    assert living(shelf) == {("Test", "2026.08.01"), ("Test", "2026.10.01")}


def test_a_file_with_anything_wrong_leaves_nothing_and_the_others_land(shelf: Shelf) -> None:
    good = logiqx(game_of("One", rom_line("1", ONE)))
    bad = logiqx(
        *(game_of(f"g{number}", rom_line("1", ONE)) for number in range(3_000)), '<game><rom size="x"/></game>'
    )
    with zipfile.ZipFile(shelf.folder / "pack.zip", "w") as archive:
        archive.writestr("good.dat", logiqx(game_of("Two", rom_line("2", TWO)), name="Good"))
        archive.writestr("bad.dat", bad)

    imported = shelf.bring(
        shelf.folder / "pack.zip",
        shelf.write("empty.dat", logiqx()),
        shelf.folder,
        shelf.folder / "nowhere.dat",
        shelf.write("one.dat", good),
    )

    problems = [dat.problem or "" for dat in imported.dats]
    assert [dat.outcome for dat in imported.dats] == ["refused"] * 4 + ["new"]
    assert "pack.zip: bad.dat" in problems[0]
    assert "“x” is no size" in problems[0]
    assert "has no game in it" in problems[1]
    assert "is no file" in problems[2]
    assert "No such file" in problems[3]
    assert counts(shelf) == (1, 1, 1)


def test_each_dat_of_a_zip_is_one_of_its_own(shelf: Shelf) -> None:
    with zipfile.ZipFile(shelf.folder / "pack.zip", "w") as archive:
        archive.writestr("a.dat", logiqx(game_of("One", rom_line("1", ONE)), name="A"))
        archive.writestr("b.dat", logiqx(game_of("Two", rom_line("2", TWO)), name="B"))

    imported = shelf.bring(shelf.folder / "pack.zip")

    assert [(dat.file, dat.name) for dat in imported.dats] == [("pack.zip: a.dat", "A"), ("pack.zip: b.dat", "B")]


@pytest.mark.parametrize(
    "point",
    [
        Point("while games are written", "before", ("UPDATE", "dat_files", "lacks_crc32")),
        Point("before sets are identified", "before", ("rom_folders", "FOR NO KEY UPDATE")),
        Point("after they are", "after", ("UPDATE roms",)),
        Point("at the commit", "commit", ("UPDATE roms",)),
    ],
    ids=lambda point: point.name,
)
def test_a_kill_leaves_nothing_and_again_all_of_it(
    shelf: Shelf, databases: Databases, point: Point, tmp_path: Path
) -> None:
    rom = shelf.add(shelf.add_folder(), "One", {"One.bin": plain(ONE)})
    path = shelf.write("one.dat", logiqx(game_of("One", rom_line("One.bin", ONE))))
    with databases.new() as twin:
        crashing = Crashing(shelf.engine, twin)
        with crashing.at(point), pytest.raises(Died):
            shelf.bring(path)

        assert crashing.has_struck
    assert (counts(shelf), shelf.verdict(rom)[1]) == ((0, 0, 0), "unknown")
    assert shelf.bring(path).dats[0].outcome == "new"
    assert (counts(shelf), shelf.verdict(rom)[1]) == ((1, 1, 1), "verified")
