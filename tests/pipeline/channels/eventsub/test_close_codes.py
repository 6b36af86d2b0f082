"""How long a session's end is waited out."""

from datetime import timedelta

import pytest

from pipeline.channels.eventsub.close_codes import LIVED_WELL, LONGEST_PAUSE, Backoff, ending

SECOND = timedelta(seconds=1)
AT_ONCE = timedelta(0)


def test_an_unknown_code_is_a_servers_trouble() -> None:
    assert ending(4999).pause == 5 * SECOND
    assert "4999" in ending(4999).meaning


def test_each_short_life_doubles_the_pause_up_to_the_longest() -> None:
    backoff = Backoff(jitter=lambda: 1.0)

    pauses = [backoff.after(AT_ONCE, SECOND) for _ in range(12)]

    assert pauses[:4] == [AT_ONCE, SECOND, 2 * SECOND, 4 * SECOND]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_long_life_lets_the_next_pause_begin_anew() -> None:
    backoff = Backoff(jitter=lambda: 1.0)
    for _ in range(5):
        backoff.after(AT_ONCE, SECOND)

    assert backoff.after(AT_ONCE, LIVED_WELL) == AT_ONCE
    assert backoff.after(AT_ONCE, SECOND) == SECOND


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 3), (1.0, 6)])
def test_chance_spreads_a_pause_over_its_second_half(jitter: float, seconds: float) -> None:
    assert Backoff(jitter=lambda: jitter).after(6 * SECOND, SECOND) == seconds * SECOND
