"""Events: what happened, as far as a person may see it."""

from collections.abc import Sequence

from sqlalchemy import Connection

from models.errors import UnknownThing, UsageError
from models.names import nearest
from pipeline.events import listing
from pipeline.events.listing import KINDS, EventFilter, EventLine, Order, Viewer


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
