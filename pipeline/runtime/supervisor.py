"""Runs Lootwire's programs side by side and starts again what ends; nothing outlives it, not even its `kill -9`.

Each child leads a session of its own, so a Ctrl-C in the terminal reaches only the supervisor, which then stops
the children in good order. The children watch the reading end of a pipe whose writing end only the supervisor
holds: when the kernel closes it, they end by themselves (`watch_parent`).
"""

import contextlib
import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from models.errors import LootwireError
from models.printable import printable
from pipeline.runtime.nursery import Forked, Nursery

PARENT_FD = "LOOTWIRE_PARENT_FD"
ORPHAN_SECONDS = 10
COLD_SECONDS = 10
FIRST_PAUSE_SECONDS = 1.0
# With the start itself no more than two ticks.
LONGEST_PAUSE_SECONDS = 40.0
TURN_SECONDS = 0.1
# While nothing is wrong: a supervisor that looks ten times a second costs more than a program that waits.
CALM_SECONDS = 1.0

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AlreadyRunning(LootwireError):
    """Another supervisor runs the same data directory; the text names it."""


@dataclass(frozen=True)
class Program:
    """A program to keep running; it should call `watch_parent` when it starts.

    One that `shares` has an `-m` in its `argv`: where the supervisor has a nursery, a fork of that runs what follows.
    One with `while_there` runs only as long as that file is there; it is asked to end when it is gone.
    """

    name: str
    argv: Sequence[str]
    shares: bool = False
    while_there: str | None = None


@dataclass
class Backoff:
    """How long to wait before the next start: longer after each short life, from 1 to 40 seconds."""

    pause: float = 0.0

    def after(self, lived: float) -> float:
        """Return the seconds to wait after a life of so many seconds."""
        if self.pause == 0 or lived > LONGEST_PAUSE_SECONDS:
            self.pause = FIRST_PAUSE_SECONDS
        else:
            self.pause = min(self.pause * 2, LONGEST_PAUSE_SECONDS)
        return self.pause


class _Child:
    """One program and the process that runs it, if any."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self.backoff = Backoff()
        self.started_at = 0.0
        self.due_at = 0.0
        # Set while a restart was asked for: when to stop waiting for its good will.
        self.kill_at: float | None = None

    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_wanted(self) -> bool:
        return self.program.while_there is None or os.path.exists(self.program.while_there)  # noqa: PTH110 - no import

    def send_signal(self, number: signal.Signals) -> None:
        # Only the leader: a Celery worker decides itself what its pool processes do.
        if self.process is not None:
            self.process.send_signal(number)

    def kill_group(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            deadline = time.monotonic() + COLD_SECONDS
            while self.lives() and time.monotonic() < deadline:
                time.sleep(TURN_SECONDS / 10)


class Supervisor:
    """Keeps programs running from the `with` statement's start to its end, for one data directory.

    `each_second` is called about once a second in a thread of its own and may take its time: it is the place to
    bring servers back (`embedded.ensure`) and to `restart` a program whose heartbeat is old. What it raises
    goes to `say`, and it is called again after a pause. `say` gets one line at a time, from any thread.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        data_dir: Path,
        env: Mapping[str, str],
        each_second: Callable[[], None] | None = None,
        grace_seconds: float = 30,
        say: Callable[[str], None] | None = None,
        preload: str | None = None,
    ) -> None:
        """`preload` is the module that a nursery loads for the programs that share; without it they start alone."""
        self.data_dir = data_dir
        self.grace_seconds = grace_seconds
        self._children = {program.name: _Child(program) for program in programs}
        self._env = dict(env)
        self._preload = preload
        self._nursery: Nursery | None = None
        self._each_second = each_second
        self._say = say or say_on_stderr
        self._stopping = threading.Event()
        # Held while a child is started or looked after, so that nothing is born while everything ends.
        self._turn = threading.RLock()
        self._resources = contextlib.ExitStack()
        self._reading = -1

    def __enter__(self) -> Self:
        """Start all programs, or raise AlreadyRunning."""
        with contextlib.ExitStack() as resources:
            resources.callback(os.close, _lock(self.data_dir))
            reading, writing = os.pipe()  # neither is inherited, but for the reading end that _start passes on
            resources.callback(os.close, writing)
            resources.callback(os.close, reading)
            self._reading = reading
            if self._preload is not None:
                self._nursery = Nursery(self._preload, env=self._env, inherited=reading)
                resources.callback(self._nursery.close)
            self._resources = resources.pop_all()
        self._look_after_children()
        threading.Thread(target=self._watch_children, name="supervisor", daemon=True).start()
        if self._each_second is not None:
            threading.Thread(
                target=self._call_each_second, args=(self._each_second,), name="supervisor-servers", daemon=True
            ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def run_until_signal(self, each_turn: Callable[[], None] = lambda: None) -> int:
        """Wait for SIGINT, SIGTERM or SIGHUP, stop everything, and return the exit code 0.

        `each_turn` is called about twice a second meanwhile; a signal waits for its end.
        A second signal cuts the grace short, a third one ends all at once. Call it from the main thread.
        """
        with _counted_signals() as received:
            while not received:
                each_turn()
                time.sleep(CALM_SECONDS / 2)
            self._tell("stopping; what is under way may end first, another Ctrl-C hurries it")
            self._stop(hurry=lambda: len(received) - 1)
        return 0

    def restart(self, name: str) -> None:
        """Stop one program, with the usual grace, and start it again at once; returns without waiting."""
        with self._turn:
            child = self._children[name]
            if child.lives() and child.kill_at is None:
                self._tell(f"{name} is restarted")
                child.kill_at = time.monotonic() + self.grace_seconds
                child.send_signal(signal.SIGTERM)

    def run(self, arguments: Sequence[str], env: Mapping[str, str], *, seconds: float = 60.0) -> int:
        """Run `python -m` with these arguments and further variables to its end; returns the exit code.

        One that takes longer than these seconds, or is under way when all stops, is killed. Raises OSError where it
        cannot be started.
        """
        with self._turn:
            if self._stopping.is_set():
                return -signal.SIGKILL
            process = self._spawn([sys.executable, "-m", *arguments], env, shares=True)
        deadline = time.monotonic() + seconds
        while (code := process.poll()) is None:
            if self._stopping.is_set() or time.monotonic() > deadline:
                process.send_signal(signal.SIGKILL)
            time.sleep(TURN_SECONDS / 5)
        return code

    def stop(self) -> None:
        """End all programs: SIGTERM and the grace, then SIGQUIT, then SIGKILL; a Ctrl-C meanwhile hurries it."""
        with _counted_signals() as received:
            self._stop(hurry=lambda: len(received))

    def _stop(self, hurry: Callable[[], int]) -> None:
        if self._stopping.is_set():
            return
        self._stopping.set()
        with self._turn, self._resources:
            self._ask(signal.SIGTERM, self.grace_seconds, lambda: hurry() >= 1)
            self._ask(signal.SIGQUIT, COLD_SECONDS, lambda: hurry() >= 2)
            for child in self._children.values():
                child.kill_group()

    def _ask(self, number: signal.Signals, seconds: float, hurried: Callable[[], bool]) -> None:
        """Send a signal to all children that live, and wait until they have ended or the wait is cut short."""
        deadline = time.monotonic() + seconds
        for child in self._living():
            child.send_signal(number)
        while self._living() and time.monotonic() < deadline and not hurried():
            time.sleep(TURN_SECONDS)

    def _living(self) -> list[_Child]:
        return [child for child in self._children.values() if child.lives()]

    def _tell(self, text: str) -> None:
        # The reader may be gone, as after `lootwire up | head`; the programs must be looked after all the same.
        with contextlib.suppress(OSError):
            self._say(text)

    def _watch_children(self) -> None:
        while not self._stopping.wait(CALM_SECONDS):
            self._look_after_children()

    def _call_each_second(self, call: Callable[[], None]) -> None:
        backoff, pause = Backoff(), 1.0
        while not self._stopping.wait(pause):
            try:
                call()
            except Exception as error:  # noqa: BLE001 - whatever it is, the programs must stay looked after
                pause = backoff.after(0)
                if not self._stopping.is_set():
                    self._tell(f"{error}; trying again in {pause:.0f} s")
            else:
                backoff, pause = Backoff(), 1.0

    def _look_after_children(self) -> None:
        with self._turn:
            if self._stopping.is_set():
                return
            now = time.monotonic()
            for child in self._children.values():
                if child.lives():
                    if child.kill_at is not None and now > child.kill_at:
                        child.kill_group()
                    elif child.kill_at is None and not child.is_wanted():
                        child.kill_at = now + self.grace_seconds
                        child.send_signal(signal.SIGTERM)
                    continue
                if child.process is not None:
                    self._note_end(child, now)
                if now >= child.due_at and child.is_wanted():
                    self._start(child, now)

    def _note_end(self, child: _Child, now: float) -> None:
        if child.process is None:
            return
        # Pool processes that have lost their worker would go on with tasks whose end nothing takes note of.
        child.kill_group()
        code = child.process.poll() or 0
        child.process = None
        if child.kill_at is not None:
            child.kill_at = None
            child.due_at = now
            return
        self._postpone(child, now, f"ended with {_exit_text(code)}")

    def _start(self, child: _Child, now: float) -> None:
        child.started_at = now
        try:
            child.process = self._spawn(child.program.argv, {}, shares=child.program.shares)
        except OSError as error:
            self._postpone(child, now, f"could not be started: {error}")

    def _spawn(
        self, argv: Sequence[str], more_env: Mapping[str, str], *, shares: bool
    ) -> "subprocess.Popen[bytes] | Forked":
        env = self._env | {PARENT_FD: str(self._reading)} | dict(more_env)
        if shares and self._nursery is not None:
            return self._nursery.start(argv[argv.index("-m") + 1 :], env)
        return subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            # Programs log to standard error. What Celery prints besides is for a person who runs it by hand.
            stdout=subprocess.DEVNULL,
            pass_fds=(self._reading,),
            start_new_session=True,
        )

    def _postpone(self, child: _Child, now: float, what: str) -> None:
        pause = child.backoff.after(now - child.started_at)
        child.due_at = now + pause
        self._tell(f"{child.program.name} {what}; starting it again in {pause:.0f} s")


def stop_signals() -> Sequence[signal.Signals]:
    """Return the signals that end a supervisor in good order."""
    return _STOP_SIGNALS


def check_alone(data_dir: Path) -> None:
    """Raise `AlreadyRunning` if a supervisor runs the data directory; changes nothing."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.close(_open_locked(data_dir, os.O_RDONLY))


def _lock(data_dir: Path) -> int:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = _open_locked(data_dir, os.O_RDWR | os.O_CREAT)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def _open_locked(data_dir: Path, flags: int) -> int:
    descriptor = os.open(data_dir / "up.lock", flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode(errors="replace").strip()
        os.close(descriptor)
        known = f" (process {holder})" if holder else ""
        raise AlreadyRunning(
            f"Lootwire already runs in {data_dir}{known}. Stop it first, or set another LOOTWIRE_DATA_DIR."
        ) from None
    return descriptor


@contextlib.contextmanager
def _counted_signals() -> Iterator[list[int]]:
    """Collect stop signals in a list instead of being ended by them; elsewhere than in the main thread, do nothing."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.getsignal(number) for number in _STOP_SIGNALS}
    # An ignored SIGHUP is nohup's wish. An ignored SIGINT is only what scripts give to programs started with `&`.
    if before[signal.SIGHUP] == signal.SIG_IGN:
        del before[signal.SIGHUP]
    for number in before:
        signal.signal(number, lambda got, _frame: received.append(got))
    try:
        yield received
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _exit_text(code: int) -> str:
    return f"code {code}" if code >= 0 else f"signal {-code} ({signal.strsignal(-code)})"


def say_on_stderr(text: str) -> None:
    """Print a line for the operator."""
    sys.stderr.write(f"lootwire: {printable(text)}\n")


def watch_parent() -> None:
    """End this process when the supervisor that started it is gone; does nothing where there was none.

    Call it once, early, in the main process of each program. The process gets SIGTERM, and after ten seconds its
    whole process group is killed.
    """
    # Taken out of the environment: in a program that we start the number would mean another file.
    descriptor = os.environ.pop(PARENT_FD, "")
    if descriptor.isdecimal() and _is_pipe(int(descriptor)):
        threading.Thread(target=_end_with_parent, args=(int(descriptor),), name="watch-parent", daemon=True).start()


def _end_with_parent(descriptor: int) -> None:
    os.read(descriptor, 1)  # the supervisor never writes: it returns when the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_SECONDS)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _is_pipe(descriptor: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:
        return False
