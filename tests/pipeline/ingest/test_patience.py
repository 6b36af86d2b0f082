"""How long something must be missing until its source is believed."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.ingest.patience import add_returns, count_absence, is_watched, patience_for_losses

NOW = datetime(2031, 3, 11, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def after(*returns: tuple[timedelta, timedelta]) -> timedelta:
    """The patience now, after things came back so long ago, missing for so long."""
    by_day: dict[str, float] = {}
    for ago, missing_for in returns:
        by_day = add_returns(by_day, missing_for, NOW - ago)
    return patience_for_losses(by_day, NOW)


def test_a_source_to_which_nothing_came_back_is_believed_after_two_hours() -> None:
    assert after() == 2 * HOUR


def test_a_source_to_which_something_came_back_this_week_is_believed_after_a_day() -> None:
    assert after((HOUR, timedelta(minutes=1))) == DAY
    assert after((5 * DAY, 3 * HOUR)) == DAY


def test_what_came_back_counts_three_times_as_long_as_it_was_missing() -> None:
    assert after((DAY, 10 * HOUR)) == 30 * HOUR
    assert after((2 * DAY, 10 * HOUR), (2 * DAY, 5 * HOUR), (DAY, 4 * HOUR)) == 57 * HOUR


def test_no_source_is_asked_for_more_than_a_week() -> None:
    assert after(*[(DAY, 14 * HOUR)] * 100) == 7 * DAY


@pytest.mark.parametrize("ago", [7 * DAY, 8 * DAY, 400 * DAY])
def test_a_source_that_was_well_for_a_week_is_well(ago: timedelta) -> None:
    assert after((ago, 90 * HOUR)) == 2 * HOUR


def test_only_the_days_that_count_are_kept() -> None:
    returns = add_returns({"2031-03-01": 9.0, "2031-03-05": 60.0, "2031-03-11": 5.0}, HOUR, NOW)

    assert returns == {"2031-03-05": 60.0, "2031-03-11": 3605.0}


@pytest.mark.parametrize(
    ("known_since", "watched"),
    [(None, False), (NOW - 3 * DAY, False), (NOW - 3 * DAY + HOUR, True), (NOW, True), (NOW + 300 * DAY, False)],
)
def test_a_source_that_is_new_is_only_watched_for_three_days(known_since: datetime | None, watched: bool) -> None:
    assert is_watched(known_since, NOW) is watched


@pytest.mark.parametrize(
    ("count", "minutes_ago", "expected"),
    [
        (0, None, 1),
        (1, 0, 1),
        (1, 29, 1),
        (1, 30, 2),
        (2, 29, 2),
        (2, 31, 3),
        (3, 31, 3),
        (1, None, 2),
        (0, 5, 1),
    ],
)
def test_an_absence_counts_when_the_one_before_is_half_an_hour_old(
    count: int, minutes_ago: int | None, expected: int
) -> None:
    counted_at = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)

    assert count_absence(count, counted_at, NOW) == expected
