"""People and plans for tests of what is counted."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from models import Balance, LedgerEntry
from pipeline.people.credits import Period
from pipeline.people.keys import read_id
from pipeline.people.store.holders import HolderOfKey, find_holder_of
from pipeline.people.store.people import add_person
from pipeline.people.store.plans import add_plan

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def add_ada(
    connection: Connection,
    *,
    credits_: int = 100,
    ceiling: int | None = None,
    period: Period = "month",
    prices: dict[str, int] | None = None,
    gauges: dict[str, int] | None = None,
    now: datetime = NOON,
) -> int:
    """Add a member called ada, who has a plan of her own; returns her row id."""
    add_plan(connection, "adas", now, credits_=credits_, ceiling=ceiling, period=period, prices=prices, gauges=gauges)
    return add_person(connection, "ada", "member", now, plan="adas").id


def balance_of(connection: Connection, person_id: int) -> int | None:
    return connection.scalar(select(Balance.credits).where(Balance.person_id == person_id))


def sum_of(connection: Connection, person_id: int) -> int:
    total = select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(LedgerEntry.person_id == person_id)
    return int(connection.execute(total).scalar_one())


def entries_of(connection: Connection, person_id: int) -> list[tuple[str, str, int, int]]:
    """Return a person's ledger in its order: actions, references, amounts, balances after."""
    columns = (LedgerEntry.action, LedgerEntry.reference, LedgerEntry.amount, LedgerEntry.balance_after)
    rows = connection.execute(select(*columns).where(LedgerEntry.person_id == person_id).order_by(LedgerEntry.id))
    return [(row.action, row.reference, row.amount, row.balance_after) for row in rows]


def find_holder(connection: Connection, key: str, now: datetime) -> HolderOfKey | None:
    """Return whose a key is, as the door of the API finds it; one that is no key of ours costs no query."""
    if (public_id := read_id(key)) is None:
        return None
    return find_holder_of(connection, public_id, key, now)
