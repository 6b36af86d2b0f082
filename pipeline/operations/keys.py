"""Keys of people: made, listed, rotated and revoked, and what they changed."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from models.errors import UsageError
from models.moments import Moment
from models.names import nearest
from models.printable import NAME_LENGTH, on_a_line
from pipeline.people.keys import NewKey
from pipeline.people.records import SCOPES, SCOPES_OF, Scope
from pipeline.people.store import keys as store
from pipeline.people.store.audit import AuditLine, list_changes
from pipeline.people.store.keys import KeyLine
from pipeline.people.store.people import load_person

__all__ = ["AuditLine", "KeyLine"]


class NewKeyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was made a moment ago: `secret` is shown this once, and nobody can show it again."""

    secret: str
    key: str
    name: str
    person: str
    scopes: list[Scope]
    expires_at: Moment | None

    def __repr__(self) -> str:
        return f"NewKeyAnswer({self.key!r})"


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may do with other keys: those of its person whose scopes it has itself, and that end before it."""

    scopes: frozenset[Scope]
    expires_at: datetime | None = None


def list_keys(
    connection: Connection, person_id: int | None, *, limit: int | None = None, after_id: int = 0
) -> list[KeyLine]:
    """Return the keys of a person, or of all, also those that were revoked; the oldest first."""
    return store.list_keys(connection, person_id, limit=limit, after_id=after_id)


def show_key(connection: Connection, person_id: int | None, key: str) -> KeyLine:
    """Return a key as it may be shown: of a person, or anybody's; raises `UnknownThing`."""
    return store.load_key(connection, key, person_id)


def scopes_named(names: Collection[str]) -> frozenset[Scope]:
    """Return scopes by their names; raises `UsageError` for what is none."""
    if unknown := sorted(set(names) - set(SCOPES)):
        near = nearest(unknown[0], SCOPES)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(SCOPES)}"
        raise UsageError(f"there is no scope {on_a_line(unknown[0], NAME_LENGTH)!r}; {hint}")
    return frozenset(scope for scope in SCOPES if scope in names)


def add_key(
    connection: Connection,
    person_id: int,
    now: datetime,
    name: str,
    scopes: Collection[Scope],
    *,
    expires_at: datetime | None = None,
    within: Reach | None = None,
) -> NewKeyAnswer:
    """Make a key of a person, with all scopes of their role where none are given.

    Raises `UsageError` for scopes beyond the role or beyond `within`, and for a time that has passed.
    """
    if not name.strip():
        raise UsageError("give the key a name that says where it is used")
    if expires_at is not None and expires_at <= now:
        raise UsageError("the key would have expired already: give a time that is yet to come")
    role = load_person(connection, person_id).role
    wanted: frozenset[Scope] = frozenset(scopes) or (SCOPES_OF[role] if within is None else within.scopes)
    if within is not None:
        _check_reach(wanted, within)
        if within.expires_at is not None:
            expires_at = min(expires_at or within.expires_at, within.expires_at)
    return _shown(connection, store.add_key(connection, person_id, name.strip(), wanted, now, expires_at=expires_at))


def rotate_key(
    connection: Connection, person_id: int | None, now: datetime, key: str, *, within: Reach | None = None
) -> NewKeyAnswer:
    """Make a key in the place of another, which opens what it did for an hour more.

    Without `person_id` anybody's. Raises `UnknownThing`, and `UsageError` for a key that can do more than `within`.
    """
    if within is not None:
        _check_reach(store.load_key(connection, key, person_id).scopes, within)
    return _shown(connection, store.rotate_key(connection, key, now, person_id=person_id))


def revoke_key(
    connection: Connection, person_id: int | None, now: datetime, key: str, *, within: Reach | None = None
) -> KeyLine:
    """Revoke a key: from the next request on it opens nothing. Raises as `rotate_key` does."""
    if within is not None:
        _check_reach(store.load_key(connection, key, person_id).scopes, within)
    return store.revoke_key(connection, key, now, person_id=person_id)


def list_key_changes(
    connection: Connection, person_id: int | None, *, limit: int, before_id: int | None = None
) -> list[AuditLine]:
    """Return what keys changed, the newest first: of a person, or of all."""
    return list_changes(connection, limit=limit, person_id=person_id, before_id=before_id)


def _check_reach(scopes: Collection[Scope], within: Reach) -> None:
    if beyond := sorted(set(scopes) - within.scopes):
        raise UsageError(f"this key has not the scope {', '.join(beyond)} itself: use one that has")


def _shown(connection: Connection, key: NewKey) -> NewKeyAnswer:
    line = store.load_key(connection, key.public_id)
    return NewKeyAnswer(
        secret=key.key,
        key=line.key,
        name=line.name,
        person=line.person,
        scopes=line.scopes,
        expires_at=line.expires_at,
    )
