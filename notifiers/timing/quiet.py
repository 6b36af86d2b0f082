"""Quiet hours: whether a moment lies in them, and when they are over. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from notifiers.timing.clock_times import first_moment, last_moment
from notifiers.timing.settings import DAYS, Window, read_time

_MINUTES_OF_A_DAY = 24 * 60
ALWAYS_QUIET = (
    "the quiet hours leave no time of the week, so that nothing would ever be sent; leave some, or pause the target "
    "(`lootwire targets pause NAME`)"
)

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


def is_always_quiet(windows: Iterable[Window]) -> bool:
    """Return whether quiet hours leave no minute of a week, so that nothing would ever go."""
    week = 7 * _MINUTES_OF_A_DAY
    quiet = bytearray(week)
    for window in windows:
        begins, ends = (at.hour * 60 + at.minute for at in map(read_time, (window.begins, window.ends)))
        lasts = (ends - begins) % _MINUTES_OF_A_DAY or _MINUTES_OF_A_DAY
        for day in window.days or DAYS:
            first = DAYS.index(day) * _MINUTES_OF_A_DAY + begins
            for minute in range(first, first + lasts):
                quiet[minute % week] = True
    return all(quiet)


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
