"""Store chat badges: insert, update, and mark those that are gone."""

import functools
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ARRAY, Connection, Table, Text, bindparam, func, or_, select, tuple_, update
from sqlalchemy.sql.dml import ReturningInsert

from models import ChatBadge
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.services.twitch.records import BadgeRecord

BADGES: Table = ChatBadge.__table__  # type: ignore[assignment]
FIELDS = ("title", "description", "image_url", "click_url")
_AMONG = (
    BADGES.c.service == bindparam("of"),
    BADGES.c.external_id == func.any(bindparam("external_ids", type_=ARRAY(Text))),
)
_KNOWN = select(BADGES.c.external_id).where(*_AMONG)
_LISTED = _KNOWN.where(BADGES.c.last_seen_at.is_(None))
_GONE = update(BADGES).values(last_seen_at=bindparam("at")).where(*_AMONG, BADGES.c.last_seen_at.is_(None))


def known_badges(connection: Connection, service: str, external_ids: Collection[str]) -> set[str]:
    """Return those of the ids that are stored, gone or not."""
    return set(connection.scalars(_KNOWN, {"of": service, "external_ids": list(external_ids)}))


def listed_badges(connection: Connection, service: str, external_ids: Collection[str]) -> list[str]:
    """Return those of the ids that are not gone."""
    return list(connection.scalars(_LISTED, {"of": service, "external_ids": list(external_ids)}))


def store_badges(connection: Connection, service: str, records: Sequence[BadgeRecord], *, seen_at: datetime) -> int:
    """Insert or update badges, and bring back what was gone; returns how many rows that changed."""
    rows = [
        {
            "service": service,
            "external_id": record.external_id,
            **{name: getattr(record, name) for name in FIELDS},
            "first_seen_at": seen_at,
        }
        for record in sorted(records, key=lambda record: record.external_id)
    ]
    return len(execute_rows(connection, _upserted(), rows).all())


def mark_gone(connection: Connection, service: str, external_ids: Collection[str], at: datetime) -> None:
    """Mark badges as no longer listed."""
    if external_ids:
        connection.execute(_GONE, {"of": service, "external_ids": list(external_ids), "at": at})


@functools.cache
def _upserted() -> ReturningInsert[int]:
    statement = insert_rows(BADGES, ("service", "external_id", *FIELDS, "first_seen_at"))
    filled = {name: func.coalesce(statement.excluded[name], BADGES.c[name]) for name in FIELDS}
    differs = tuple_(*filled.values()).is_distinct_from(tuple_(*[BADGES.c[name] for name in FIELDS]))
    return statement.on_conflict_do_update(
        index_elements=[BADGES.c.service, BADGES.c.external_id],
        set_={**filled, "last_seen_at": None},
        where=or_(differs, BADGES.c.last_seen_at.is_not(None)),
    ).returning(BADGES.c.id)
