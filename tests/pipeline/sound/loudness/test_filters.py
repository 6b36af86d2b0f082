"""A plan becomes filters of ffmpeg."""

import pytest

from pipeline.sound.loudness.deciding import Plan
from pipeline.sound.loudness.filters import changing, measuring
from pipeline.sound.loudness.profiles import built_in
from pipeline.sound.records import Loudness

BEFORE = Loudness(integrated=-23.1, true_peak=-2.5, range=11.9, threshold=-33.4)
PODCAST, EBU = built_in()["podcast"], built_in()["ebu"]


def test_mono_stays_mono_and_more_than_two_channels_are_mixed_down_before_measuring() -> None:
    assert "channel_layouts=mono," in measuring(1)
    assert "channel_layouts=stereo," in measuring(2)
    assert "channel_layouts=stereo," in measuring(6)
    assert measuring(1).endswith("ebur128=peak=true:dualmono=true:framelog=quiet")


@pytest.mark.parametrize(("seconds", "times"), [(0.2, 49), (2.9, 3), (0.0, 9999), (11, 0)])
def test_a_short_sound_is_measured_for_ten_seconds(seconds: float, times: int) -> None:
    assert f"aloop=loop={times}:" in measuring(2, repeated=seconds)


def test_volume_alone_changes_volume_alone() -> None:
    plan = Plan(mode="linear", means="volume", gain=6.345)

    assert changing(plan, BEFORE, PODCAST, 2) == (
        "aformat=sample_fmts=fltp:channel_layouts=stereo,volume=6.34dB:precision=float,"
        "aresample,aformat=sample_rates=48000|44100|32000"
    )


def test_a_limiter_works_on_true_peaks_and_within_what_it_can() -> None:
    filters = changing(Plan(mode="repeated", means="limiter", gain=3, true_peak=-2), BEFORE, PODCAST, 1)
    assert "volume=3.00dB:precision=float,aresample=192000,alimiter=limit=0.7943:" in filters
    deep = changing(Plan(mode="repeated", means="limiter", true_peak=-40), BEFORE, PODCAST, 1)
    assert "alimiter=limit=0.0625:" in deep


def test_loudnorm_gets_what_was_measured_in_its_second_pass_alone() -> None:
    second = changing(Plan(mode="dynamic", means="loudnorm", aim=-15.7, true_peak=-2), BEFORE, EBU, 2)
    assert "loudnorm=I=-15.70:TP=-2.00:LRA=7.00:measured_I=-23.10:measured_TP=-2.50:measured_LRA=11.90:" in second
    once = changing(Plan(mode="one_pass", means="loudnorm_once", aim=-80, true_peak=-20), BEFORE, PODCAST, 2)
    assert "loudnorm=I=-70.00:TP=-9.00:LRA=7.00:dual_mono=true" in once
