"""Starts programs as forks of one process that has loaded what they share, so that it is loaded and held once.

`python -m pipeline.runtime.nursery FD MODULE` imports the module, freezes what that made and then waits for requests
on a socket: a line of JSON each. It has one thread and no connection, so its forks begin as clean as a program that was
started by itself, `python -m MODULE ARGUMENT…`, and look like one to `ps`. It ends when the socket's other end is
closed.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Signals that a terminal or a service manager sends to all: the supervisor alone decides which program ends when.
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# Room for the command line of a program that is forked.
_ROOM = "." * 240


class Nursery:
    """The supervisor's end of the socket; started with the first program, and again after it was lost."""

    def __init__(self, module: str, *, env: Mapping[str, str], inherited: int) -> None:
        """Will load a module; `inherited` is a file descriptor that every program gets."""
        self._module = module
        self._env = dict(env)
        self._inherited = inherited
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._unread = b""
        self._codes: dict[int, int] = {}
        # How many nurseries have been started: how the forks of an earlier one ended cannot be learned.
        self._generation = 0

    def start(self, arguments: Sequence[str], env: Mapping[str, str]) -> "Forked":
        """Start `python -m` with these arguments, in a session of its own; raises OSError if that fails."""
        with self._turn:
            if self._socket is None:
                self._open()
            try:
                self._send({"arguments": list(arguments), "env": dict(env)})
                started: list[int] = []
                while not started:
                    started = self._take_note(self._receive(wait=True))
            except OSError as error:
                self._lose()
                raise ConnectionError("the process that it is forked of has ended") from error
            return Forked(self, self._generation, started[0])

    def code_of(self, generation: int, pid: int) -> int | None:
        """Return how a program ended; None while it lives, and -9 where a lost nursery took the answer along."""
        with self._turn:
            try:
                self._take_note(self._receive(wait=False))
            except OSError:
                self._lose()
            if pid in self._codes and generation == self._generation:
                return self._codes.pop(pid)
            is_known = self._socket is not None and generation == self._generation
            return None if is_known else -signal.SIGKILL

    def close(self) -> None:
        """End the nursery; programs that live go on."""
        with self._turn:
            self._lose()

    def _open(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # -P: it must import this project, not a `pipeline` that happens to lie in the working directory.
            argv = [sys.executable, "-P", "-m", "pipeline.runtime.nursery", str(theirs.fileno()), self._module, _ROOM]
            try:
                self._process = subprocess.Popen(
                    argv,
                    env=self._env,
                    stdin=subprocess.DEVNULL,
                    # Programs log to standard error. What Celery prints besides is for a person who runs it by hand.
                    stdout=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(), self._inherited),
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                raise
        self._socket, self._unread, self._codes = ours, b"", {}
        self._generation += 1

    def _lose(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _take_note(self, answers: Sequence[Mapping[str, int]]) -> list[int]:
        """Keep how programs ended, which one may have in the moment it was started; returns those that were started."""
        self._codes |= {answer["pid"]: answer["code"] for answer in answers if "code" in answer}
        return [answer["pid"] for answer in answers if "code" not in answer]

    def _send(self, request: Mapping[str, Any]) -> None:
        if self._socket is not None:
            self._socket.sendall(json.dumps(request).encode() + b"\n")

    def _receive(self, *, wait: bool) -> list[dict[str, int]]:
        """Return the answers that have come; an OSError says that the nursery has ended."""
        if self._socket is None:
            return []
        while wait or select.select([self._socket], [], [], 0)[0]:
            part = self._socket.recv(65536)
            if not part:
                raise ConnectionResetError
            self._unread += part
            wait = wait and b"\n" not in self._unread
        *lines, self._unread = self._unread.split(b"\n")
        return [json.loads(line) for line in lines]


class Forked:
    """A program that a nursery has started, to be handled as a `subprocess.Popen`."""

    def __init__(self, nursery: Nursery, generation: int, pid: int) -> None:
        self._nursery = nursery
        self._generation = generation
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it lives."""
        if self.returncode is None:
            self.returncode = self._nursery.code_of(self._generation, self.pid)
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork for each request until the socket is closed; returns the request in a fork, and None in the nursery."""
    reading, waking = os.pipe()
    os.set_blocking(waking, False)
    os.set_blocking(reading, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    unread = b""
    while True:
        readable, _, _ = select.select([requests.fileno(), reading], [], [])
        if requests.fileno() in readable:
            part = requests.recv(65536)
            if not part:
                return None
            *lines, unread = (unread + part).split(b"\n")
            for line in lines:
                pid = _fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    requests.close()
                    os.close(reading)
                    os.close(waking)
                    request: dict[str, Any] = json.loads(line)
                    return request
                _answer(requests, {"pid": pid})
        if reading in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(reading, 65536)
            for pid, code in _ended():
                _answer(requests, {"pid": pid, "code": code})


def _fork() -> int:
    """Fork, and return when the child leads a session of its own, so that its whole group can be killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
    os.close(writing)
    if pid:
        os.read(reading, 1)
    os.close(reading)
    return pid


def _ended() -> list[tuple[int, int]]:
    ended = []
    with contextlib.suppress(ChildProcessError):
        while (life := os.waitpid(-1, os.WNOHANG))[0]:
            ended.append((life[0], os.waitstatus_to_exitcode(life[1])))
    return ended


def _answer(requests: socket.socket, answer: Mapping[str, int]) -> None:
    # The supervisor may be gone; the next turn notices that.
    with contextlib.suppress(OSError):
        requests.sendall(json.dumps(answer).encode() + b"\n")


def _become(arguments: Sequence[str], env: Mapping[str, str]) -> None:
    """Be what `python -m` would be with these arguments."""
    for number in (*_IGNORED, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(env)
    gc.enable()
    show_as([sys.executable, "-m", *arguments])
    sys.argv = list(arguments)
    # Its module is loaded, and is run once more as the program, which is what was asked for.
    warnings.filterwarnings("ignore", ".*found in sys.modules after import", RuntimeWarning)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def show_as(argv: Sequence[str]) -> None:
    """Show another command line in `ps`, as far as there is room; does nothing where that is not Linux's way."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        # The fields 48 and 49 of proc(5), where the third is the first after the name.
        begin, end = int(fields[45]), int(fields[46])
        shown = b"\0".join(map(os.fsencode, argv))[: end - begin - 1]
        ctypes.memmove(begin, shown.ljust(end - begin, b"\0"), end - begin)


def main() -> None:
    """Load, then fork; in a fork, run the program to its end."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    # As root Celery warns at every start; the owner of a container has decided that already.
    warnings.filterwarnings("ignore", message="You're running the worker")
    requests = socket.socket(fileno=int(sys.argv[1]))
    importlib.import_module(sys.argv[2])
    # Left alone from here: a collector that looks at each object would make each fork copy them all. While modules load
    # it works, for what it would find only now leaves holes among what is shared, which forks fill and so copy.
    gc.disable()
    gc.collect()
    gc.freeze()
    show_as([sys.executable, "-m", "pipeline.runtime.nursery", *sys.argv[1:3]])
    request = serve(requests)
    if request is not None:
        _become(request["arguments"], request["env"])


if __name__ == "__main__":
    main()
