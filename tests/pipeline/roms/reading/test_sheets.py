from pathlib import Path

import pytest

from pipeline.roms.reading import Limits
from tests.pipeline.roms.reading.folder import read

CUE = 'REM made by hand\r\nFILE "Game (Track 1).bin" BINARY\r\n  TRACK 01 MODE1/2352\r\n\tfile two.wav WAVE\r\n'
GDI = '3\n1 0 4 2352 track01.bin 0\n2 600 0 2352 "track 02.raw" 0\n3 45000 4 2352 track03.bin 0\n'
M3U = "#EXTM3U\n\nGame (Disc 1).cue\r\n.hidden/Disc 2.chd\nGame (Disc 1).cue\n"


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("Game.cue", CUE, ("Game (Track 1).bin", "two.wav")),
        ("GAME.GDI", GDI, ("track01.bin", "track 02.raw", "track03.bin")),
        ("Game.m3u", M3U, ("Game (Disc 1).cue", ".hidden/Disc 2.chd")),
        ("Game.txt", CUE, ()),
        ("Game.cue", "", ()),
    ],
)
def test_a_sheet_names_its_files_in_order(tmp_path: Path, name: str, text: str, names: tuple[str, ...]) -> None:
    (tmp_path / name).write_text(text, newline="")

    reading = read(tmp_path, name)

    assert (reading.sheet, reading.error) == (names, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_sheet_is_read_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.cue").write_text('FILE "Pokémon.bin" BINARY\n', encoding=encoding)

    assert read(tmp_path, "a.cue").sheet == ("Pokémon.bin",)


def test_bytes_of_no_encoding_make_names_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.cue").write_bytes(b'FILE "\x81\x00\xff.bin" BINARY\n')

    assert read(tmp_path, "a.cue").sheet == ("\x81\\x00ÿ.bin",)


def test_a_file_too_large_for_a_sheet_is_hashed_alone(tmp_path: Path) -> None:
    (tmp_path / "a.cue").write_text(CUE)

    reading = read(tmp_path, "a.cue", Limits(sheet=10))

    assert (reading.sheet, len(reading.contents)) == ((), 1)
