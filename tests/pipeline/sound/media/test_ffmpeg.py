"""The ffmpeg that is used is the wheel's or the one that is named, and it can do what is needed."""

import sys
from pathlib import Path

import pytest

from pipeline.sound.media.ffmpeg import Ffmpeg, FfmpegMissing, find_ffmpeg
from pipeline.sound.media.running import MediaFailed


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_wheels_can_do_all_that_is_wanted(ffmpeg: Ffmpeg) -> None:
    assert ffmpeg.lacks == ()
    assert ffmpeg.version
    assert find_ffmpeg(ffmpeg.path) == ffmpeg


def test_one_that_is_not_there_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(FfmpegMissing, match=r"LOOTWIRE_FFMPEG names, .*/ffmpeg: .*uv sync --group sound"):
        find_ffmpeg(tmp_path / "ffmpeg")


def test_one_that_lacks_filters_is_refused_by_their_names(tmp_path: Path) -> None:
    old = program(tmp_path / "old", "echo 'ffmpeg version 3.0 Copyright'; echo ' ..C ebur128  A->N  scanner'")
    with pytest.raises(FfmpegMissing, match=r"version 3.0\) has no .*libmp3lame, loudnorm"):
        find_ffmpeg(old)


def test_what_is_no_ffmpeg_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FfmpegMissing, match="is no ffmpeg"):
        find_ffmpeg(program(tmp_path / "other", "echo hello"))
    plain = tmp_path / "plain"
    plain.write_text("no program")
    with pytest.raises(FfmpegMissing, match="cannot run"):
        find_ffmpeg(plain)


def test_without_the_group_sound_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    # As Python has it where a package is not installed.
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)

    with pytest.raises(FfmpegMissing, match="the group `sound` is not installed"):
        find_ffmpeg()


def test_one_that_is_killed_while_it_says_what_it_can_do_lacks_nothing(tmp_path: Path) -> None:
    killed = program(tmp_path / "killed", "echo 'ffmpeg version 9.0 Copyright'; kill -9 $$")

    with pytest.raises(MediaFailed, match="ended by SIGKILL") as failure:
        find_ffmpeg(killed)

    assert failure.value.is_passing
