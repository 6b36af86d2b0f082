"""Lootwire's own PostgreSQL and Valkey, started for the first process that needs them and stopped after the last.

`ensure` is all that most callers need. The servers belong to a small host process, not to the caller, so they
outlive any one of their users; each user holds a shared lock that the kernel drops even on `kill -9`, and the
host stops both servers when that lock has no holder left.
"""

import errno
import fcntl
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.embedded.binaries import check_installed
from pipeline.embedded.layout import (
    NO_DISK_BYTES,
    NOTHING_FITS_BYTES,
    EmbeddedError,
    Layout,
    Servers,
    is_locked,
    open_lock,
    try_lock,
)

__all__ = [
    "EmbeddedError",
    "Servers",
    "broker_url",
    "check_installed",
    "disk_problem",
    "ensure",
    "full_disk",
    "healthy",
    "hosted",
    "keep_through_exec",
]

# Longer than a host waits for servers that were left behind, for Valkey and for PostgreSQL, one after the other: it
# knows better whether they still move. What keeps them from it, such as a full disk, is said before.
START_SECONDS = 720.0
_POLL_SECONDS = 0.03
CHECK_SECONDS = 0.2
# Less than a megabyte may be enough for a start: only where it takes long is that the reason.
FULL_DISK_SECONDS = 1.0
# As the servers and the system say it.
NO_ROOM = os.strerror(errno.ENOSPC)
_held: dict[Path, int] = {}


def ensure(data_dir: Path, *, timeout: float = START_SECONDS) -> Servers:
    """Return running servers for a data directory, started if need be, and keep them while this process lives.

    May be called again at any time, from any thread or process; it is quick when the servers are well.
    Raises EmbeddedError, whose text says what to do, if they are not up within `timeout` seconds.
    """
    layout = Layout.of(data_dir)
    layout.prepare()
    began = time.monotonic()
    deadline = began + timeout
    try:
        _hold(layout, deadline)
        while time.monotonic() < deadline:
            if (servers := _running(layout)) is not None:
                return servers
            _check_disk(layout, began)
            if is_locked(layout.host_lock):
                time.sleep(_POLL_SECONDS)
            else:
                _start_host(layout, began, deadline)
    except OSError as error:
        raise layout.unusable(error) from error
    raise EmbeddedError(
        f"The embedded servers in {layout.data_dir} are not up after {timeout:.0f} s; see {layout.host_log}, "
        f"{layout.postgres_log} and {layout.valkey_log}. {layout.disk_note()}".strip()
    )


def healthy(data_dir: Path) -> bool:
    """Whether the servers of a data directory are up and answer; starts and changes nothing."""
    return _running(Layout.of(data_dir)) is not None


def disk_problem(data_dir: Path) -> str | None:
    """Return in words that the disk of a data directory is full, or nearly; None while there is room."""
    layout = Layout.of(data_dir)
    if layout.is_disk_full():
        return f"full: there is no room left on the disk of {layout.data_dir}; make some"
    return f"nearly full: {note}" if (note := layout.disk_note()) else None


def full_disk(data_dir: Path) -> str | None:
    """Return a line for a person where the disk of a data directory is full; None while anything fits."""
    layout = Layout.of(data_dir)
    return layout.full_disk() if layout.is_disk_full() else None


def hosted(data_dir: Path) -> bool:
    """Whether the servers of a data directory have their host, which ends with either of them; costs next to nothing.

    Unlike `healthy` it asks no server, so it may be called each second.
    """
    layout = Layout.of(data_dir)
    return layout.published.exists() and is_locked(layout.host_lock)


def keep_through_exec(data_dir: Path) -> None:
    """Remain a user of the servers where this process replaces itself by another program."""
    held = _held.get(Layout.of(data_dir).data_dir)
    if held is not None:
        os.set_inheritable(held, True)


def broker_url(redis_url: str) -> str:
    """Return a Redis URL in the form that Celery wants, which differs from redis-py's for sockets."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    database = query.removeprefix("db=") or "0"
    return f"redis+socket://{path}?virtual_host={database}"


def _running(layout: Layout) -> Servers | None:
    # Without its host a server is on its way out, even while it still answers.
    sockets = layout.published_sockets()
    if sockets is None or not is_locked(layout.host_lock) or not sockets.answer():
        return None
    return sockets.servers(layout.password())


def _hold(layout: Layout, deadline: float) -> None:
    """Become a user of the servers until this process ends."""
    held = _held.get(layout.data_dir)
    if held is not None and _is_open_at(held, layout.users_lock):
        return
    descriptor = open_lock(layout.users_lock)
    # Only a host that is going down holds it exclusively for longer than a moment.
    while not try_lock(descriptor, fcntl.LOCK_SH):
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise EmbeddedError(f"The embedded servers in {layout.data_dir} do not stop; see {layout.host_log}.")
        time.sleep(_POLL_SECONDS)
    _held[layout.data_dir] = descriptor


def _is_open_at(descriptor: int, path: Path) -> bool:
    # A data directory that was removed and made again has another lock file.
    return path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())


def _check_disk(layout: Layout, began: float) -> None:
    """Raise EmbeddedError if servers have no room on their disk to start, or too little and should be up by now."""
    is_late = time.monotonic() - began > FULL_DISK_SECONDS
    if layout.is_disk_full(NO_DISK_BYTES if is_late else NOTHING_FITS_BYTES):
        raise EmbeddedError(layout.full_disk())


def _start_host(layout: Layout, began: float, deadline: float) -> None:
    """Start a host and wait until it is ready, has found another host, or failed."""
    check_installed()
    # -P: the host must import this project, not a `pipeline` that happens to lie in its working directory.
    command = [sys.executable, "-P", "-m", "pipeline.embedded.host", str(layout.data_dir)]
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as complaints:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=writing,
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(writing)
        # It forks at once, so that the servers' host is no child of ours and leaves no zombie here.
        process.wait()
        text = _read_until_closed(complaints.fileno(), deadline, lambda: _check_disk(layout, began))
    if text and _running(layout) is None:
        if NO_ROOM in text or layout.is_disk_full():
            raise EmbeddedError(layout.full_disk())
        raise EmbeddedError(f"{text}\n{layout.disk_note()}".strip())


def _read_until_closed(descriptor: int, deadline: float, check: Callable[[], None]) -> str:
    """Read a pipe to its end. A host closes it when its start is over, and writes to it only if that failed.

    `check` is called five times a second meanwhile.
    """
    text = b""
    while time.monotonic() < deadline:
        readable, _, _ = select.select([descriptor], [], [], CHECK_SECONDS)
        if not readable:
            check()
            continue
        chunk = os.read(descriptor, 4096)
        if not chunk:
            break
        text += chunk
    return text.decode(errors="replace").strip()
