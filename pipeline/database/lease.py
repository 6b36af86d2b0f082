"""The lease of a piece of work: locks that last as long as the process that does it, on a connection of its own.

PostgreSQL gives them back when the connection ends, whatever ended it. So a process that was killed keeps nobody
waiting. One that lives and lost its connection hears of it at once, takes the locks again, or is interrupted where
another was faster: for longer than `NOTICED_WITHIN` no two believe that the work is theirs.

Work that takes long needs one more lock, of which there are few: where none is free it is interrupted, so that some
processes are always left for what is quick.
"""

import logging
import os
import select as polling
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import FrameType, TracebackType
from typing import NamedTuple, Self

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from models.errors import LootwireError
from models.locks import AT_ONCE, LockKey, end_session, try_session

# How soon a holder whose connection was ended knows that another may have taken its place.
NOTICED_WITHIN = timedelta(seconds=2)
# A network that swallows everything shows only in what is asked.
PING_EVERY = timedelta(seconds=5)
TAKE_AGAIN_FOR = timedelta(seconds=10)
_LOOK_EVERY = 0.1
# PostgreSQL must give up a connection whose other end is gone, though later than the holder notices that (by
# `tcp_user_timeout` of `connect`), and must not end one for doing nothing. Where it is on a socket these do nothing.
_SESSION = {
    "idle_session_timeout": "0",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

logger = logging.getLogger(__name__)


class LeaseLost(LootwireError):
    """The connection that held the lease is gone, and another process may do the work by now."""


class GaveWay(LootwireError):
    """The work takes long, and as much as may take long is under way already."""


class Slowness(NamedTuple):
    """The terms for work that takes longer than `after`: it holds one of the `locks`; without any it may take long.

    What `is_expected` to take long takes one of them at first.
    """

    locks: Sequence[LockKey] = ()
    after: timedelta = timedelta(seconds=10)
    is_expected: bool = False


_NEVER_TOO_SLOW = Slowness()


class Lease:
    """Locks of PostgreSQL for the length of a `with` block; `held` says whether all of them were free.

    They are waited for as long as the `patience`. What takes long does so on the terms of `slowness`.
    """

    def __init__(
        self,
        engine: Engine,
        keys: Sequence[LockKey],
        patience: timedelta = AT_ONCE,
        slowness: Slowness = _NEVER_TOO_SLOW,
    ) -> None:
        self.held = False
        self._slowness = slowness
        self._is_slow = slowness.is_expected
        self._began = time.monotonic()
        self._engine = engine
        self._keys = keys
        self._patience = patience
        self._connection: Connection | None = None
        self._lost = threading.Event()
        self._interrupts = False
        # Held while the main thread is signalled, so that it is not once it has left the block.
        self._turn = threading.Lock()
        self._watcher: threading.Thread | None = None
        self._stopping, self._stop = -1, -1

    def __enter__(self) -> Self:
        """Take the locks; raises `OperationalError` without database."""
        until = time.monotonic() + self._patience.total_seconds()
        while not (held := self._take()) and time.monotonic() < until:
            time.sleep(_LOOK_EVERY)
        self.held = held
        if held:
            self._stopping, self._stop = os.pipe()
            self._watcher = threading.Thread(target=self._watch, name="lease", daemon=True)
            self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watcher is not None:
            os.close(self._stop)
            self._watcher.join()
            os.close(self._stopping)
        self._close()

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Raise `LeaseLost` in the block as soon as the lease is lost; in other threads than the main one, after it.

        In the main thread it raises `GaveWay` where the block takes too long.
        """
        if threading.current_thread() is threading.main_thread():
            # It stays: outside of such a block it does nothing.
            signal.signal(signal.SIGUSR2, self._on_signal)
            with self._turn:
                self._interrupts = True
        try:
            yield
        finally:
            with self._turn:
                self._interrupts = False
            if self._lost.is_set():
                raise _lost()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._interrupts:
            self._interrupts = False
            raise _lost() if self._lost.is_set() else GaveWay("it takes long, and others must have their turn")

    def _take(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # Out of the pool: the locks end with this connection, and nothing else may end or borrow it.
        connection.detach()
        taken = False
        try:
            taken = try_session(connection, *self._keys, **_SESSION) and (
                not self._is_slow or self._may_be_slow(connection)
            )
            if taken:
                self._connection = connection
        finally:
            if not taken:
                end_session(connection)
        return taken

    def _may_be_slow(self, connection: Connection) -> bool:
        locks = self._slowness.locks
        return not locks or any(try_session(connection, key) for key in locks)

    def _close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            end_session(connection)

    def _watch(self) -> None:
        """See to it that the connection lives until the block is left."""
        while not self._waits(self._next_look()):
            if not self._lives() and not self._take_again():
                break
            if not self._is_slow and time.monotonic() >= self._slow_at and not self._go_on_slowly():
                break

    @property
    def _slow_at(self) -> float:
        return self._began + self._slowness.after.total_seconds()

    def _next_look(self) -> timedelta:
        left = timedelta(seconds=self._slow_at - time.monotonic())
        return PING_EVERY if self._is_slow else max(timedelta(seconds=_LOOK_EVERY), min(PING_EVERY, left))

    def _go_on_slowly(self) -> bool:
        """Take a lock of those that take long, or interrupt the block; returns whether to go on watching."""
        try:
            self._is_slow = self._connection is None or self._may_be_slow(self._connection)
        except SQLAlchemyError:
            # The next look takes care of that.
            return True
        if self._is_slow:
            return True
        with self._turn:
            if not self._interrupts:
                # What cannot be interrupted any more is about to end.
                self._is_slow = True
                return True
            self._interrupt()
        return False

    def _waits(self, pause: timedelta) -> bool:
        """Wait until something comes from PostgreSQL, or that long; returns whether the block was left meanwhile."""
        waiting = polling.poll()
        waiting.register(self._stopping, polling.POLLIN)
        if self._connection is not None:
            waiting.register(_socket(self._connection), polling.POLLIN)
        return self._stopping in dict(waiting.poll(pause.total_seconds() * 1000))

    def _lives(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.execute(select(1))
        except SQLAlchemyError:
            return False
        return True

    def _take_again(self) -> bool:
        """Take the locks on a new connection, for the old one is gone; returns whether to go on watching."""
        logger.warning("the connection that holds a lease is gone; taking it again")
        self._close()
        until = time.monotonic() + TAKE_AGAIN_FOR.total_seconds()
        while time.monotonic() < until:
            with suppress(SQLAlchemyError):
                if self._take():
                    return True
                break
            if self._waits(timedelta(seconds=_LOOK_EVERY)):
                return True
        self._lose()
        return False

    def _lose(self) -> None:
        self._lost.set()
        with self._turn:
            if self._interrupts:
                self._interrupt()

    @staticmethod
    def _interrupt() -> None:
        if (main := threading.main_thread().ident) is not None:
            signal.pthread_kill(main, signal.SIGUSR2)


def _socket(connection: Connection) -> int:
    number: int = connection.connection.dbapi_connection.fileno()  # type: ignore[union-attr]
    return number


def _lost() -> LeaseLost:
    return LeaseLost("the connection that held the lease is gone, and another process may have it by now")
