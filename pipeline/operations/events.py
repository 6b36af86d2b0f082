"""Events: what happened, as far as a person may see it."""

import threading
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Engine

from models.errors import UnknownThing, UsageError
from models.names import nearest
from pipeline.database.ringing import Bell
from pipeline.events import listing
from pipeline.events.listing import KINDS, EventFilter, EventLine, Order, Viewer
from pipeline.realtime.cursor import read_cursor
from pipeline.realtime.following import Followed, read_stretch
from pipeline.realtime.reader import newest
from pipeline.runtime.wake import WakeListener

# Seconds after which the log is looked at where no bell was heard.
LOOK_EVERY = 2.0


def list_events(
    connection: Connection,
    viewer: Viewer | None,
    wanted: EventFilter,
    *,
    order: Order = "newest",
    after: int | None = None,
    limit: int | None = None,
) -> list[EventLine]:
    """Return events in the order of their ids, from behind the one with the id `after`.

    Without a viewer they are those of all people, for the operator's own command line. Raises `UsageError` for a kind
    that there is not, with what may be meant.
    """
    check_kinds(wanted.kinds)
    return listing.list_events(connection, wanted, viewer=viewer, order=order, after=after, limit=limit)


def version_of_events(
    connection: Connection, viewer: Viewer, wanted: EventFilter, *, order: Order, after: int | None, limit: int
) -> str | None:
    """Return what changes whenever `list_events` would return something else; it costs a part of that."""
    return listing.version_of_events(connection, wanted, viewer=viewer, order=order, after=after, limit=limit)


def show_event(connection: Connection, viewer: Viewer, event_id: int) -> EventLine:
    """Return one event; raises `UnknownThing` where there is none that the viewer may see."""
    event = listing.find_event(connection, event_id, viewer=viewer)
    if event is None:
        raise UnknownThing(f"there is no event {event_id}")
    return event


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise `UsageError` for the first that is neither a kind nor a family of kinds, with what may be meant."""
    for kind in kinds:
        if kind not in KINDS:
            near = nearest(kind, KINDS)
            meant = f"did you mean {' or '.join(near)}? " if near else ""
            raise UsageError(f"there is no kind {kind!r}; {meant}there are: {', '.join(KINDS)}")


def follow_events(
    engine: Engine,
    viewer: Viewer | None,
    wanted: EventFilter,
    *,
    after: str | None = None,
    ends: threading.Event | None = None,
) -> Iterator[Followed]:
    """Yield events as they come, each once, in an order that never changes: from now on, or from behind a cursor.

    It goes on until `ends` is set, and for ever without it. Without a viewer they are those of all people. Raises
    `UsageError` for a kind that there is not and for a word that is no cursor, `ForeignCursor` for a cursor from before
    the database was restored.
    """
    check_kinds(wanted.kinds)
    with engine.begin() as connection:
        cursor = newest(connection) if after is None else read_cursor(after)
    rung, over = threading.Event(), ends or threading.Event()
    listener = WakeListener(engine, Bell.EVENTS, rung.set)
    thread = threading.Thread(target=listener.run, name="events", daemon=True)
    thread.start()
    try:
        while not over.is_set():
            rung.clear()
            with engine.begin() as connection:
                stretch = read_stretch(connection, cursor, wanted, viewer=viewer)
            yield from stretch.events
            cursor = stretch.cursor
            if not stretch.is_whole:
                rung.wait(LOOK_EVERY)
    finally:
        listener.end()
        thread.join()
