"""Puts what operators hear into the outbox, without any subscription."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, DateTime, bindparam, exists, func, literal, select, true
from sqlalchemy.dialects.postgresql import Insert, insert

from models import Delivery, Event, SubscriptionKey, Target
from models.events import EventKind

OPERATOR = "operator"
FAMILIES = frozenset({"source", OPERATOR})


def is_for_operators(kind: str) -> bool:
    """Return whether every operator hears of events of a kind; a heartbeat goes to one target alone."""
    return kind.partition(".")[0] in FAMILIES and kind != EventKind.OPERATOR_HEARTBEAT


def is_anybody_told(connection: Connection) -> bool:
    """Return whether anybody would hear of the installation: an operator, or a subscriber to what operators hear."""
    operators = exists().where(Target.role == OPERATOR, Target.removed_at.is_(None))
    first = f"{OPERATOR}."
    subscribed = exists().where(SubscriptionKey.key >= first, SubscriptionKey.key.startswith(first))
    return bool(connection.scalar(select(operators | subscribed)))


def tell_operators(connection: Connection, event_ids: Sequence[int], now: datetime) -> int:
    """Put one delivery per event and operator's target into the outbox; returns how many are new.

    Belongs into the transaction that appended the events, after subscriptions were matched. Running it again adds
    nothing. Silent events, and targets that are paused, get none.
    """
    values = {"event_ids": list(event_ids), "now": now}
    # By default SQLAlchemy forgets an INSERT's row count.
    options: dict[str, Any] = {"preserve_rowcount": True}
    return connection.execute(_deliveries(), values, execution_options=options).rowcount


def tell_one(connection: Connection, event_id: int, target_id: int, now: datetime) -> None:
    """Put a delivery of an event to one target into the outbox, if it is not there."""
    row = {"event_id": event_id, "target_id": target_id, "subscription_ids": []}
    added = insert(Delivery).values(row | {"created_at": now, "next_attempt_at": now})
    connection.execute(added.on_conflict_do_nothing(index_elements=["event_id", "target_id"]))


@cache
def _deliveries() -> Insert:
    at = bindparam("now", type_=DateTime(timezone=True))
    nobody = literal([], ARRAY(BigInteger))
    wanted = (
        select(Event.id, Target.id, nobody, at, at)
        .join(Target, true())
        .where(
            Event.id == func.any(bindparam("event_ids", type_=ARRAY(BigInteger))),
            Event.silent.is_(False),
            Target.role == OPERATOR,
            Target.disabled_at.is_(None),
            Target.removed_at.is_(None),
        )
        .order_by(Event.id, Target.id)
    )
    columns = ["event_id", "target_id", "subscription_ids", "created_at", "next_attempt_at"]
    statement = insert(Delivery).from_select(columns, wanted, include_defaults=False)
    return statement.on_conflict_do_nothing(index_elements=["event_id", "target_id"])
