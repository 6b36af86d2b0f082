"""Small chores: the heartbeat, and forgetting what no longer explains anything."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects.postgresql import insert

from models import EventSubMessage, FetchRun, Heartbeat
from pipeline.watchdog import STALE_AFTER, WORKER

__all__ = ["CLOCK", "CLOCK_PAUSE", "STALE_AFTER", "WORKER", "beat", "beat_clock", "last_beat", "prune"]

CLOCK = "clock"
# When the clock began to tick without a pause: before that nobody could have asked a source.
CLOCK_SINCE = "clock since"
KEEP_FETCH_RUNS = timedelta(days=30)
# Twitch repeats a message within minutes or not at all; the rest is for whoever asks what happened.
KEEP_MESSAGES = timedelta(days=3)
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


def prune(engine: Engine, now: datetime) -> int:
    """Delete fetch runs older than 30 days, and messages of Twitch that were handled three days ago.

    What was seen of the world is never deleted. Returns how many rows are gone.
    """
    runs = delete(FetchRun).where(FetchRun.started_at < now - KEEP_FETCH_RUNS)
    messages = delete(EventSubMessage).where(EventSubMessage.handled_at < now - KEEP_MESSAGES)
    with engine.begin() as connection:
        return connection.execute(runs).rowcount + connection.execute(messages).rowcount
