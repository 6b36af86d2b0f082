from datetime import UTC, datetime

import pytest

from pipeline.people.credits import Period, begin_after, begin_of, begins_between, gifts, is_low, units_of


@pytest.mark.parametrize(
    ("seconds", "units"),
    [(None, 1), (0, 1), (1, 1), (600, 1), (600.5, 2), (3600, 6), (float("nan"), 1), (float("inf"), 1)],
)
def test_an_extraction_counts_each_started_ten_minutes(seconds: float | None, units: int) -> None:
    assert units_of(seconds) == units


@pytest.mark.parametrize(
    ("period", "begin", "after"),
    [
        ("day", datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        ("week", datetime(2026, 12, 28, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC)),
        ("month", datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_periods_are_those_of_the_calendar(period: Period, begin: datetime, after: datetime) -> None:
    at = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)

    assert begin_of(period, at) == begin
    assert begin_after(period, at) == after


def test_what_periods_give_ends_at_the_ceiling() -> None:
    begins = list(begins_between("day", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 5, 9, tzinfo=UTC)))

    given = gifts(iter(begins), {begins[1]}, credits_=10, ceiling=25, balance=3)

    assert [amount for _, amount in given] == [10, 10, 2]
    assert begins[1] not in [at for at, _ in given]


def test_a_full_balance_is_given_nothing() -> None:
    begins = [datetime(2026, 11, 1, tzinfo=UTC)]

    assert gifts(iter(begins), (), credits_=10, ceiling=10, balance=12) == []
    assert gifts(iter(begins), (), credits_=0, ceiling=10, balance=0) == []


def test_few_are_left_below_a_tenth() -> None:
    assert is_low(9, 100)
    assert not is_low(10, 100)
    assert not is_low(0, 0)
