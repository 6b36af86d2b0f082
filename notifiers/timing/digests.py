"""Digests: when the next one is due. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from notifiers.timing.clock_times import first_moment
from notifiers.timing.settings import DAYS, Digest, read_time

_ONE_DAY = timedelta(days=1)
_HALF_HOUR = timedelta(minutes=30)


def digest_after(digest: Digest, moment: datetime, zone: tzinfo) -> datetime:
    """Return the first time of a digest that is not before a moment, in UTC."""
    return min(each for each in _times(digest, moment, zone) if each >= moment)


def digest_before(digest: Digest, moment: datetime, zone: tzinfo) -> datetime:
    """Return the last time of a digest that is not after a moment, in UTC."""
    return max(each for each in _times(digest, moment, zone) if each <= moment)


def _times(digest: Digest, moment: datetime, zone: tzinfo) -> Iterator[datetime]:
    at = read_time(digest.at)
    if digest.every == "hour":
        # By the real hour: a clock that repeats one has a digest in each.
        hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        for number in range(8):
            since = hour + number * _HALF_HOUR
            next_one = since + timedelta(minutes=(at.minute - since.astimezone(zone).minute) % 60)
            # Clocks may change by half an hour (Lord Howe), after which other minutes are meant.
            if next_one.astimezone(zone).minute == at.minute:
                yield next_one
        return
    today = moment.astimezone(zone).date()
    for number in range(-8, 9):
        day = today + number * _ONE_DAY
        if digest.every == "day" or DAYS[day.weekday()] == digest.day:
            yield first_moment(day, at, zone)
