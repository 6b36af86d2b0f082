"""How far the mirror of IGDB's catalogue is: kept in the cursor of its source.

Three things protect a full pass. A lock of its own shows that one is under way; the lock of the source, which whoever
fetches it holds, keeps the sweeps of workers out. Both end with its process, whatever kills that. The fence keeps any
pass out that lost its locks. `lease_until` says that one has begun, as it does of a fetch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, select, update

from models import Source
from models.errors import LootwireError
from models.locks import hashed_key, hold, is_held
from pipeline.fetch.shapes import Time
from pipeline.ingest.fetching import source_lock
from pipeline.ingest.turn import lock_source

MIRROR = "igdb.mirror"
# Longer than a page may take, with all that waits for the limit and is tried again.
LEASE = timedelta(minutes=5)
SWEEP_EVERY = timedelta(hours=1)
PATIENCE = timedelta(seconds=3)
_FULL_PASS = hashed_key("lootwire igdb mirror")


class MirrorState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the cursor holds.

    A pass is under way while `began_at` is set: it has stored all games up to `after`. IGDB has listed `listed` of
    `total` so far; `doubtful` is how many vanished at once and were kept for that. `holder` is set while the pass's
    process works. `swept_to` is the moment up to which changes are known, `sweep_*` belongs to a sweep that takes
    several rounds: over the games, then over release dates.
    """

    after: int = 0
    began_at: Time | None = None
    listed: int = 0
    total: int | None = None
    missing: int = 0
    doubtful: int = 0
    holder: bool = False
    completed_at: Time | None = None
    swept_to: Time | None = None
    sweep_began_at: Time | None = None
    sweep_after: int = 0
    sweep_dates: bool = False

    def cursor(self) -> dict[str, Any]:
        """Return the state as the cursor holds it."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields


class Claim(NamedTuple):
    """The mirror's source, taken: the fence that tells this claim from others; `first` until a pass has ended."""

    fence: int
    state: MirrorState
    first: bool


class Busy(LootwireError):
    """Another process works on the mirror at this moment."""


def read_state(cursor: object) -> MirrorState:
    """Return the state that a cursor holds; an empty state where the cursor cannot be read."""
    try:
        return msgspec.convert(cursor, MirrorState)
    except msgspec.ValidationError:
        return MirrorState()


def load_state(connection: Connection) -> MirrorState:
    """Return how far the mirror is; an empty state where there was never one."""
    return read_state(connection.scalar(select(Source.cursor).where(Source.name == MIRROR)) or {})


def is_kept(connection: Connection) -> bool:
    """Whether there is a mirror that sweeps keep fresh: it was complete once."""
    return load_state(connection).completed_at is not None


def is_under_way(connection: Connection) -> bool:
    """Whether a full pass is under way at this moment."""
    return is_held(connection, _FULL_PASS)


@contextmanager
def alone(engine: Engine, patience: timedelta = PATIENCE) -> Iterator[None]:
    """Hold the locks on full passes and on the source for the length of a `with` block; raises `Busy`.

    The lock of a process that was killed is free once PostgreSQL has noticed that, which `patience` is for.
    """
    with hold(engine, _FULL_PASS, patience) as ours:
        if not ours:
            raise Busy("another `lootwire igdb sync --all` is under way; `lootwire igdb status` tells how far it is")
        with engine.begin() as connection:
            source_id = lock_source(connection, MIRROR)["id"]
        with hold(engine, source_lock(source_id), patience) as unfetched:
            if not unfetched:
                raise Busy("a worker is just sweeping IGDB's changes; try again in a minute")
            yield


def claim(connection: Connection, now: datetime) -> Claim:
    """Take the mirror's source for a full pass. Needs `alone`."""
    row = lock_source(connection, MIRROR)
    state = read_state(row["cursor"])
    state.holder = True
    if state.began_at is None:
        state.began_at, state.after, state.listed = now, 0, 0
        state.total, state.missing, state.doubtful = None, 0, 0
    fence = row["fence"] + 1
    values = {"lease_until": now + LEASE, "fence": fence, "cursor": state.cursor()}
    connection.execute(update(Source).where(Source.id == row["id"]).values(values))
    return Claim(fence, state, row["first_fetched_at"] is None)


def check_mine(connection: Connection, fence: int) -> RowMapping:
    """Take the turn to store and return the mirror's row; raises `Busy` where another process has taken it over."""
    row = lock_source(connection, MIRROR)
    if row["fence"] != fence:
        raise Busy("another process has taken the mirror over")
    return row


def save(connection: Connection, state: MirrorState, now: datetime) -> None:
    """Write the state, and prolong the lease."""
    values = {"cursor": state.cursor(), "lease_until": now + LEASE if state.holder else None}
    connection.execute(update(Source).where(Source.name == MIRROR).values(values))


def let_go(connection: Connection, fence: int, problem: str | None) -> None:
    """Give the source back after a pass that did not end; does nothing where another process has taken it over."""
    row = lock_source(connection, MIRROR)
    if row["fence"] != fence:
        return
    state = read_state(row["cursor"])
    state.holder = False
    values = {"cursor": state.cursor(), "lease_until": None, "last_error": problem}
    connection.execute(update(Source).where(Source.id == row["id"]).values(values))


def complete(connection: Connection, state: MirrorState, now: datetime) -> None:
    """Write that the pass is over: from now on sweeps keep the mirror fresh, beginning at the time the pass began."""
    row = lock_source(connection, MIRROR)
    began_at = state.began_at or now
    fresh = MirrorState(
        completed_at=now, swept_to=began_at, listed=state.listed, total=state.total, doubtful=state.doubtful
    )
    values = {
        "cursor": fresh.cursor(),
        "enabled": True,
        "lease_until": None,
        "next_due_at": now + SWEEP_EVERY,
        "refresh_seconds": SWEEP_EVERY.total_seconds(),
        "first_fetched_at": row["first_fetched_at"] or now,
        "last_success_at": now,
        "last_error": None,
        "consecutive_failures": 0,
        "failing_since": None,
    }
    connection.execute(update(Source).where(Source.id == row["id"]).values(values))
