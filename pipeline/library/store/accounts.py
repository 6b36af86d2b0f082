"""Keep the accounts whose libraries are synced: their keys, encrypted, when they are asked next, what went wrong."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models import ImportLine, LibraryAccount, LibraryEntry, LibraryImport
from models.due import due

# Each account costs a request or more; the others have their turn in the next round.
PEOPLE_AT_ONCE = 20


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table. `external_id` is the service's own, `name` what the account is called there."""

    id: int
    person_id: int
    service: str
    external_id: str
    name: str | None
    key_encrypted: bytes
    next_due_at: datetime
    asked_at: datetime | None
    answered_at: datetime | None
    digest: bytes | None
    played_at: datetime | None
    problem: str | None
    problem_since: datetime | None


_ACCOUNTS = select(*(getattr(LibraryAccount, name) for name in Account.__struct_fields__)).order_by(LibraryAccount.id)


def services_with_accounts(connection: Connection) -> set[str]:
    """Return the services at which anybody has an account that is synced."""
    return set(connection.scalars(select(LibraryAccount.service).distinct()))


def load_accounts(connection: Connection, service: str, person_id: int | None = None) -> list[Account]:
    """Return the accounts at a service, of one person where that is given."""
    wanted = _ACCOUNTS.where(LibraryAccount.service == service)
    if person_id is not None:
        wanted = wanted.where(LibraryAccount.person_id == person_id)
    return _accounts(connection, wanted)


def accounts_of(connection: Connection, person_id: int) -> list[Account]:
    """Return a person's accounts at all services, by service and then as they were signed in."""
    of_person = _ACCOUNTS.where(LibraryAccount.person_id == person_id)
    return _accounts(connection, of_person.order_by(None).order_by(LibraryAccount.service, LibraryAccount.id))


def due_accounts(connection: Connection, service: str, now: datetime, furthest: timedelta) -> list[Account]:
    """Return the accounts of the people of whom one at a service is due, for a few people at a time.

    What somebody has is what all of their accounts have together. `furthest` is the longest pause of any.
    """
    its = LibraryAccount.service == service
    people = (
        select(LibraryAccount.person_id)
        .where(its, due(LibraryAccount.next_due_at, now, furthest))
        .group_by(LibraryAccount.person_id)
        .order_by(func.min(LibraryAccount.next_due_at))
        .limit(PEOPLE_AT_ONCE)
    )
    return _accounts(connection, _ACCOUNTS.where(its, LibraryAccount.person_id.in_(people)))


def lock_account(connection: Connection, account_id: int) -> Account | None:
    """Return an account, locked until the transaction ends; None where it was signed out meanwhile."""
    locked = _accounts(connection, _ACCOUNTS.where(LibraryAccount.id == account_id).with_for_update())
    return locked[0] if locked else None


def save_account(
    connection: Connection,
    *,
    person_id: int,
    service: str,
    external_id: str,
    name: str | None,
    key_encrypted: bytes,
    now: datetime,
) -> None:
    """Keep an account, or the new key of one that is kept; it is due at once."""
    values = {"name": name, "key_encrypted": key_encrypted, "next_due_at": now, "problem": None, "problem_since": None}
    key = {"person_id": person_id, "service": service, "external_id": external_id}
    connection.execute(
        insert(LibraryAccount)
        .values(**key, **values, created_at=now)
        .on_conflict_do_update(index_elements=list(key), set_=values)
    )


def remove_accounts(connection: Connection, ids: Collection[int]) -> None:
    """Forget accounts with their keys; what was learned by them stays."""
    connection.execute(delete(LibraryAccount).where(LibraryAccount.id.in_(ids)))


def change_account(connection: Connection, account: Account, **values: Any) -> None:
    """Change columns of an account."""
    connection.execute(update(LibraryAccount).where(LibraryAccount.id == account.id).values(**values))


def is_anything_missing(connection: Connection, person_id: int, source_id: int) -> bool:
    """Whether the last answers of a source lacked games of a person, and not for long enough that they are gone."""
    missing = exists().where(
        LibraryEntry.person_id == person_id,
        LibraryEntry.source_id == source_id,
        LibraryEntry.absences > 0,
        LibraryEntry.last_seen_at.is_(None),
    )
    return bool(connection.scalar(select(missing)))


def waiting_lines(connection: Connection, source: str) -> set[int]:
    """Return the lines of a source's answers that wait for a person, of whomever they are."""
    lines = select(ImportLine.line).join(LibraryImport, LibraryImport.id == ImportLine.import_id)
    return set(connection.scalars(lines.where(LibraryImport.format == source, ImportLine.settled_at.is_(None))))


def _accounts(connection: Connection, statement: Any) -> list[Account]:
    return [Account(**row) for row in connection.execute(statement).mappings()]
