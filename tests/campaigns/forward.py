"""Hands bytes on between two places, in a process of its own: `python -m tests.campaigns.forward LISTEN TARGET …`.

A place is `ADDRESS:PORT` or the path of a Unix socket, which reaches from one network namespace into another. Stopped
by SIGSTOP it is a silent hole: what connects is kept waiting by the kernel, and nothing is refused.
"""

import contextlib
import socket
import sys
import threading
from pathlib import Path

from pipeline.runtime.supervisor import watch_parent

_CHUNK = 2**16
# What our sessions ask of PostgreSQL (pipeline.database.connecting), which has a Unix socket here: whoever is gone in a
# hole must not keep a session behind this process.
_PATIENCE = {
    "TCP_KEEPIDLE": 10,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 2,
    "TCP_USER_TIMEOUT": 15_000,
}


def main() -> None:
    """Listen at the first place of each pair, and hand on to the second."""
    watch_parent()
    places = sys.argv[1:]
    listeners = [_listen(place) for place in places[::2]]
    threads = [
        threading.Thread(target=_serve, args=pair, daemon=True) for pair in zip(listeners, places[1::2], strict=True)
    ]
    for thread in threads:
        thread.start()
    # Whoever started this waits for the line.
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    for thread in threads:
        thread.join()


def _listen(place: str) -> socket.socket:
    if place.startswith("/"):
        Path(place).unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(place)
        listener.listen()
        return listener
    host, _, port = place.rpartition(":")
    return socket.create_server((host, int(port)))


def _connect(place: str) -> socket.socket:
    if place.startswith("/"):
        target = socket.socket(socket.AF_UNIX)
        target.connect(place)
        return target
    host, _, port = place.rpartition(":")
    return socket.create_connection((host, int(port)))


def _serve(listener: socket.socket, target: str) -> None:
    while True:
        accepted, _ = listener.accept()
        _lose_patience(accepted)
        try:
            connected = _connect(target)
        except OSError:
            accepted.close()
            continue
        for reading, writing in ((accepted, connected), (connected, accepted)):
            threading.Thread(target=_hand_on, args=(reading, writing), daemon=True).start()


def _lose_patience(accepted: socket.socket) -> None:
    """Notice where the system can that whoever connected is gone without a word."""
    if accepted.family != socket.AF_INET:
        return
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PATIENCE.items():
        if hasattr(socket, name):
            accepted.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _hand_on(reading: socket.socket, writing: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := reading.recv(_CHUNK):
            writing.sendall(chunk)
    # The other direction ends by this, too.
    for each in (reading, writing):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    main()
