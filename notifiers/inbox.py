"""Lists what waits for a target: what is held and until when, what comes next, what was dropped lately."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, literal, or_, select

from models import Delivery, DeliveryState, Event
from models.people import OWNER_ID
from notifiers.targets import target_id_of

# Of what was dropped, so much is shown.
DROPPED_FOR = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class InboxLine:
    """A delivery that waits, or was dropped: for what it waits and until when (`at`), or why it is gone (`reason`)."""

    delivery: int
    event_id: int
    kind: str
    title: str
    state: str
    held_for: str | None
    at: datetime | None
    reason: str | None


def load_inbox(connection: Connection, target: str, now: datetime, *, person_id: int = OWNER_ID) -> list[InboxLine]:
    """Return what waits for a target, the next first, then what was dropped lately; raises TargetError if unknown."""
    target_id = target_id_of(connection, target, person_id=person_id)
    waits = Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING])
    dropped = (Delivery.state == DeliveryState.DROPPED) & (Delivery.created_at > now - DROPPED_FOR)
    rows = connection.execute(
        select(
            Delivery.id.label("delivery"),
            Delivery.event_id,
            Event.kind,
            Event.title,
            Delivery.state,
            Delivery.held_for,
            case((waits, Delivery.next_attempt_at), else_=literal(None)).label("at"),
            Delivery.last_error.label("reason"),
        )
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.target_id == target_id, or_(waits, dropped))
        .order_by(waits.desc(), Delivery.next_attempt_at, Delivery.event_id)
    )
    return [InboxLine(**row) for row in rows.mappings()]
