"""The inbox of EventSub: each message is a row before it is handled, and its id makes a second one a no-op."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, Table, func, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.exc import DBAPIError, OperationalError

from models import EventSubMessage
from models.due import CLOCK_TOLERANCE
from models.locks import hold, lock_key
from pipeline.channels.eventsub.lookup import LookUp
from pipeline.channels.eventsub.messages import Notification
from pipeline.channels.eventsub.notifications import ONLINE, ShardDisabled, channel_of, is_known, read_event
from pipeline.channels.eventsub.source_row import SERVICE, open_source
from pipeline.channels.streams.observations import Observation
from pipeline.channels.take_in import take_in
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.database.ringing import Bell, ring
from pipeline.errors import InvalidItem
from pipeline.ingest.quarantine import keep_aside
from pipeline.ingest.service_time import present

MESSAGES: Table = EventSubMessage.__table__  # type: ignore[assignment]
# A transaction of so many takes a fraction of a second, and a burst is one or two of them.
AT_ONCE = 500
# In our memory too, while the database is away (`intake.MOST_WAITING`).
LONGEST_ON_ITS_WAY = timedelta(hours=1)
ORIGIN = "eventsub"
_HANDLING = lock_key("lootwire eventsub inbox")

logger = logging.getLogger(__name__)
_COLUMNS = (
    "message_id",
    "subscription_type",
    "subscription_version",
    "event",
    "via",
    "sent_at",
    "received_at",
)


def _kept() -> Insert:
    return insert_rows(MESSAGES, _COLUMNS).on_conflict_do_nothing(index_elements=[MESSAGES.c.message_id])


_KEPT = _kept()
_WAITING = (
    select(*MESSAGES.c)
    .where(MESSAGES.c.handled_at.is_(None))
    .order_by(MESSAGES.c.sent_at, MESSAGES.c.received_at, MESSAGES.c.message_id)
    .limit(AT_ONCE)
)


def keep(connection: Connection, messages: Sequence[Notification], *, via: str, now: datetime) -> int:
    """Insert messages of known types, inside the caller's transaction; returns how many are new."""
    # In one order everywhere, so that two transactions with the same messages wait for each other and do not lock up.
    known = {message.message_id: message for message in messages if is_known(message.type, message.version)}
    rows = [_row(known[message_id], via, now) for message_id in sorted(known)]
    if not rows:
        return 0
    ring(connection, Bell.EVENTSUB)
    return execute_rows(connection, _KEPT, rows).rowcount


def keep_all(engine: Engine, messages: Sequence[Notification], *, via: str, now: datetime) -> int:
    """Keep messages in one transaction; one that PostgreSQL refuses is logged, and keeps no other from its row.

    Raises `OperationalError` while the database is away.
    """
    try:
        with engine.begin() as connection:
            return keep(connection, messages, via=via, now=now)
    except DBAPIError as error:
        if isinstance(error, OperationalError) or error.connection_invalidated:
            raise
        if len(messages) == 1:
            logger.exception("an EventSub message could not be kept", extra={"id": messages[0].message_id})
            return 0
    return sum(keep_all(engine, [message], via=via, now=now) for message in messages)


def set_aside_unread(engine: Engine, payload: bytes, reason: str, now: datetime) -> None:
    """Keep a message aside that could not be read, or a part of it could not, with the reason."""
    logger.warning("a message could not be read: %s", reason)
    source_id = open_source(engine, now)
    with engine.begin() as connection:
        keep_aside(connection, source_id, payload, reason="unreadable", detail=reason, origin=ORIGIN, now=now)


def waiting(engine: Engine) -> int:
    """Return how many messages wait to be handled."""
    with engine.connect() as connection:
        counted = connection.scalar(select(func.count()).where(MESSAGES.c.handled_at.is_(None)))
    return counted or 0


def handle(
    engine: Engine, look_up: LookUp, now: Callable[[], datetime], *, flap: timedelta, on_events: Callable[[], object]
) -> Counter[str]:
    """Handle all messages that wait, in the order in which they were sent; returns the events by kind.

    One process at a time does, so that the events of a channel keep their order. `on_events` is called after each
    commit that appended events. Safe to call at any time, and again after it died.
    """
    events: Counter[str] = Counter()
    if not waiting(engine):
        return events
    source_id = open_source(engine, now())
    with hold(engine, _HANDLING):
        while rows := _load_waiting(engine):
            # No transaction is open while Helix answers.
            infos = look_up(_went_live(rows))
            appended = _handle_rows(engine, rows, infos, _present(engine, rows, now()), source_id=source_id, flap=flap)
            if appended:
                on_events()
            events += appended
    return events


def _row(message: Notification, via: str, now: datetime) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "subscription_type": message.type,
        "subscription_version": message.version,
        "event": message.event,
        "via": via,
        "sent_at": message.sent_at,
        "received_at": now,
    }


def _load_waiting(engine: Engine) -> list[RowMapping]:
    with engine.connect() as connection:
        return list(connection.execute(_WAITING).mappings())


def _present(engine: Engine, rows: Sequence[RowMapping], now: datetime) -> datetime:
    """Return the present by Twitch's clock, where the newest message shows that ours was set, else as polls know it."""
    newest = rows[-1]
    if -CLOCK_TOLERANCE <= newest["received_at"] - newest["sent_at"] <= LONGEST_ON_ITS_WAY:
        with engine.connect() as connection:
            return present(connection, SERVICE, now)
    sent_at: datetime = newest["sent_at"]
    return sent_at


def _went_live(rows: Sequence[RowMapping]) -> list[str]:
    online = (row for row in rows if (row["subscription_type"], row["subscription_version"]) == ONLINE)
    return list(dict.fromkeys(channel for row in online if (channel := channel_of(row["event"])) is not None))


def _handle_rows(
    engine: Engine, rows: Sequence[RowMapping], infos: Any, now: datetime, *, source_id: int, flap: timedelta
) -> Counter[str]:
    try:
        with engine.begin() as connection:
            return _handle_in_order(connection, rows, infos, now, source_id=source_id, flap=flap)
    except DBAPIError as error:
        if isinstance(error, OperationalError) or error.connection_invalidated:
            raise
        refused: Exception = error
    except Exception as error:  # noqa: BLE001 - a bug of ours too; it is logged below
        refused = error
    if len(rows) > 1:
        # One message that cannot be handled must not keep the others waiting for ever.
        alone = (_handle_rows(engine, [row], infos, now, source_id=source_id, flap=flap) for row in rows)
        return sum(alone, Counter())
    logger.error("an EventSub message could not be handled", exc_info=refused)
    with engine.begin() as connection:
        _set_aside(connection, rows[0], type(refused).__name__, source_id, now)
        _settle(connection, rows, now)
    return Counter()


def _handle_in_order(
    connection: Connection, rows: Sequence[RowMapping], infos: Any, now: datetime, *, source_id: int, flap: timedelta
) -> Counter[str]:
    # A process that lost the lock with its connection may still be here: only rows that no other has handled count.
    mine = _settle(connection, rows, now)
    observations: list[Observation] = []
    for row in rows:
        if row["message_id"] not in mine:
            continue
        try:
            info = infos.get(channel_of(row["event"]))
            kind, version = row["subscription_type"], row["subscription_version"]
            meaning = read_event(kind, version, row["event"], row["sent_at"], info)
        except InvalidItem as error:
            _set_aside(connection, row, str(error), source_id, now)
            continue
        if meaning is not None and not isinstance(meaning, ShardDisabled):
            observations.append(meaning)
    if not observations:
        return Counter()
    return take_in(connection, observations, now, source_id=source_id, flap=flap)


def _settle(connection: Connection, rows: Sequence[RowMapping], now: datetime) -> set[str]:
    """Write down that messages are handled; returns those that were not handled yet."""
    ids = sorted(row["message_id"] for row in rows)
    mine = (MESSAGES.c.message_id == func.any(ids)) & MESSAGES.c.handled_at.is_(None)
    settled = update(MESSAGES).where(mine).values(handled_at=now).returning(MESSAGES.c.message_id)
    return set(connection.scalars(settled))


def _set_aside(connection: Connection, row: RowMapping, reason: str, source_id: int, now: datetime) -> None:
    payload = msgspec.json.encode(
        {
            "subscription": {"type": row["subscription_type"], "version": row["subscription_version"]},
            "event": row["event"],
        }
    )
    detail = f"message {row['message_id']}: {reason}"
    keep_aside(connection, source_id, payload, reason="invalid_item", detail=detail, origin=ORIGIN, now=now)
