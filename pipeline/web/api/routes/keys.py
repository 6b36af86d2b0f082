"""`/keys`: what opens the API, and what was changed with it.

A key manages those of its own person that can do no more than it can; an owner's key with the scope admin manages
everybody's, below `/people`.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from pipeline.operations import keys
from pipeline.operations.keys import AuditLine, KeyLine, NewKeyAnswer, Reach
from pipeline.people.records import Scope
from pipeline.web.api.asking import RowId, asking, person_meant, refuse_all_but_admins
from pipeline.web.api.calls import Changing, Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.routing import Routes

routes = Routes("keys")


class KeysQuery(PageQuery, frozen=True, kw_only=True):
    """Which page; with `everybody` of all people, which an owner's key with the scope admin may ask."""

    everybody: bool = False


class ChangesQuery(PageQuery, frozen=True, kw_only=True):
    """Which page; with `everybody` of all people, which an owner's key with the scope admin may ask."""

    everybody: bool = False


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to make; without scopes it gets all that it may have."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Meta(max_length=20)] = []
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


@routes.add("GET", "/keys", scope="read")
def list_keys(call: Reading, query: KeysQuery) -> Page[KeyLine]:
    """List your keys, also those that were revoked, the oldest first.

    The keys themselves nobody can show.
    """
    return _list(call, query, _whose(call, everybody=query.everybody))


@routes.add("POST", "/keys", scope="read", status=201)
def add_key(call: Changing, body: NewKey) -> NewKeyAnswer:
    """Make a key, whose secret is in this answer alone.

    It can do no more than the key that asks, and does not outlive it.
    """
    return _add(call, call.person_id, body, _reach(call))


@routes.add("GET", "/keys/history", scope="read")
def list_changes(call: Reading, query: ChangesQuery) -> Page[AuditLine]:
    """List which key changed what, the newest first."""
    before = read_cursor(query, RowId)
    changes = keys.list_key_changes(
        call.connection,
        _whose(call, everybody=query.everybody),
        limit=query.limit + 1,
        before_id=None if before is None else before[0],
    )
    return make_page(changes, query, lambda each: each.id)


@routes.add("POST", "/keys/{key}/rotate", scope="read", status=201)
def rotate_key(call: Changing, key: str) -> NewKeyAnswer:
    """Make a key in the place of one of yours, which opens what it did for an hour more."""
    return keys.rotate_key(call.connection, call.person_id, call.now, key, within=_reach(call))


@routes.add("DELETE", "/keys/{key}", scope="read")
def revoke_key(call: Changing, key: str) -> None:
    """Revoke one of your keys: from the next request on it opens nothing."""
    keys.revoke_key(call.connection, call.person_id, call.now, key, within=_reach(call))


@routes.add("GET", "/people/{person}/keys", scope="admin", role="owner")
def list_keys_of(call: Reading, person: str, query: PageQuery) -> Page[KeyLine]:
    """List a person's keys, also those that were revoked, the oldest first."""
    return _list(call, query, person_meant(call, person))


@routes.add("POST", "/people/{person}/keys", scope="admin", role="owner", status=201)
def add_key_of(call: Changing, person: str, body: NewKey) -> NewKeyAnswer:
    """Make a key of a person, whose secret is in this answer alone."""
    return _add(call, person_meant(call, person), body, None)


@routes.add("POST", "/people/{person}/keys/{key}/rotate", scope="admin", role="owner", status=201)
def rotate_key_of(call: Changing, person: str, key: str) -> NewKeyAnswer:
    """Make a key in the place of a person's, which opens what it did for an hour more."""
    return keys.rotate_key(call.connection, person_meant(call, person), call.now, key)


@routes.add("DELETE", "/people/{person}/keys/{key}", scope="admin", role="owner")
def revoke_key_of(call: Changing, person: str, key: str) -> None:
    """Revoke a person's key: from the next request on it opens nothing."""
    keys.revoke_key(call.connection, person_meant(call, person), call.now, key)


def _list(call: Reading, query: PageQuery, person_id: int | None) -> Page[KeyLine]:
    after = read_cursor(query, RowId)
    lines = keys.list_keys(call.connection, person_id, limit=query.limit + 1, after_id=0 if after is None else after[0])
    return make_page(lines, query, lambda each: each.id)


def _add(call: Changing, person_id: int, body: NewKey, within: Reach | None) -> NewKeyAnswer:
    return keys.add_key(
        call.connection, person_id, call.now, body.name, body.scopes, expires_at=body.expires_at, within=within
    )


def _whose(call: Reading, *, everybody: bool) -> int | None:
    if not everybody:
        return call.person_id
    refuse_all_but_admins(call)
    return None


def _reach(call: Changing) -> Reach:
    caller = asking(call)
    expires_at = keys.show_key(call.connection, caller.person_id, caller.key).expires_at
    return Reach(scopes=caller.scopes, expires_at=expires_at)
