"""A folder is scanned: what is new is read, what was moved is itself, what is gone is missing after two scans."""

import hashlib
import os
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models import Rom, RomContent, RomFile, RomMember
from tests.pipeline.roms.scanning.collection import HOUR, Collection


@pytest.fixture
def collection(engine: Engine, tmp_path: Path) -> Collection:
    """A folder of four games, scanned once."""
    collection = Collection(engine, tmp_path / "roms")
    for name in ("Abuse (1995)", "Biosys (1999)", "Crystal Caves (1991)", "Descent (1995)"):
        collection.write(f"snes/{name}.sfc", f"the program of {name}")
    collection.scan()
    return collection


def test_a_first_scan_reads_each_file_and_is_silent(collection: Collection) -> None:
    data = b"the program of Abuse (1995)"
    file = collection.file("snes/Abuse (1995).sfc")
    assert (file["size"], file["container"], file["error"]) == (len(data), "plain", None)
    content = next(row for row in collection.rows(RomContent) if row["file_id"] == file["id"])
    assert (content["crc32"], content["md5"], content["sha1"]) == (
        zlib.crc32(data),
        hashlib.md5(data, usedforsecurity=False).digest(),
        hashlib.sha1(data, usedforsecurity=False).digest(),
    )
    assert (collection.rom("Abuse (1995)")["title"], collection.rom("Abuse (1995)")["year"]) == ("Abuse", 1995)
    assert len(collection.rows(Rom)) == 4
    assert collection.events() == []
    assert (collection.row()["scans"], collection.row()["scan_started_at"]) == (1, None)


def test_a_new_file_alone_is_read_and_is_an_event(collection: Collection) -> None:
    collection.write("snes/Epic Pinball (1993).sfc", "plunger")
    report = collection.scan()
    assert (report.outcome, report.read, report.added) == ("ended", 1, 1)
    assert collection.events() == [("rom.added", ["Epic Pinball"])]


def test_a_file_that_was_moved_is_itself_and_is_not_read(collection: Collection) -> None:
    before, rom = collection.file("snes/Abuse (1995).sfc"), collection.rom("Abuse (1995)")
    collection.move("snes/Abuse (1995).sfc", "games/Abuse (USA).sfc")
    report = collection.scan()
    assert (report.read, report.moved, report.added, report.missing) == (0, 1, 0, 0)
    assert collection.file("games/Abuse (USA).sfc")["id"] == before["id"]
    assert collection.rom("Abuse (USA)")["id"] == rom["id"]
    assert collection.events() == []


def test_a_file_that_was_copied_and_removed_is_known_by_its_contents(collection: Collection) -> None:
    before = collection.file("snes/Abuse (1995).sfc")
    collection.write("snes/renamed.sfc", (collection.path / "snes/Abuse (1995).sfc").read_bytes())
    collection.remove("snes/Abuse (1995).sfc")
    report = collection.scan()
    assert (report.read, report.moved, report.added) == (1, 1, 0)
    assert collection.file("snes/renamed.sfc")["id"] == before["id"]
    assert len(collection.rows(RomFile)) == 4
    assert collection.events() == []


def test_files_that_changed_places_are_themselves(collection: Collection) -> None:
    first, second = collection.file("snes/Abuse (1995).sfc"), collection.file("snes/Biosys (1999).sfc")
    collection.move("snes/Abuse (1995).sfc", "snes/aside.sfc")
    collection.move("snes/Biosys (1999).sfc", "snes/Abuse (1995).sfc")
    collection.move("snes/aside.sfc", "snes/Biosys (1999).sfc")
    assert collection.scan().read == 0
    assert collection.file("snes/Biosys (1999).sfc")["id"] == first["id"]
    assert collection.file("snes/Abuse (1995).sfc")["id"] == second["id"]


def test_a_file_that_took_the_place_of_another_is_itself_and_the_other_is_missing(collection: Collection) -> None:
    moved = collection.file("snes/Biosys (1999).sfc")
    collection.move("snes/Biosys (1999).sfc", "snes/Abuse (1995).sfc")
    collection.scan()
    collection.scan()
    assert collection.file("snes/Abuse (1995).sfc")["id"] == moved["id"]
    assert [kind for kind, _ in collection.events()] == ["rom.missing"]
    assert len([row for row in collection.rows(RomFile) if row["missing_since"] is None]) == 3


def test_a_file_is_missing_after_two_whole_scans_and_returns_as_itself(collection: Collection) -> None:
    rom = collection.rom("Abuse (1995)")
    data = (collection.path / "snes/Abuse (1995).sfc").read_bytes()
    collection.remove("snes/Abuse (1995).sfc")
    assert (collection.scan().missing, collection.events()) == (0, [])
    assert collection.scan().missing == 1
    assert collection.rom("Abuse (1995)")["missing_since"] == collection.now
    assert collection.scan().missing == 0
    collection.write("elsewhere/Abuse.sfc", data)
    assert collection.scan().returned == 1
    assert collection.rom("Abuse")["id"] == rom["id"]
    assert collection.events() == [("rom.missing", ["Abuse"]), ("rom.returned", ["Abuse"])]


def test_a_changed_file_is_read_again_and_stays_the_same_rom(collection: Collection) -> None:
    before = collection.rom("Abuse (1995)")
    collection.write("snes/Abuse (1995).sfc", "another program")
    assert collection.scan().read == 1
    assert collection.rom("Abuse (1995)") == before
    sizes = {row["size"] for row in collection.rows(RomContent)}
    assert len("another program") in sizes


def test_an_empty_folder_is_suspect_and_changes_nothing(collection: Collection, tmp_path: Path) -> None:
    before = collection.state()
    collection.path.rename(tmp_path / "unmounted")
    collection.path.mkdir()
    for _ in range(3):
        report = collection.scan()
        assert report.outcome == "suspect"
    assert collection.state() == before
    assert (collection.row()["scans"], collection.row()["suspect_since"]) == (1, collection.now - 2 * HOUR)
    assert [kind for kind, _ in collection.events()] == ["source.failing"]
    collection.path.rmdir()
    (tmp_path / "unmounted").rename(collection.path)
    assert collection.scan().outcome == "ended"
    assert collection.state() == before
    assert collection.row()["suspect_since"] is None
    assert [kind for kind, _ in collection.events()] == ["source.failing", "source.recovered"]


def test_an_empty_directory_of_many_files_is_suspect_and_one_that_is_gone_is_deleted(
    collection: Collection, tmp_path: Path
) -> None:
    for number in range(60):
        collection.write(f"{'nes' if number < 25 else 'gb'}/{number // 5}/{number}.bin", str(number))
    collection.scan()
    before = collection.state()
    (collection.path / "nes").rename(tmp_path / "unmounted")
    (collection.path / "nes").mkdir()
    for _ in range(3):
        report = collection.scan()
        assert (report.outcome, report.missing) == ("suspect", 0)
    assert "nes, which had 25 files, is empty" in (report.problem or "")
    assert collection.state() == before
    (collection.path / "nes").rmdir()
    assert [collection.scan().missing for _ in range(2)] == [0, 25]


def test_few_files_less_in_an_empty_directory_are_no_doubt(collection: Collection) -> None:
    for number in range(30):
        collection.write(f"{'nes' if number < 20 else 'gb'}/{number}.bin", str(number))
    for number in range(50):
        collection.write(f"snes/{number}.bin", f"another {number}")
    collection.scan()
    for number in range(20):
        collection.remove(f"nes/{number}.bin")
    assert [collection.scan().missing for _ in range(2)] == [0, 20]


def test_what_a_sheet_no_longer_names_in_another_directory_is_by_itself_again(collection: Collection) -> None:
    collection.write("tracks/Rez.bin", "a track")
    collection.write("psx/Rez.cue", 'FILE "../tracks/Rez.bin" BINARY')
    collection.scan()
    assert len(collection.rows(RomMember)) == len(collection.rows(RomFile))
    assert {row["kind"] for row in collection.rows(Rom) if row["written"] == "Rez"} == {"cue"}
    collection.write("psx/Rez.cue", 'FILE "nothing.bin" BINARY')
    assert collection.scan().added == 1
    assert sorted(row["kind"] for row in collection.rows(Rom) if row["written"] == "Rez") == ["cue", "file"]


def test_half_of_the_files_gone_is_suspect_until_a_person_accepts_it(collection: Collection) -> None:
    collection.remove("snes/Abuse (1995).sfc")
    collection.remove("snes/Biosys (1999).sfc")
    report = collection.scan()
    assert (report.outcome, report.missing) == ("suspect", 0)
    assert "--accept" in (report.problem or "")
    assert collection.scan(accept=True).missing == 2
    assert [kind for kind, _ in collection.events()] == ["source.failing", "rom.missing", "source.recovered"]


def test_a_folder_that_vanished_is_unreadable(collection: Collection, tmp_path: Path) -> None:
    before = collection.state()
    collection.path.rename(tmp_path / "away")
    assert collection.scan().outcome == "unreadable"
    assert collection.state() == before
    assert "cannot be opened" in collection.row()["problem"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list everything")
def test_a_directory_that_cannot_be_listed_loses_nothing(collection: Collection) -> None:
    collection.write("nes/Rez.nes", "rez")
    collection.scan()
    before = collection.state()
    (collection.path / "nes").chmod(0)
    for _ in range(3):
        assert collection.scan().problem is not None
    (collection.path / "nes").chmod(0o755)
    assert collection.state() == before
    assert collection.scan().problem is None


def test_a_full_scan_reads_every_file_and_changes_nothing_else(collection: Collection) -> None:
    before = collection.state()
    assert collection.scan(full=True).read == 4
    assert collection.state() == before
    assert collection.events() == []


def test_a_scan_whose_time_is_over_goes_on_where_it_was(engine: Engine, tmp_path: Path) -> None:
    collection = Collection(engine, tmp_path / "roms")
    for number in range(30):
        collection.write(f"{number}.bin", str(number))
    assert collection.scan(within=timedelta(0)).outcome == "unfinished"
    report = collection.scan()
    assert (report.outcome, len(collection.rows(Rom))) == ("ended", 30)
    assert collection.events() == []
