"""The note of a stream in parts: what a kill at any moment leaves is cut back to what it says."""

import json
from pathlib import Path

import pytest

from pipeline.sound.downloading.resuming import cut_back


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "original-0.mp4.part"


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return tmp_path / "original-0.mp4.ytdl"


def write(note: Path, **downloader: object) -> None:
    note.write_text(json.dumps({"downloader": {"current_fragment": {"index": 2}, **downloader}}))


def test_what_was_appended_after_the_note_is_cut_off(part: Path, note: Path) -> None:
    part.write_bytes(b"aabb and a half")
    write(note, lootwire_size=4)

    assert cut_back(part, note) == 4
    assert part.read_bytes() == b"aabb"


def test_a_file_as_its_note_says_is_left_alone(part: Path, note: Path) -> None:
    part.write_bytes(b"aabb")
    write(note, lootwire_size=4)

    assert cut_back(part, note) == 4
    assert part.read_bytes() == b"aabb"


@pytest.mark.parametrize("noted", [{"lootwire_size": 40}, {}, {"lootwire_size": "x"}, {"lootwire_size": None}])
def test_a_note_that_does_not_fit_begins_anew(part: Path, note: Path, noted: dict[str, object]) -> None:
    part.write_bytes(b"aabb")
    write(note, **noted)

    assert cut_back(part, note) == 0
    assert not part.exists()
    assert not note.exists()


def test_a_file_whose_note_is_gone_is_not_taken_for_the_beginning_of_one(part: Path, note: Path) -> None:
    part.write_bytes(b"all of it")

    assert cut_back(part, note) == 0
    assert not part.exists()


def test_a_half_written_note_begins_anew(part: Path, note: Path) -> None:
    part.write_bytes(b"aabb")
    note.write_text('{"downloader": {"curr')

    assert cut_back(part, note) == 0
    assert not part.exists()


def test_nothing_to_go_on_from_is_a_beginning(part: Path, note: Path) -> None:
    assert cut_back(part, note) == 0
