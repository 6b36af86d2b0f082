"""The heartbeat: the worker and the clock write down that they work, so that others see when they do not."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert

from models import Heartbeat
from pipeline.runtime.watchdog import WORKER

CLOCK = "clock"
# When the clock began to tick without a pause: before that no worker could have fetched a source.
CLOCK_SINCE = "clock since"
CLOCK_PAUSE = timedelta(minutes=2)


def beat(engine: Engine, now: datetime, name: str = WORKER) -> None:
    """Write down that a worker carried out a tick."""
    with engine.begin() as connection:
        row = insert(Heartbeat).values(name=name, at=now)
        connection.execute(row.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"at": now}))


def beat_clock(engine: Engine, now: datetime) -> datetime:
    """Write down that the clock ticked; returns since when it has without a pause."""
    last, since = last_beat(engine, CLOCK), last_beat(engine, CLOCK_SINCE)
    if last is None or since is None or now - last > CLOCK_PAUSE:
        since = now
        beat(engine, now, CLOCK_SINCE)
    beat(engine, now, CLOCK)
    return since


def last_beat(engine: Engine, name: str = WORKER) -> datetime | None:
    """Return when a worker last carried out a tick."""
    with engine.connect() as connection:
        return connection.scalar(select(Heartbeat.at).where(Heartbeat.name == name))
