"""`lootwire roms`: from a folder to what is in it, what DATs say, and lists of front ends."""

import zipfile
from pathlib import Path
from zlib import crc32

import pytest

from tests.pipeline.cli.operator import Operator

CAVE, KEEP = b"a cave" * 100, b"a keep" * 80


@pytest.fixture
def folder(operator: Operator, tmp_path: Path) -> Path:
    """A folder with a file, an archive and a file that is none, which was added and scanned."""
    folder = tmp_path / "roms" / "snes"
    folder.mkdir(parents=True)
    (folder / "Cave (USA).sfc").write_bytes(CAVE)
    with zipfile.ZipFile(folder / "Keep (Europe).zip", "w") as archive:
        archive.writestr("Keep (Europe).sfc", KEEP)
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    operator.run("roms", "add", str(folder))
    return folder


def dat(path: Path, *games: tuple[str, bytes]) -> Path:
    listed = "".join(
        f'<game name="{name}"><rom name="{name}.sfc" size="{len(data)}" crc="{crc32(data):08x}"/></game>'
        for name, data in games
    )
    header = "<header><name>Nintendo - Super Nintendo Entertainment System</name><version>1</version></header>"
    path.write_text(f'<?xml version="1.0"?><datafile>{header}{listed}</datafile>')
    return path


def test_a_folder_is_added_scanned_shown_and_removed(operator: Operator, folder: Path) -> None:
    scanned = operator.run("roms", "scan")
    assert scanned.code == 3
    assert "3 files, 3 read: 3 added, 1 set aside." in scanned.out
    assert "lootwire roms unread" in scanned.errors
    assert "broken.zip" in operator.run("roms", "unread").out
    assert "0 read: nothing new" in operator.run("roms", "scan", "1").out

    (listed,) = operator.run("roms", "--json").lines
    assert (listed["roms"], listed["path"], listed["unread"]) == (3, str(folder), 1)
    assert [rom["written"] for rom in operator.run("roms", "show", "--json", "--platform", "Super Nintendo").lines] == [
        "broken",
        "Cave (USA)",
        "Keep (Europe)",
    ]
    assert "Regions: USA" in operator.run("roms", "show", "Cave").out

    operator.run("roms", "remove", str(folder))
    assert operator.run("roms", "show", "--json").lines == []
    assert (folder / "Cave (USA).sfc").read_bytes() == CAVE


def test_a_disc_that_lacks_tracks_names_them(operator: Operator, folder: Path) -> None:
    names = ("Maze (USA) (Track 1).bin", "Maze (USA) (Track 2).bin")
    (folder / "Maze (USA).cue").write_text("".join(f'FILE "{name}" BINARY\n' for name in names))
    (folder / names[1]).write_bytes(b"a maze")
    operator.run("roms", "scan")

    assert f"Lacks: {names[0]}: its sheet lists it" in operator.run("roms", "show", "Maze").out
    (folder / names[0]).write_bytes(b"the way in")
    operator.run("roms", "scan")
    assert "Lacks" not in operator.run("roms", "show", "Maze").out


def test_dats_say_what_is_there_what_is_missing_and_what_is_called_otherwise(
    operator: Operator, folder: Path, tmp_path: Path
) -> None:
    operator.run("roms", "scan")
    file = dat(tmp_path / "snes.dat", ("Cave (USA)", CAVE), ("The Keep (Europe)", KEEP), ("Vault (Japan)", b"v" * 9))

    imported = operator.run("roms", "dats", "import", str(file))

    assert "3 games, 3 files of snes" in imported.out
    assert "3 ROMs: 2 verified" in imported.out
    assert "already there" in operator.run("roms", "dats", "import", str(file)).out
    (listed,) = operator.run("roms", "dats", "--json").lines
    assert (listed["have"], listed["total"]) == (2, 3)
    assert [game["game"] for game in operator.run("roms", "missing", "--json").lines] == ["Vault (Japan)"]
    assert "Vault (Japan).sfc" in operator.run("roms", "missing", "--as", "csv").out
    assert '<rom name="Vault (Japan).sfc"' in operator.run("roms", "missing", "--as", "fix").out
    misnamed = operator.run("roms", "misnamed", "--json").lines
    assert [(rom["path"], rom["right_name"]) for rom in misnamed] == [("Keep (Europe).zip", "The Keep (Europe)")]
    (snes,) = operator.run("roms", "stats", "--json").lines
    assert (snes["name"], snes["verified"]) == ("Super Nintendo Entertainment System", 2)
    assert "by CRC32, which is weaker than SHA-1" in operator.run("roms", "show", "Keep").out


def test_what_is_there_twice_and_the_best_of_each_game_are_shown(operator: Operator, folder: Path) -> None:
    (folder / "Cave (Japan).sfc").write_bytes(CAVE)
    operator.run("roms", "scan")

    (twice,) = operator.run("roms", "duplicates", "--json").lines
    assert [copy["file"] for copy in twice["copies"]] == ["Cave (Japan).sfc", "Cave (USA).sfc"]
    assert "are there more than once" in operator.run("roms", "duplicates").out
    best = operator.run("roms", "best", "--region", "Japan", "--language", "ja", "--json").lines
    assert {rom["written"] for rom in best} >= {"Cave (Japan)", "Keep (Europe)"}
    assert "Cave (USA)" not in {rom["written"] for rom in best}


def test_a_person_says_which_game_a_rom_is_and_takes_it_back(operator: Operator, folder: Path) -> None:
    operator.run("roms", "scan")

    (settled,) = operator.run("roms", "settle", "Cave (USA)", "--own", "--json").lines
    assert (settled["game"], settled["is_pinned"]) == ("Cave", True)
    assert [game["name"] for game in operator.run("library", "list", "--json").lines] == ["Cave"]
    (unmatched,) = operator.run("roms", "unmatch", "Cave", "--json").lines
    assert (unmatched["game"], unmatched["is_pinned"]) == (None, True)
    assert operator.run("library", "list", "--json").lines == []
    assert "1 ROM will be looked up again" in operator.run("roms", "undo", "Cave").out


def test_a_list_of_a_front_end_is_written_and_the_same_again_changes_nothing(
    operator: Operator, folder: Path, tmp_path: Path
) -> None:
    operator.run("roms", "scan")
    to = folder / "gamelist.xml"

    shown = operator.run("roms", "export", "gamelist", str(to), "--dry-run")
    assert "+" in shown.out
    assert not to.exists()
    operator.run("roms", "export", "es-de", str(to))
    written = to.read_bytes()
    assert b"<path>./Cave (USA).sfc</path>" in written
    assert "0 added, 0 changed" in operator.run("roms", "export", "gamelist", str(to)).out
    assert to.read_bytes() == written
    assert "not known" in operator.run("roms", "journal", str(to)).out or operator.run("roms", "journal", str(to)).out


REFUSED = {
    ("add", "/no/such/folder"): "/no/such/folder",
    ("scan", "7"): "no folder of ROMs is '7'",
    ("show", "Rez"): "no ROM is called 'Rez'",
    ("show", "--platform", "snse"): "no platform is called 'snse'; did you mean",
    ("missing", "--as", "xml"): "there are csv and fix",
    ("settle", "Rez", "igdb:1"): "no ROM is called 'Rez'",
    ("settle", "Cave"): "say which ROMs and which game",
    ("settle", "Cave", "--own", "--skip"): "two different answers",
    ("export", "frontend", "x"): "'frontend' is no format",
    ("journal", "/no/such.xml"): "there is no /no/such.xml",
    ("dats", "import", "/no/such.dat"): "cannot be read",
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_mistake_names_the_thing_and_the_way_out(operator: Operator, folder: Path, words: tuple[str, ...]) -> None:
    refused = operator.run("roms", *words)

    assert refused.code in {2, 3}
    assert REFUSED[words] in refused.errors


def test_without_folders_the_way_to_the_first_one_is_said(operator: Operator) -> None:
    assert "lootwire roms add FOLDER" in operator.run("roms").out
    assert "lootwire roms add FOLDER" in operator.run("roms", "scan").errors
