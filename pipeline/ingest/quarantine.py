"""Keep payloads that could not be read or were not believed, each with its reason."""

import gzip
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects.postgresql import insert

from models import QuarantinedPayload
from models.due import CLOCK_TOLERANCE
from pipeline.fetch.shapes import digest

QUARANTINE: Table = QuarantinedPayload.__table__  # type: ignore[assignment]
# Answers of one address that are doubted poll after poll differ a little each time: one an hour is evidence enough.
ONE_ANSWER_PER = timedelta(hours=1)
WHOLE_ANSWERS = ("empty", "shrunken", "unreadable", "too_many_invalid")


def keep_aside(
    connection: Connection, source_id: int, payload: bytes, *, reason: str, detail: str, origin: str, now: datetime
) -> None:
    """Keep a payload with the reason; the same payload again only counts up."""
    if reason in WHOLE_ANSWERS and _count_up_recent(connection, source_id, reason, origin, now):
        return
    row = {
        "source_id": source_id,
        "digest": digest(payload),
        "reason": reason,
        "detail": detail,
        "origin": origin,
        "payload_gzip": gzip.compress(payload, compresslevel=6, mtime=0),
        "first_seen_at": now,
        "last_seen_at": now,
    }
    connection.execute(
        insert(QUARANTINE)
        .values(row)
        .on_conflict_do_update(
            index_elements=[QUARANTINE.c.source_id, QUARANTINE.c.digest, QUARANTINE.c.reason],
            set_={"times_seen": QUARANTINE.c.times_seen + 1, "last_seen_at": now},
        )
    )


def _count_up_recent(connection: Connection, source_id: int, reason: str, origin: str, now: datetime) -> bool:
    recent = (
        select(func.max(QUARANTINE.c.id))
        .where(
            QUARANTINE.c.source_id == source_id,
            QUARANTINE.c.reason == reason,
            QUARANTINE.c.origin == origin,
            QUARANTINE.c.first_seen_at.between(now - ONE_ANSWER_PER, now + CLOCK_TOLERANCE),
        )
        .scalar_subquery()
    )
    counted = QUARANTINE.update().values(times_seen=QUARANTINE.c.times_seen + 1, last_seen_at=now)
    return connection.execute(counted.where(QUARANTINE.c.id == recent)).rowcount > 0
