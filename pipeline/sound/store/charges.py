"""What the fetching of a sound costs a person who has a plan: for each started ten minutes of it.

It is reserved by the length that the service says, settled with the real one in the transaction that completes it, and
given back in the transaction in which it fails for good or is cancelled. One that is retried after that is charged
anew. Of people without a plan nothing is written.
"""

from datetime import datetime

from sqlalchemy import Connection

from pipeline.people.credits import units_of
from pipeline.people.store.ledger import load_open, price_of, refund, reserve, settle

ACTION = "extraction"


def reserve_extraction(
    connection: Connection, extraction_id: int, person_id: int, seconds: float | None, now: datetime
) -> None:
    """Take what an extraction will cost, by the length that is known; raises `QuotaError` where it is not there."""
    price = price_of(connection, person_id, ACTION)
    if price is None:
        return
    units = units_of(seconds)
    detail = {"price": price, "units": units}
    reserve(connection, person_id, ACTION, reference_of(extraction_id), price * units, now, detail=detail)


def settle_extraction(connection: Connection, extraction_id: int, seconds: float | None, now: datetime) -> None:
    """Charge what an extraction cost by its sound's real length, at the price of its beginning."""
    reserved = load_open(connection, ACTION, reference_of(extraction_id))
    if reserved is None:
        return
    price = reserved.detail["price"]
    units = reserved.detail["units"] if seconds is None else units_of(seconds)
    detail = {"price": price, "units": units}
    settle(connection, ACTION, reference_of(extraction_id), price * units, now, detail=detail)


def refund_extraction(connection: Connection, extraction_id: int, now: datetime) -> None:
    """Give back what was reserved for an extraction that failed for good, or was cancelled."""
    refund(connection, ACTION, reference_of(extraction_id), now)


def reference_of(extraction_id: int) -> str:
    """Return what the ledger calls an extraction."""
    return f"extraction:{extraction_id}"
