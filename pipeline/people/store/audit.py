"""The audit log: which key changed what."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, insert, select

from models import AuditEntry, Person
from models.moments import Moment


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """A change that a key made: `operation` is its name in the document of the API, `path` names what was changed."""

    id: int
    at: Moment
    person: str
    key: str
    method: str
    path: str
    operation: str
    status: int


def note_change(
    connection: Connection,
    *,
    person_id: int,
    key: str,
    method: str,
    path: str,
    operation: str,
    status: int,
    now: datetime,
) -> None:
    """Write down that a key changed something; belongs in the transaction of the change."""
    row = {
        "at": now,
        "person_id": person_id,
        "key": key,
        "method": method,
        "path": path,
        "operation": operation,
        "status": status,
    }
    connection.execute(insert(AuditEntry).values(row))


def list_changes(
    connection: Connection, *, limit: int, person_id: int | None = None, before_id: int | None = None
) -> list[AuditLine]:
    """Return what keys changed, the newest first: of a person, or of all; with `before_id` what came before that."""
    columns = [getattr(AuditEntry, name) for name in AuditLine.__struct_fields__ if name != "person"]
    query = (
        select(*columns, Person.name.label("person"))
        .join(Person, Person.id == AuditEntry.person_id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    if person_id is not None:
        query = query.where(AuditEntry.person_id == person_id)
    if before_id is not None:
        query = query.where(AuditEntry.id < before_id)
    return [AuditLine(**row._asdict()) for row in connection.execute(query)]
