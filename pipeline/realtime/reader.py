"""Read the event log from a cursor on: every event that commits, once, in an order that never changes again.

Ids are given before transactions commit: who reads "after 12" never sees 11 if that commits later. So events are read
in the order of their transactions, and only those of transactions below the oldest that is still open.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.types import BigInteger, Text

from pipeline.realtime.cursor import Cursor, ForeignCursor
from pipeline.realtime.epoch import epoch_of

AT_ONCE = 500
_AFTER = text(
    """
    SELECT xact::text AS word, id FROM events
    WHERE (xact, id) > (CAST(:xact AS text)::xid8, :id) AND xact < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY events.xact, events.id LIMIT :limit
    """
).bindparams(bindparam("xact", type_=Text), bindparam("id", type_=BigInteger))
_NEWEST = text(
    """
    SELECT xact::text AS word, id FROM events WHERE xact < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY events.xact DESC, events.id DESC LIMIT 1
    """
)
# Its own is never the oldest that matters: it writes nothing.
_OLDEST = text(
    """
    SELECT extract(epoch FROM now() - min(xact_start))::float FROM pg_stat_activity
    WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
    """
)


class Position(msgspec.Struct, frozen=True):
    """An event of the log, and the cursor of whoever has had it."""

    id: int
    cursor: Cursor


def read_after(connection: Connection, cursor: Cursor, limit: int = AT_ONCE) -> Sequence[Position]:
    """Return the events behind a cursor that may be read by now, in their order; the last one's cursor goes on.

    Raises `ForeignCursor` for a cursor of another epoch.
    """
    if cursor.epoch != epoch_of(connection):
        raise ForeignCursor("this cursor is of a database that was restored or moved since; begin without one")
    rows = connection.execute(_AFTER, {"xact": str(cursor.xact), "id": cursor.id, "limit": limit})
    return [Position(event_id, Cursor(cursor.epoch, int(xact), event_id)) for xact, event_id in rows]


def newest(connection: Connection) -> Cursor:
    """Return the cursor of whoever has had all that may be read by now."""
    epoch = epoch_of(connection)
    row = connection.execute(_NEWEST).one_or_none()
    return Cursor(epoch) if row is None else Cursor(epoch, int(row[0]), row[1])


def beginning(connection: Connection) -> Cursor:
    """Return the cursor of whoever has had nothing."""
    return Cursor(epoch_of(connection))


def held_back_for(connection: Connection) -> timedelta:
    """Return how long the oldest transaction is open that writes: until it ends, readers wait for what came since."""
    return timedelta(seconds=connection.scalar(_OLDEST) or 0.0)
