"""Layouts of collections as people have them, where they are at hand."""

import pytest

from pipeline.roms.records import FoundFile
from pipeline.roms.sets import make_sets
from tests.paths import RECORDINGS

ROMS = RECORDINGS / "roms"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not ROMS.is_dir(), reason=f"there are no recordings in {ROMS}"),
]


def sets_of(name: str) -> tuple[list[tuple[str, str, str | None, int]], list[str]]:
    """Return kind, name, platform and number of files of the sets of a list of paths, and what is in none."""
    paths = (ROMS / name).read_text().split("\n")
    files = [
        FoundFile(
            id=number,
            path=path.encode(),
            size=1,
            container="zip" if path.endswith(("zip", "dosz")) else "plain",
            sheet=("MYST.BIN",) if path.endswith("cue") else (),
        )
        for number, path in enumerate(paths)
        if path
    ]
    sets = make_sets(files, layout="auto", platform=None)
    used = {number for each in sets for number in each.file_ids}
    left = [file.path.decode() for file in files if file.id not in used]
    return [(each.kind, each.written, each.platform, len(each.file_ids)) for each in sets], left


def test_layouts_of_dos_games() -> None:
    assert sets_of("dos_layouts.txt") == (
        [
            ("archive", "Commander Keen 4", "dos", 1),
            ("folder", "Doom (1993)", "dos", 3),
            ("file", "Duke Nukem 3D (1996)", "dos", 1),
            ("folder", "MYST", "dos", 2),
            ("archive", "Quake", "dos", 1),
            ("folder", "keen5", "dos", 3),
            ("archive", "007 - Licence to Kill (1989)", "dos", 1),
            ("archive", "Abuse (1995)", "dos", 4),
            ("archive", "One Ton (1983)", "dos", 3),
            ("archive", "Seven Cities of Gold, The (1985)", "dos", 1),
        ],
        [],
    )


def test_romms_layout() -> None:
    assert sets_of("romm_library_layout.txt") == (
        [
            ("file", "Paper Mario (USA)", "n64", 1),
            ("folder", "Sonic (EU) [T]", "n64", 2),
            ("folder", "Super Mario 64 (J) (Rev A)", "n64", 2),
            ("folder", "Test Multi Rom [USA]", "n64", 2),
            ("file", "Zelda (USA) (Rev 1) [En,Fr] [Test]", "n64", 1),
            ("file", "test_game", "n64", 1),
            ("file", "Test PS3", "ps3", 1),
            ("file", "Test PSP", "psp", 1),
            ("file", "Test PSV", "psvita", 1),
            ("archive", "PaRappa the Rapper", "psx", 1),
        ],
        [
            "library/n64/bios/bios1.bin",
            "library/n64/bios/bios2.bin",
            "library/n64/bios/temp.tmp",
            "library/n64/roms/excluded_test.tmp",
            "library/psx/bios/scph1001.bin",
        ],
    )
