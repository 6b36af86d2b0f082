"""Hear as soon as another program has committed something, by PostgreSQL's NOTIFY (`pipeline.database.ringing`)."""

import logging
import threading
import time
from collections.abc import Callable
from typing import cast

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.database.ringing import Bell
from pipeline.runtime.problems import explain

logger = logging.getLogger(__name__)
# How long a thread that should end may go on listening.
LOOK_EVERY = 0.5
AFTER_TROUBLE = 1.0


class WakeListener:
    """Listens for a bell; `run` is the body of a thread, and `wake` must not wait."""

    def __init__(self, engine: Engine, bell: Bell, wake: Callable[[], object]) -> None:
        self._engine = engine
        self._listen_to = text(f"LISTEN {bell.value}")
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
                logger.warning("what is new is seen a little later: %s", reason)
                self._ends.wait(AFTER_TROUBLE)

    def _listen(self) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            driver = cast("psycopg.Connection[tuple[object, ...]]", connection.connection.driver_connection)
            # Out of the pool, which could no longer lend it to others.
            connection.detach()
            connection.execute(self._listen_to)
            # Something may have come before we listened.
            self._wake()
            while not self._ends.is_set():
                self.seen_at = time.monotonic()
                for _ in driver.notifies(timeout=LOOK_EVERY, stop_after=1):
                    self._wake()
