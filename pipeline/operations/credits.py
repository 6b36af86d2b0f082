"""Plans and credits: what plans give and things cost, what people have, and where each credit went."""

import uuid
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from models import Target
from notifiers.due import lock_targets, reckon
from notifiers.held import let_go
from pipeline.people.store import ledger, plans
from pipeline.people.store.ledger import LedgerLine
from pipeline.people.store.people import load_person
from pipeline.people.store.plans import PlanLine

__all__ = ["LedgerLine", "PlanLine"]

# What a command and a route do with plans is what the store does.
list_plans = plans.list_plans
show_plan = plans.load_plan
add_plan = plans.add_plan
change_plan = plans.change_plan
remove_plan = plans.remove_plan


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """Credits that a person was given, and what they have with them."""

    person: str
    amount: int
    credits: int


def list_entries(
    connection: Connection, person_id: int, *, limit: int, before_id: int | None = None
) -> list[LedgerLine]:
    """Return where a person's credits came from and went, the newest first."""
    return ledger.list_entries(connection, person_id, limit=limit, before_id=before_id)


def grant(connection: Connection, person_id: int, now: datetime, amount: int, *, note: str | None = None) -> Granted:
    """Give a person credits beside their plan; messages that waited for some are looked at again.

    Raises `UsageError` for a person without a plan, of whom nothing is counted.
    """
    # Before the balance, as a sender that claims does, so that neither waits for the other for ever.
    targets = list(
        connection.scalars(select(Target.id).where(Target.person_id == person_id, Target.removed_at.is_(None)))
    )
    lock_targets(connection, targets)
    detail = {"note": note} if note else {}
    credits_ = ledger.grant(connection, person_id, amount, f"grant:{uuid.uuid4()}", now, detail=detail)
    for target_id in targets:
        let_go(connection, target_id, now)
    reckon(connection, targets, now)
    return Granted(person=load_person(connection, person_id).name, amount=amount, credits=credits_)
