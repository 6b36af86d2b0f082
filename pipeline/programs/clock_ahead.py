"""Notices that the clock was set ahead, and doubts it until a service has the same time.

By a clock that is a day ahead campaigns would end, and be told to have ended, a day too soon. So what time alone brings
about waits: until a service agrees, for then the clock is right now; until it is set back; or until no service has
given any time for so long that the operator must mean it.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Engine

from pipeline.ingest.service_time import agreed_since, is_disputed

logger = logging.getLogger(__name__)
# More than whoever keeps a clock right sets it by while it runs.
AHEAD = timedelta(minutes=10)
# The mirror is asked each minute.
PATIENCE = timedelta(minutes=10)


# As much as a tick takes: less holds nothing up.
BACK = timedelta(seconds=10)


def _rounded(seconds: float) -> timedelta:
    return timedelta(seconds=round(seconds))


def steady() -> float:
    """Return the seconds of a clock that nobody sets, and that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ClockBack:
    """Remembers how the clock stood to the steady one, and so sees it set back by a little, which no row can show.

    Times that lie some minutes ahead may be another machine's (`models.due.CLOCK_TOLERANCE`). For several threads.
    """

    def __init__(self, now: Callable[[], datetime], steady: Callable[[], float] = steady) -> None:
        """Take the clock for right as it is."""
        self._now = now
        self._steady = steady
        self._turn = Lock()
        self._offset = self._ahead()

    def was_set_back(self) -> bool:
        """Return whether the clock was set back since the last look, by more than a tick takes."""
        with self._turn:
            before, self._offset = self._offset, self._ahead()
            return before - self._offset > BACK.total_seconds()

    def _ahead(self) -> float:
        return self._now().timestamp() - self._steady()


class ClockAhead:
    """Remembers by how much the clock was ahead of the steady one when it was last looked at; for several threads."""

    def __init__(self, now: Callable[[], datetime], steady: Callable[[], float] = steady) -> None:
        """Take the clock for right as it is."""
        self._now = now
        self._steady = steady
        self._turn = Lock()
        self._offset = self._ahead()
        # What it was before it was set ahead; since when it is doubted, by its own time; until when, by the steady one.
        self._trusted = self._offset
        self._since: datetime | None = None
        self._until = 0.0

    def is_doubted(self, engine: Engine) -> bool:
        """Return whether the clock was set ahead lately, and no service has agreed with it since."""
        with self._turn:
            self._look()
            if self._since is not None and self._is_settled(engine, self._since):
                self._since, self._trusted = None, self._offset
            return self._since is not None

    def _look(self) -> None:
        offset = self._ahead()
        if offset - self._trusted <= AHEAD.total_seconds():
            if self._since is not None:
                logger.warning("the clock was set back again; all goes on by it")
            self._since, self._trusted = None, offset
        elif self._since is None or abs(offset - self._offset) > AHEAD.total_seconds():
            self._since, self._until = self._now(), self._steady() + PATIENCE.total_seconds()
            logger.warning("%s; until a service has the same time, nothing starts or ends by it", self._change(offset))
        self._offset = offset

    def _change(self, offset: float) -> str:
        """Return in words how the clock was set just now."""
        by, ahead = _rounded(offset - self._offset), _rounded(offset - self._trusted)
        if offset < self._offset:
            return f"the clock was set back by {-by}, and is still ahead by {ahead}"
        return f"the clock was set ahead by {by}" + (f", and is ahead by {ahead}" if ahead != by else "")

    def _is_settled(self, engine: Engine, since: datetime) -> bool:
        with engine.connect() as connection:
            is_agreed = agreed_since(connection, since, self._now())
            is_denied = is_disputed(connection, self._now())
        if is_agreed:
            logger.warning("a service has the same time; the clock is right")
        elif self._steady() >= self._until and not is_denied:
            logger.warning("no service has given its time for %s; the clock is taken for right", PATIENCE)
            return True
        return is_agreed

    def _ahead(self) -> float:
        return self._now().timestamp() - self._steady()
