"""Holds an extraction while it is worked on: a thread renews its lease, and the work hears when it is lost."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from models.errors import LootwireError
from pipeline.sound.store.extractions import RENEWALS, Claimed, ExtractionLost, renew

logger = logging.getLogger(__name__)


class Stopping(LootwireError):
    """This program was asked to end: what is under way goes on at the next start."""


class Holding:
    """The lease of an extraction for the length of a `with` block; it is renewed four times within its length.

    `beat` is to be called every few seconds; it raises `ExtractionLost`, or `Stopping` where the program shall end.
    """

    def __init__(
        self,
        engine: Engine,
        claimed: Claimed,
        clock: Callable[[], datetime],
        lease: timedelta,
        is_stopping: Callable[[], bool],
    ) -> None:
        self._engine = engine
        self._claimed = claimed
        self._clock = clock
        self._lease = lease
        self._is_stopping = is_stopping
        self._began = time.monotonic()
        self._spent_before = claimed.spent_seconds
        self._counts_time = False
        self._progress: float | None = None
        self._size: int | None = None
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="extraction", daemon=True)

    def __enter__(self) -> Self:
        """Begin to renew the lease."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def beat(self, progress: float | None = None, size: int | None = None) -> None:
        """Note how far the work is, from 0 to 1, and how many bytes there are; written down with the next renewal."""
        if self._lost.is_set():
            raise ExtractionLost(f"extraction {self._claimed.id} is no longer this process's")
        if self._is_stopping():
            raise Stopping("this program ends, and the extraction goes on at the next start")
        if progress is not None:
            self._progress = progress
        if size is not None:
            self._size = size

    def begin(self, *, counts_time: bool) -> None:
        """Begin a stage: its progress is 0 again, and with `counts_time` it uses up the time of a download."""
        self._progress = self._size = None
        if self._counts_time:
            self._spent_before = self.spent
        self._began, self._counts_time = time.monotonic(), counts_time

    @property
    def spent(self) -> float:
        """How many seconds of wall clock the downloads of this extraction have taken in all."""
        return self._spent_before + (time.monotonic() - self._began if self._counts_time else 0.0)

    def _renew(self) -> None:
        renewed_at = time.monotonic()
        while not self._ended.wait(self._lease.total_seconds() / RENEWALS):
            try:
                with self._engine.begin() as connection:
                    renew(
                        connection,
                        self._claimed,
                        self._clock(),
                        lease=self._lease,
                        progress=self._progress,
                        size=self._size,
                        spent=self.spent,
                    )
                renewed_at = time.monotonic()
            except ExtractionLost:
                self._lost.set()
                return
            except SQLAlchemyError as error:
                # The database may be back in time. If not, another process may have it by now.
                logger.warning("extraction %s: its lease was not renewed: %s", self._claimed.id, type(error).__name__)
                if time.monotonic() - renewed_at > self._lease.total_seconds() * 0.9:
                    self._lost.set()
                    return
