"""Says when something is due: a time that our clock set and that lies further ahead than it can be is due now.

A machine's clock may be set back by hours, or run a year ahead until somebody sets it right. The times that it wrote
meanwhile lie in the future, and nothing would happen until then. So whoever sets a time knows how far ahead of the
present it can be at most, and all that ask whether the time has come ask here.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, and_, literal, or_

# The clocks of several machines, and of services, may differ by this.
CLOCK_TOLERANCE = timedelta(minutes=5)
# The time of a row that is never due, whatever the clock says.
NEVER = datetime(9999, 12, 31, tzinfo=UTC)

Moment = datetime | ColumnElement[datetime]
Span = timedelta | ColumnElement[timedelta]


def is_due(at: datetime, now: datetime, furthest: timedelta) -> bool:
    """Whether a time has come, or lies further ahead than the `furthest` it can have been set."""
    return at <= now or now + furthest + CLOCK_TOLERANCE < at < NEVER


def is_ahead(at: datetime, now: datetime) -> bool:
    """Whether a moment that was the present when it was written lies in the future: the clock has jumped back."""
    return at > now + CLOCK_TOLERANCE


def due(at: Any, now: Moment, furthest: Span) -> ColumnElement[bool]:
    """Return the condition `is_due` of a column, as two ranges that an index on the column serves."""
    return or_(at <= now, is_impossible(at, now, furthest))


def is_impossible(at: Any, now: Moment, furthest: Span, tolerance: timedelta = CLOCK_TOLERANCE) -> ColumnElement[bool]:
    """Return the condition that a column lies further ahead than it can have been set, and is not `NEVER`."""
    return and_(at > _later(now, furthest) + tolerance, at < NEVER)


def holds(until: Any, now: Moment, longest: timedelta) -> ColumnElement[bool]:
    """Return the condition that a lease, which is never longer than `longest`, has not run out; null holds nothing."""
    return and_(until > now, until <= _later(now, longest) + CLOCK_TOLERANCE)


def _later(now: Moment, span: Span) -> Any:
    moment: Any = literal(now, DateTime(timezone=True)) if isinstance(now, datetime) else now
    return moment + span
