"""Reads what ffmpeg's filter ebur128 says at its end. Pure."""

import math
import re

from pipeline.sound.records import Loudness

# What the filter says of silence, and of what is too short to be heard of: it is the gate, and no loudness.
GATE = -70.0
_NUMBER = r"\s*(-?(?:\d+\.\d+|inf|nan))"
# A title may say the same, but ffmpeg indents it.
_SUMMARY = re.compile(r"^\[[^\]\n]*ebur128[^\]\n]*\] Summary:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def read_ebur128(text: str) -> Loudness | None:
    """Return the loudness of the last summary in what ffmpeg said; None where there is no summary."""
    summaries = _SUMMARY.findall(text)
    if not summaries:
        return None
    summary = summaries[-1]
    integrated = _figure("I", summary)
    is_measured = integrated is not None and integrated > GATE
    return Loudness(
        integrated=integrated if is_measured else None,
        true_peak=_figure("Peak", summary),
        range=_figure("LRA", summary) if is_measured else None,
        threshold=_figure("Threshold", summary) if is_measured else None,
    )


def _figure(name: str, summary: str) -> float | None:
    """Return the first figure of a name that is a number: silence has a peak of -inf, and what is odd has nan."""
    match = re.search(rf"^ +{name}:{_NUMBER}", summary, re.MULTILINE)
    value = float(match[1]) if match else math.nan
    return value if math.isfinite(value) else None
