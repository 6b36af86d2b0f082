"""Wake the program that handles messages as soon as another program has kept some.

PostgreSQL's NOTIFY does it when the transaction commits. No row depends on it, since sweeps find the rows too.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import cast

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.runtime.problems import explain

logger = logging.getLogger(__name__)
# How long a thread that should end may go on listening.
LOOK_EVERY = 0.5
AFTER_TROUBLE = 1.0
_NOTIFY = text("NOTIFY lootwire_eventsub")
_LISTEN = text("LISTEN lootwire_eventsub")


def notify(connection: Connection) -> None:
    """Wake the listeners when the caller's transaction commits."""
    connection.execute(_NOTIFY)


class WakeListener:
    """Listens for `notify`; `run` is the body of a thread, and `wake` must not wait."""

    def __init__(self, engine: Engine, wake: Callable[[], object]) -> None:
        self._engine = engine
        self._wake = wake
        self._ends = threading.Event()
        self.seen_at = time.monotonic()

    def end(self) -> None:
        """Let `run` return within a moment."""
        self._ends.set()

    def run(self) -> None:
        """Listen until the end, over as many connections as it takes."""
        while not self._ends.is_set():
            try:
                self._listen()
            except (SQLAlchemyError, psycopg.Error) as error:
                reason = explain(error) or type(error).__name__
                logger.warning("messages are handled a little later: %s", reason)
                self._ends.wait(AFTER_TROUBLE)

    def _listen(self) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            driver = cast("psycopg.Connection[tuple[object, ...]]", connection.connection.driver_connection)
            # Out of the pool, which could no longer lend it to others.
            connection.detach()
            connection.execute(_LISTEN)
            # Rows may have been kept before we listened.
            self._wake()
            while not self._ends.is_set():
                self.seen_at = time.monotonic()
                for _ in driver.notifies(timeout=LOOK_EVERY, stop_after=1):
                    self._wake()
