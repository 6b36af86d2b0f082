"""What is opened for a request: who asks is looked up in the transaction that the rest of it is in as well."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from pipeline.people.store.keys import note_use
from pipeline.runtime.runtime import READING_MS, Runtime
from pipeline.web.api.binding import bind
from pipeline.web.api.callers import Callers, SentKey
from pipeline.web.api.calls import Caller, Changing, Reading, Working
from pipeline.web.api.messages import Asked
from pipeline.web.api.routing import Operation


class Passage(msgspec.Struct, kw_only=True):
    """A request on its way: what it asks for, when it came, and headers that its answer gets whatever comes of it."""

    operation: Operation
    asked: Asked
    now: datetime
    # None for what is open to everybody.
    sent: SentKey | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    # A key whose last use is to be noted once the answer is made.
    unused_key: int | None = None

    def bound(self) -> dict[str, Any]:
        """Return the arguments of the handler; raises `InvalidRequest`."""
        return bind(self.operation, self.asked.path, self.asked.query, self.asked.body)


class Entrance:
    """Opens calls with a runtime for those whom `callers` lets in."""

    def __init__(self, runtime: Runtime, callers: Callers) -> None:
        self._runtime = runtime
        self._callers = callers

    def count(self, passage: Passage) -> None:
        """Count a request before anything is opened for it; raises `RequestProblem` for one that may not go on."""
        if passage.operation.scope is None:
            self._callers.count_unknown(passage.asked, passage.headers)
        else:
            passage.sent = self._callers.read_key(passage.asked, passage.headers)

    @contextmanager
    def reading(self, passage: Passage) -> Iterator[Reading]:
        """Give a call that reads, in a session that can change nothing."""
        with self._runtime.reading_engine.connect() as connection:
            caller = self._find(connection, passage)
            yield Reading(connection=connection, runtime=self._runtime, now=passage.now, caller=caller)

    @contextmanager
    def changing(self, passage: Passage, *, repeatable: bool = False) -> Iterator[Changing]:
        """Give a call that changes something; a `repeatable` transaction fails where others changed the same rows."""
        engine = self._runtime.engine
        if repeatable:
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {READING_MS}")
            caller = self._find(connection, passage)
            yield Changing(connection=connection, runtime=self._runtime, now=passage.now, caller=caller)

    def working(self, passage: Passage) -> Working:
        """Return a call that opens its own transactions."""
        with self._runtime.reading_engine.connect() as connection:
            caller = self._find(connection, passage)
        return Working(runtime=self._runtime, now=passage.now, caller=caller)

    def leave(self, passage: Passage) -> None:
        """Note that the key was used, which is true to the hour: so nearly always there is nothing to note."""
        if passage.unused_key is not None:
            with self._runtime.engine.begin() as connection:
                note_use(connection, passage.unused_key, passage.now)

    def _find(self, connection: Connection, passage: Passage) -> Caller | None:
        if passage.sent is None:
            return None
        caller, holder = self._callers.find(connection, passage.sent, passage.operation, passage.asked, passage.now)
        passage.unused_key = holder.key_id if holder.is_unused else None
        return caller
