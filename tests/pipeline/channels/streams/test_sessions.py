"""The rules of sessions at their edges, one by one: mutants of these lines lived through all histories."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pipeline.channels.streams.sessions import END_TOLD_LATE, absences_needed, believe_clock, may_return, went_offline
from tests.pipeline.builders import NOON
from tests.pipeline.channels.streams.test_details import session

MINUTE = timedelta(minutes=1)
LATER = NOON + 10 * MINUTE


def test_times_that_a_clock_ahead_has_written_are_moved_back_to_now() -> None:
    ahead = session(last_seen_at=LATER, listed_at=LATER)

    believed = believe_clock(ahead, NOON + MINUTE)

    assert (believed.last_seen_at, believed.listed_at) == (NOON + MINUTE, NOON + MINUTE)
    assert believe_clock(replace(ahead, listed_at=None), NOON + MINUTE).listed_at is None
    assert believe_clock(replace(ahead, listed_at=NOON), NOON + MINUTE).listed_at == NOON


@pytest.mark.parametrize(
    ("missing", "open_ones", "needed"), [(5, 5, 2), (6, 20, 2), (6, 19, 3), (7, 8, 3), (30, 100, 2)]
)
def test_a_round_that_misses_many_at_once_needs_an_absence_more(missing: int, open_ones: int, needed: int) -> None:
    assert absences_needed(missing, open_ones) == needed


def test_the_true_end_takes_the_place_of_one_that_was_inferred_and_is_told_by_word() -> None:
    inferred = session(ended_at=NOON, absent_count=2)

    ended = went_offline(inferred, NOON + END_TOLD_LATE)

    assert (ended.ended_at, ended.absent_count) == (NOON + END_TOLD_LATE, 0)
    assert went_offline(replace(inferred, absent_count=1), LATER).ended_at == LATER
    assert went_offline(inferred, NOON + END_TOLD_LATE + MINUTE) == inferred


def test_an_end_before_the_last_sign_of_life_takes_that_sign_back() -> None:
    listed = session(last_seen_at=LATER, listed_at=LATER, absent_count=1)

    ended = went_offline(listed, LATER - MINUTE)

    assert (ended.ended_at, ended.last_seen_at, ended.absent_count) == (LATER - MINUTE, LATER - MINUTE, 0)


def test_a_listing_brings_back_what_ended_by_word_only_after_the_lists_lag() -> None:
    ended = session(ended_at=NOON)

    assert not may_return(ended, NOON + 2 * MINUTE, listed=True)
    assert may_return(ended, NOON + 3 * MINUTE, listed=True)
    assert may_return(ended, NOON + MINUTE, listed=False)
