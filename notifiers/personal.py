"""Puts what a person hears of their own standing into the outbox, without any subscription."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, DateTime, bindparam, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert

from models import Delivery, Target

# The events that go to a person's targets whatever they subscribe to.
FAMILY = "quota"


def is_own_standing(kind: str) -> bool:
    """Return whether a person hears of events of a kind without asking; such a message costs nothing."""
    return kind.partition(".")[0] == FAMILY


def tell_person(connection: Connection, event_id: int, person_id: int, now: datetime) -> int:
    """Put a delivery of an event to each of a person's targets into the outbox; returns how many are new.

    Belongs into the transaction that appended the event, after subscriptions were matched. Targets that are paused get
    none.
    """
    values = {"event_id": event_id, "person_id": person_id, "now": now}
    # By default SQLAlchemy forgets an INSERT's row count.
    options: dict[str, Any] = {"preserve_rowcount": True}
    return connection.execute(_deliveries(), values, execution_options=options).rowcount


@cache
def _deliveries() -> Insert:
    at = bindparam("now", type_=DateTime(timezone=True))
    nobody = literal([], ARRAY(BigInteger))
    wanted = (
        select(bindparam("event_id", type_=BigInteger), Target.id, nobody, at, at)
        .where(
            Target.person_id == bindparam("person_id", type_=BigInteger),
            Target.disabled_at.is_(None),
            Target.removed_at.is_(None),
        )
        .order_by(Target.id)
    )
    columns = ["event_id", "target_id", "subscription_ids", "created_at", "next_attempt_at"]
    statement = insert(Delivery).from_select(columns, wanted, include_defaults=False)
    return statement.on_conflict_do_nothing(index_elements=["event_id", "target_id"])
