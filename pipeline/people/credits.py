"""The arithmetic of plans: what an extraction counts for, when a period begins, what is given then. Pure.

Periods are those of the calendar in UTC: a day, a week from Monday, a month. Each gives its credits once, up to the
ceiling of the plan; what a period would give beyond that is lost.
"""

import math
from collections import deque
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Literal, get_args

Period = Literal["day", "week", "month"]
PERIODS: tuple[Period, ...] = get_args(Period)
# An extraction costs its price for each started one of these.
EXTRACTION_UNIT = timedelta(minutes=10)
# Below this part of what a period gives, few credits are left.
LOW_PART = 10


def units_of(seconds: float | None) -> int:
    """Return how many started ten minutes a sound has: at least one, also where its length is not known."""
    if seconds is None or not math.isfinite(seconds) or seconds <= 0:
        return 1
    return math.ceil(seconds / EXTRACTION_UNIT.total_seconds())


def begin_of(period: Period, at: datetime) -> datetime:
    """Return when the period began that a moment is in; a `day` too is one of UTC."""
    day = at.astimezone(UTC).date()
    if period == "week":
        day -= timedelta(days=day.weekday())
    elif period == "month":
        day = day.replace(day=1)
    return datetime.combine(day, time(), UTC)


def begin_after(period: Period, at: datetime) -> datetime:
    """Return when the first period begins after the one that a moment is in."""
    # 32 days after its first day a month is over, and no other is.
    step = timedelta(days={"day": 1, "week": 7, "month": 32}[period])
    return begin_of(period, begin_of(period, at) + step)


def begins_between(period: Period, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield when periods began, from the one that `first` is in to the one that `last` is in."""
    at = begin_of(period, first)
    while at <= last:
        yield at
        at = begin_after(period, at)


def gifts(
    begins: Iterator[datetime], given: Collection[datetime], *, credits_: int, ceiling: int, balance: int
) -> list[tuple[datetime, int]]:
    """Return which of some periods give how many credits: each once (`given` did already), all up to the ceiling.

    Of many only the last ones, as many as fill the balance.
    """
    room = ceiling - balance
    if credits_ <= 0 or room <= 0:
        return []
    amounts = []
    for begin in deque((at for at in begins if at not in given), maxlen=math.ceil(room / credits_)):
        amount = min(credits_, room)
        room -= amount
        amounts.append((begin, amount))
    return amounts


def is_low(balance: int, credits_: int) -> bool:
    """Whether less than a tenth is left of what a period gives."""
    return balance * LOW_PART < credits_


def round_of(reference: str, number: int) -> str:
    """Return the reference of a round of work: after a refund the same work is tried, and charged, anew."""
    return reference if number == 1 else f"{reference}#{number}"
