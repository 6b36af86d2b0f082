"""Fifty sounds of all kinds, measured again after they were rendered, are as loud as they should be or say why not."""

from pathlib import Path

import pytest

from pipeline.sound.loudness.profiles import built_in
from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.records import Profile, Rendered
from pipeline.sound.rendering.render import measure, render
from tests.pipeline.sound.audio import FIFTY, make

pytestmark = pytest.mark.long

PROFILES = built_in()
# Silence, what thirty decibels are not enough for, and claps of which there is nothing but peaks.
EXPLAINED = {
    *("silence.wav", "silence_mono.mp3", "silence_short.wav", "digital_dither.wav"),
    *("minus_60.wav", "minus_60.flac", "minus_45.m4a", "claps.mp3"),
}


def is_met(rendered: Rendered, profile: Profile) -> bool:
    after = rendered.after
    if after is None or after.integrated is None or after.true_peak is None:
        return False
    return abs(after.integrated - profile.integrated) <= 0.5 and after.true_peak <= profile.true_peak + 0.5


def test_there_are_fifty() -> None:
    assert len(FIFTY) == 50


@pytest.mark.parametrize("name", FIFTY)
def test_a_sound_is_as_loud_as_a_podcast_or_says_why_not(ffmpeg: Ffmpeg, tmp_path: Path, name: str) -> None:
    source, options = FIFTY[name]
    profile = PROFILES["podcast"]
    original, to = make(tmp_path / name, source, *options), tmp_path / "rendition.mp3"

    rendered = render(ffmpeg, original, profile, to)

    # By a measuring of its own, which knows nothing of the first one.
    again = measure(ffmpeg, to)
    assert rendered.after == again.loudness
    assert rendered.seconds == pytest.approx(again.seconds)
    assert is_met(rendered, profile) == (rendered.note is None)
    assert name in EXPLAINED or rendered.note is None, rendered.note
    before = rendered.before
    assert before is not None
    if before.integrated is not None and again.loudness.integrated is not None:
        assert again.loudness.integrated - before.integrated <= 30.5


@pytest.mark.parametrize("name", ["surround.m4a", "peaky.wav", "crescendo.opus", "word_0.8.opus", "long_speech.m4a"])
@pytest.mark.parametrize("profile", ["ebu", "effects"])
def test_other_profiles_are_met_too(ffmpeg: Ffmpeg, tmp_path: Path, name: str, profile: str) -> None:
    source, options = FIFTY[name]

    rendered = render(ffmpeg, make(tmp_path / name, source, *options), PROFILES[profile], tmp_path / "rendition")

    assert is_met(rendered, PROFILES[profile]), rendered
