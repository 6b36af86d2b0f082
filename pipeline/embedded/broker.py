"""The embedded Valkey, which carries Celery's messages and the shared rate limits."""

import signal
import subprocess
from pathlib import Path

from pipeline.embedded import children
from pipeline.embedded.binaries import valkey_server
from pipeline.embedded.layout import EmbeddedError, Layout, Sockets, answers, make_private, wait_until

# As long as PostgreSQL: the machine may be slow, and a process that ended is noticed at once.
START_SECONDS = 300

SETTINGS = {
    # No port: only a user who may enter the folder can reach the socket.
    "port": "0",
    "unixsocketperm": "700",
    # An append-only file loses a second of hints at most; a snapshot beside it would say the same twice.
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    # A queue that drops its oldest messages in silence would be worse than an error.
    "maxmemory-policy": "noeviction",
    # By default it looks for expired keys ten times a second; messages carry the time until which they hold.
    "hz": "1",
    "loglevel": "warning",
    "daemonize": "no",
}


def start(layout: Layout, sockets: Sockets, lock: int) -> subprocess.Popen[bytes]:
    """Start Valkey and return it when it answers."""
    make_private(sockets.folder)
    make_private(layout.valkey_dir)
    sockets.valkey.unlink(missing_ok=True)
    places: list[str | Path] = ["--unixsocket", sockets.valkey, "--dir", layout.valkey_dir]
    settings = [part for name, value in SETTINGS.items() for part in (f"--{name}", value)]
    process = children.start(
        [valkey_server(), *places, *settings], log=layout.valkey_log, lock=lock, dies_by=signal.SIGTERM
    )
    wait_until(lambda: _replies(sockets) or process.poll() is not None, START_SECONDS)
    if process.poll() is not None or not _replies(sockets):
        process.kill()
        raise EmbeddedError(
            f"Valkey did not start. It holds nothing that Lootwire cannot make again, so moving "
            f"{layout.valkey_dir} away may help. The end of {layout.valkey_log}:\n{children.tail(layout.valkey_log)}"
        )
    return process


def stop_leftover(sockets: Sockets) -> None:
    """Ask a Valkey that has lost its host to stop."""
    answers(sockets.valkey, b"SHUTDOWN\r\n")


def _replies(sockets: Sockets) -> bool:
    return answers(sockets.valkey, b"PING\r\n", b"+PONG")
