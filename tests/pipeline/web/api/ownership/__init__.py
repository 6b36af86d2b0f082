"""Whose a thing is: every route with every role for own, another's and nobody's things, a module a subject.

A subject's module has:

- `CASES`: a `Case` for each operation with a part in its path that names a thing of a person. `make(world, person_id)`
  makes such a thing anew for that person and returns the values of the path: `{"target": "mail"}`. It takes names from
  `world.name()`, which never gives one twice. `body` and `query` are what a request needs to be understood: so that
  what is refused is refused for its path alone; either may be a function of the path's values.
- `PUBLIC`: each other operation with a part in its path, with the reason: `{"events.show_event": "events are facts"}`.

`test_ownership.py` asks each of them with each role and with no key: without a key 401; where the role or its scopes
do not suffice 403; another person's thing and nobody's are the same 404; one's own is anything but 401, 403, 404 and
5xx. Operations without a part in their path need no case: they are asked without a key and with roles that may not.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine

from models.vault import Vault
from pipeline.runtime.runtime import Runtime

Path = Mapping[str, str | int]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are made: the database, the vault, the runtime of the server, the moment, and an owner."""

    engine: Engine
    vault: Vault
    runtime: Runtime
    now: datetime
    _numbers: Iterator[int] = msgspec.field(default_factory=itertools.count)

    def name(self) -> str:
        """Return a name that nothing else has, and that resembles none."""
        return "n" + hashlib.sha256(str(next(self._numbers)).encode()).hexdigest()[:11]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An operation, how to make a thing of a person that it is about, and what else a request needs."""

    operation: str
    make: Callable[[World, int], Path]
    body: Any = None
    query: Any = None
