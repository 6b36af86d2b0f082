"""The audit log: which key changed what."""

from datetime import datetime

from sqlalchemy import Connection, insert

from models import AuditEntry


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
