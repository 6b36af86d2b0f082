"""Times of a day by the clock of a place, also where it skips or repeats an hour. Pure."""

from datetime import UTC, date, datetime, time, tzinfo


def first_moment(day: date, at: time, zone: tzinfo) -> datetime:
    """Return the moment at which a clock shows a time for the first time that day, in UTC.

    Where clocks skip the time, it is as long after midnight as on any other day.
    """
    return datetime.combine(day, at, zone).astimezone(UTC)


def last_moment(day: date, at: time, zone: tzinfo) -> datetime:
    """Return the moment at which a clock shows a time for the last time that day, in UTC."""
    first = datetime.combine(day, at, zone)
    last = first.replace(fold=1)
    # In an hour that is skipped `fold` would lead back.
    return max(first.astimezone(UTC), last.astimezone(UTC))
