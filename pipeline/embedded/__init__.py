"""Lootwire's own PostgreSQL and Valkey, started for the first process that needs them and stopped after the last.

`ensure` is all that most callers need. The servers belong to a small host process, not to the caller, so they
outlive any one of their users; each user holds a shared lock that the kernel drops even on `kill -9`, and the
host stops both servers when that lock has no holder left.
"""

import fcntl
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from pipeline.embedded.binaries import check_installed
from pipeline.embedded.layout import EmbeddedError, Layout, Servers, is_locked, open_lock, try_lock

__all__ = [
    "EmbeddedError",
    "Servers",
    "broker_url",
    "check_installed",
    "ensure",
    "healthy",
    "hosted",
    "keep_through_exec",
]

_POLL_SECONDS = 0.03
_held: dict[Path, int] = {}


def ensure(data_dir: Path, *, timeout: float = 90) -> Servers:
    """Return running servers for a data directory, started if need be, and keep them while this process lives.

    May be called again at any time, from any thread or process; it is quick when the servers are well.
    Raises EmbeddedError, whose text says what to do, if they are not up within `timeout` seconds.
    """
    layout = Layout.of(data_dir)
    layout.prepare()
    deadline = time.monotonic() + timeout
    try:
        _hold(layout, deadline)
        while time.monotonic() < deadline:
            if (servers := _running(layout)) is not None:
                return servers
            if is_locked(layout.host_lock):
                time.sleep(_POLL_SECONDS)
            else:
                _start_host(layout, deadline)
    except OSError as error:
        raise layout.unusable(error) from error
    raise EmbeddedError(
        f"The embedded servers in {layout.data_dir} are not up after {timeout:.0f} s; see {layout.host_log}, "
        f"{layout.postgres_log} and {layout.valkey_log}. {layout.disk_note()}".strip()
    )


def healthy(data_dir: Path) -> bool:
    """Whether the servers of a data directory are up and answer; starts and changes nothing."""
    return _running(Layout.of(data_dir)) is not None


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
    return sockets.servers()


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


def _start_host(layout: Layout, deadline: float) -> None:
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
        text = _read_until_closed(complaints.fileno(), deadline)
    if text and _running(layout) is None:
        raise EmbeddedError(f"{text}\n{layout.disk_note()}".strip())


def _read_until_closed(descriptor: int, deadline: float) -> str:
    """Read a pipe to its end. A host closes it when its start is over, and writes to it only if that failed."""
    text = b""
    while (left := deadline - time.monotonic()) > 0:
        readable, _, _ = select.select([descriptor], [], [], left)
        chunk = os.read(descriptor, 4096) if readable else b""
        if not chunk:
            break
        text += chunk
    return text.decode(errors="replace").strip()
