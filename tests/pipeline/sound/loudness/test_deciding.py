"""How a sound gets to the loudness of a profile is decided by what was measured."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sound.loudness.deciding import MOST_GAIN, Measured, Plan, correct, decide, misses_by, note_of
from pipeline.sound.loudness.profiles import built_in
from pipeline.sound.records import Loudness, Profile

PROFILES = built_in()
PODCAST, EBU, OFF = PROFILES["podcast"], PROFILES["ebu"], PROFILES["off"]


def loudness(integrated: float | None = -22, peak: float | None = -12, loudness_range: float = 5) -> Loudness:
    return Loudness(integrated=integrated, true_peak=peak, range=loudness_range, threshold=-32)


def measured(
    integrated: float | None = -22, peak: float | None = -12, loudness_range: float = 5, *, repeated: bool = False
) -> Measured:
    return Measured(loudness=loudness(integrated, peak, loudness_range), seconds=60, is_repeated=repeated)


@pytest.mark.parametrize(
    ("profile", "of", "mode", "means"),
    [
        (PODCAST, measured(), "linear", "volume"),
        (PODCAST, measured(peak=-3), "dynamic", "loudnorm"),
        (PODCAST, measured(loudness_range=30), "linear", "volume"),
        (EBU, measured(loudness_range=6.9), "linear", "volume"),
        (EBU, measured(loudness_range=11.9), "dynamic", "loudnorm"),
        (PODCAST, measured(repeated=True), "repeated", "volume"),
        (PODCAST, measured(peak=-3, repeated=True), "repeated", "limiter"),
        (EBU, measured(loudness_range=11.9, repeated=True), "repeated", "volume"),
        (PODCAST, measured(None), "one_pass", "volume"),
        (PODCAST, measured(None, None), "one_pass", "volume"),
        (OFF, measured(), "copied", "copy"),
    ],
)
def test_the_way_is_the_one_that_changes_least(profile: Profile, of: Measured, mode: str, means: str) -> None:
    plan = decide(profile, of)

    assert (plan.mode, plan.means) == (mode, means)


def test_a_person_may_want_one_pass_but_not_of_a_short_sound() -> None:
    assert decide(PODCAST, measured(), is_one_pass=True).means == "loudnorm_once"
    assert decide(PODCAST, measured(repeated=True), is_one_pass=True).mode == "repeated"


def test_what_lame_takes_away_is_given_before() -> None:
    assert decide(PODCAST, measured()).gain == pytest.approx(6.3)
    assert decide(PROFILES["effects"], measured()).gain == pytest.approx(6.2)
    assert decide(msgspec.structs.replace(PODCAST, kbps=256), measured()).gain == pytest.approx(6)
    assert decide(msgspec.structs.replace(PODCAST, codec="opus"), measured()).gain == pytest.approx(6)


FIGURES = st.none() | st.floats(-120, 20, allow_nan=False).map(lambda value: round(value, 1))


@given(integrated=FIGURES, peak=FIGURES, repeated=st.booleans(), one_pass=st.booleans())
def test_nothing_is_raised_by_more_than_thirty_decibels(
    integrated: float | None, peak: float | None, repeated: bool, one_pass: bool
) -> None:
    plan = decide(PODCAST, measured(integrated, peak, repeated=repeated), is_one_pass=one_pass)

    # Beside what the encoder takes away again.
    assert plan.gain <= MOST_GAIN + 0.3
    if plan.means in {"loudnorm", "loudnorm_once"}:
        assert integrated is not None
        assert plan.aim <= integrated + MOST_GAIN + 0.3


def test_a_result_that_meets_its_target_is_not_made_anew() -> None:
    plan = decide(PODCAST, measured())

    assert correct(plan, PODCAST, loudness(-16.4, -1.1)) is None
    assert note_of(PODCAST, plan, loudness(-16.4, -1.1)) is None
    assert misses_by(plan, PODCAST, loudness(-16.4, -1.1)) == 0


def test_a_result_that_misses_it_is_aimed_beside() -> None:
    plan = decide(PODCAST, measured(peak=-3))

    louder = correct(plan, PODCAST, loudness(-15, -1.5))
    assert louder is not None
    assert (louder.means, louder.aim) == ("loudnorm", plan.aim - 1)
    lower = correct(plan, PODCAST, loudness(-16, -0.5))
    assert lower is not None
    assert lower.true_peak == plan.true_peak - 1


def test_where_the_encoder_adds_to_the_peak_or_loudnorm_stays_quiet_a_limiter_is_next() -> None:
    linear, dynamic = decide(PODCAST, measured()), decide(PODCAST, measured(peak=-3))

    for plan, after in ((linear, loudness(-16, -0.5)), (dynamic, loudness(-19, -1.5))):
        better = correct(plan, PODCAST, after)
        assert better is not None
        assert (better.means, better.mode) == ("limiter", plan.mode)


def test_a_limiter_that_stays_too_quiet_gets_twice_of_what_is_missing_and_never_too_much() -> None:
    limited = decide(PODCAST, measured(peak=-3, repeated=True))

    louder = correct(limited, PODCAST, loudness(-17, -1.5))
    assert louder is not None
    assert louder.gain == pytest.approx(limited.gain + 2)
    loudest = correct(limited, PODCAST, loudness(-40, -1.5))
    assert loudest is not None
    assert loudest.gain == MOST_GAIN


def test_silence_and_one_pass_are_left_as_they_came() -> None:
    silent, once = decide(PODCAST, measured(None)), decide(PODCAST, measured(), is_one_pass=True)

    assert correct(silent, PODCAST, loudness(None, None)) is None
    assert correct(once, PODCAST, loudness(-20)) is None
    assert misses_by(silent, PODCAST, loudness(None, None)) == 0
    assert misses_by(once, PODCAST, loudness(-20, 0)) == pytest.approx(3.5 + 1.0)


@pytest.mark.parametrize(
    ("plan", "after", "words"),
    [
        (decide(PODCAST, measured(None, None)), loudness(None, None), "no loudness to measure"),
        (
            decide(PODCAST, measured(-60, -50)),
            loudness(-30, -20),
            "instead of -16: nothing is raised by more than 30 dB",
        ),
        (decide(PODCAST, measured(), is_one_pass=True), loudness(-18), "rendered in one pass"),
        (decide(PODCAST, measured(peak=-1)), loudness(-18, -1.5), "its peaks are high and few"),
        (decide(PODCAST, measured()), loudness(-15, -1.5), "-15.0 LUFS instead of -16: the encoder adds to it"),
        (decide(PODCAST, measured()), loudness(-16, 0.5), "true peak is 0.5 dBTP instead of -1.5"),
    ],
)
def test_a_missed_target_is_explained(plan: Plan, after: Loudness, words: str) -> None:
    note = note_of(PODCAST, plan, after)

    assert note is not None
    assert words in note


def test_a_range_that_stays_wide_is_explained() -> None:
    plan = decide(EBU, measured(loudness_range=21))

    assert note_of(EBU, plan, loudness(-23, -2, 8)) is None
    assert "range is 21.0 LU instead of 7" in (note_of(EBU, plan, loudness(-23, -2, 21)) or "")
    assert note_of(PODCAST, plan, loudness(-16, -2, 21)) is None
