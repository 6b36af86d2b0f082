"""The lead: which one of several programs that would do the same does it."""

import logging

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from models.locks import lock_key, try_session

logger = logging.getLogger(__name__)


class Lead:
    """The right to be the only one of several programs, held for as long as a connection of its own lives."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = lock_key(name)
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Take the lead if it is free, or see that it is still ours; raises `OperationalError` without database."""
        if self._connection is not None and self._still_connected(self._connection):
            return True
        self.drop()
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # Out of the pool: the lock ends with this connection, and nothing else may end or borrow it.
        connection.detach()
        try:
            if try_session(connection, self._key):
                self._connection = connection
                return True
        finally:
            if self._connection is not connection:
                connection.close()
        return False

    def drop(self) -> None:
        """Give the lead up, for another program to take."""
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
