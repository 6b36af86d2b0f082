"""Locks of a database session: they hold without a transaction, and end with the process that holds them."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)


def lock_key(name: str) -> int:
    """Return the number that PostgreSQL knows a lock by."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)


@contextmanager
def one_at_a_time(engine: Engine, name: str) -> Iterator[None]:
    """Wait for a lock, and hold it for the length of a `with` block."""
    key = lock_key(name)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(select(func.pg_advisory_lock(key)))
        try:
            yield
        finally:
            _give_back(connection, key)


def _give_back(connection: Connection, key: int) -> None:
    try:
        connection.execute(select(func.pg_advisory_unlock(key)))
    except SQLAlchemyError:
        # Then the session ends, and the lock with it: a pool must not hand out a connection that still holds one.
        connection.invalidate()


class Lead:
    """The right to be the only one of several programs, held for as long as a connection of its own lives."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = lock_key(name)
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Take the lead if nobody has it, or see that it is still ours; raises `OperationalError` without database."""
        if self._connection is not None and self._still_connected(self._connection):
            return True
        self.drop()
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # Out of the pool: the lock ends with this connection, and nothing else may end or borrow it.
        connection.detach()
        try:
            if connection.scalar(select(func.pg_try_advisory_lock(self._key))):
                self._connection = connection
                return True
        finally:
            if self._connection is not connection:
                connection.close()
        return False

    def drop(self) -> None:
        """Let somebody else have it."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    @staticmethod
    def _still_connected(connection: Connection) -> bool:
        try:
            connection.execute(select(1))
        except SQLAlchemyError as error:
            logger.warning("the connection that says who leads is lost: %s", type(error).__name__)
            return False
        return True
