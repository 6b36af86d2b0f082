"""Decides how a sound becomes as loud as a profile wants it, from what was measured. Pure."""

from typing import Literal

import msgspec

from pipeline.sound.records import Loudness, Mode, Profile

# What is quieter than this by more is noise, mostly: it would be all that is heard.
MOST_GAIN = 30.0
# A sound under this many seconds is measured repeated, for about so many.
SHORT = 3.0
REPEATED_FOR = 10.0
# An encoder adds this much to the true peak at most, mostly; the target is for the file as it is played.
HEADROOM = 0.5
# The target is missed beyond these.
LOUDNESS_TOLERANCE = 0.5
PEAK_TOLERANCE = 0.5

Means = Literal["volume", "limiter", "loudnorm", "loudnorm_once", "copy"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How it is done: `gain` in dB of volume and limiter; `integrated` LUFS and `true_peak` dBTP that are aimed at."""

    mode: Mode
    means: Means
    gain: float = 0.0
    integrated: float = 0.0
    true_peak: float = 0.0


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of a file: its loudness, its seconds as decoded, and whether it was measured repeated."""

    loudness: Loudness
    seconds: float
    is_repeated: bool = False


def decide(profile: Profile, measured: Measured, *, is_one_pass: bool = False) -> Plan:
    """Say how a sound gets to a profile's loudness; `is_one_pass` is a person's wish."""
    if profile.is_copied:
        return Plan(mode="copied", means="copy")
    peak = profile.true_peak - HEADROOM
    before = measured.loudness
    if before.integrated is None or before.true_peak is None or (is_one_pass and not measured.is_repeated):
        return Plan(mode="one_pass", means="loudnorm_once", integrated=profile.integrated, true_peak=peak)
    target = min(profile.integrated, before.integrated + MOST_GAIN)
    gain = target - before.integrated
    fits = before.true_peak + gain <= peak
    keeps_range = profile.range is None or before.range is None or before.range <= profile.range
    if fits and (keeps_range or measured.is_repeated):
        mode: Mode = "repeated" if measured.is_repeated else "linear"
        return Plan(mode=mode, means="volume", gain=gain, integrated=target, true_peak=peak)
    # loudnorm looks at three seconds at once, and is no use for less.
    if measured.is_repeated:
        return Plan(mode="repeated", means="limiter", gain=gain, integrated=target, true_peak=peak)
    return Plan(mode="dynamic", means="loudnorm", gain=gain, integrated=target, true_peak=peak)
