"""The thread that writes notes to the database, so that threads which read messages never wait for it."""

import logging
import queue
import time
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

from pipeline.runtime.problems import explain

logger = logging.getLogger(__name__)
Note = Callable[[], object]


class Writer:
    """Runs the notes that it is given, one after the other; one that fails is logged and not tried again."""

    def __init__(self) -> None:
        self._notes: queue.SimpleQueue[Note | None] = queue.SimpleQueue()
        # When it began the note that it runs; None while it has nothing to do.
        self.busy_since: float | None = None

    def put(self, note: Note) -> None:
        """Have a note run soon."""
        self._notes.put(note)

    def end(self) -> None:
        """Let `run` return after the notes that were given before."""
        self._notes.put(None)

    def run(self) -> None:
        """Work until the end."""
        while (note := self._notes.get()) is not None:
            self.busy_since = time.monotonic()
            try:
                note()
            except OperationalError as error:
                logger.warning("not written down: %s", explain(error))
            except Exception:
                logger.exception("not written down")
            self.busy_since = None
