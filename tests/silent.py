"""A server that takes connections and never answers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


@contextmanager
def silent_server() -> Iterator[tuple[str, list[socket.socket]]]:
    """Run such a server for the length of a `with` block; gives its address as a target's, and the connections."""
    taken: list[socket.socket] = []

    def take() -> None:
        with suppress(OSError):
            while True:
                taken.append(server.accept()[0])

    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        thread = Thread(target=take, daemon=True)
        thread.start()
        try:
            yield f"json://127.0.0.1:{server.getsockname()[1]}/", taken
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in taken:
                connection.close()
