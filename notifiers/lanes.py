"""Lanes: processes that each send one message at a time, so that one that hangs, dies or eats memory harms no other.

A lane is a fork of the process that settles: it shares what that one has loaded, has no connection of its own, and is
given a job through a pipe. It can be killed at any moment, which no thread can. Lanes are forked on demand; one that
was quick is used again, and one that has nothing to do for a while ends.
"""

import gc
import os
import resource
import signal
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, TypeVar

from notifiers.errors import DeliveryError

# So many lanes begin at once. A burst to quick services then keeps to a few processes, and what hangs holds up the
# next message for a moment only: after that its lane counts no longer.
FRESH_LANES = 4
FRESH_SECONDS = 0.1
# A lane that took longer may have left something running behind it, such as a thread that still waits for an answer.
REUSABLE_SECONDS = 5.0
IDLE_LANES = 4
IDLE_SECONDS = 20.0
# A library that leaks takes it along; and the fork of a fork would be old memory.
JOBS_A_LANE = 200
# With what it shares, some 100 MB: a message is kilobytes, and a picture in it some megabytes.
MEMORY_BYTES = 512 * 2**20

Key = TypeVar("Key")


@dataclass(frozen=True)
class Ended(Generic[Key]):
    """A job that is over: what it was started as, what it returned or raised, and how long it took."""

    key: Key
    outcome: Any
    seconds: float


@dataclass(eq=False)
class _Lane:
    pid: int
    pipe: "Connection[Any, Any]"
    jobs: int = 0
    # Times of the monotonic clock: when its job began, or its rest; and when the job must be over.
    since: float = 0.0
    kill_at: float = 0.0


class Lanes(Generic[Key]):
    """Runs jobs in at most so many processes; to be used from one thread.

    `work` is called in a lane with what `start` was given, and raises DeliveryError where it fails; all this must be
    picklable.
    """

    def __init__(self, work: Callable[..., Any], most: int) -> None:
        """Start nothing yet."""
        self._work = work
        self._most = most
        self._busy: dict[_Lane, Key] = {}
        self._idle: list[_Lane] = []

    @property
    def under_way(self) -> list[Key]:
        """What the jobs that are under way were started as."""
        return list(self._busy.values())

    def room(self) -> int:
        """Return how many jobs may be started now."""
        fresh_since = time.monotonic() - FRESH_SECONDS
        fresh = sum(lane.since > fresh_since for lane in self._busy)
        return max(0, min(self._most - len(self._busy), FRESH_LANES - fresh))

    def start(self, key: Key, job: tuple[Any, ...], seconds: float) -> None:
        """Begin a job, and kill its lane should it take longer than these seconds; `wait` returns the key with its end.

        Raises DeliveryError where this machine has no room for another process.
        """
        lane = self._given(job)
        lane.jobs += 1
        lane.since = time.monotonic()
        lane.kill_at = lane.since + seconds
        self._busy[lane] = key

    def wait(self, seconds: float) -> list[Ended[Key]]:
        """Return the jobs that are over as soon as there are any, or when so many seconds have passed."""
        self._end_idle(IDLE_SECONDS)
        if not self._busy:
            return []
        first_end = min(lane.kill_at for lane in self._busy) - time.monotonic()
        ready = wait([lane.pipe for lane in self._busy], max(0.0, min(seconds, first_end)))
        now = time.monotonic()
        over = [lane for lane in self._busy if lane.pipe in ready or lane.kill_at <= now]
        return [Ended(self._busy.pop(lane), self._outcome(lane, now), now - lane.since) for lane in over]

    def stop(self, reason: str) -> list[Ended[Key]]:
        """Kill every lane; returns the jobs that were under way as failed, for this reason."""
        now = time.monotonic()
        ended = [Ended(key, DeliveryError(reason), now - lane.since) for lane, key in self._busy.items()]
        for lane in self._busy:
            _kill(lane)
        self._busy = {}
        self._end_idle(0.0)
        return ended

    def _given(self, job: tuple[Any, ...]) -> _Lane:
        """Return a lane that has taken the job."""
        while self._idle:
            lane = self._idle.pop()
            with suppress(OSError):
                lane.pipe.send(job)
                return lane
            # Killed from outside while it rested.
            _kill(lane)
        try:
            lane = self._fork()
        except OSError as error:
            raise DeliveryError(f"no process could be started to send it: {error.strerror}") from error
        with suppress(OSError):
            # One that has died already is found by `wait`.
            lane.pipe.send(job)
        return lane

    def _fork(self) -> _Lane:
        ours, theirs = Pipe()
        with theirs, warnings.catch_warnings():
            # Python warns where there are other threads: a lock that one of them holds stays locked in the fork. The
            # worker has but one, which waits for the end of its supervisor and holds nothing.
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                pid = os.fork()
            except OSError:
                ours.close()
                raise
            if pid == 0:
                _be_lane(theirs, self._work)
        return _Lane(pid, ours)

    def _outcome(self, lane: _Lane, now: float) -> Any:
        """Return what came of a lane's job, and let the lane rest or end."""
        seconds = now - lane.since
        if not lane.pipe.poll():
            _kill(lane)
            return DeliveryError(f"it was not over after {seconds:.0f} s")
        try:
            outcome = lane.pipe.recv()
        except (EOFError, OSError):
            return DeliveryError(f"the process that sent it {_end_text(_kill(lane))}")
        if seconds < REUSABLE_SECONDS and lane.jobs < JOBS_A_LANE and len(self._idle) < IDLE_LANES:
            lane.since = now
            self._idle.append(lane)
        else:
            _kill(lane)
        return outcome

    def _end_idle(self, seconds: float) -> None:
        resting_since = time.monotonic() - seconds
        for lane in [lane for lane in self._idle if lane.since <= resting_since]:
            self._idle.remove(lane)
            _kill(lane)


def _kill(lane: _Lane) -> int:
    """End a lane that holds nothing we want; returns the status of its end, or 0 where nobody knows it."""
    lane.pipe.close()
    with suppress(ProcessLookupError):
        os.kill(lane.pid, signal.SIGKILL)
    # Elsewhere than under a supervisor a parent may have asked not to hear of its children.
    with suppress(ChildProcessError):
        return os.waitpid(lane.pid, 0)[1]
    return 0


def _end_text(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"ended with signal {-code} ({signal.strsignal(-code)})" if code < 0 else "ended"


def _be_lane(pipe: "Connection[Any, Any]", work: Callable[..., Any]) -> None:
    """Do the jobs that come through the pipe until it is closed, and never return."""
    try:
        # Nothing that the parent left may be taken apart here: its connections are its own.
        gc.freeze()
        _forget_signals()
        _close_all_but(pipe.fileno())
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
        while True:
            pipe.send(_outcome(work, pipe.recv()))
    except (EOFError, OSError):
        os._exit(0)
    finally:
        os._exit(1)


def _outcome(work: Callable[..., Any], job: tuple[Any, ...]) -> Any:
    try:
        return work(*job)
    except DeliveryError as error:
        return error
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the end of this message alone
        # Its type is all we dare to store: its text may hold the address.
        return DeliveryError(f"the message could not be sent ({type(error).__name__})")


def _forget_signals() -> None:
    """Be ended by what ends any program; a Ctrl-C is for the parent, which gives a message the time to be sent."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGALRM, signal.SIGUSR1, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _close_all_but(pipe: int) -> None:
    """Close what the parent has open: a database must see the end of its connection when the parent dies."""
    for path in list(Path("/dev/fd").iterdir()):
        if int(path.name) not in {0, 1, 2, pipe}:
            with suppress(OSError):
                os.close(int(path.name))
