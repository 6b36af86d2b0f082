"""A sound is measured, and rendered as a profile wants it, by the real ffmpeg."""

import hashlib
import re
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.sound.loudness.profiles import built_in, read_profiles
from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.media.inspecting import inspect
from pipeline.sound.media.metadata import Tags
from pipeline.sound.media.running import MediaFailed, run
from pipeline.sound.records import Chapter, Profile
from pipeline.sound.rendering.artwork import square_of_title
from pipeline.sound.rendering.render import measure, render
from tests.pipeline.sound.audio import make, sine, speech

PROFILES = read_profiles(["small:codec=opus,kbps=48", "apple:codec=m4a,kbps=96"])
CHAPTERS = (Chapter(start=0, title="Lantern; = # \\ Bay"), Chapter(start=4, title="Zwei\nZeilen"))
TAGS = Tags(title="Night stream\nTITLE=x [CHAPTER]", artist="Ünïcode", date="2026-11-28", comment="one\ntwo")


def described(ffmpeg: Ffmpeg, path: Path) -> str:
    """Return what ffmpeg says of a file."""
    return run(ffmpeg.path, ["-i", f"file:{path}", "-c", "copy", "-f", "null", "-"], limit=timedelta(minutes=1)).text


def test_mono_and_stereo_of_the_same_are_equally_loud(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    mono = make(tmp_path / "mono.wav", sine(4), "-ac", "1")
    # Both channels at full level, as a loudspeaker each would have the one.
    stereo = make(tmp_path / "stereo.wav", f"{sine(4)},pan=stereo|c0=c0|c1=c0")

    one, two = (measure(ffmpeg, path).loudness.integrated for path in (mono, stereo))

    assert one == pytest.approx(two, abs=0.1)


def test_a_short_sound_is_as_loud_as_a_long_one_of_the_same(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    long, short = (
        measure(ffmpeg, make(tmp_path / "l.wav", sine(4))),
        measure(ffmpeg, make(tmp_path / "s.wav", sine(0.2))),
    )

    assert (long.is_repeated, short.is_repeated) == (False, True)
    assert long.seconds == pytest.approx(4)
    assert short.seconds == pytest.approx(0.2)
    assert short.loudness.integrated == pytest.approx(long.loudness.integrated, abs=0.2)


@pytest.mark.parametrize(("profile", "codec"), [("podcast", "mp3"), ("apple", "aac"), ("small", "opus")])
def test_tags_and_chapters_are_in_the_file_and_no_title_breaks_out(
    ffmpeg: Ffmpeg, tmp_path: Path, profile: str, codec: str
) -> None:
    original = make(tmp_path / "o.wav", speech(8), "-metadata", "title=Old", "-metadata", "copyright=Nobody")
    cover = tmp_path / "cover.jpg"
    square_of_title(ffmpeg, "Night", cover)

    rendered = render(ffmpeg, original, PROFILES[profile], tmp_path / "r", tags=TAGS, chapters=CHAPTERS, cover=cover)

    assert rendered.size == (tmp_path / "r").stat().st_size
    assert rendered.digest == hashlib.sha256((tmp_path / "r").read_bytes()).digest()
    assert rendered.seconds == pytest.approx(8, abs=0.05)
    media = inspect(ffmpeg, tmp_path / "r")
    assert (media.codec, media.has_cover) == (codec, True)
    text = described(ffmpeg, tmp_path / "r")
    assert re.findall(r"Chapter #0:(\d): start (\d\.\d+), end (\d\.\d)", text)[:2] == [
        ("0", "0.000000", "4.0"), ("1", "4.000000", "8.0"),
    ]  # fmt: skip
    for words in ("Lantern; = # \\ Bay", "Zwei Zeilen", "Night stream TITLE=x [CHAPTER]", "Ünïcode"):
        assert words in text
    assert "Nobody" not in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cover.jpg", "o.wav", "r"]


def test_the_same_original_gives_the_same_bytes(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    original = make(tmp_path / "o.wav", speech(4))

    first, second = (render(ffmpeg, original, PROFILES["apple"], tmp_path / name, tags=TAGS) for name in "ab")

    assert first == second


@pytest.mark.parametrize(
    ("name", "options", "ending"),
    [("o.m4a", (), "m4a"), ("o.mp3", (), "mp3"), ("o.opus", ("-c:a", "libopus"), "opus"), ("o.wav", (), "wav"),
     ("o.ts", ("-c:a", "aac", "-f", "mpegts"), "m4a"), ("o.flac", (), "flac")],
)  # fmt: skip
def test_off_copies_the_sound_and_adds_chapters(
    ffmpeg: Ffmpeg, tmp_path: Path, name: str, options: tuple[str, ...], ending: str
) -> None:
    original = make(tmp_path / name, speech(6), *options)

    rendered = render(ffmpeg, original, PROFILES["off"], tmp_path / "r", tags=TAGS, chapters=CHAPTERS)

    assert (rendered.mode, rendered.codec, rendered.before, rendered.note) == ("copied", ending, None, None)
    assert rendered.seconds == pytest.approx(6, abs=0.1)
    assert inspect(ffmpeg, tmp_path / "r").codec == inspect(ffmpeg, original).codec
    if ending in {"m4a", "mp3"}:
        assert "Chapter #0:1" in described(ffmpeg, tmp_path / "r")


def test_an_original_of_a_relative_path_keeps_its_own_chapters(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render(ffmpeg, make(tmp_path / "o.wav", speech(6)), PROFILES["apple"], tmp_path / "book.m4a", chapters=CHAPTERS)
    monkeypatch.chdir(tmp_path)

    render(ffmpeg, Path("book.m4a"), PROFILES["podcast"], Path("r"))

    assert "Zwei Zeilen" in described(ffmpeg, tmp_path / "r")


def test_an_m4a_begins_with_its_index(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    original = make(tmp_path / "o.wav", speech(4))

    render(ffmpeg, original, PROFILES["apple"], tmp_path / "r")

    head = (tmp_path / "r").read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")


def test_progress_goes_from_nothing_to_all(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    original = make(tmp_path / "o.wav", speech(4))
    shares: list[float] = []

    render(ffmpeg, original, PROFILES["podcast"], tmp_path / "r", on_progress=shares.append)

    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1, abs=0.02)


def test_one_pass_comes_near_the_target(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    original = make(tmp_path / "o.wav", speech(20, level=0.1))

    rendered = render(ffmpeg, original, PROFILES["podcast"], tmp_path / "r", is_one_pass=True)

    assert rendered.mode == "one_pass"
    assert rendered.after is not None
    assert rendered.after.integrated == pytest.approx(-16, abs=2)


def test_a_range_is_made_narrower_where_the_profile_says_so(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    original = make(tmp_path / "o.wav", f"{speech(60)},volume='if(lt(mod(t,20),10),0.3,1)':eval=frame")

    rendered = render(ffmpeg, original, built_in()["ebu"], tmp_path / "r")

    assert rendered.mode == "dynamic"
    assert rendered.before is not None
    assert rendered.after is not None
    assert (rendered.before.range or 0) > 10
    assert (rendered.after.range or 0) < (rendered.before.range or 0) - 3
    assert rendered.after.integrated == pytest.approx(-23, abs=0.5)
    assert rendered.note is None


@pytest.mark.parametrize("profile", [PROFILES["podcast"], PROFILES["off"]])
def test_a_file_without_sound_is_refused(ffmpeg: Ffmpeg, tmp_path: Path, profile: Profile) -> None:
    video = make(tmp_path / "v.mp4", "testsrc2=s=64x64:d=1:r=5")

    with pytest.raises(MediaFailed, match="cannot be read as sound") as failure:
        render(ffmpeg, video, profile, tmp_path / "r")

    assert failure.value.trouble.kind == "broken"


def test_a_file_cut_off_is_rendered_as_far_as_it_goes(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    whole = make(tmp_path / "w.mp3", speech(10)).read_bytes()
    cut = tmp_path / "c.mp3"
    cut.write_bytes(whole[: len(whole) // 2])

    rendered = render(ffmpeg, cut, PROFILES["podcast"], tmp_path / "r")

    assert rendered.seconds == pytest.approx(5, abs=0.3)


def test_a_full_disk_is_said(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    original = make(tmp_path / "o.wav", speech(4))
    (tmp_path / "full").symlink_to("/dev/full")

    with pytest.raises(MediaFailed) as failure:
        render(ffmpeg, original, PROFILES["podcast"], tmp_path / "full")

    assert failure.value.trouble.kind == "disk"
