"""Podcast apps get square pictures of 1400 pixels."""

import re
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.media.running import MediaFailed, run
from pipeline.sound.rendering.artwork import drawable, square_of_picture, square_of_title
from tests.pipeline.sound.audio import make


def size(ffmpeg: Ffmpeg, path: Path) -> str:
    text = run(ffmpeg.path, ["-i", f"file:{path}", "-f", "null", "-"], limit=timedelta(minutes=1)).text
    return "x".join(re.findall(r"Video: mjpeg.*? (\d+)x(\d+)", text)[0])


@pytest.mark.parametrize(("name", "of"), [("wide.png", "1280x720"), ("tall.webp", "90x160"), ("tiny.gif", "16x16")])
def test_a_picture_becomes_square(ffmpeg: Ffmpeg, tmp_path: Path, name: str, of: str) -> None:
    picture = make(tmp_path / name, f"testsrc2=s={of}:d=1:r=1", "-frames:v", "1")

    square_of_picture(ffmpeg, picture, tmp_path / "cover.jpg")

    assert size(ffmpeg, tmp_path / "cover.jpg") == "1400x1400"
    assert (tmp_path / "cover.jpg").stat().st_size < 500_000


@pytest.mark.parametrize(
    "content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n" + b"\0" * 50]
)
def test_what_is_no_picture_is_refused_and_leaves_nothing(ffmpeg: Ffmpeg, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.png").write_bytes(content)

    with pytest.raises(MediaFailed):
        square_of_picture(ffmpeg, tmp_path / "p.png", tmp_path / "cover.jpg")

    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]


@pytest.mark.parametrize(
    "title",
    [
        "Night",
        "It's %{pts} 'quoted': [a],b;c \\ \n and longer than one line can be, by far",
        "配信アーカイブ" * 9,
        "",
        "\0\ud800",
    ],
)
def test_a_title_becomes_a_picture(ffmpeg: Ffmpeg, tmp_path: Path, title: str) -> None:
    square_of_title(ffmpeg, title, tmp_path / "cover.jpg")

    assert size(ffmpeg, tmp_path / "cover.jpg") == "1400x1400"


def test_a_title_has_its_own_colours_and_the_same_bytes_each_time(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    for name, title in (("a", "Night"), ("b", "Night"), ("c", "Day")):
        square_of_title(ffmpeg, title, tmp_path / f"{name}.jpg")

    first, same, other = ((tmp_path / f"{name}.jpg").read_bytes() for name in "abc")
    assert first == same
    assert first != other


@pytest.mark.parametrize(
    ("title", "drawn"),
    [
        ("Wipe day 🎃 tonight", "Wipe day tonight"),
        ("Ночь в Řeži – «cafe\u0301»", "Ночь в Řeži – «café»"),
        ("配信アーカイブ", ""),
        ("配信 a", ""),
        ("", ""),
    ],
)
def test_only_letters_that_every_usual_font_has_are_drawn(title: str, drawn: str) -> None:
    assert drawable(title) == drawn


def test_a_title_that_cannot_be_drawn_leaves_the_colours_without_boxes(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    assert not square_of_title(ffmpeg, "配信アーカイブ", tmp_path / "cover.jpg")
    assert square_of_title(ffmpeg, "Wipe day 🎃", tmp_path / "cover.jpg")


def test_without_letters_there_are_the_colours_alone(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    poor = msgspec.structs.replace(ffmpeg, lacks=("drawtext",))

    assert not square_of_title(poor, "Night", tmp_path / "cover.jpg")
    assert size(ffmpeg, tmp_path / "cover.jpg") == "1400x1400"


def test_a_folder_may_have_any_name(ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "we:ird, 'x[1]; %d"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))

    square_of_title(ffmpeg, "Night", odd / "cover.jpg")
    square_of_picture(ffmpeg, odd / "cover.jpg", odd / "again.jpg")

    assert size(ffmpeg, odd / "again.jpg") == "1400x1400"
