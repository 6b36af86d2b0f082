"""The files that igir tests with, and the DATs that name them, where they are at hand."""

import re
from pathlib import Path

import pytest

from pipeline.roms.records import FileReading, FoundFile
from pipeline.roms.sets import make_sets
from tests.paths import RECORDINGS
from tests.pipeline.roms.reading.folder import read

IGIR = RECORDINGS / "roms" / "igir"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not IGIR.is_dir(), reason=f"there are no recordings in {IGIR}"),
]


def readings(*, deep: bool) -> dict[str, FileReading]:
    root = IGIR / "roms"
    paths = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    return {path: read(root, path, deep=deep) for path in paths}


def sha1s(name: str) -> set[bytes]:
    text = re.sub(r"<!--.*?-->", "", (IGIR / "dats" / name).read_text(), flags=re.DOTALL)
    return {bytes.fromhex(match) for match in re.findall(r'sha1[ =]"?([0-9A-Fa-f]{40})', text)}


def test_each_file_has_a_hash_that_its_dats_hold_or_is_in_none() -> None:
    known = sha1s("one.dat") | sha1s("headerless.dat")
    lacking = {
        path
        for path, reading in readings(deep=True).items()
        if not {
            sha1
            for content in reading.contents
            for sha1 in (content.hashes.sha1, content.disk_sha1, content.headerless and content.headerless.sha1)
        }
        & known
    }

    # Two and unknown are in no DAT, nor are a disc's CHD and what only holds a commented or trimmed one.
    assert lacking == {
        "7z/invalid.7z",
        "7z/loremipsum.7z",
        "chd/CD-ROM.chd",
        "raw/loremipsum.rom",
        "raw/trimmed.3ds",
        "raw/two.rom",
        "raw/unknown.rom",
        "zip/empty.zip",
        "zip/invalid.zip",
        "zip/unknown.zip",
    }


@pytest.mark.parametrize("deep", [False, True])
def test_only_what_is_invalid_is_set_aside(deep: bool) -> None:
    assert {path for path, reading in readings(deep=deep).items() if reading.error} == {
        "7z/invalid.7z",
        "zip/invalid.zip",
    }


def test_a_zip_can_itself_be_the_rom_of_a_dat() -> None:
    assert read(IGIR / "roms", "zip/loremipsum.zip").contents[0].hashes.sha1 in sha1s("one.dat")


def test_headered_files_match_without_their_header() -> None:
    known = sha1s("headerless.dat")
    for name in ("allpads.nes", "speed_test_v51.smc"):
        headerless = read(IGIR / "roms", f"headered/{name}").contents[0].headerless
        assert headerless is not None
        assert headerless.sha1 in known


def test_a_chd_has_the_sha1_that_the_dat_names_as_disk() -> None:
    assert read(IGIR / "roms", "chd/2048.chd").contents[0].disk_sha1 == bytes.fromhex(
        "807bc3058951d6aebc6373637b771b87fee217fa"
    )
    assert read(IGIR / "roms", "chd/CD-ROM.chd").contents[0].disk_sha1 is not None


def test_three_tracks_and_a_cue_are_one_set() -> None:
    listed = list(readings(deep=False).items())
    files = [
        FoundFile(
            id=number,
            path=path.encode(),
            size=reading.contents[0].hashes.size,
            container=reading.container,
            members=tuple(content.member for content in reading.contents[1:]),
            sheet=reading.sheet,
        )
        for number, (path, reading) in enumerate(listed)
    ]

    sets = make_sets(files, layout="auto", platform=None)

    assert [[Path(listed[number][0]).name for number in each.file_ids] for each in sets if each.kind == "cue"] == [
        ["CD-ROM.cue", "CD-ROM (Track 1).bin", "CD-ROM (Track 2).bin", "CD-ROM (Track 3).bin"]
    ]
    assert len(sets) == len(files) - 3
