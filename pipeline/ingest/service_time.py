"""Whether the services that were asked give the time that our clock has."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import Connection, or_, select
from sqlalchemy.dialects.postgresql import insert

from models import Heartbeat
from models.due import CLOCK_TOLERANCE

# Heartbeats are rows of moments; this one is when a service last agreed.
AGREED = "services agree"
# Kept to the minute: it need not move with every answer.
_FINE = timedelta(minutes=1)


def service_time(date: str | None, age: str | None) -> datetime | None:
    """Return when an answer was sent by its `Date`, and later by its `Age` where a cache kept it; None without one.

    RFC 9110, 6.6.1, and RFC 9111, 5.1.
    """
    try:
        sent_at = parsedate_to_datetime(date or "")
        # HTTP's dates are in UTC, and say so; one without a zone is no date of HTTP.
        return sent_at + timedelta(seconds=int(age or 0)) if sent_at.tzinfo else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def note(connection: Connection, sent_at: datetime | None, now: datetime) -> None:
    """Write down that a service has our time, where an answer that has just come was sent just now."""
    if sent_at is None or abs(now - sent_at) > CLOCK_TOLERANCE:
        return
    row = insert(Heartbeat).values(name=AGREED, at=now)
    is_old = or_(Heartbeat.at < now - _FINE, Heartbeat.at > now)
    connection.execute(row.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"at": now}, where=is_old))


def agreed_since(connection: Connection, moment: datetime, now: datetime) -> bool:
    """Return whether a service has agreed since a moment; what lies in the future says nothing."""
    agreed_at = connection.scalar(select(Heartbeat.at).where(Heartbeat.name == AGREED))
    return agreed_at is not None and moment <= agreed_at <= now
