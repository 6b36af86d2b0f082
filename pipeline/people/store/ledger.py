"""The ledger of credits: reserved before the work, settled with it, refunded where it failed.

Whoever changes a balance holds its row locked, so that it equals the sum of its entries and is never below zero. An
action on a reference is charged once and given back once, however often it is tried. Without a plan nothing is counted
and no row is written. Where a transaction also makes messages or locks targets, it does that first.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from models import Balance, LedgerEntry, Person, Plan
from models.errors import UsageError
from models.moments import Moment
from models.words.units import moment_in_figures
from pipeline.people.credits import round_of
from pipeline.people.records import Action
from pipeline.people.store.plans import QuotaError

GRANT = "grant"
SETTLED = "settled"
REFUNDED = "refunded"


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """Credits that a person was given (`amount` above zero) or that something cost."""

    id: int
    action: str
    reference: str
    amount: int
    balance_after: int
    detail: dict[str, Any]
    at: Moment


def price_of(connection: Connection, person_id: int, action: Action) -> int | None:
    """Return what an action costs a person once; None without a plan, or where it is free."""
    of_plan: Mapping[str, Any] | None = connection.scalar(
        select(Plan.prices).join(Person, Person.plan_id == Plan.id).where(Person.id == person_id)
    )
    return (of_plan or {}).get(action) or None


def reserve(
    connection: Connection,
    person_id: int,
    action: str,
    reference: str,
    amount: int,
    now: datetime,
    *,
    detail: Mapping[str, Any] | None = None,
) -> int | None:
    """Take credits for work that is about to begin, and return the balance after it; None where nothing is counted.

    What is reserved already under this action and reference is not taken again, but after a refund it is. Raises
    `QuotaError`, which says what is missing and when more comes.
    """
    if amount < 0:
        raise ValueError("what is reserved is not below zero")
    balance = connection.execute(
        select(Balance.credits, Balance.next_due_at)
        .join(Person, Person.id == Balance.person_id)
        .where(Balance.person_id == person_id, Person.plan_id.is_not(None))
        .with_for_update(of=Balance)
    ).one_or_none()
    if balance is None:
        return None
    current = _current_round(connection, action, reference)
    if current.reserved is not None or not amount:
        return int(balance.credits)
    if amount > balance.credits:
        raise _short(amount, balance.credits, balance.next_due_at)
    return _book(connection, person_id, action, current.reference, -amount, balance.credits, now, detail)


def settle(
    connection: Connection,
    action: str,
    reference: str,
    amount: int,
    now: datetime,
    *,
    detail: Mapping[str, Any] | None = None,
) -> int | None:
    """Say what work cost in the end, and return the balance after it; None where nothing is reserved.

    What was reserved beyond it is given back, once. What it cost beyond the reserved amount is taken as far as the
    balance has it: work that is done is not undone for it.
    """
    if amount < 0:
        raise ValueError("what work cost is not below zero")
    return _close(connection, action, reference, SETTLED, amount, now, detail)


def refund(
    connection: Connection, action: str, reference: str, now: datetime, *, detail: Mapping[str, Any] | None = None
) -> int | None:
    """Give back what was reserved for work that failed for good, and return the balance after it.

    None where nothing was reserved, or where it is settled or given back already.
    """
    return _close(connection, action, reference, REFUNDED, 0, now, detail)


def grant(
    connection: Connection,
    person_id: int,
    amount: int,
    reference: str,
    now: datetime,
    *,
    detail: Mapping[str, Any] | None = None,
) -> int:
    """Give a person credits, once a reference, and return the balance after it; the plan's ceiling does not bound them.

    Raises `UsageError` for a person without a plan, of whom nothing is counted.
    """
    if amount <= 0:
        raise UsageError("give 1 credit or more; the ledger takes none back")
    has_plan = connection.scalar(select(Person.plan_id.is_not(None)).where(Person.id == person_id))
    balance = lock_balance(connection, person_id)
    if not has_plan or balance is None:
        raise UsageError("this person has no plan, and so nothing is counted: lootwire people set NAME --plan PLAN")
    known = select(LedgerEntry.id).where(LedgerEntry.action == GRANT, LedgerEntry.reference == reference)
    if connection.scalar(known) is not None:
        return balance
    return _book(connection, person_id, GRANT, reference, amount, balance, now, detail)


def lock_balance(connection: Connection, person_id: int) -> int | None:
    """Return a person's credits and hold their row until the transaction ends; None where nothing was ever counted."""
    return connection.scalar(select(Balance.credits).where(Balance.person_id == person_id).with_for_update())


def list_entries(
    connection: Connection, person_id: int, *, limit: int, before_id: int | None = None
) -> list[LedgerLine]:
    """Return a person's entries, the newest first; with `before_id` those before that one."""
    columns = [getattr(LedgerEntry, name) for name in LedgerLine.__struct_fields__]
    query = select(*columns).where(LedgerEntry.person_id == person_id).order_by(LedgerEntry.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(LedgerEntry.id < before_id)
    return [LedgerLine(**row._asdict()) for row in connection.execute(query)]


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken for work that is neither settled nor given back, with the detail of its beginning."""

    amount: int
    detail: dict[str, Any]


def load_open(connection: Connection, action: str, reference: str) -> Reservation | None:
    """Return what is reserved for work that goes on; None where nothing is."""
    current = _current_round(connection, action, reference)
    if current.reserved is None or current.is_closed:
        return None
    return Reservation(amount=current.reserved, detail=current.detail)


class _Round(msgspec.Struct, frozen=True, kw_only=True):
    """A round of work under a reference: what was reserved for it, by whom, and whether that is over."""

    reference: str
    person_id: int | None = None
    reserved: int | None = None
    detail: dict[str, Any] = {}
    is_closed: bool = False


def _current_round(connection: Connection, action: str, reference: str) -> _Round:
    """Return the round that a reference is in: the first that nothing was refunded of."""
    number = 1
    while True:
        of_round = round_of(reference, number)
        actions = {name: _closing(action, name) for name in (SETTLED, REFUNDED)}
        rows = connection.execute(
            select(LedgerEntry.action, LedgerEntry.person_id, LedgerEntry.amount, LedgerEntry.detail).where(
                LedgerEntry.action.in_([action, *actions.values()]), LedgerEntry.reference == of_round
            )
        ).all()
        by_action = {row.action: row for row in rows}
        if (reserved := by_action.get(action)) is None:
            return _Round(reference=of_round)
        if actions[REFUNDED] not in by_action:
            return _Round(
                reference=of_round,
                person_id=reserved.person_id,
                reserved=-reserved.amount,
                detail=reserved.detail,
                is_closed=actions[SETTLED] in by_action,
            )
        number += 1


def _close(
    connection: Connection,
    action: str,
    reference: str,
    how: str,
    amount: int,
    now: datetime,
    detail: Mapping[str, Any] | None,
) -> int | None:
    person_id = _current_round(connection, action, reference).person_id
    if person_id is None:
        return None
    balance = lock_balance(connection, person_id)
    # Another transaction may have closed it while this one waited.
    current = _current_round(connection, action, reference)
    if balance is None or current.reserved is None or current.is_closed:
        return None
    change = max(current.reserved - amount, -balance)
    return _book(connection, person_id, _closing(action, how), current.reference, change, balance, now, detail)


def _closing(action: str, how: str) -> str:
    return f"{action}.{how}"


def _book(
    connection: Connection,
    person_id: int,
    action: str,
    reference: str,
    amount: int,
    balance: int,
    now: datetime,
    detail: Mapping[str, Any] | None,
) -> int:
    """Write an entry down, and the balance that it leaves; its row is locked."""
    after = balance + amount
    row = {
        "person_id": person_id,
        "action": action,
        "reference": reference,
        "amount": amount,
        "balance_after": after,
        "detail": dict(detail or {}),
        "at": now,
    }
    connection.execute(insert(LedgerEntry).values(row))
    connection.execute(update(Balance).where(Balance.person_id == person_id).values(credits=after))
    return after


def _short(amount: int, balance: int, more_at: datetime | None) -> QuotaError:
    more = f"More come {moment_in_figures(more_at)}" if more_at else "No more come by themselves"
    return QuotaError(
        f"this costs {amount:,} credits and you have {balance:,}: {amount - balance:,} are missing. {more}; the owner "
        "gives some by lootwire credits grant",
        missing=amount - balance,
        more_at=more_at,
    )
