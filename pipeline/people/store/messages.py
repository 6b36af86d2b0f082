"""What messages cost people who have a plan: those beyond a day's number, each once, with its first attempt.

A message that the balance does not pay for waits until more credits come, or until the next day where the plan has a
number for a day. It is not dropped: what has become pointless by then is dropped as after quiet hours, and the rest is
still news. A plan with a number and no price lets no more than that number go a day.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from models import Balance, Delivery, Person, Plan, Target
from notifiers.metering import Asked
from pipeline.people.credits import begin_after, begin_of
from pipeline.people.store.ledger import refund, reserve
from pipeline.people.store.plans import QuotaError

ACTION = "message"
# Without a next period; the outbox looks again by then.
LONGEST_WAIT = timedelta(days=7)


def take(connection: Connection, asked: Sequence[Asked], now: datetime) -> Mapping[int, datetime]:
    """Take what messages cost, and return until when those wait that nobody pays for, by their targets.

    Belongs into the transaction that claims them; balances are locked in the order of people.
    """
    waiting: dict[int, datetime] = {}
    for message in sorted(asked, key=lambda each: (each.person_id, each.target_id)):
        if (until := _take(connection, message, now)) is not None:
            waiting[message.target_id] = until
    return waiting


def give_back(connection: Connection, delivery_ids: Sequence[int], now: datetime) -> None:
    """Give back what the messages cost that begin with these deliveries and are given up; the others cost nothing."""
    ordered = (
        select(Delivery.id)
        .join(Target, Target.id == Delivery.target_id)
        .where(Delivery.id.in_(delivery_ids))
        .order_by(Target.person_id, Delivery.id)
    )
    for delivery_id in connection.scalars(ordered).all():
        refund(connection, ACTION, _reference(delivery_id), now)


def _take(connection: Connection, message: Asked, now: datetime) -> datetime | None:
    row = connection.execute(
        select(Plan.prices, Plan.gauges, Balance.messages, Balance.messages_since, Balance.next_due_at)
        .select_from(Balance)
        .join(Person, Person.id == Balance.person_id)
        .join(Plan, Plan.id == Person.plan_id)
        .where(Balance.person_id == message.person_id)
        .with_for_update(of=Balance)
    ).one_or_none()
    if row is None:
        return None
    price, most = row.prices.get(ACTION) or 0, row.gauges.get("messages_per_day")
    if not price and most is None:
        return None
    today, tomorrow = begin_of("day", now), begin_after("day", now)
    begun = row.messages if row.messages_since == today else 0
    if begun >= (most or 0):
        if not price:
            return tomorrow
        detail = {"target": message.target_id}
        try:
            reserve(connection, message.person_id, ACTION, _reference(message.delivery_id), price, now, detail=detail)
        except QuotaError:
            return _until(row, now, tomorrow if most else None)
    counted = update(Balance).where(Balance.person_id == message.person_id)
    connection.execute(counted.values(messages=begun + 1, messages_since=today))
    return None


def _until(row: Any, now: datetime, tomorrow: datetime | None) -> datetime:
    latest = now + LONGEST_WAIT
    # What is due already is given by the next tick.
    more_at = latest if row.next_due_at is None else max(row.next_due_at, now + timedelta(minutes=1))
    return min(latest, more_at, tomorrow or latest)


def _reference(delivery_id: int) -> str:
    return f"message:{delivery_id}"
