"""Waiting for conditions instead of sleeping, and seeing which processes live."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOM = 2 * 2**30


def wait_for(condition: Callable[[], object], seconds: float = 60, *, every: float = 0.02) -> None:
    """Wait until a condition holds, asked `every` so many seconds, and fail if it still does not after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(every)


def processes_with(text: object) -> dict[int, str]:
    """Return the living processes, but for this one, whose command line holds a text."""
    commands = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if str(text) in command and int(folder.name) != os.getpid():
            commands[int(folder.name)] = command
    return commands


def _roomy_memory() -> Path | None:
    """A folder in memory, where there is one with room: databases made and dropped there wait for no disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return memory if roomy else None


@contextmanager
def folder_of_processes() -> Iterator[Path]:
    """A new folder for processes that name it in their command line; at its end all of them must have ended.

    Unlike pytest's tmp_path it has a short name, as sockets need, and every user can reach it, as the PostgreSQL of
    a root without user namespaces must.
    """
    folder = Path(tempfile.mkdtemp(prefix="lw-", dir=_roomy_memory()))
    folder.chmod(0o755)
    with _removed_without_us(folder):
        yield folder
        wait_for(lambda: not processes_with(folder))
        shutil.rmtree(folder)


@contextmanager
def _removed_without_us(folder: Path) -> Iterator[None]:
    """Let a shell remove a folder, and the servers' files in it, should this process be killed meanwhile.

    It is in a session of its own, where no Ctrl-C reaches it, and hears by the end of a pipe that we are gone. It gets
    the folder by its environment: no command line but those of the folder's own processes may name it.
    """
    script = """
        while read -r _; do :; done
        tries=0
        while [ -n "$(find "$FOLDER" -name postmaster.pid 2>&-)" ] && [ $((tries += 1)) -lt 300 ]; do sleep 0.2; done
        rm -rf "$FOLDER"
    """
    environment = {"PATH": os.environ["PATH"], "FOLDER": str(folder)}
    with subprocess.Popen(
        ["sh", "-c", script], stdin=subprocess.PIPE, env=environment, cwd="/", start_new_session=True
    ):
        yield
