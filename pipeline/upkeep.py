"""Small chores: the heartbeat, and forgetting what no longer explains anything."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects.postgresql import insert

from models import FetchRun, Heartbeat

WORKER = "worker"
CLOCK = "clock"
KEEP_FETCH_RUNS = timedelta(days=30)
# Three ticks of thirty seconds: one may be late, two unlucky.
STALE_AFTER = timedelta(seconds=90)


def beat(engine: Engine, now: datetime, name: str = WORKER) -> None:
    """Write down that a worker carried out a tick."""
    with engine.begin() as connection:
        row = insert(Heartbeat).values(name=name, at=now)
        connection.execute(row.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"at": now}))


def last_beat(engine: Engine, name: str = WORKER) -> datetime | None:
    """Return when a worker last carried out a tick."""
    with engine.connect() as connection:
        return connection.scalar(select(Heartbeat.at).where(Heartbeat.name == name))


def prune(engine: Engine, now: datetime) -> int:
    """Delete fetch runs older than 30 days; what was seen of the world is never deleted."""
    with engine.begin() as connection:
        return connection.execute(delete(FetchRun).where(FetchRun.started_at < now - KEEP_FETCH_RUNS)).rowcount
