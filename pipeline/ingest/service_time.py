"""Whether the services that were asked give the time that our clock has."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select
from sqlalchemy.dialects.postgresql import insert

from models import Heartbeat
from models.due import CLOCK_TOLERANCE

# Heartbeats are rows of moments; this one is when a service last agreed.
AGREED = "services agree"
# Kept to the minute: it need not move with every answer.
_FINE = timedelta(minutes=1)


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
