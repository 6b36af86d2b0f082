"""Follow the event log: what a person may see and wants, from a cursor on."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from pipeline.events.listing import EventFilter, EventLine, Viewer, list_events
from pipeline.realtime.cursor import Cursor
from pipeline.realtime.reader import AT_ONCE, read_after


class Followed(msgspec.Struct, frozen=True):
    """An event, and the cursor of whoever has had it."""

    event: EventLine
    cursor: Cursor


class Stretch(msgspec.Struct, frozen=True):
    """A stretch of the log: what of it is wanted, and where it ends. Where `is_whole`, more may be behind it."""

    events: Sequence[Followed]
    cursor: Cursor
    is_whole: bool


def read_stretch(
    connection: Connection, cursor: Cursor, wanted: EventFilter, *, viewer: Viewer | None, limit: int = AT_ONCE
) -> Stretch:
    """Return what is wanted of the next events behind a cursor, in their order; without a viewer, all people's.

    Raises `ForeignCursor` for a cursor of another epoch.
    """
    positions = read_after(connection, cursor, limit)
    if not positions:
        return Stretch((), cursor, is_whole=False)
    ids = [position.id for position in positions]
    lines = {line.id: line for line in list_events(connection, wanted, viewer=viewer, order="oldest", among=ids)}
    events = [Followed(lines[position.id], position.cursor) for position in positions if position.id in lines]
    return Stretch(events, positions[-1].cursor, is_whole=len(positions) == limit)
