"""What a handler is given: who asks, the moment, and what is open for it.

A handler says by the type of its first parameter what it needs. One transaction holds all that a `Changing` call does,
with its line in the audit log and what a repeated request is answered.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, cast

import msgspec
from sqlalchemy import Connection

from pipeline.people.records import Role, Scope
from pipeline.runtime.runtime import Runtime

if TYPE_CHECKING:
    import psycopg

__all__ = ["Call", "Caller", "Changing", "Reading", "Role", "Scope", "Working"]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The person that a request comes from, and the key that it was made with."""

    person_id: int
    role: Role
    scopes: frozenset[Scope]
    key_id: int
    # The part of the key that may be shown.
    key: str


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may be answered. `caller` is None where a route is open to everybody."""

    runtime: Runtime
    now: datetime
    caller: Caller | None

    @property
    def person_id(self) -> int:
        """The person who asks; a route without a scope has none."""
        if self.caller is None:
            raise RuntimeError("a route that is open to everybody has no person")
        return self.caller.person_id

    @property
    def is_owner(self) -> bool:
        """Whether the owner of the installation asks."""
        return self.caller is not None and self.caller.role == "owner"


class Reading(Call, frozen=True, kw_only=True):
    """A call that reads, in a session that may change nothing; each statement sees what is there when it begins."""

    connection: Connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Give what is read a transaction for the length of a `with` block, as cursors and settings of its own need."""
        driver = cast("psycopg.Connection[tuple[object, ...]]", self.connection.connection.driver_connection)
        with driver.transaction():
            yield


class Changing(Call, frozen=True, kw_only=True):
    """A call that changes something, in one transaction that is committed when the handler has returned."""

    connection: Connection


class Working(Call, frozen=True, kw_only=True):
    """A call that asks a service or works on files: it opens its own transactions, and none meanwhile."""
