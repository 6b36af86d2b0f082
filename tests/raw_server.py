"""A server that sends what it is given byte by byte: the pieces of `tests/bad_answers.py`, or a good answer."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from tests.bad_answers import Piece


class Asked(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class RawServer:
    """Answers each request on 127.0.0.1 with pieces; use it as a context manager."""

    def __init__(self, answer: Callable[[Asked], Iterator[Piece]]) -> None:
        self._answer = answer
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        # How many connections were opened.
        self.connections = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        # A thread that waits for connections does not notice that its socket is closed.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, contextlib.suppress(OSError, ValueError), connection.makefile("rb") as stream:
            while not self._over.is_set() and (asked := _read(stream)) is not None:
                for piece in self._answer(asked):
                    if piece is None:
                        # Closed without waiting for the rest to be read: the other side gets a reset.
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    if isinstance(piece, bytes):
                        connection.sendall(piece)
                    elif self._over.wait(piece):
                        return


def _read(stream: BinaryIO) -> Asked | None:
    line = stream.readline(65537)
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers = {}
    while line := stream.readline(65537).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Asked(method, path, headers, stream.read(int(headers.get("content-length", 0))))
