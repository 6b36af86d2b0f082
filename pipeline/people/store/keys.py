"""Keys of people: made, looked up, rotated and revoked."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import cast

import msgspec
from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update

from models import ApiKey, Person
from models.errors import UnknownThing, UsageError
from models.moments import Moment
from pipeline.people.keys import NewKey, make_key
from pipeline.people.records import SCOPES_OF, Role, Scope

# How long a key that was rotated still opens what it did.
OVERLAP = timedelta(hours=1)
# Its last use is true to this; else each request would write a row.
USED_TO = timedelta(hours=1)


class KeyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it may be shown: not the key itself, which nobody can show again. `last_used_at` is true to the hour."""

    id: int
    key: str
    name: str
    person: str
    scopes: list[Scope]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None
    revoked_at: Moment | None


_COLUMNS = (
    ApiKey.id,
    ApiKey.public_id.label("key"),
    ApiKey.name,
    select(Person.name).where(Person.id == ApiKey.person_id).scalar_subquery().label("person"),
    ApiKey.scopes,
    ApiKey.created_at,
    ApiKey.expires_at,
    ApiKey.last_used_at,
    ApiKey.revoked_at,
)


def add_key(
    connection: Connection,
    person_id: int,
    name: str,
    scopes: Collection[Scope],
    now: datetime,
    *,
    expires_at: Moment | None = None,
) -> NewKey:
    """Make a key for a person and return it, to be shown this once.

    Raises `UsageError` for scopes that the person's role does not have.
    """
    role = _role_of(connection, person_id)
    if beyond := sorted(set(scopes) - SCOPES_OF[role]):
        raise UsageError(f"a {role} may not have {', '.join(beyond)}; there are: {', '.join(sorted(SCOPES_OF[role]))}")
    key = make_key()
    row = {
        "public_id": key.public_id,
        "person_id": person_id,
        "name": name,
        "digest": key.digest,
        "scopes": sorted(scopes),
        "created_at": now,
        "expires_at": expires_at,
    }
    connection.execute(insert(ApiKey).values(row))
    return key


def list_keys(
    connection: Connection, person_id: int | None = None, *, limit: int | None = None, after_id: int = 0
) -> list[KeyLine]:
    """Return the keys of a person, or of all, also those that were revoked; the oldest first, behind `after_id`."""
    query = select(*_COLUMNS).where(ApiKey.id > after_id).order_by(ApiKey.id).limit(limit)
    if person_id is not None:
        query = query.where(ApiKey.person_id == person_id)
    return [KeyLine(**row._asdict()) for row in connection.execute(query)]


def note_use(connection: Connection, key_id: int, now: datetime) -> None:
    """Note that a key is used, where that was last noted an hour ago or more."""
    is_old = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - USED_TO, ApiKey.last_used_at > now)
    connection.execute(update(ApiKey).where(ApiKey.id == key_id, is_old).values(last_used_at=now))


def rotate_key(connection: Connection, public_id: str, now: datetime, *, person_id: int | None = None) -> NewKey:
    """Make a key in the place of another one, which opens what it did for an hour more.

    Raises `UnknownThing` for a key that is not there, of that person where one is given.
    """
    row = connection.execute(
        select(ApiKey.id, ApiKey.person_id, ApiKey.name, ApiKey.scopes, ApiKey.expires_at)
        .where(*_is_live(public_id, person_id, now))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise _unknown(public_id)
    ends = func.least(func.coalesce(ApiKey.expires_at, now + OVERLAP), now + OVERLAP)
    connection.execute(update(ApiKey).where(ApiKey.id == row.id).values(expires_at=ends))
    allowed = SCOPES_OF[_role_of(connection, row.person_id)]
    scopes = [scope for scope in row.scopes if scope in allowed]
    return add_key(connection, row.person_id, row.name, scopes, now, expires_at=row.expires_at)


def load_key(connection: Connection, public_id: str, person_id: int | None = None) -> KeyLine:
    """Return a key as it may be shown; raises `UnknownThing` for one that is not there, of that person if given."""
    query = select(*_COLUMNS).where(ApiKey.public_id == public_id)
    if person_id is not None:
        query = query.where(ApiKey.person_id == person_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise _unknown(public_id)
    return KeyLine(**row._asdict())


def revoke_key(connection: Connection, public_id: str, now: datetime, *, person_id: int | None = None) -> KeyLine:
    """Revoke a key: from the next request on it opens nothing. Raises `UnknownThing` for one that is not there."""
    conditions = _is_live(public_id, person_id, now)
    changed = update(ApiKey).where(*conditions).values(revoked_at=now).returning(*_COLUMNS)
    row = connection.execute(changed).one_or_none()
    if row is None:
        raise _unknown(public_id)
    return KeyLine(**row._asdict())


def _role_of(connection: Connection, person_id: int) -> Role:
    return cast("Role", connection.execute(select(Person.role).where(Person.id == person_id)).scalar_one())


def _is_live(public_id: str, person_id: int | None, now: datetime) -> Sequence[ColumnElement[bool]]:
    conditions = [
        ApiKey.public_id == public_id,
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
    ]
    if person_id is not None:
        conditions.append(ApiKey.person_id == person_id)
    return conditions


def _unknown(public_id: str) -> UnknownThing:
    return UnknownThing(f"there is no key {public_id!r} that is valid: lootwire keys list shows them")
