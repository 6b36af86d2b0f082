"""Exports into files of front ends, from the rows of a collection."""

import difflib
import shutil
import stat
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from models.errors import LootwireError, UsageError
from pipeline.roms.exports.records import FORMATS
from tests.paths import RECORDINGS
from tests.pipeline.roms.exports.collection import Collection

ROMS = RECORDINGS / "roms"
needs_recordings = pytest.mark.skipif(not ROMS.is_dir(), reason="there are no recordings here")
ENTRIES = """\
\t<game id="4711" source="Somebody">
\t\t<path>./Moss Runner (USA).m3u</path>
\t\t<name>Moss, as I call it</name>
\t\t<favorite>true</favorite>
\t\t<playcount>17</playcount>
\t\t<!-- mine -->
\t\t<oddtag kind="x">kept &amp; <b>whole</b></oddtag>
\t</game>
"""
MINE = f"""<?xml version="1.0"?>
<alternativeEmulator>
\t<label>Other One</label>
</alternativeEmulator>
<gameList>
\t<folder>
\t\t<path>./Discs</path>
\t\t<favorite>true</favorite>
\t</folder>
{ENTRIES}\t<game>
\t\t<path>./No file of mine.cue</path>
\t\t<playcount>1</playcount>
\t</game>
</gameList>
"""


def lost(before: str, after: str) -> list[str]:
    """Lines that are gone."""
    return [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("- ")]


def test_a_file_that_is_not_there_is_made_with_all_that_is_known(collection: Collection) -> None:
    game = collection.game(
        7,
        "Moss Runner",
        released=date(1995, 9, 9),
        summary="Run & <jump>.\nIn moss.",
        genres=[{"name": "Racing"}, {"name": "Arcade"}],
        involved_companies=[
            {"company": {"name": "Publisher"}, "publisher": True, "developer": False},
            {"company": {"name": "Maker"}, "developer": True, "publisher": False},
        ],
    )
    collection.says(game, rating=85.0, is_favourite=True)
    collection.rom("sub/Moss Runner (USA).chd", game=game)
    to = collection.path / "gamelist.xml"

    exported = collection.export(to)

    assert (exported.added, exported.changed, exported.same, exported.kept) == (1, 0, 0, 0)
    assert to.read_text() == (
        '<?xml version="1.0"?>\n<gameList>\n\t<game>\n\t\t<path>./sub/Moss Runner (USA).chd</path>\n'
        "\t\t<name>Moss Runner</name>\n\t\t<desc>Run &amp; &lt;jump&gt;.\nIn moss.</desc>\n\t\t<rating>0.85</rating>\n"
        "\t\t<releasedate>19950909T000000</releasedate>\n\t\t<developer>Maker</developer>\n"
        "\t\t<publisher>Publisher</publisher>\n\t\t<genre>Racing, Arcade</genre>\n\t\t<favorite>true</favorite>\n"
        "\t</game>\n</gameList>\n"
    )
    assert stat.S_IMODE(to.stat().st_mode) == 0o644


@pytest.mark.parametrize("format_", FORMATS)
def test_the_second_export_changes_no_byte_and_touches_no_file(collection: Collection, format_: str) -> None:
    game = collection.game(7, "Moss Runner", summary='Run.\n\nAnd run; on, "and" on.', released=date(1995, 9, 9))
    collection.rom("Moss Runner (USA) (Disc 1).cue", "Moss Runner (USA) (Disc 1).bin", game=game, disc=1)
    collection.rom("Moss Runner (USA) (Disc 2).cue", "Moss Runner (USA) (Disc 2).bin", game=game, disc=2)
    place = collection.path.parent.parent / "out"
    to = place if format_ in {"m3u", "romm"} else place / "list"
    place.mkdir()

    first = collection.export(to, format_)
    before = {path: (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in place.rglob("*")}
    second = collection.export(to, format_)

    assert first.files
    assert (second.files, second.added, second.changed) == ((), 0, 0)
    assert second.same == first.added
    assert {path: (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in place.rglob("*")} == before


def test_what_is_not_ours_stays_and_what_is_missing_comes(collection: Collection) -> None:
    game = collection.game(7, "Moss Runner", summary="Run.")
    collection.rom("Moss Runner (USA).m3u", game=game)
    to = collection.path / "gamelist.xml"
    to.write_text(MINE)

    exported = collection.export(to)

    assert (exported.added, exported.changed, exported.kept) == (0, 1, 1)
    assert lost(MINE, to.read_text()) == []
    assert "<name>Moss, as I call it</name>" in to.read_text()
    assert "</oddtag>\n\t\t<desc>Run.</desc>\n\t</game>" in to.read_text()


def test_an_entry_keeps_all_that_it_has_when_its_file_is_renamed(collection: Collection) -> None:
    collection.rom("Moss Runner (USA).m3u")
    to = collection.path / "gamelist.xml"
    to.write_text(MINE)
    collection.export(to)
    before = to.read_text()

    collection.rename("Moss Runner (USA).m3u", "Moss Runner (Europe).m3u")
    exported = collection.export(to)

    assert (exported.added, exported.changed) == (0, 1)
    assert to.read_text() == before.replace("./Moss Runner (USA).m3u", "./Moss Runner (Europe).m3u")
    assert collection.export(to).files == ()


def test_two_files_that_change_their_names_change_their_entries_too(collection: Collection) -> None:
    collection.rom("a.cue")
    collection.rom("b.cue")
    to = collection.path / "gamelist.xml"
    to.write_text(
        "<gameList><game><path>./a.cue</path><name>A</name></game>"
        "<game><path>./b.cue</path><name>B</name></game></gameList>"
    )
    collection.export(to)

    collection.rename("a.cue", "c.cue")
    collection.rename("b.cue", "a.cue")
    collection.rename("c.cue", "b.cue")
    collection.export(to)

    assert "<path>./b.cue</path><name>A</name>" in to.read_text()
    assert "<path>./a.cue</path><name>B</name>" in to.read_text()


def test_a_rom_with_another_id_is_known_by_its_content(collection: Collection) -> None:
    rom_id = collection.rom("Old name.cue", sha1=b"x" * 20)
    to = collection.path / "gamelist.xml"
    collection.export(to)

    collection.lose(rom_id)
    collection.rom("New name.cue", sha1=b"x" * 20)
    collection.export(to)

    assert to.read_text().count("<game>") == 1
    assert "<path>./New name.cue</path>" in to.read_text()


def test_a_field_of_ours_follows_what_is_known_and_one_that_was_changed_does_not(collection: Collection) -> None:
    game = collection.game(7, "Moss Runner", summary="Old.")
    other = collection.game(8, "Quiet Orbit", summary="Old.")
    collection.rom("a.cue", game=game)
    collection.rom("b.cue", game=other)
    to = collection.path / "gamelist.xml"
    collection.export(to)
    first, _, second = to.read_text().partition("./b.cue")
    to.write_text(f"{first}./b.cue{second.replace('Old.', 'Mine.').replace('<name>Quiet Orbit</name>', '')}")

    collection.game(7, "Moss Runner", summary="New.")
    collection.game(8, "Quiet Orbit", summary="New.")
    collection.export(to)

    assert "New." in to.read_text().partition("./b.cue")[0]
    assert "Mine." in to.read_text().partition("./b.cue")[2]
    # A name that somebody took away stays away.
    assert "Quiet Orbit" not in to.read_text()


def test_a_favourite_that_was_taken_back_in_the_front_end_is_not_brought_again(collection: Collection) -> None:
    game = collection.game(7, "Moss Runner")
    collection.says(game, is_favourite=True)
    collection.rom("a.cue", game=game)
    to = collection.path / "gamelist.xml"
    collection.export(to)
    to.write_text(to.read_text().replace("\t\t<favorite>true</favorite>\n", ""))

    assert collection.export(to).files == ()


def test_a_dry_run_writes_nothing_and_shows_what_would_change(collection: Collection) -> None:
    collection.rom("Moss Runner (USA).m3u")
    collection.rom("Quiet Orbit.cue")
    to = collection.path / "gamelist.xml"
    to.write_text(MINE)

    exported = collection.export(to, dry_run=True)

    assert to.read_text() == MINE
    (file,) = exported.files
    assert "+\t\t<path>./Quiet Orbit.cue</path>\n" in file.diff
    assert file.diff.startswith(f"--- {to}\n+++ {to}\n@@ ")
    assert not [line for line in file.diff.splitlines()[2:] if line.startswith("-")]
    # Nor is anything remembered of it.
    with collection.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM rom_exports")) == 0
    collection.export(to)
    assert collection.export(to, dry_run=True).files == ()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"<gameList>\n<game>\n<path>a</gameList>", "line 3"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "b">]>\n<gameList/>', "line 2: it has a DOCTYPE"),
        (b"<gameList>\n<game><name>&many;</name></game></gameList>", "line 2"),
        (b"<gameList>\n\n<game><name>\xff</name></game></gameList>", "line 3: it is not utf-8"),
        (b"<LaunchBox></LaunchBox>", "it is no gamelist: it has <LaunchBox>"),
        (b'<?xml version="1.0" encoding="utf-7"?><gameList/>', "its encoding 'utf-7' is not known"),
        (b"<gameList>" + b"<a>" * 500 + b"</a>" * 500 + b"</gameList>", "it is no XML"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line_and_stays(
    collection: Collection, broken: bytes, reason: str
) -> None:
    collection.rom("a.cue")
    to = collection.path / "gamelist.xml"
    to.write_bytes(broken)

    with pytest.raises(LootwireError, match=f"{to}.*{reason}"):
        collection.export(to)

    assert to.read_bytes() == broken
    assert list(collection.path.iterdir()) == [to]


def test_a_link_is_not_written_through(collection: Collection, tmp_path: Path) -> None:
    collection.rom("a.cue")
    (tmp_path / "real.xml").write_text("<gameList/>")
    to = collection.path / "gamelist.xml"
    to.symlink_to(tmp_path / "real.xml")

    with pytest.raises(UsageError, match="it is a link"):
        collection.export(to)

    assert (tmp_path / "real.xml").read_text() == "<gameList/>"


def test_a_folder_and_a_missing_folder_are_no_place_for_a_file(collection: Collection) -> None:
    collection.rom("a.cue")

    with pytest.raises(LootwireError, match=r"roms/psx"):
        collection.export(collection.path)
    with pytest.raises(UsageError, match=r"there is no folder .*nowhere"):
        collection.export(collection.path / "nowhere" / "gamelist.xml")


def test_the_mode_of_a_file_stays(collection: Collection) -> None:
    collection.rom("a.cue")
    to = collection.path / "gamelist.xml"
    to.write_text("<gameList/>")
    to.chmod(0o664)

    collection.export(to)

    assert stat.S_IMODE(to.stat().st_mode) == 0o664
    assert list(collection.path.iterdir()) == [to]


def test_names_that_a_file_cannot_hold_are_left_out_and_said(collection: Collection) -> None:
    collection.rom(b"caf\xe9.cue")
    collection.rom("bell\x07.cue")
    collection.rom("x" * 200 + "/" + "long name/" * 380 + "a.cue")
    to = collection.path / "gamelist.xml"

    exported = collection.export(to)

    assert exported.added == 1
    assert [(each.shown.rpartition("/")[2], each.reason) for each in exported.left_out] == [
        ("bell\x07.cue", "its name has characters that no gamelist file can hold"),
        (r"caf\xe9.cue", "its name is no UTF-8, which no gamelist file can hold"),
    ]


def test_a_gamelist_in_a_folder_of_a_collection_has_what_is_below_it(collection: Collection, engine: Engine) -> None:
    whole = Collection(engine, collection.path.parent / "all", None)
    whole.rom("psx/a.cue", platform="psx")
    whole.rom("nes/b.nes", platform="nes")
    (whole.path / "nes").mkdir()

    whole.export(whole.path / "nes" / "gamelist.xml")

    written = (whole.path / "nes" / "gamelist.xml").read_text()
    assert "<path>./b.nes</path>" in written
    assert "a.cue" not in written


def test_a_gamelist_elsewhere_is_relative_to_the_platforms_folder(collection: Collection, tmp_path: Path) -> None:
    whole = Collection(collection.engine, tmp_path / "all", None)
    whole.rom("nes/sub/b.nes", platform="nes")

    whole.export(tmp_path / "gamelist.xml", platform="nes")

    assert "<path>./sub/b.nes</path>" in (tmp_path / "gamelist.xml").read_text()


def test_missing_roms_stay_in_the_file_and_come_in_by_none(collection: Collection) -> None:
    rom_id = collection.rom("a.cue")
    to = collection.path / "gamelist.xml"
    collection.export(to)
    before = to.read_bytes()

    collection.lose(rom_id)
    exported = collection.export(to)

    assert (to.read_bytes(), exported.kept) == (before, 1)
    to.unlink()
    assert collection.export(to).files == ()
    assert not to.exists()


def test_batocera_has_places_for_region_and_language(collection: Collection) -> None:
    collection.rom("a.cue", regions=["USA", "Japan"], languages=["en", "fr"])
    to = collection.path / "gamelist.xml"

    collection.export(to, "batocera")

    assert "<region>us,jp</region>" in to.read_text()
    assert "<lang>en,fr</lang>" in to.read_text()


def test_a_file_of_one_platform_takes_no_others(collection: Collection, tmp_path: Path) -> None:
    collection.rom("a.cue")
    collection.rom("b.nes", platform="nes")

    with pytest.raises(UsageError, match="of nes, psx: name one of them"):
        collection.export(tmp_path / "psx.lpl", "retroarch")
    assert collection.export(tmp_path / "psx.lpl", "retroarch", platform="psx").added == 1


def test_a_games_own_name_comes_first_and_then_what_igdb_calls_it(collection: Collection) -> None:
    game = collection.game(7, "Moss Runner", released=date(1995, 9, 9))
    collection.rom("moss (1994).cue", game=game, year=1994)
    to = collection.path / "gamelist.xml"
    collection.export(to)
    assert "<name>Moss Runner</name>" in to.read_text()

    collection.says(game, name="My Moss", year=1996)
    collection.export(to)

    assert "<name>My Moss</name>" in to.read_text()
    assert "<releasedate>19960101T000000</releasedate>" in to.read_text()


@needs_recordings
@pytest.mark.recordings
def test_the_recorded_gamelist_of_esde_loses_nothing(collection: Collection) -> None:
    to = collection.path / "gamelist.xml"
    shutil.copyfile(ROMS / "gamelist_esde_to_merge.xml", to)
    before = to.read_text()
    game = collection.game(7, "Ridge Racer", summary="New text.", released=date(1994, 12, 3))
    collection.says(game, rating=60.0)
    collection.rom("Ridge Racer (USA).m3u", game=game)
    collection.rom("Another (Europe).cue")

    assert (collection.export(to).added, lost(before, to.read_text())) == (1, [])
    exported = to.read_bytes()
    assert (collection.export(to).files, to.read_bytes()) == ((), exported)

    collection.rename("Ridge Racer (USA).m3u", "Racers/Ridge Racer (Europe).m3u")
    collection.export(to)
    renamed = exported.replace(b"./Ridge Racer (USA).m3u", b"./Racers/Ridge Racer (Europe).m3u")
    assert to.read_bytes() == renamed
    assert collection.export(to).files == ()


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("gamelist_esde_to_merge.xml", "gamelist"),
        ("gamelist_nes_homebrew.xml", "batocera"),
        ("launchbox_Sega_Saturn.xml", "launchbox"),
        ("metadata.pegasus_collections.txt", "pegasus"),
    ],
)
def test_an_export_of_nothing_changes_no_byte_of_a_recorded_file(
    collection: Collection, name: str, format_: str
) -> None:
    to = collection.path / name
    shutil.copyfile(ROMS / name, to)

    exported = collection.export(to, format_)

    assert exported.files == ()
    assert to.read_bytes() == (ROMS / name).read_bytes()


def test_what_was_last_played_and_when_is_in_the_table(collection: Collection, tmp_path: Path) -> None:
    game = collection.game(7, "Moss Runner")
    rom_id = collection.rom("a.cue", game=game)
    collection.entry(game, rom_id, playtime_seconds=5400, last_played_at=datetime(2026, 1, 2, tzinfo=UTC))

    collection.export(tmp_path / "all.csv", "csv")

    head, row = (tmp_path / "all.csv").read_text().splitlines()
    cells = dict(zip(head.split(","), row.split(","), strict=True))
    assert (cells["hours"], cells["last_played"], cells["title"]) == ("1.50", "2026-01-02", "Moss Runner")
