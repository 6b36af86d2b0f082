"""Writes the filters of ffmpeg that measure and change loudness. Pure."""

import math
from collections.abc import Mapping

from pipeline.sound.loudness.deciding import REPEATED_FOR, Plan
from pipeline.sound.records import Codec, Loudness, Profile

# Mono comes out of two loudspeakers, and is 3 LU louder than EBU R 128 by itself would have it.
_MEASURE = "ebur128=peak=true:dualmono=true:framelog=quiet"
_OVERSAMPLED = 192_000
# Rates that each encoder takes as they are; others become 48 kHz.
_RATES: Mapping[Codec, str] = {"mp3": "48000|44100|32000", "m4a": "48000|44100|32000", "opus": "48000"}
# As much as the filter can hold.
_ALL_SAMPLES = 2**31 - 1
# What the filters take at most: LUFS and dBTP of loudnorm, and the limit of alimiter.
_LUFS, _DBTP, _LIMIT = (-70.0, -5.0), (-9.0, 0.0), (0.0625, 1.0)


def measuring(channels: int, *, repeated: float | None = None) -> str:
    """Return the filters that measure a sound of some channels; one of `repeated` seconds over and over."""
    if repeated is None:
        return f"{_heard(channels)},{_MEASURE}"
    times = max(math.ceil(REPEATED_FOR / max(repeated, 0.001)) - 1, 0)
    return f"{_heard(channels)},aloop=loop={times}:size={_ALL_SAMPLES},{_MEASURE}"


def changing(plan: Plan, before: Loudness, profile: Profile, channels: int) -> str:
    """Return the filters that carry out a plan, up to what the encoder gets."""
    chain = [_heard(channels)]
    if plan.means in {"volume", "limiter"}:
        chain.append(f"volume={plan.gain:.2f}dB:precision=float")
    if plan.means == "limiter":
        # At four times the rate the samples meet what lies between them.
        limit = _within(10 ** (plan.true_peak / 20), _LIMIT)
        chain += [f"aresample={_OVERSAMPLED}", f"alimiter=limit={limit:.4f}:attack=1:release=50:level=disabled"]
    if plan.means in {"loudnorm", "loudnorm_once"}:
        chain.append(_loudnorm(plan, before if plan.means == "loudnorm" else None, profile))
    return ",".join([*chain, "aresample", f"aformat=sample_rates={_RATES[profile.codec]}"])


def _heard(channels: int) -> str:
    """Mix more channels down to two before anything is measured, since that changes loudness."""
    return f"aformat=sample_fmts=fltp:channel_layouts={'mono' if channels == 1 else 'stereo'}"


def _loudnorm(plan: Plan, before: Loudness | None, profile: Profile) -> str:
    figures = {
        "I": _within(plan.aim, _LUFS),
        "TP": _within(plan.true_peak, _DBTP),
        # Where the range is kept this is no wish, but the filter wants one.
        "LRA": 7.0 if profile.range is None else profile.range,
    }
    if before is not None:
        figures |= {
            "measured_I": before.integrated or 0.0,
            "measured_TP": before.true_peak or 0.0,
            "measured_LRA": before.range or 0.0,
            "measured_thresh": before.threshold or 0.0,
        }
    words = ":".join(f"{name}={value:.2f}" for name, value in figures.items())
    return f"loudnorm={words}:dual_mono=true:linear=false"


def _within(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
