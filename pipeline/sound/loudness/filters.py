"""Writes the filters of ffmpeg that measure and change loudness. Pure."""

import math

from pipeline.sound.loudness.deciding import REPEATED_FOR, Plan
from pipeline.sound.records import Codec, Loudness, Profile

# What is heard is mono or stereo: more channels are mixed down before they are measured, since that changes loudness.
_HEARD = "aformat=sample_fmts=fltp:channel_layouts=mono|stereo"
# Mono comes out of two loudspeakers, and is 3 LU louder than EBU R 128 by itself would have it.
_MEASURE = "ebur128=peak=true:dualmono=true:framelog=quiet"
_OVERSAMPLED = 192_000
# Rates that each encoder takes as they are; others become 48 kHz.
_RATES = {"mp3": "48000|44100|32000", "m4a": "48000|44100|32000", "opus": "48000"}
# As much as the filter can hold.
_ALL_SAMPLES = 2**31 - 1


def measuring(repeated: float | None = None) -> str:
    """Return the filters that measure; a sound of `repeated` seconds over and over."""
    if repeated is None:
        return f"{_HEARD},{_MEASURE}"
    times = max(math.ceil(REPEATED_FOR / max(repeated, 0.001)) - 1, 0)
    return f"{_HEARD},aloop=loop={times}:size={_ALL_SAMPLES},{_MEASURE}"


def changing(plan: Plan, before: Loudness, profile: Profile) -> str:
    """Return the filters that carry out a plan, up to what the encoder gets."""
    chain = [_HEARD]
    if plan.means in {"volume", "limiter"}:
        chain.append(f"volume={plan.gain:.2f}dB:precision=float")
    if plan.means == "limiter":
        # At four times the rate the samples meet what lies between them.
        limit = 10 ** (plan.true_peak / 20)
        chain += [f"aresample={_OVERSAMPLED}", f"alimiter=limit={limit:.4f}:attack=1:release=50:level=disabled"]
    if plan.means in {"loudnorm", "loudnorm_once"}:
        chain.append(_loudnorm(plan, before if plan.means == "loudnorm" else None, profile))
    return ",".join([*chain, _encoded(profile.codec)])


def _loudnorm(plan: Plan, before: Loudness | None, profile: Profile) -> str:
    figures = {
        "I": plan.integrated,
        "TP": plan.true_peak,
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


def _encoded(codec: Codec) -> str:
    return f"aresample,aformat=sample_rates={_RATES[codec]}"
