"""Let a process die, or lose its database, at a named point of its work, by listening to what its engine does.

Nothing of the product is patched and nothing in it knows of this: SQLAlchemy tells each statement before and after it
runs, and each commit. A process that died says nothing more: until it is started anew each of its statements fails, so
that no handler of an exception can mend what a `kill -9` would have left. Its connections end, as they would.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Engine, event, text

from tests.waiting import wait_for

Moment = Literal["before", "after", "commit", "committed"]
Way = Literal["dies", "loses the database"]


class Died(BaseException):
    """The process died here. No error of ours, nor one that ours may catch."""


@dataclass(frozen=True)
class Point:
    """A point of the work: before or after a statement that holds all these words, or at the commit of one."""

    name: str
    moment: Moment
    words: tuple[str, ...]


class Crashing:
    """What an engine does, with a crash where one is armed."""

    def __init__(self, engine: Engine, others: Engine) -> None:
        """`others` is an engine of another session, which ends connections of this one."""
        self.struck: Counter[str] = Counter()
        # The statements of the transactions that were committed since the work began.
        self.committed: list[str] = []
        self._engine = engine
        self._others = others
        self._point: Point | None = None
        self._way: Way = "dies"
        self._left = 0
        self._is_dead = False
        self._statements: dict[int, list[str]] = {}
        self._taken: dict[int, Any] = {}
        self._listeners: list[tuple[Any, str, Any]] = [
            (engine, "checkout", self._check_out),
            (engine, "begin", self._begin),
            (engine, "before_cursor_execute", self._before),
            (engine, "after_cursor_execute", self._after),
            (engine, "commit", self._commit),
            (engine.pool, "reset", self._reset),
        ]

    @contextmanager
    def at(self, point: Point | None, way: Way = "dies", nth: int = 1) -> Iterator[None]:
        """Crash the work of a `with` block when it passes a point for the n-th time; without a point it goes well."""
        self._point, self._way, self._left, self._is_dead = point, way, nth, False
        self.committed.clear()
        self._statements.clear()
        self._taken.clear()
        for listener in self._listeners:
            event.listen(*listener)
        try:
            yield
        finally:
            for listener in self._listeners:
                event.remove(*listener)
            if self._is_dead:
                self._end_connections()

    @property
    def has_struck(self) -> bool:
        """Whether the crash that was armed has come."""
        return self._point is None and self._left == 0

    def _end_connections(self) -> None:
        """Close what a dead process had open, also what its code took out of the pool; the next one connects anew."""
        self._engine.dispose()
        living = [driver for driver in self._taken.values() if not driver.closed]
        backends = [driver.info.backend_pid for driver in living]
        for driver in living:
            driver.close()
        # PostgreSQL takes a moment to give back their locks.
        query = text("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ANY(:backends))")
        with self._others.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            wait_for(lambda: other.scalar(query, {"backends": backends}))

    def _check_out(self, driver: Any, *_: Any) -> None:
        self._taken[id(driver)] = driver

    def _begin(self, connection: Connection) -> None:
        self._statements[id(connection.connection.driver_connection)] = []

    def _before(self, connection: Connection, _: Any, statement: str, *__: Any) -> None:
        self._check_alive()
        self._pass("before", connection, statement)

    def _after(self, connection: Connection, _: Any, statement: str, *__: Any) -> None:
        self._statements.setdefault(id(connection.connection.driver_connection), []).append(statement)
        self._pass("after", connection, statement)

    def _commit(self, connection: Connection) -> None:
        self._check_alive()
        statements = self._statements.get(id(connection.connection.driver_connection), [])
        self._pass("commit", connection, *statements)
        # SQLAlchemy tells it just before; a database that was lost makes the next line of its code fail.
        self._statements[id(connection.connection.driver_connection)] = ["COMMIT", *statements]

    def _reset(self, driver_connection: Any, *_: Any) -> None:
        """See a connection go back to the pool: the first moment after its commit."""
        statements = self._statements.pop(id(driver_connection), [])
        if statements[:1] == ["COMMIT"] and not driver_connection.closed:
            self.committed += statements[1:]
            self._pass("committed", None, *statements[1:])

    def _check_alive(self) -> None:
        if self._is_dead:
            raise Died

    def _pass(self, moment: Moment, connection: Connection | None, *statements: str) -> None:
        point = self._point
        if point is None or point.moment != moment:
            return
        if not any(all(word in statement for word in point.words) for statement in statements):
            return
        self._left -= 1
        if self._left == 0:
            self._point = None
            self.struck[point.name] += 1
            self._strike(connection)

    def _strike(self, connection: Connection | None) -> None:
        if self._way == "dies" or connection is None:
            self._is_dead = True
            raise Died
        driver = connection.connection.driver_connection
        backend = driver.info.backend_pid  # type: ignore[union-attr]
        with self._others.connect() as other:
            # Until it is gone: the next statement must not be faster.
            other.execute(text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend})
