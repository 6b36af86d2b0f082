"""Lanes: many jobs at once, in few processes that may hang, die or eat memory without harm to anything else.

A lane is a thread with one job. Lanes live in forks of the process that settles: a fork shares what that one has
loaded, has no connection of its own, and is given jobs through a pipe. As long as few jobs are under way each has a
process to itself, so the death of one is the end of one job; only then do they share. Processes are forked on demand,
and end when they have had nothing to do for a while.
"""

import gc
import os
import resource
import signal
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from notifiers.errors import DeliveryError

# So many jobs begin at once. A burst that goes quickly then keeps to a few processes, and what hangs holds up the next
# job for a moment only: after that it counts no longer.
FRESH_LANES = 16
FRESH_SECONDS = 0.1
# When there are more jobs than these, they share processes.
PROCESSES = 4
# With those that take no more jobs and cannot end yet, for something hangs in them: there each has 40 MB of its own.
MOST_PROCESSES = 8
# Beside those, for jobs that shared a process which died: alone, the one that kills is alone next time.
LONE_PROCESSES = 4
IDLE_PROCESSES = 4
IDLE_SECONDS = 20.0
# A library that leaks takes its process along.
JOBS_A_PROCESS = 500
# Beside what it shares with the process that it is forked of: a message is kilobytes, a picture in it some megabytes.
MEMORY_BYTES = 400 * 2**20
# Enough for json at ten thousand calls, where Python 3.13 ends it; such an answer of a service would kill with less.
STACK_BYTES = 2 * 2**20
_LANE = "lane"

Key = TypeVar("Key")


@dataclass(frozen=True)
class Ended(Generic[Key]):
    """A job that is over: what it was started as, what it returned or raised, and how long it took.

    `is_broken_off` says that its process ended first, so that nobody knows how far it came; `is_suspect` that it died,
    maybe of this job.
    """

    key: Key
    outcome: Any
    seconds: float
    is_broken_off: bool = False
    is_suspect: bool = False


@dataclass(frozen=True)
class _Lane(Generic[Key]):
    key: Key
    # Times of the monotonic clock.
    since: float
    kill_at: float


@dataclass(eq=False)
class _Process(Generic[Key]):
    pid: int
    pipe: "Connection[Any, Any]"
    is_lone: bool
    lanes: dict[int, _Lane[Key]] = field(default_factory=dict)
    jobs: int = 0
    # It takes no more jobs where another can, and ends with its last.
    is_spent: bool = False
    # It was killed from outside with jobs under way, which `wait` is about to tell.
    is_gone: bool = False
    idle_since: float = 0.0

    @property
    def kill_at(self) -> float:
        return min(lane.kill_at for lane in self.lanes.values())


class Lanes(Generic[Key]):
    """Runs jobs, at most so many at once; to be used from one thread.

    `work` is called with what `start` was given, and raises DeliveryError where it fails; all this must be picklable.
    """

    def __init__(self, work: Callable[..., Any], most: int) -> None:
        """Start nothing yet."""
        self._work = work
        self._most = most
        self._processes: list[_Process[Key]] = []

    @property
    def under_way(self) -> list[Key]:
        """What the jobs that are under way were started as."""
        return [lane.key for lane in self._lanes()]

    def room(self) -> int:
        """Return how many jobs may be started now."""
        lanes, fresh_since = self._lanes(), time.monotonic() - FRESH_SECONDS
        fresh = sum(lane.since > fresh_since for lane in lanes)
        return max(0, min(self._most - len(lanes), FRESH_LANES - fresh))

    def start(self, key: Key, job: tuple[Any, ...], seconds: float, *, alone: bool = False) -> None:
        """Begin a job; `wait` returns the key with its end, also where it takes more than these seconds.

        Raises DeliveryError where this machine has no room for another process.
        """
        process = self._chosen(alone=alone)
        while not self._give(process, job):
            process = self._chosen(alone=alone)
        now = time.monotonic()
        process.lanes[process.jobs] = _Lane(key, now, now + seconds)

    def wait(self, seconds: float) -> list[Ended[Key]]:
        """Return the jobs that are over as soon as there are any, or when so many seconds have passed."""
        self._end_idle(IDLE_SECONDS)
        busy = [process for process in self._processes if process.lanes]
        if not busy:
            return []
        patience = min(seconds, min(process.kill_at for process in busy) - time.monotonic())
        ready = wait([process.pipe for process in busy], max(0.0, patience))
        return [ended for process in busy for ended in self._look_at(process, is_ready=process.pipe in ready)]

    def stop(self, reason: str) -> list[Ended[Key]]:
        """Kill every process; returns the jobs that were under way as failed, for this reason."""
        ended = [ended for process in self._processes for ended in _failed(process, reason)]
        for process in list(self._processes):
            self._kill(process)
        return ended

    def _lanes(self) -> list[_Lane[Key]]:
        return [lane for process in self._processes for lane in process.lanes.values()]

    def _chosen(self, *, alone: bool) -> _Process[Key]:
        """Return the process that takes the next job."""
        shared = [process for process in self._processes if not (process.is_lone or process.is_gone)]
        usable = [process for process in shared if not process.is_spent]
        if alone and sum(process.is_lone for process in self._processes) < LONE_PROCESSES:
            return self._fork(is_lone=True)
        if idle := [process for process in usable if not process.lanes]:
            return idle[-1]
        if len(usable) < PROCESSES and len(shared) < MOST_PROCESSES:
            return self._fork()
        return min(usable or shared, key=lambda process: len(process.lanes))

    def _fork(self, *, is_lone: bool = False) -> _Process[Key]:
        ours, theirs = Pipe()
        with theirs, warnings.catch_warnings():
            # Python warns where there are other threads: a lock that one of them holds stays locked in the fork. The
            # worker has but one, which waits for the end of its supervisor and holds nothing.
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                pid = os.fork()
            except OSError as error:
                ours.close()
                raise DeliveryError(f"no process could be started to send it: {error.strerror}") from error
            if pid == 0:
                _serve(theirs, self._work)
        process: _Process[Key] = _Process(pid, ours, is_lone)
        self._processes.append(process)
        return process

    def _give(self, process: _Process[Key], job: tuple[Any, ...]) -> bool:
        """Hand a process a job; returns False where it was killed from outside, and another must take it."""
        process.jobs += 1
        process.is_spent |= process.jobs >= JOBS_A_PROCESS or process.is_lone
        try:
            process.pipe.send((process.jobs, job))
        except OSError:
            # One that dies as soon as it is born is no reason to fork for ever: `wait` tells how it ended.
            if process.jobs == 1:
                return True
            process.is_spent = process.is_gone = True
            if not process.lanes:
                self._kill(process)
            return False
        return True

    def _look_at(self, process: _Process[Key], *, is_ready: bool) -> list[Ended[Key]]:
        """Return the jobs of a process that are over, and do away with it where it must not go on."""
        ended: list[Ended[Key]] = []
        try:
            while is_ready and process.lanes and process.pipe.poll():
                ended.append(_over(process))
        except (EOFError, OSError):
            return [*ended, *self._dead(process)]
        if process.lanes and process.kill_at <= time.monotonic():
            return [*ended, *self._overdue(process)]
        if not process.lanes:
            process.idle_since = time.monotonic()
            is_one_too_many = sum(not other.lanes for other in self._processes) > IDLE_PROCESSES
            if process.is_spent or is_one_too_many:
                self._kill(process)
        return ended

    def _dead(self, process: _Process[Key]) -> list[Ended[Key]]:
        reason = f"the process that sent it {_end_text(self._kill(process))}"
        return _failed(process, reason, is_suspect=True)

    def _overdue(self, process: _Process[Key]) -> list[Ended[Key]]:
        self._kill(process)
        return _failed(process, "it took too long, or another message of its process did")

    def _end_idle(self, seconds: float) -> None:
        idle_since = time.monotonic() - seconds
        for process in [process for process in self._processes if not process.lanes]:
            if process.idle_since <= idle_since:
                self._kill(process)

    def _kill(self, process: _Process[Key]) -> int:
        """End a process; returns the status of its end, or 0 where nobody knows it."""
        self._processes.remove(process)
        process.pipe.close()
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        # Elsewhere than under a supervisor the parent may have asked not to hear of its children.
        with suppress(ChildProcessError):
            return os.waitpid(process.pid, 0)[1]
        return 0


def _over(process: _Process[Key]) -> Ended[Key]:
    """Return the job whose end a process tells next."""
    number, outcome, is_spent = process.pipe.recv()
    process.is_spent |= is_spent
    lane = process.lanes.pop(number)
    return Ended(lane.key, outcome, time.monotonic() - lane.since)


def _failed(process: _Process[Key], reason: str, *, is_suspect: bool = False) -> list[Ended[Key]]:
    now = time.monotonic()
    error = DeliveryError(reason)
    return [Ended(lane.key, error, now - lane.since, True, is_suspect) for lane in process.lanes.values()]


def _end_text(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"ended with signal {-code} ({signal.strsignal(-code)})"
    return f"ended with code {code}" if code else "ended"


def _serve(pipe: "Connection[Any, Any]", work: Callable[..., Any]) -> NoReturn:
    """Begin the jobs that come through the pipe, in a thread each, until it is closed."""
    try:
        # Nothing that the parent left may be taken apart here: its connections are its own.
        gc.freeze()
        _forget_signals()
        _close_all_but(pipe.fileno())
        _limit_memory()
        threading.stack_size(STACK_BYTES)
        answering = threading.Lock()
        while True:
            number, job = pipe.recv()
            threading.Thread(target=_run, args=(pipe, answering, work, number, job), name=_LANE, daemon=True).start()
    except EOFError:
        os._exit(0)
    finally:
        os._exit(1)


def _run(
    pipe: "Connection[Any, Any]", answering: threading.Lock, work: Callable[..., Any], number: int, job: tuple[Any, ...]
) -> None:
    outcome = _outcome(work, job)
    # A library that gives up a wait leaves the thread behind that goes on waiting.
    is_spent = any(thread.name != _LANE for thread in threading.enumerate() if thread is not threading.main_thread())
    # The parent may be gone; then the end of the pipe ends this process.
    with answering, suppress(OSError):
        pipe.send((number, outcome, is_spent))


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


def _limit_memory() -> None:
    """Let a job that wants all memory fail alone, where the system can do that (Linux)."""
    # Where there is less already, so be it.
    with suppress(ValueError, OSError):
        # The sixth number of proc(5)'s statm: pages of data and stacks.
        taken = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (taken + MEMORY_BYTES, taken + MEMORY_BYTES))


def _close_all_but(pipe: int) -> None:
    """Close what the parent has open: a database must see the end of its connection when the parent dies."""
    for path in list(Path("/dev/fd").iterdir()):
        if int(path.name) not in {0, 1, 2, pipe}:
            with suppress(OSError):
                os.close(int(path.name))
