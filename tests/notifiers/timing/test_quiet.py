"""Quiet hours by the clock of a place, over midnight and over both changes of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.errors import TargetError
from notifiers.timing.quiet import is_always_quiet, quiet_until
from notifiers.timing.settings import DAYS, Window

BERLIN, SYDNEY = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Sydney")
NIGHT = Window(begins="22:00", ends="07:00")
LUNCH = Window(begins="12:00", ends="13:00")
SUNDAY = Window(begins="00:00", ends="00:00", days=("sun",))
LATE_ON_WORKDAYS = Window(begins="23:00", ends="06:30", days=("mon", "tue", "wed", "thu", "fri"))


def at(written: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=zone, fold=fold)


@pytest.mark.parametrize(
    ("windows", "now", "expected"),
    [
        pytest.param([], at("2026-11-29 23:00"), None, id="no quiet hours"),
        pytest.param([NIGHT], at("2026-11-29 21:59"), None, id="a minute before"),
        pytest.param([NIGHT], at("2026-11-29 22:00"), at("2026-11-30 07:00"), id="as they begin"),
        pytest.param([NIGHT], at("2026-11-30 00:00"), at("2026-11-30 07:00"), id="at midnight"),
        pytest.param([NIGHT], at("2026-11-30 07:00"), None, id="as they end"),
        pytest.param([NIGHT, LUNCH], at("2026-11-30 12:30"), at("2026-11-30 13:00"), id="the second of two"),
        pytest.param([SUNDAY], at("2026-11-29 15:00"), at("2026-11-30 00:00"), id="a whole day"),
        pytest.param([SUNDAY], at("2026-11-30 00:00"), None, id="the day after it"),
        pytest.param([NIGHT, SUNDAY], at("2026-11-28 23:00"), at("2026-11-30 07:00"), id="one joins the next"),
        pytest.param([LATE_ON_WORKDAYS], at("2026-11-28 01:00"), at("2026-11-28 06:30"), id="began on Friday"),
        pytest.param([LATE_ON_WORKDAYS], at("2026-11-28 23:30"), None, id="would begin on Saturday"),
        pytest.param([NIGHT], at("2026-03-28 23:00"), at("2026-03-29 07:00"), id="the night that lacks an hour"),
        pytest.param([NIGHT], at("2026-10-24 23:00"), at("2026-10-25 07:00"), id="the night with an hour more"),
        pytest.param(
            [Window(begins="22:00", ends="02:30")],
            at("2026-10-25 02:40"),
            at("2026-10-25 02:30", fold=1),
            id="they end in the hour that comes twice",
        ),
        pytest.param(
            [Window(begins="22:00", ends="02:30")],
            at("2026-03-29 01:59"),
            at("2026-03-29 03:30"),
            id="they end in the hour that is skipped",
        ),
        pytest.param(
            [Window(begins="02:30", ends="05:00")],
            at("2026-03-29 03:10"),
            None,
            id="they begin in the hour that is skipped",
        ),
    ],
)
def test_quiet_hours_last_until_the_last_that_joins_them_is_over(
    windows: list[Window], now: datetime, expected: datetime | None
) -> None:
    until = quiet_until(windows, now.astimezone(UTC), BERLIN)
    assert until == (expected.astimezone(UTC) if expected else None)


def test_the_night_is_as_long_as_the_clock_makes_it() -> None:
    begins = [at("2026-03-28 22:00"), at("2026-10-24 22:00"), at("2026-11-24 22:00")]
    lengths = [(quiet_until([NIGHT], begin, BERLIN) or begin) - begin.astimezone(UTC) for begin in begins]
    assert lengths == [timedelta(hours=8), timedelta(hours=10), timedelta(hours=9)]


def test_quiet_hours_are_those_of_the_place() -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    assert quiet_until([NIGHT], now, BERLIN) is None
    assert quiet_until([NIGHT], now, SYDNEY) == at("2026-11-30 07:00", SYDNEY)


WINDOWS = st.builds(
    Window,
    begins=st.sampled_from(["00:00", "02:30", "07:15", "12:00", "22:00", "23:59"]),
    ends=st.sampled_from(["00:00", "02:30", "03:00", "07:00", "13:00"]),
    days=st.lists(st.sampled_from(DAYS), unique=True).map(tuple),
)


@given(
    st.lists(WINDOWS, max_size=3),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  aware by the other
    st.sampled_from([BERLIN, SYDNEY, ZoneInfo("UTC"), ZoneInfo("America/St_Johns"), ZoneInfo("Asia/Kathmandu")]),
)
def test_quiet_hours_end_later_than_now_and_are_over_then(windows: list[Window], now: datetime, zone: ZoneInfo) -> None:
    until = quiet_until(windows, now, zone)
    if until is not None and until - now < timedelta(days=6):
        assert until > now
        assert quiet_until(windows, until, zone) is None


@pytest.mark.parametrize("written", ["24:00", "7", "07:0", "07:60", "", "seven", "07:00:00", "-1:00"])
def test_what_is_no_time_of_day_is_refused_by_name(written: str) -> None:
    with pytest.raises(TargetError, match="is no time of day; write it as 07:00"):
        Window(begins=written, ends="07:00")


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        pytest.param([], False, id="none"),
        pytest.param([NIGHT], False, id="nights"),
        pytest.param([Window(begins="00:00", ends="00:00")], True, id="all days"),
        pytest.param([Window(begins="00:00", ends="00:00", days=DAYS[:6])], False, id="all days but one"),
        pytest.param([NIGHT, Window(begins="07:00", ends="22:00")], True, id="night and day"),
        pytest.param([NIGHT, Window(begins="07:00", ends="21:59")], False, id="all but a minute"),
        pytest.param(
            [Window(begins="12:00", ends="12:00", days=DAYS[:6]), Window(begins="12:00", ends="12:00", days=("sun",))],
            True,
            id="over the end of the week",
        ),
    ],
)
def test_quiet_hours_that_leave_no_time_are_known(windows: list[Window], expected: bool) -> None:
    assert is_always_quiet(windows) is expected
