"""A thousand hostile titles harm no tag and no chapter of a real file, and no argument of ffmpeg."""

import random
import re
from pathlib import Path

import pytest

from models.printable import on_a_line
from pipeline.sound.loudness.profiles import read_profiles
from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.media.metadata import Tags
from pipeline.sound.media.running import LOCAL, run
from pipeline.sound.records import Chapter
from pipeline.sound.rendering.render import LONGEST, render
from tests.pipeline.sound.audio import make

PARTS = (
    *(
        "=",
        ";",
        "#",
        "\\",
        "\n",
        "\r",
        "\0",
        "\t",
        "'",
        '"',
        "`",
        "$(id)",
        "%s",
        "%{pts}",
        "{}",
        "&amp;",
        "<script>",
        "]]>",
    ),
    *(
        "[CHAPTER]",
        "START=0",
        ";FFMETADATA1",
        "title=x",
        "-y",
        "file:/etc/passwd",
        "../..",
        "|",
        "\u202e",
        "\u2028",
        "\ud800",
    ),
    *("é", "配信", "👩‍🚀", "a", "B", " ", "\x1b[31m", "\x7f", "\ufeff", "\uffff"),
)
DICE = random.Random(16)  # noqa: S311 - the same titles each time
TITLES = ["x" + "".join(DICE.choices(PARTS, k=DICE.randint(0, 8))) for _ in range(1000)]
PROFILES = read_profiles(["apple:codec=m4a,kbps=64"])


def chapters_of(ffmpeg: Ffmpeg, path: Path) -> list[str]:
    """Return the titles of a file's chapters, read back by ffmpeg itself."""
    text = path.with_suffix(".txt")
    run(ffmpeg.path, [*LOCAL, "-i", f"file:{path}", "-f", "ffmetadata", "-y", f"file:{text}"], limit=LONGEST)
    pattern = r"\n\[CHAPTER\]\nTIMEBASE=.*\nSTART=(\d+)\nEND=.*\ntitle=(.*)"
    chapters = [(int(start), title) for start, title in re.findall(pattern, text.read_text(encoding="utf-8"))]
    # From an MP3 they come back 23 ms earlier, which is the delay of its encoder, and in no order of theirs.
    return [_unescaped(title).rstrip() for _, title in sorted(chapters)]


def _unescaped(text: str) -> str:
    out, letters = "", iter(text)
    for letter in letters:
        out += next(letters) if letter == "\\" else letter
    return out


@pytest.mark.parametrize("profile", ["podcast", "apple"])
def test_a_thousand_titles_come_back_as_lines(ffmpeg: Ffmpeg, tmp_path: Path, profile: str) -> None:
    original = make(tmp_path / "o.wav", "sine=frequency=440:duration=50:sample_rate=48000")
    chapters = [Chapter(start=number / 20, title=title) for number, title in enumerate(TITLES)]
    # One that has a bit of everything.
    worst = "x" + "".join(PARTS)

    tags = Tags(title=worst, artist=worst, comment=worst)
    render(ffmpeg, original, PROFILES[profile], tmp_path / "r", tags=tags, chapters=chapters)

    expected = [on_a_line(title.encode("utf-8", "replace").decode(), 300).strip() for title in TITLES]
    assert chapters_of(ffmpeg, tmp_path / "r") == expected
