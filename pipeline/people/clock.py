"""What time brings about for people: periods give credits, and who has few left is told."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, case, or_, select, update

from models import Balance, Event, Person, Plan
from notifiers.personal import tell_person
from pipeline.events.append import append_events
from pipeline.people.credits import LOW_PART, begin_after
from pipeline.people.details import low_event
from pipeline.people.store.invitations import forget_ended
from pipeline.people.store.plans import replenish

# Balances in one transaction.
AT_ONCE = 200
# How far ahead the next period of each kind begins, and a day for the clock.
_FURTHEST = case(
    (Plan.period == "day", timedelta(days=2)), (Plan.period == "week", timedelta(days=8)), else_=timedelta(days=32)
)
INVITATIONS_FOR = timedelta(days=30)


def advance(engine: Engine, now: datetime) -> Counter[str]:
    """Give what periods give that have begun, and tell those who have few credits left, once until more come.

    Safe to run twice and at once. A clock that jumps gives nothing twice: each period stands in the ledger. Costs two
    looks at a small table where nobody has a plan.
    """
    while True:
        with engine.begin() as connection:
            if _replenish_due(connection, now) < AT_ONCE:
                break
    events = Counter[str]()
    with engine.connect() as connection:
        low = _low(connection)
    for person_id in low:
        with engine.begin() as connection:
            events += _tell_low(connection, person_id, now)
    with engine.begin() as connection:
        forget_ended(connection, now - INVITATIONS_FOR)
    return events


def _replenish_due(connection: Connection, now: datetime) -> int:
    # What is due much later than a period lasts was put there by a wrong clock.
    is_due = or_(Balance.next_due_at <= now, Balance.next_due_at > now + _FURTHEST)
    rows = connection.execute(
        select(Balance.person_id, Balance.next_due_at, Plan)
        .join(Person, Person.id == Balance.person_id)
        .join(Plan, Plan.id == Person.plan_id)
        .where(is_due)
        .order_by(Balance.person_id)
        .limit(AT_ONCE)
        .with_for_update(of=Balance, skip_locked=True)
    ).all()
    for row in rows:
        if row.next_due_at <= now:
            replenish(connection, row.person_id, row, row.next_due_at, now)
        later = update(Balance).where(Balance.person_id == row.person_id)
        connection.execute(later.values(next_due_at=begin_after(row.period, now)))
    return len(rows)


def _low(connection: Connection) -> Sequence[int]:
    return connection.scalars(_few().with_only_columns(Balance.person_id).limit(AT_ONCE)).all()


def _few() -> Any:
    is_low = (Balance.credits * LOW_PART < Plan.credits) & Balance.low_told_at.is_(None)
    return (
        select(Balance.credits, Balance.next_due_at, Plan.name, Plan.credits.label("of"))
        .join(Person, Person.id == Balance.person_id)
        .join(Plan, Plan.id == Person.plan_id)
        .where(is_low, Person.disabled_at.is_(None))
    )


def _tell_low(connection: Connection, person_id: int, now: datetime) -> Counter[str]:
    row = connection.execute(_few().where(Balance.person_id == person_id)).one_or_none()
    if row is None:
        return Counter()
    event = low_event(
        person_id,
        plan=row.name,
        credits_left=row.credits,
        credits_of_period=row.of,
        more_at=row.next_due_at,
        now=now,
    )
    added = append_events(connection, [event], source_id=None, silent=False, now=now)
    event_id = connection.scalar(select(Event.id).where(Event.event_key == event.event_key))
    if added and event_id is not None:
        tell_person(connection, event_id, person_id, now)
    # After the messages, whose targets a sender locks before it locks a balance.
    connection.execute(update(Balance).where(Balance.person_id == person_id).values(low_told_at=now))
    return added
