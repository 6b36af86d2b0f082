"""No sequence of looks tells a trouble twice in a day, or leaves one untold."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.events import EventKind
from pipeline.programs.operating import episodes
from pipeline.programs.operating.episodes import CALM, CALMEST, Episode, Step, calm_for
from tests.pipeline.programs.operating.world import DAY, MINUTE, NOON

KIND = EventKind.OPERATOR_STALLED
LOOKS = st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=60)


@given(LOOKS)
def test_whatever_comes_and_goes_is_told_when_it_begins_and_at_most_a_few_times_a_day(
    looks: list[tuple[bool, int]],
) -> None:
    now, episode = NOON, None
    told_times: list[datetime] = []
    over: list[datetime] = []
    for is_wrong, minutes in looks:
        now += minutes * MINUTE
        if is_wrong:
            episode = episodes.seen(episode, now)
            if episodes.is_to_be_told(KIND, episode, now):
                told_times.append(now)
                episode = replace(episode, told_at=now)
            assert episode.told_at is not None, "a trouble that lasts was told"
        elif episode is not None:
            step = episodes.away(episode, now, NOON)
            if step is Step.IS_OVER:
                over.append(now)
                episode = replace(episode, recovered_at=now)
            elif step is Step.IS_FORGOTTEN:
                episode = None
    assert len(told_times) - 1 <= len(over) + (now - NOON) / DAY <= len(told_times) + (now - NOON) / DAY
    for moment in told_times:
        # Ten minutes, an hour, six hours, then a day.
        assert sum(moment <= other < moment + DAY for other in told_times) <= 5


def test_the_more_often_it_comes_again_the_longer_it_has_to_be_away() -> None:
    assert [calm_for(flaps) for flaps in range(5)] == [CALM, 6 * CALM, 36 * CALM, CALMEST, CALMEST]
    assert calm_for(10_000) == CALMEST


def test_what_a_machine_that_was_off_did_not_see_is_not_over() -> None:
    episode = Episode(since=NOON, seen_at=NOON, told_at=NOON)
    back = NOON + DAY
    assert episodes.away(episode, back, back) is Step.GOES_ON
    assert episodes.away(episode, back + CALM, back) is Step.IS_OVER
    assert episodes.away(Episode(since=NOON, seen_at=NOON), back + CALM, back) is Step.IS_FORGOTTEN


def test_a_ping_that_fails_is_told_after_a_quarter_of_an_hour() -> None:
    episode = Episode(since=NOON, seen_at=NOON)
    kind = EventKind.OPERATOR_PING_FAILED
    assert not episodes.is_to_be_told(kind, episode, NOON + timedelta(minutes=14))
    assert episodes.is_to_be_told(kind, episode, NOON + timedelta(minutes=15))
