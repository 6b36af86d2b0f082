"""Whether the services that were asked give the time that our clock has, and which they give where they do not."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from models import Heartbeat
from models.due import CLOCK_TOLERANCE

# Heartbeats are rows of moments; this one is when a service last agreed.
AGREED = "services agree"
# Kept to the minute: it need not move with every answer.
_FINE = timedelta(minutes=1)
# A service that disagreed says it again with its next answer.
_HOLDS = timedelta(minutes=15)
# Whoever keeps a clock right has mended it by then.
PATIENCE = timedelta(minutes=10)
_THEIRS, _OURS = "time of ", "our time at that of "


def note(connection: Connection, service: str, sent_at: datetime | None, now: datetime) -> None:
    """Write down whether a service has our time, or which it has, by when an answer that has just come was sent."""
    if sent_at is None:
        return
    if abs(now - sent_at) > CLOCK_TOLERANCE:
        for name, moment in ((_THEIRS + service, sent_at), (_OURS + service, now)):
            row = insert(Heartbeat).values(name=name, at=moment)
            connection.execute(row.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"at": moment}))
        return
    row = insert(Heartbeat).values(name=AGREED, at=now)
    is_old = or_(Heartbeat.at < now - _FINE, Heartbeat.at > now)
    connection.execute(row.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"at": now}, where=is_old))


def forget(connection: Connection) -> None:
    """Forget which times services gave: our clock was set since."""
    is_a_time = or_(Heartbeat.name.startswith(_THEIRS), Heartbeat.name.startswith(_OURS))
    connection.execute(delete(Heartbeat).where(is_a_time))


def agreed_since(connection: Connection, moment: datetime, now: datetime) -> bool:
    """Return whether a service has agreed since a moment; what lies in the future says nothing."""
    agreed_at = last_agreed(connection)
    return agreed_at is not None and moment <= agreed_at <= now


def last_agreed(connection: Connection) -> datetime | None:
    """Return when a service had our time last, to the minute, by our clock as it was then."""
    return connection.scalar(select(Heartbeat.at).where(Heartbeat.name == AGREED))


def present(connection: Connection, service: str, now: datetime) -> datetime:
    """Return the present by a service's clock where its last answer did not have the time of ours, else `now`."""
    names = (AGREED, _THEIRS + service, _OURS + service)
    times: dict[str, datetime] = dict(
        connection.execute(select(Heartbeat.name, Heartbeat.at).where(Heartbeat.name.in_(names))).all()
    )
    return now + (ahead(times, service, now) or timedelta(0))


def ahead(times: Mapping[str, datetime], service: str, now: datetime) -> timedelta | None:
    """Return by how much a service's clock is ahead of ours, below zero where it is behind; None where they agree.

    `times` are heartbeats by name. Our clock may have been set since: then nothing is known.
    """
    theirs, ours, agreed_at = times.get(_THEIRS + service), times.get(_OURS + service), times.get(AGREED)
    if theirs is None or ours is None or abs(now - ours) > _HOLDS:
        return None
    has_agreed_since = agreed_at is not None and ours < agreed_at <= now
    return None if has_agreed_since else theirs - ours


def is_disputed(connection: Connection, now: datetime) -> bool:
    """Return whether services give another time than ours, and none the same."""
    return disagreement(dict(connection.execute(select(Heartbeat.name, Heartbeat.at)).all()), now) is not None


def disagreement(times: Mapping[str, datetime], now: datetime) -> timedelta | None:
    """Return by how much services are ahead of our clock where none has agreed with it for a while."""
    agreed_at = times.get(AGREED)
    if agreed_at is not None and abs(now - agreed_at) <= PATIENCE:
        return None
    services = sorted(name.removeprefix(_OURS) for name in times if name.startswith(_OURS))
    return next((by for service in services if (by := ahead(times, service, now)) is not None), None)
