"""A clock that was set ahead is doubted until a service agrees, it is set back, or nobody says anything."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from pipeline.fetch.sent_at import sent_at
from pipeline.ingest.service_time import note
from pipeline.programs.clock_ahead import PATIENCE, ClockAhead, ClockBack

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


@dataclass
class Clocks:
    """A clock that can be set, and one that nobody sets."""

    now: datetime = NOON
    seconds: float = 1000.0

    def passes(self, span: timedelta) -> None:
        self.now += span
        self.seconds += span.total_seconds()

    def guard(self) -> ClockAhead:
        return ClockAhead(lambda: self.now, lambda: self.seconds)


def agree(engine: Engine, clocks: Clocks, *, by: timedelta = timedelta(0)) -> None:
    with engine.begin() as connection:
        note(connection, "kick", clocks.now - by, clocks.now)


def test_a_clock_that_goes_on_is_believed_however_long_nobody_looked(engine: Engine) -> None:
    clocks = Clocks()
    guard = clocks.guard()
    for span in (MINUTE, DAY, 400 * DAY):
        clocks.passes(span)
        assert not guard.is_doubted(engine)


@pytest.mark.parametrize("jump", [HOUR, DAY, 365 * DAY], ids=["an hour", "a day", "a year"])
def test_a_clock_that_was_set_ahead_is_doubted_until_it_is_set_back(engine: Engine, jump: timedelta) -> None:
    clocks = Clocks()
    agree(engine, clocks)
    guard = clocks.guard()
    clocks.now += jump
    assert guard.is_doubted(engine)
    clocks.passes(MINUTE)
    agree(engine, clocks, by=jump)
    assert guard.is_doubted(engine)
    clocks.now -= jump
    assert not guard.is_doubted(engine)
    clocks.now += jump
    assert guard.is_doubted(engine)


def test_a_service_that_has_the_same_time_settles_it(engine: Engine) -> None:
    clocks = Clocks()
    guard = clocks.guard()
    clocks.now += DAY
    assert guard.is_doubted(engine)
    clocks.passes(MINUTE)
    agree(engine, clocks, by=timedelta(seconds=40))
    assert not guard.is_doubted(engine)
    clocks.passes(DAY)
    assert not guard.is_doubted(engine)


def test_a_clock_of_which_services_say_that_it_is_wrong_is_doubted_for_as_long_as_they_do(engine: Engine) -> None:
    clocks = Clocks()
    guard = clocks.guard()
    clocks.now += DAY
    for _ in range(30):
        assert guard.is_doubted(engine)
        agree(engine, clocks, by=DAY)
        clocks.passes(MINUTE)
    clocks.passes(HOUR)
    assert not guard.is_doubted(engine)


def test_where_nobody_says_anything_the_clock_is_believed_at_last(engine: Engine) -> None:
    clocks = Clocks()
    guard = clocks.guard()
    clocks.now += DAY
    assert guard.is_doubted(engine)
    clocks.passes(PATIENCE)
    assert not guard.is_doubted(engine)


@pytest.mark.parametrize("change", [timedelta(minutes=9), -HOUR, -365 * DAY], ids=["a little", "back", "far back"])
def test_a_clock_that_was_put_right_or_set_back_is_not_doubted(engine: Engine, change: timedelta) -> None:
    clocks = Clocks()
    guard = clocks.guard()
    clocks.now += change
    assert not guard.is_doubted(engine)


def test_the_log_says_in_which_direction_the_clock_was_set(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    clocks = Clocks()
    guard = clocks.guard()
    for change in (2 * DAY, -26 * HOUR, HOUR, -23 * HOUR):
        clocks.now += change
        clocks.passes(MINUTE)
        guard.is_doubted(engine)
    assert [record.message.partition(";")[0] for record in caplog.records] == [
        "the clock was set ahead by 2 days, 0:00:00",
        "the clock was set back by 1 day, 2:00:00, and is still ahead by 22:00:00",
        "the clock was set ahead by 1:00:00, and is ahead by 23:00:00",
        "the clock was set back again",
    ]


def test_who_agreed_before_the_clock_was_set_says_nothing_of_the_new_time(engine: Engine) -> None:
    clocks = Clocks(now=NOON + DAY)
    agree(engine, clocks)
    clocks.now = NOON
    guard = clocks.guard()
    clocks.now += HOUR
    assert guard.is_doubted(engine)


@pytest.mark.parametrize(
    ("date", "age", "expected"),
    [
        ("Sun, 01 Mar 2026 12:00:00 GMT", None, NOON),
        ("Sun, 01 Mar 2026 11:00:00 GMT", "3600", NOON),
        ("Sun, 01 Mar 2026 12:00:00", None, None),
        (None, None, None),
        ("yesterday", None, None),
        ("Sun, 01 Mar 2026 12:00:00 GMT", "old", None),
        ("Sun, 01 Mar 2026 12:00:00 GMT", "9" * 30, None),
    ],
)
def test_an_answer_says_when_it_was_sent(date: str | None, age: str | None, expected: datetime | None) -> None:
    headers = {"Date": date, "Age": age}
    assert sent_at({name: value for name, value in headers.items() if value is not None}) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-3600, True), (-180, True), (-11, True), (-9, False), (0, False), (600, False)]
)
def test_a_clock_that_is_set_back_by_more_than_a_tick_takes_is_noticed_once(seconds: int, *, expected: bool) -> None:
    clocks = Clocks()
    watch = ClockBack(lambda: clocks.now, lambda: clocks.seconds)
    clocks.passes(HOUR)
    assert not watch.was_set_back()

    clocks.now += timedelta(seconds=seconds)
    clocks.passes(MINUTE)

    assert watch.was_set_back() is expected
    assert not watch.was_set_back()
