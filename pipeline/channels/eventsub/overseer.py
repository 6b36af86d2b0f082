"""Decide which of several programs may act, and see whether all threads of this one are alive."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from models.errors import LootwireError
from pipeline.channels.eventsub.timing import Timing
from pipeline.database.locks import Lead
from pipeline.runtime import heartbeat
from pipeline.runtime.problems import explain

logger = logging.getLogger(__name__)


class Hung(LootwireError):
    """A thread gives no sign any more, and only a new process helps."""


class Part:
    """A thread, and when it last gave a sign: a monotonic time, None while it has nothing to do."""

    def __init__(self, name: str, run: Callable[[], object], seen_at: Callable[[], float | None]) -> None:
        self.name = name
        self.thread = threading.Thread(target=run, name=name, daemon=True)
        self._seen_at = seen_at

    def check(self, timing: Timing) -> None:
        """Raise `Hung` if it has ended or stands still."""
        if not self.thread.is_alive():
            raise Hung(f"the thread `{self.name}` has ended")
        seen_at = self._seen_at()
        if seen_at is not None and time.monotonic() - seen_at > timing.hung.total_seconds():
            raise Hung(f"the thread `{self.name}` stands still")


class Overseer:
    """Holds the lead, shows that the program lives, and looks after its threads. Belongs to one thread."""

    def __init__(
        self, engine: Engine, name: str, parts: Sequence[Part], *, now: Callable[[], datetime], timing: Timing
    ) -> None:
        self._engine = engine
        self._name = name
        self._parts = parts
        self._now = now
        self._timing = timing
        self._lead = Lead(engine, f"lootwire {name}")
        self._waits = False
        self._leads = False
        self._beat_at = float("-inf")

    @property
    def leads(self) -> bool:
        """Whether this program is the one that may act; any thread may ask."""
        return self._leads

    def look(self) -> None:
        """Check the threads, take the lead if it is free, and beat; raises `Hung`."""
        for part in self._parts:
            part.check(self._timing)
        try:
            self._take_lead()
        except OperationalError as error:
            # The leader keeps its session: messages wait in memory until the database is back.
            logger.warning("%s", explain(error))

    def end(self) -> None:
        """Let another program lead."""
        self._leads = False
        self._lead.drop()

    def _take_lead(self) -> None:
        leads = self._lead.take()
        if not leads and (self._leads or not self._waits):
            logger.info("another program does this already; waiting for it to end", extra={"program": self._name})
            self._waits = True
        self._leads = leads
        if leads and time.monotonic() - self._beat_at > self._timing.beat.total_seconds():
            heartbeat.beat(self._engine, self._now(), self._name)
            self._beat_at = time.monotonic()
