"""The ledger of credits: reserved before the work, settled with it, refunded where it failed.

Whoever changes a balance holds its row locked, so that it equals the sum of its entries and is never below zero. An
action on a reference is charged once and given back once, however often it is tried. Without a plan nothing is counted
and no row is written.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from pipeline.people.records import Action


def price_of(connection: Connection, person_id: int, action: Action) -> int | None:
    """Return what an action costs a person once; None without a plan, or where it is free."""
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


def refund(
    connection: Connection, action: str, reference: str, now: datetime, *, detail: Mapping[str, Any] | None = None
) -> int | None:
    """Give back what was reserved for work that failed for good, and return the balance after it.

    None where nothing was reserved, or where it is settled or given back already.
    """
    raise NotImplementedError


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
    raise NotImplementedError
