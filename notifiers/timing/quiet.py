"""Quiet hours: whether a moment lies in them, and when they are over. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from notifiers.timing.clock_times import first_moment, last_moment
from notifiers.timing.settings import DAYS, Window, read_time

_ONE_DAY = timedelta(days=1)
# Windows that follow one another without a gap are over when the last is; a week of them is for ever.
_DAYS_AHEAD = 8


def quiet_until(windows: Iterable[Window], now: datetime, zone: tzinfo) -> datetime | None:
    """Return when the quiet hours are over that it is now; None where it is none.

    In the night in which clocks repeat an hour they are longer, in that in which one is skipped shorter.
    """
    until: datetime | None = None
    for begins, ends in sorted(_intervals(tuple(windows), now, zone)):
        if begins <= (until or now) < ends:
            until = ends
    return until


def _intervals(windows: tuple[Window, ...], now: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield when windows begin and end, from those that began yesterday on."""
    today = now.astimezone(zone).date()
    for number in range(-2, _DAYS_AHEAD):
        day = today + number * _ONE_DAY
        for window in windows:
            if window.days and DAYS[day.weekday()] not in window.days:
                continue
            begins, ends = read_time(window.begins), read_time(window.ends)
            last_day = day if ends > begins else day + _ONE_DAY
            yield first_moment(day, begins, zone).astimezone(UTC), last_moment(last_day, ends, zone)
