"""igir's files are what its DATs say, read and made into sets as a scan does."""

import os
from pathlib import Path

import pytest

from pipeline.roms.reading.files import read_file
from pipeline.roms.reading.limits import Limits
from pipeline.roms.records import FoundFile
from pipeline.roms.sets.making import make_sets
from tests.paths import RECORDINGS
from tests.pipeline.roms.shelf import Shelf

IGIR = RECORDINGS / "roms" / "igir"
Verdict = tuple[str | None, str, str | None]


def take_in(shelf: Shelf, folder: Path) -> dict[str, Verdict]:
    """Read all files of a folder, import igir's DATs, and return what each set is, by the file that opens it."""
    root = os.open(folder, os.O_RDONLY)
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    readings = {path: read_file(root, path.encode(), Limits(), deep=True) for path in paths}
    os.close(root)
    files = [
        FoundFile(
            id=number,
            path=path.encode(),
            size=(folder / path).stat().st_size,
            container=reading.container,
            members=tuple(content.member for content in reading.contents[1:]),
            sheet=reading.sheet,
        )
        for number, (path, reading) in enumerate(readings.items())
        if reading.error is None
    ]
    folder_id = shelf.add_folder()
    roms = {}
    for made in make_sets(files, layout="flat", platform=None):
        members = {paths_of: readings[paths_of] for paths_of in (_path(files, number) for number in made.file_ids)}
        roms[next(iter(members))] = shelf.add(folder_id, made.written, members, kind=made.kind)
    imported = shelf.bring(*sorted((IGIR / "dats").iterdir()))
    assert [dat.problem for dat in imported.dats] == [None] * 4
    return {path: shelf.verdict(rom_id)[:3] for path, rom_id in roms.items()}


def _path(files: list[FoundFile], number: int) -> str:
    return next(file.path.decode() for file in files if file.id == number)


@pytest.mark.recordings
def test_igirs_files_are_what_its_dats_say(shelf: Shelf) -> None:
    sets = take_in(shelf, IGIR / "roms")

    expected: dict[str, Verdict] = {
        "raw/empty.rom": ("Empty", "verified", "sha1"),
        "raw/fizzbuzz.nes": ("Fizzbuzz", "verified", "sha1"),
        "raw/foobar.lnx": ("Foobar", "verified", "sha1"),
        "raw/one.rom": ("One Three", "incomplete", "sha1"),
        "raw/four.rom": ("Three Four Five", "incomplete", "sha1"),
        "raw/unknown.rom": (None, "unknown", None),
        "raw/two.rom": (None, "unknown", None),
        "raw/loremipsum.rom": ("Lorem Ipsum", "verified", "sha1"),
        "zip/loremipsum.zip": ("Lorem Ipsum", "verified", "sha1"),
        "zip/fizzbuzz.zip": ("Fizzbuzz", "verified", "sha1"),
        "zip/onetwothree.zip": ("One Three", "verified", "sha1"),
        "zip/fourfive.zip": ("Three Four Five", "incomplete", "sha1"),
        "zip/unknown.zip": (None, "unknown", None),
        "7z/fizzbuzz.7z": ("Fizzbuzz", "verified", "sha1"),
        "7z/onetwothree.7z": ("One Three", "verified", "sha1"),
        "chd/2048.chd": ("Three Four Five", "incomplete", "disk"),
        # Neither SHA-1 of its header is in a DAT that is recorded.
        "chd/CD-ROM.chd": (None, "unknown", None),
        "discs/CD-ROM.cue": ("Optical Game (Disc 1)", "verified", "sha1"),
        "headered/speed_test_v51.smc": ("speed_test_v51", "verified", "sha1"),
        "headered/allpads.nes": ("allpads", "verified", "sha1"),
        "headerless/speed_test_v51.sfc.gz": ("speed_test_v51", "verified", "sha1"),
    }
    assert {path: sets.get(path) for path in expected} == expected
    assert not [path for path in sets if "invalid" in path]
