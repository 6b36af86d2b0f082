"""Whose things a request means: the asker's own, or those of a person whom an owner names."""

from typing import Annotated

from msgspec import Meta

from pipeline.people.store.people import find_person
from pipeline.web.api.calls import Call, Caller, Changing, Reading
from pipeline.web.api.problems import RequestProblem

# The part of a cursor that is a row's id.
RowId = Annotated[int, Meta(ge=0, le=2**63 - 1)]


def asking(call: Call) -> Caller:
    """Return who asks; only for routes that want a key."""
    if call.caller is None:
        raise RuntimeError("a route that is open to everybody has no person")
    return call.caller


def refuse_all_but_admins(call: Call) -> None:
    """Raise `RequestProblem` unless an owner asks with a key that may administer."""
    if not (call.is_owner and "admin" in asking(call).scopes):
        raise RequestProblem("not-allowed", "only a key of an owner with the scope admin may ask for what is another's")


def person_meant(call: Reading | Changing, name: str | None) -> int:
    """Return the person whose things are meant: the one who asks, or for an admin's key the one who is named.

    Raises `RequestProblem` for any other key that names somebody: whether there is such a person is not said.
    """
    if name is None:
        return call.person_id
    refuse_all_but_admins(call)
    return find_person(call.connection, name).id
