"""EventSub's row among the sources: its health, which the operator gets as events, and its cursor."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, Table, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from models import Source
from models.due import NEVER, is_due
from models.events import EventKind
from pipeline.errors import SourceRefused
from pipeline.events.append import append_events
from pipeline.ingest.fetching import FAILURES_TO_TELL
from pipeline.ingest.staleness import source_event
from pipeline.ingest.turn import take_turn
from pipeline.services.twitch.helix_eventsub import EventSubSubscription

NAME = "twitch.eventsub"
SERVICE = "twitch"
SOURCES: Table = Source.__table__  # type: ignore[assignment]
# How often a row says that all is well.
SAY_WELL_EVERY = timedelta(minutes=1)
REVOKED_KEPT = 20


class Revoked(msgspec.Struct, frozen=True):
    """A subscription that Twitch has ended, and why."""

    type: str
    subject: str
    status: str
    at: datetime


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor of EventSub's row.

    Twitch lists `subscribed` of `wanted` subscriptions as working; `pending` wait for it to verify our address.
    `left_out` are the ids of channels that lack one, because Twitch's limits leave no room or because it refuses:
    polling still sees them. `refused_total` counts the latter, and `refusal` is Twitch's reason.
    """

    conduit_id: str | None = None
    secret: str | None = None
    wanted: int = 0
    subscribed: int = 0
    pending: int = 0
    left_out: tuple[str, ...] = ()
    left_out_total: int = 0
    refused_total: int = 0
    refusal: str | None = None
    revoked: tuple[Revoked, ...] = ()
    reconciled_at: datetime | None = None
    asked_at: datetime | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a look at the subscriptions was asked for since they were last reconciled."""
        return self.asked_at is not None and (self.reconciled_at is None or self.asked_at >= self.reconciled_at)


def open_source(engine: Engine, now: datetime) -> int:
    """Make sure that EventSub has a row that is on; returns its id."""
    known = select(SOURCES.c.id).where(SOURCES.c.name == NAME, SOURCES.c.enabled)
    with engine.connect() as connection:
        if (source_id := connection.scalar(known)) is not None:
            return int(source_id)
    # It is not polled: its row is never due, and of today, or it would be stale because an earlier run ended long ago.
    row = {"name": NAME, "service": SERVICE, "next_due_at": NEVER, "last_snapshot_at": now}
    on = {"enabled": True, "next_due_at": NEVER, "last_snapshot_at": now}
    again = insert(SOURCES).values(row).on_conflict_do_update(index_elements=[SOURCES.c.name], set_=on)
    with engine.begin() as connection:
        made: int = connection.scalars(again.returning(SOURCES.c.id)).one()
    return made


def close_source(engine: Engine) -> None:
    """Turn the row off where no application is set, so that its silence is no fault."""
    with engine.begin() as connection:
        is_on = (SOURCES.c.name == NAME) & SOURCES.c.enabled
        values = {"enabled": False, "failing_since": None, "consecutive_failures": 0, "last_error": None}
        connection.execute(update(SOURCES).where(is_on).values(values))


def load_memory(connection: Connection) -> Memory:
    """Return the memory that the cursor holds; an empty one where another version wrote it and it cannot be read."""
    cursor = connection.scalar(select(SOURCES.c.cursor).where(SOURCES.c.name == NAME))
    try:
        return msgspec.convert(cursor or {}, Memory)
    except msgspec.ValidationError:
        return Memory()


def remember(connection: Connection, **values: Any) -> None:
    """Remember these values, and leave the others as they are."""
    changes = msgspec.to_builtins(values)
    merged = SOURCES.c.cursor.op("||")(func.cast(changes, JSONB))
    connection.execute(update(SOURCES).where(SOURCES.c.name == NAME).values(cursor=merged))


def note_revocation(connection: Connection, subscription: EventSubSubscription, now: datetime) -> None:
    """Remember that Twitch has ended a subscription, and ask for a look at all of them."""
    subject = next(iter(subscription.condition.values()), "")
    revoked = Revoked(subscription.type, subject, subscription.status, now)
    kept = (*load_memory(connection).revoked, revoked)[-REVOKED_KEPT:]
    remember(connection, revoked=kept, asked_at=now)


class Health:
    """Writes into the row which parts of the program fail and work again, and appends the events of that.

    Each method opens a transaction, and may wait for those that store snapshots; call it from no thread that must not.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime], *, unheard: Iterable[str] = ()) -> None:
        self._engine = engine
        self._now = now
        # After a restart nothing works again until each part has said so itself.
        self._problems = dict.fromkeys(unheard, "not looked at yet")
        self._lock = threading.Lock()
        self._said_well_at: datetime | None = None

    def failed(self, part: str, error: Exception, retry_in: timedelta) -> None:
        """Say that a part does not work; the operator hears of the second failure in a row, and of each refusal."""
        with self._lock, self._engine.begin() as connection:
            now, row = self._now(), _lock_row(connection)
            self._problems[part] = str(error)
            failures = row["consecutive_failures"] + 1
            if isinstance(error, SourceRefused):
                failures = max(failures, FAILURES_TO_TELL)
            since = row["failing_since"] or now
            values = {"consecutive_failures": failures, "failing_since": since, "last_error": str(error)}
            connection.execute(update(SOURCES).where(SOURCES.c.id == row["id"]).values(values))
            if row["consecutive_failures"] < FAILURES_TO_TELL <= failures:
                kind, again_at = EventKind.SOURCE_FAILING, now + retry_in
                event = source_event(kind, row, now, reason=str(error), since=since, next_attempt_at=again_at)
                append_events(connection, [event], source_id=row["id"], silent=False, now=now)
            self._said_well_at = None

    def well(self, part: str) -> None:
        """Say that a part works; once all of them do, the row says so too."""
        with self._lock:
            self._problems.pop(part, None)
            now = self._now()
            if self._problems or not self._is_due_to_say(now):
                return
            with self._engine.begin() as connection:
                self._say_well(connection, now)
            self._said_well_at = now

    def _is_due_to_say(self, now: datetime) -> bool:
        return self._said_well_at is None or is_due(self._said_well_at + SAY_WELL_EVERY, now, SAY_WELL_EVERY)

    def _say_well(self, connection: Connection, now: datetime) -> None:
        row = _lock_row(connection)
        values: dict[str, Any] = {"consecutive_failures": 0, "failing_since": None, "last_error": None}
        values |= {"last_success_at": now, "last_snapshot_at": now, "first_fetched_at": row["first_fetched_at"] or now}
        connection.execute(update(SOURCES).where(SOURCES.c.id == row["id"]).values(values))
        if row["consecutive_failures"] >= FAILURES_TO_TELL:
            event = source_event(EventKind.SOURCE_RECOVERED, row, now, since=row["failing_since"])
            append_events(connection, [event], source_id=row["id"], silent=False, now=now)


def _lock_row(connection: Connection) -> RowMapping:
    return next(row for row in take_turn(connection) if row["name"] == NAME)
