"""Processes: which of them live, as /proc tells, and how a test kills one."""

import os
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.waiting import wait_for

# Below the ports that Linux gives to whoever asks for any, so that nobody is given one of these.
_PORTS = range(20_000, 32_000)
_given: set[int] = set()


def kill(*pids: int) -> None:
    """Kill processes with SIGKILL, all at once; returns when they have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not living(set(pids)))


def kill_when(condition: Callable[[], object], script: str, *arguments: object) -> None:
    """Run a Python script in a process of its own until a condition holds, and kill it there."""
    with subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)]) as process:
        try:
            wait_for(lambda: process.poll() is not None or condition())
            assert process.poll() is None, "it was over before it was killed: nothing is shown"
        finally:
            process.kill()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses, nor will use who asks the kernel for any port."""
    first = os.getpid() * 7
    for number in range(len(_PORTS)):
        port = _PORTS[(first + number) % len(_PORTS)]
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise AssertionError("all ports are in use")


def children(pid: int) -> dict[int, str]:
    """The living processes that a process has started itself, with their command lines."""
    return {child: command_line(child) for child in _by_parent()[pid]}


def descendants(pid: int) -> dict[int, str]:
    """The living processes that a process has started, that these have started, and so on, with their command lines."""
    by_parent = _by_parent()
    commands: dict[int, str] = {}
    unseen = [pid]
    while unseen:
        born = by_parent[unseen.pop()]
        commands.update({child: command_line(child) for child in born})
        unseen += born
    return commands


def living(pids: set[int]) -> set[int]:
    """Those of the processes that have not ended."""
    return {pid for pid in pids if command_line(pid)}


def command_line(pid: int) -> str:
    """A process's command line, empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _by_parent() -> defaultdict[int, list[int]]:
    children_of: defaultdict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended meanwhile
        children_of[parent].append(int(folder.name))
    return children_of
