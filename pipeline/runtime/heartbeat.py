"""The heartbeat: the worker and the clock write down that they work, so that others see when they do not."""

import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert

from models import Heartbeat
from models.due import is_ahead
from pipeline.runtime.watchdog import STALE_AFTER, WORKER

CLOCK = "clock"
JUMPED = "the clock jumped back"
# When the clock began to tick without a pause: before that no worker could have fetched a source.
CLOCK_SINCE = "clock since"
CLOCK_PAUSE = timedelta(minutes=2)
# The programs that consume queues, but for the worker.
_PROGRAMS = {"send": "sender", "publish": "publisher", "fetch": "fetcher"}
# Far less than operators let a program do nothing.
SHOW_EVERY = 120.0


def beat(engine: Engine, now: datetime, name: str = WORKER) -> None:
    """Write down that a worker carried out a tick."""
    with engine.begin() as connection:
        row = insert(Heartbeat).values(name=name, at=now)
        connection.execute(row.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"at": now}))


class SignsOfLife:
    """Writes down that programs take up work, each by the queue that it consumes, every two minutes at most."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now
        self._shown_at: dict[str, float] = {}

    def show(self, queue: str | None) -> None:
        """Write down that the program of a queue lives; the worker's own tick proves more, and is its sign."""
        program = _PROGRAMS.get(queue or "")
        if program is None or time.monotonic() - self._shown_at.get(program, -math.inf) < SHOW_EVERY:
            return
        beat(self._engine, self._now(), program)
        self._shown_at[program] = time.monotonic()


def beat_clock(engine: Engine, now: datetime) -> datetime:
    """Write down that the clock ticked; returns since when it has without a pause."""
    since = ticking_since(last_beat(engine, CLOCK), last_beat(engine, CLOCK_SINCE), now)
    if since is None:
        since = now
        beat(engine, now, CLOCK_SINCE)
    beat(engine, now, CLOCK)
    return since


def ticking_since(last: datetime | None, since: datetime | None, now: datetime) -> datetime | None:
    """Return since when the clock ticks without a pause, by its two signs of life; None where it does not."""
    # A clock that was set back has not ticked since then.
    if last is None or since is None or now - last > CLOCK_PAUSE or is_ahead(max(last, since), now):
        return None
    return since


def jumped_back_by(beat: datetime | None, now: datetime) -> str | None:
    """Return in words that the clock has jumped back, and how far, where a sign of life lies in the future.

    None where it does not, or so little that the clocks of two machines may differ.
    """
    if beat is None or beat - now <= STALE_AFTER:
        return None
    minutes = round((beat - now) / timedelta(minutes=1))
    for length, unit in ((1440, "d"), (60, "h"), (1, "min")):
        if minutes >= length:
            rest = f" {minutes % 60} min" if unit == "h" and minutes % 60 else ""
            return f"{JUMPED} by {minutes // length} {unit}{rest}"
    return None


def last_beat(engine: Engine, name: str = WORKER) -> datetime | None:
    """Return when a worker last carried out a tick."""
    with engine.connect() as connection:
        return connection.scalar(select(Heartbeat.at).where(Heartbeat.name == name))
