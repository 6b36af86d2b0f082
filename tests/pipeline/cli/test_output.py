"""What commands print for people."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.runtime.output import distance

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=-59), "59 s ago"),
        (timedelta(minutes=14.9), "in 14 min"),
        (timedelta(hours=-23), "23 h ago"),
        (timedelta(days=400), "in 400 d"),
    ],
)
def test_a_time_is_told_by_its_distance_in_the_largest_unit(away: timedelta, expected: str) -> None:
    assert distance(NOW + away, NOW) == expected


def test_no_time_is_nothing() -> None:
    assert not distance(None, NOW)
