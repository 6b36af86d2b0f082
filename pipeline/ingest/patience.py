"""How long something must be missing until its source is believed: docs/decisions/0012. Pure.

The figures come from real history of the mirror: in a well quarter nothing that vanished came back, in an ill week 368
things did, after 1 to 104 hours.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

# An absence must be seen in this many answers, each at least this long after the one counted before …
ABSENCES_TO_BELIEVE = 3
BETWEEN_ABSENCES = timedelta(minutes=30)
# … and must last this long, whoever asks how often.
LEAST = timedelta(hours=2)
# What came back to a source counts against it for so long,
REMEMBERED_FOR = timedelta(days=7)
# by so many times the hours for which it was missing, all added up,
FOR_EACH_HOUR = 3
# at least this, and never more than what is remembered.
LEAST_WHERE_ILL = timedelta(days=1)
MOST = REMEMBERED_FOR
# So long a source is only watched: the longest pause between two answers in 21 months was 66 hours.
WATCHED_FOR = timedelta(days=3)
# An empty answer is believed when it has stayed longer than any pause ever did.
EMPTY_FOR = timedelta(days=3)


def add_returns(returns: Mapping[str, float], missing_for: timedelta, at: datetime) -> dict[str, float]:
    """Return what came back by day, with things added that came back at a time after being missing for so long."""
    day = at.date().isoformat()
    kept = _remembered(returns, at)
    return kept | {day: kept.get(day, 0) + missing_for.total_seconds()}


def patience_for_losses(returns: Mapping[str, float], at: datetime) -> timedelta:
    """Return for how long something must be missing by the answers of a source, given what came back to it by day."""
    seconds = sum(_remembered(returns, at).values())
    if not seconds:
        return LEAST
    return min(MOST, max(LEAST_WHERE_ILL, timedelta(seconds=FOR_EACH_HOUR * seconds)))


def is_watched(known_since: datetime | None, at: datetime) -> bool:
    """Whether a source is too new for its word that single things are gone; None is one that is known for long.

    A time that is still to come was told by a clock that was wrong.
    """
    return known_since is not None and timedelta(0) <= at - known_since < WATCHED_FOR


def count_absence(count: int, counted_at: datetime | None, taken_at: datetime) -> int:
    """Return in how many answers something was missed, up to what matters; answers too close together count once."""
    if count and counted_at is not None and taken_at - counted_at < BETWEEN_ABSENCES:
        return count
    return min(count + 1, ABSENCES_TO_BELIEVE)


def _remembered(returns: Mapping[str, float], at: datetime) -> dict[str, float]:
    """Return the days that count: six to seven, never more, and none that a clock which ran ahead has seen."""
    forgotten, today = (at - REMEMBERED_FOR).date().isoformat(), at.date().isoformat()
    return {day: seconds for day, seconds in returns.items() if forgotten < day <= today}
