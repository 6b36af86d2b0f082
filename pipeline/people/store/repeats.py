"""What POSTs with an Idempotency-Key were answered, kept for a day."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from models import IdempotentAnswer

KEEP = timedelta(hours=24)
_Table = IdempotentAnswer


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request was answered. `status` is None where it never was: it is under way, or was cut short."""

    digest: bytes
    status: int | None
    headers: Mapping[str, str]
    body: bytes | None


def find_answer(connection: Connection, key_id: int, name: str, now: datetime) -> KeptAnswer | None:
    """Return what the request of an Idempotency-Key was answered within the last day; None where there was none."""
    query = select(_Table.digest, _Table.status, _Table.headers, _Table.body).where(
        _Table.key_id == key_id, _Table.name == name, _Table.created_at > now - KEEP
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else KeptAnswer(**row._asdict())


def reserve_answer(connection: Connection, key_id: int, name: str, digest: bytes, now: datetime) -> None:
    """Write down that a request is under way, over one of more than a day ago."""
    row = {"digest": digest, "created_at": now, "status": None, "headers": {}, "body": None}
    adding = insert(_Table).values(key_id=key_id, name=name, **row)
    connection.execute(adding.on_conflict_do_update(index_elements=[_Table.key_id, _Table.name], set_=row))


def settle_answer(
    connection: Connection, key_id: int, name: str, *, status: int, headers: Mapping[str, str], body: bytes | None
) -> None:
    """Write down what a request was answered; `body` is kept as it is, so it comes encrypted."""
    values = {"status": status, "headers": dict(headers), "body": body}
    connection.execute(update(_Table).where(_Table.key_id == key_id, _Table.name == name).values(values))


def forget_answer(connection: Connection, key_id: int, name: str) -> None:
    """Forget a request that came to nothing, so that it may be made again."""
    connection.execute(delete(_Table).where(_Table.key_id == key_id, _Table.name == name))


def prune_answers(connection: Connection, now: datetime) -> int:
    """Delete answers of more than a day ago; returns how many."""
    return connection.execute(delete(_Table).where(_Table.created_at <= now - KEEP)).rowcount
