"""Looks into the outbox for people: lists deliveries, replays dead ones, says when the next is due."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, true, update

from models import Delivery, DeliveryState, Event, Target

# Nothing is sent to a target that rests; `greatest` passes over a null.
NEXT_ATTEMPT_AT = case(
    (Delivery.state == DeliveryState.PENDING, func.greatest(Delivery.next_attempt_at, Target.rests_until)),
    else_=Delivery.next_attempt_at,
)


@dataclass(frozen=True, kw_only=True)
class DeliveryLine:
    """A delivery as it may be shown."""

    id: int
    state: str
    event_id: int
    kind: str
    title: str
    target: str
    label: str
    subscription_ids: list[int]
    attempts: int
    # How many of them the target took without an answer.
    unanswered: int
    created_at: datetime
    next_attempt_at: datetime
    first_attempt_at: datetime | None
    sent_at: datetime | None
    last_error: str | None


def replay(connection: Connection, now: datetime, delivery_ids: Iterable[int] | None = None) -> int:
    """Make dead deliveries due again as if they were new, the given ones or all; returns how many.

    Those of a target that was removed stay dead.
    """
    dead = _is_replayable()
    chosen = dead if delivery_ids is None else and_(dead, Delivery.id.in_(list(delivery_ids)))
    revived = connection.execute(
        update(Delivery)
        .where(chosen)
        .values(state=DeliveryState.PENDING, next_attempt_at=now, attempts=0, first_attempt_at=None, dead_at=None)
    )
    return revived.rowcount


def _is_replayable() -> ColumnElement[bool]:
    # To a target that was removed nothing can be sent.
    gone = select(Target.id).where(Target.removed_at.is_not(None))
    return and_(Delivery.state == DeliveryState.DEAD, Delivery.target_id.not_in(gone))


def replay_newest(connection: Connection, now: datetime, limit: int | None = None) -> list[DeliveryLine]:
    """Make the newest dead deliveries due again, or all, as `replay` does; returns them as they are then."""
    newest = select(Delivery.id).where(_is_replayable()).order_by(Delivery.id.desc()).limit(limit)
    ids = list(connection.scalars(newest))
    replay(connection, now, ids)
    return _lines(connection, Delivery.id.in_(ids), None)


def list_deliveries(
    connection: Connection, state: DeliveryState | None = None, limit: int | None = 100
) -> list[DeliveryLine]:
    """Return deliveries, the newest first, of one state or of all."""
    return _lines(connection, true() if state is None else Delivery.state == state, limit)


def _lines(connection: Connection, chosen: ColumnElement[bool], limit: int | None) -> list[DeliveryLine]:
    own = {f.name: getattr(Delivery, f.name) for f in fields(DeliveryLine) if hasattr(Delivery, f.name)}
    statement = (
        select(
            *(own | {"next_attempt_at": NEXT_ATTEMPT_AT.label("next_attempt_at")}).values(),
            Event.kind,
            Event.title,
            Target.name.label("target"),
            Target.label,
        )
        .join(Event, Event.id == Delivery.event_id)
        .join(Target, Target.id == Delivery.target_id)
        .order_by(Delivery.id.desc())
        .where(chosen)
        .limit(limit)
    )
    return [DeliveryLine(**row) for row in connection.execute(statement).mappings()]


def next_due_at(connection: Connection) -> datetime | None:
    """Return when the next delivery is due or its lease runs out, or None if nothing waits."""
    return connection.scalar(
        select(func.min(func.coalesce(Delivery.lease_until, NEXT_ATTEMPT_AT)))
        .join(Target, Target.id == Delivery.target_id)
        .where(Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING]), Target.disabled_at.is_(None))
    )
