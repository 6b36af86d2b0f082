"""Decides how a sound becomes as loud as a profile wants it, from what was measured. Pure."""

from typing import Literal

import msgspec

from pipeline.sound.records import Loudness, Mode, Profile

# What is quieter than this by more is noise, mostly: it would be all that is heard.
MOST_GAIN = 30.0
# A sound under this many seconds is measured repeated, for about so many.
SHORT = 3.0
REPEATED_FOR = 10.0
# An encoder adds this much to the true peak, mostly at most; the target is for the file as it is played.
HEADROOM = 0.5
# The target is missed beyond these, in LU, dB and LU.
LOUDNESS_TOLERANCE = 0.5
PEAK_TOLERANCE = 0.5
RANGE_TOLERANCE = 1.5

Means = Literal["volume", "limiter", "loudnorm", "loudnorm_once", "copy"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How it is done. `gain` is in dB, `integrated` the LUFS that the result is to have.

    `aim` LUFS and `true_peak` dBTP are what the filters are given for that, beside it by what they and the encoder
    miss.
    """

    mode: Mode
    means: Means
    gain: float = 0.0
    integrated: float = 0.0
    aim: float = 0.0
    true_peak: float = 0.0


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of a file: its loudness, its seconds as decoded, and whether it was measured repeated."""

    loudness: Loudness
    seconds: float
    is_repeated: bool = False


def decide(profile: Profile, measured: Measured, *, is_one_pass: bool = False) -> Plan:
    """Say how a sound gets to a profile's loudness; `is_one_pass` is a person's wish, and not for sounds under 3 s."""
    if profile.is_copied:
        return Plan(mode="copied", means="copy")
    before, loss, peak = measured.loudness, _loss_of_encoder(profile), profile.true_peak - HEADROOM
    if before.true_peak is None:
        # Nothing but zeros: loudnorm makes no number of them where they are few.
        return Plan(mode="one_pass", means="volume", integrated=profile.integrated, true_peak=peak)
    if before.integrated is None:
        # Below the gate, so that loudnorm would raise it by 50 dB and more.
        gain = min(MOST_GAIN, peak - before.true_peak)
        return Plan(mode="one_pass", means="volume", gain=gain, integrated=profile.integrated, true_peak=peak)
    target = min(profile.integrated, before.integrated + MOST_GAIN)
    aim, gain = target + loss, target + loss - before.integrated
    fits = before.true_peak + gain <= peak
    keeps_range = profile.range is None or before.range is None or before.range <= profile.range
    mode: Mode
    means: Means
    if measured.is_repeated:
        # loudnorm looks at three seconds at once, and is no use for less.
        mode, means = "repeated", "volume" if fits else "limiter"
    elif is_one_pass:
        mode, means = "one_pass", "loudnorm_once"
    elif fits and keeps_range:
        mode, means = "linear", "volume"
    else:
        mode, means = "dynamic", "loudnorm"
    return Plan(mode=mode, means=means, gain=gain, integrated=target, aim=aim, true_peak=peak)


def correct(plan: Plan, profile: Profile, after: Loudness) -> Plan | None:
    """Return the plan that aims beside the last one by what that missed; None where there is nothing to better.

    A limiter comes next where the encoder took volume alone over the true peak, and where loudnorm stayed too quiet, as
    it does with few and high peaks.
    """
    if after.integrated is None or after.true_peak is None or plan.mode in {"copied", "one_pass"}:
        return None
    missed, over = after.integrated - plan.integrated, after.true_peak - profile.true_peak
    is_over = over > PEAK_TOLERANCE
    if abs(missed) <= LOUDNESS_TOLERANCE and not is_over:
        return None
    if plan.means == "loudnorm" and missed < -LOUDNESS_TOLERANCE:
        return msgspec.structs.replace(plan, means="limiter")
    if plan.means == "volume" and is_over:
        return msgspec.structs.replace(plan, means="limiter", gain=min(plan.gain - missed, MOST_GAIN))
    # What a limiter is given more it takes half of away again.
    further = -2 * missed if plan.means == "limiter" and missed < 0 else -missed
    return msgspec.structs.replace(
        plan,
        gain=min(plan.gain + further, MOST_GAIN),
        aim=plan.aim - missed,
        true_peak=plan.true_peak - (over if is_over else 0.0),
    )


def misses_by(plan: Plan, profile: Profile, after: Loudness) -> float:
    """Return how far a result is beside the target, in LU and dB beyond what is tolerated; 0 where it is met."""
    if after.integrated is None or after.true_peak is None:
        return 0.0
    loudness = max(abs(after.integrated - plan.integrated) - LOUDNESS_TOLERANCE, 0.0)
    return loudness + max(after.true_peak - profile.true_peak - PEAK_TOLERANCE, 0.0)


def note_of(profile: Profile, plan: Plan, after: Loudness) -> str | None:
    """Say in a sentence why a rendition missed its target, where it did."""
    if after.integrated is None or after.true_peak is None:
        return "It is silent, or nearly so: there is no loudness to measure."
    reasons = []
    missed = after.integrated - profile.integrated
    if abs(missed) > LOUDNESS_TOLERANCE:
        reasons.append(f"It has {after.integrated:.1f} LUFS instead of {profile.integrated:g}: {_why(plan, missed)}.")
    if after.true_peak > profile.true_peak + PEAK_TOLERANCE:
        why = "the encoder adds to it"
        reasons.append(f"Its true peak is {after.true_peak:.1f} dBTP instead of {profile.true_peak:g}: {why}.")
    if profile.range is not None and after.range is not None and after.range > profile.range + RANGE_TOLERANCE:
        # loudnorm raises nothing that is below the gate of the whole, 20 LU under it.
        why = "what is far quieter than the rest stays so"
        reasons.append(f"Its range is {after.range:.1f} LU instead of {profile.range:g}: {why}.")
    return " ".join(reasons) or None


def _why(plan: Plan, missed: float) -> str:
    if missed < 0 and plan.gain >= MOST_GAIN - LOUDNESS_TOLERANCE:
        return f"nothing is raised by more than {MOST_GAIN:.0f} dB"
    if plan.mode == "one_pass":
        return "it was rendered in one pass, which only comes near it"
    return "its peaks are high and few" if missed < 0 else "the encoder adds to it"


def _loss_of_encoder(profile: Profile) -> float:
    """Return by how much an encoder turns a sound down: LAME by 0.45 dB up to 160 kbit/s, and by 0.3 up to 224.

    What it adds to noise makes up for some of that, so two thirds of it are added.
    """
    if profile.codec != "mp3" or profile.kbps > 224:
        return 0.0
    return 0.3 if profile.kbps <= 160 else 0.2
