"""The thread that keeps messages and handles them: many at once when they come fast."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from celery import Celery
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from pipeline.channels.eventsub.inbox import AT_ONCE, handle, keep_all, set_aside_unread
from pipeline.channels.eventsub.lookup import LookUp
from pipeline.channels.eventsub.messages import Notification
from pipeline.channels.eventsub.timing import Timing
from pipeline.runtime.celery_app import hint
from pipeline.runtime.problems import explain

logger = logging.getLogger(__name__)
# While the database is away, messages wait in memory: an hour of a busy installation.
MOST_WAITING = 50_000
AFTER_TROUBLE = 1.0


class Unread(msgspec.Struct, frozen=True):
    """A frame that could not be read, and why."""

    frame: str
    reason: str


class Hints:
    """Wakes the workers that send and publish, often enough and no more: a hundred hints say the same as one."""

    SEND_EVERY = 0.2
    # A worker takes a while for the pages, and readers do not need them in the same second.
    PUBLISH_EVERY = 5.0

    def __init__(self, app: Celery, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._clock = clock
        self._due = {"send.due": False, "publish.marked": False}
        self._said_at = dict.fromkeys(self._due, float("-inf"))

    def news(self) -> None:
        """Hint that there are events, now or in a moment."""
        self._due = dict.fromkeys(self._due, True)
        self.flush()

    def flush(self) -> None:
        """Send the hints that are due, unless they were sent just now."""
        for task, every in (("send.due", self.SEND_EVERY), ("publish.marked", self.PUBLISH_EVERY)):
            if self._due[task] and self._clock() - self._said_at[task] >= every:
                self._due[task], self._said_at[task] = False, self._clock()
                hint(self._app, task, expires=15)

    @property
    def is_due(self) -> bool:
        """Whether a hint is still to be sent."""
        return any(self._due.values())


class Intake:
    """Takes messages from any thread; `run` is the body of the thread that works on them."""

    def __init__(
        self,
        engine: Engine,
        look_up: LookUp,
        hints: Hints,
        *,
        flap: timedelta,
        now: Callable[[], datetime],
        timing: Timing,
        via: str = "websocket",
    ) -> None:
        self._engine = engine
        self._look_up = look_up
        self._hints = hints
        self._flap = flap
        self._now = now
        self._timing = timing
        self._via = via
        self._queue: queue.SimpleQueue[Notification | Unread] = queue.SimpleQueue()
        self._pending: list[Notification] = []
        self._woken = threading.Event()
        self._ends = threading.Event()
        self.seen_at = time.monotonic()

    def put(self, message: Notification | Unread) -> None:
        """Take a message; it is kept within milliseconds, or when the database is back."""
        if self._queue.qsize() > MOST_WAITING:
            # Polling will see the change that it was about.
            logger.error("a message is dropped: too many wait for the database")
            return
        self._queue.put(message)
        self._woken.set()

    def wake(self) -> None:
        """Say that there are rows to be handled."""
        self._woken.set()

    def end(self) -> None:
        """Let `run` return once the messages taken are kept; handling them can wait."""
        self._ends.set()
        self._woken.set()

    def run(self) -> None:
        """Work until the end."""
        while not self._ends.is_set():
            self.seen_at = time.monotonic()
            self._work_once()
        self._guarded(self._keep)

    def _work_once(self) -> None:
        pause = Hints.SEND_EVERY if self._hints.is_due else self._timing.sweep.total_seconds()
        self._woken.wait(pause)
        self._woken.clear()
        if not self._guarded(self._keep) or not self._guarded(self._handle):
            # The messages wait where they are.
            self._ends.wait(AFTER_TROUBLE)
            self._woken.set()
        self._hints.flush()

    def _keep(self) -> None:
        while True:
            unread = self._fetch_from_queue()
            for frame in unread:
                set_aside_unread(self._engine, frame.frame.encode(errors="replace"), frame.reason, self._now())
            if not self._pending:
                return
            keep_all(self._engine, self._pending, via=self._via, now=self._now())
            self._pending = []

    def _fetch_from_queue(self) -> Sequence[Unread]:
        unread: list[Unread] = []
        while len(self._pending) < AT_ONCE:
            try:
                message = self._queue.get_nowait()
            except queue.Empty:
                break
            if isinstance(message, Unread):
                unread.append(message)
            else:
                self._pending.append(message)
        return unread

    def _handle(self) -> None:
        events = handle(self._engine, self._look_up, self._now, flap=self._flap, on_events=self._hints.news)
        if events:
            logger.info("told by EventSub", extra={"events": dict(events)})

    @staticmethod
    def _guarded(work: Callable[[], object]) -> bool:
        """Do the work, and return whether it went well; an error is logged and does not end the thread."""
        try:
            work()
        except OperationalError as error:
            logger.warning("messages wait: %s", explain(error))
        except Exception:
            logger.exception("messages wait")
        else:
            return True
        return False
