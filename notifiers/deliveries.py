"""Looks into the outbox for people: lists deliveries, replays dead ones, says when the next is due."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, update

from models import Delivery, DeliveryState, Event, Target
from models.people import OWNER_ID
from notifiers.days import zone
from notifiers.errors import TargetError, UnknownTarget
from notifiers.people import hears
from notifiers.targets import target_id_of

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


def replay_newest(
    connection: Connection, now: datetime, limit: int | None = None, *, person_id: int = OWNER_ID
) -> list[DeliveryLine]:
    """Make a person's newest dead deliveries due again, or all, as `replay` does; returns them as they are then."""
    theirs = Delivery.target_id.in_(select(Target.id).where(Target.person_id == person_id))
    newest = select(Delivery.id).where(_is_replayable(), theirs).order_by(Delivery.id.desc()).limit(limit)
    ids = list(connection.scalars(newest))
    replay(connection, now, ids)
    return _lines(connection, Delivery.id.in_(ids), None)


def replay_one(connection: Connection, delivery_id: int, now: datetime, *, person_id: int = OWNER_ID) -> DeliveryLine:
    """Make one delivery of a person that was sent, or given up, due again as if it were new; returns it as it is then.

    Its target's quiet hours and digest hold it, as they hold what is new. Raises UnknownTarget where the person has no
    such delivery, and TargetError for one in another state or of a target that was removed.
    """
    line = load_delivery(connection, delivery_id, person_id=person_id)
    removed_at = select(Target.removed_at).join(Delivery).where(Delivery.id == delivery_id)
    if connection.scalar(removed_at) is not None:
        raise TargetError(f"Delivery {delivery_id} went to {line.target!r}, which was removed: nothing is sent there.")
    again = {"state": DeliveryState.PENDING, "next_attempt_at": now, "attempts": 0, "first_attempt_at": None}
    again |= {"dead_at": None, "sent_at": None, "held_for": None}
    is_over = Delivery.state.in_([DeliveryState.DEAD, DeliveryState.SENT])
    replayed = update(Delivery).where(Delivery.id == delivery_id, is_over).values(again)
    if not connection.execute(replayed).rowcount:
        raise TargetError(
            f"Delivery {delivery_id} is {line.state}: only what was sent, or given up as dead, is sent again."
        )
    return load_delivery(connection, delivery_id, person_id=person_id)


def load_delivery(connection: Connection, delivery_id: int, *, person_id: int = OWNER_ID) -> DeliveryLine:
    """Return a delivery to one of a person's targets; raises UnknownTarget where there is none of that number."""
    lines = _lines(connection, and_(Delivery.id == delivery_id, Target.person_id == person_id), None)
    if not lines:
        raise UnknownTarget(f"there is no delivery {delivery_id}; `lootwire deliveries` lists them")
    return lines[0]


def zone_of_delivery(connection: Connection, delivery_id: int) -> tzinfo:
    """Return the time zone of the target of a delivery that is there, by whose clock its times are shown."""
    timezone = select(Target.timezone).join(Delivery).where(Delivery.id == delivery_id)
    return zone(connection.execute(timezone).scalar_one())


def list_deliveries(
    connection: Connection,
    state: DeliveryState | None = None,
    limit: int | None = 100,
    *,
    target: str | None = None,
    kind: str | None = None,
    since: datetime | None = None,
    before: int | None = None,
    person_id: int = OWNER_ID,
) -> list[DeliveryLine]:
    """Return deliveries to a person's targets, the newest first.

    Those of one state, to one target, of a kind of event (`campaign.added`) or a family (`campaign.*`), made at a time
    or later, and older than the one whose number is `before`; or all. Raises UnknownTarget for an unknown target.
    """
    chosen = [Target.person_id == person_id]
    if state is not None:
        chosen.append(Delivery.state == state)
    if target is not None:
        chosen.append(Delivery.target_id == target_id_of(connection, target, person_id=person_id))
    if kind is not None:
        is_family = kind.endswith(".*")
        chosen.append(Event.kind.startswith(kind[:-1], autoescape=True) if is_family else Event.kind == kind)
    if since is not None:
        chosen.append(Delivery.created_at >= since)
    if before is not None:
        chosen.append(Delivery.id < before)
    return _lines(connection, and_(*chosen), limit)


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
        .where(
            Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING]), Target.disabled_at.is_(None), hears()
        )
    )
