"""Child processes of the host that cannot outlive it, and their log files, kept short."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.privacy import PRIVATE_FILE
from pipeline.embedded.identity import Identity
from pipeline.embedded.layout import EmbeddedError

LOG_LIMIT_BYTES = 5 * 1024 * 1024

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def start(
    argv: Sequence[str | Path], *, log: Path, lock: int, dies_by: signal.Signals, identity: Identity | None = None
) -> subprocess.Popen[bytes]:
    """Start a server that writes to a log, holds `servers.lock` while it lives, and gets a signal if we die."""
    with log.open("ab") as output:
        # One of an earlier version may be open to others.
        os.fchmod(output.fileno(), PRIVATE_FILE)
        return subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **_options(identity, lock, dies_by),
        )


def run(
    argv: Sequence[str | Path],
    *,
    lock: int,
    identity: Identity,
    text: str = "",
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end with some text as its input; raises EmbeddedError with the program's own output."""
    options = _options(identity, lock, signal.SIGKILL)
    options["env"] |= env or {}
    done = subprocess.run(
        [str(part) for part in argv], input=text, capture_output=True, text=True, check=False, **options
    )
    if done.returncode != 0:
        output = (done.stderr.strip() or done.stdout.strip())[-1500:]
        raise EmbeddedError(
            f"{Path(argv[0]).name} failed with code {done.returncode}: {output}\n"
            "Mend that, or set DATABASE_URL and REDIS_URL to servers of your own."
        )


def _options(identity: Identity | None, lock: int, dies_by: signal.Signals) -> dict[str, Any]:
    options = identity.popen_options() if identity else {}
    return options | {
        # Not our own working directory: a server must not keep a directory busy.
        "cwd": "/",
        # None of our environment: PGDATA or LC_ALL would change what the servers do.
        "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        # Their own session, so that Ctrl-C in a terminal reaches only the command that runs there.
        "start_new_session": True,
        "pass_fds": (lock,),
        "preexec_fn": _before_exec(identity, dies_by, parent=os.getpid()),
    }


def _before_exec(identity: Identity | None, dies_by: signal.Signals, parent: int) -> Callable[[], None]:
    def prepare() -> None:
        if identity:
            identity.enter()
        if sys.platform == "linux":
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(dies_by))
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return prepare


def tail(log: Path, characters: int = 1500) -> str:
    """Return the end of a log file, or nothing if it cannot be read."""
    try:
        return log.read_bytes()[-characters:].decode(errors="replace").strip()
    except OSError:
        return ""


def keep_short(log: Path) -> None:
    """Move a log that has grown too long to `<name>.1`, so that a log and its past need 10 MB at most.

    The server keeps its file open, so the text is copied and the file emptied; it is open for appending, and the
    next line starts at its new end.
    """
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_LIMIT_BYTES:
            # A full disk refuses the copy, and is one more reason to empty the log.
            with contextlib.suppress(OSError):
                shutil.copyfile(log, log.with_name(log.name + ".1"))
            os.truncate(log, 0)
