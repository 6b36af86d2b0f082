"""Invitations: an address that gives a person a key, once, within three days."""

import base64
import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from models import Invitation, Person
from models.errors import LootwireError
from models.moments import Moment
from pipeline.people.keys import NewKey
from pipeline.people.records import SCOPES_OF, Role
from pipeline.people.store.keys import add_key

LASTS = timedelta(days=3)
_SECRET_BYTES = 32
_NAME = re.compile(r"[a-z2-7]{52}")


class InvitationEnded(LootwireError):
    """An invitation that gives no key any more, or never was: used, expired, withdrawn or mistyped."""


class NewInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that was made a moment ago: its name is shown once, and kept as its digest."""

    name: str
    expires_at: Moment

    def __repr__(self) -> str:
        return f"NewInvitation(expires_at={self.expires_at!r})"


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """The person whom an invitation is for, and how it stands."""

    person: str
    role: Role
    expires_at: Moment


def invite(connection: Connection, person_id: int, now: datetime) -> NewInvitation:
    """Make an invitation for a person; an earlier one that was not used gives no key any more."""
    withdrawn = delete(Invitation).where(Invitation.person_id == person_id, Invitation.used_at.is_(None))
    connection.execute(withdrawn)
    name = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode().lower().rstrip("=")
    row = {"person_id": person_id, "digest": _digest(name), "created_at": now, "expires_at": now + LASTS}
    connection.execute(insert(Invitation).values(row))
    return NewInvitation(name=name, expires_at=now + LASTS)


def look_at(connection: Connection, name: str, now: datetime) -> Invited:
    """Return whom an invitation is for; raises `InvitationEnded` where it gives no key."""
    row = _find(connection, name, now)
    return Invited(person=row.person, role=row.role, expires_at=row.expires_at)


def use(connection: Connection, name: str, now: datetime) -> NewKey:
    """Make the key that an invitation gives, with all scopes of the person's role, and use the invitation up.

    Raises `InvitationEnded`: of two that use it at once, one gets the key.
    """
    row = _find(connection, name, now, locked=True)
    connection.execute(update(Invitation).where(Invitation.id == row.id).values(used_at=now))
    return add_key(connection, row.person_id, "invitation", SCOPES_OF[row.role], now)


def forget_ended(connection: Connection, before: datetime) -> int:
    """Forget invitations that ended before a moment; returns how many."""
    ended = func.coalesce(Invitation.used_at, Invitation.expires_at) < before
    return connection.execute(delete(Invitation).where(ended)).rowcount


def _find(connection: Connection, name: str, now: datetime, *, locked: bool = False) -> Any:
    query = (
        select(
            Invitation.id,
            Invitation.person_id,
            Invitation.used_at,
            Invitation.expires_at,
            Person.name.label("person"),
            Person.role,
        )
        .join(Person)
        .where(Invitation.digest == _digest(name), Person.disabled_at.is_(None))
    )
    if locked:
        query = query.with_for_update(of=Invitation)
    row = connection.execute(query).one_or_none() if _NAME.fullmatch(name) else None
    if row is None:
        raise InvitationEnded("This invitation is not valid. Ask for another one.")
    if row.used_at is not None:
        raise InvitationEnded("This invitation was used already. If that was not you, tell whoever sent it.")
    # One of the future was made by a wrong clock.
    if row.expires_at <= now or row.expires_at > now + LASTS:
        raise InvitationEnded("This invitation has expired. Ask for another one.")
    return row


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
