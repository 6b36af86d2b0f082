"""Runs the demo's small HTTP servers on this machine only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

LOOPBACK = "127.0.0.1"


class _Server(ThreadingHTTPServer):
    """A server that prints nothing where whoever asked goes away amid the answer, as a worker that ends does."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answers HTTP on a free port of 127.0.0.1 until the block ends; gives the address without a last slash."""
    with _Server((LOOPBACK, 0), handler) as server:
        # Polled often, because shutdown() waits for one poll and each demo and each test would wait with it.
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class QuietHandler(BaseHTTPRequestHandler):
    """A request handler that prints nothing and closes each connection after its answer."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's own name
        """Print nothing: the screen belongs to the demo."""

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        """Sends one whole answer; a HEAD gets the headers that the GET would have, and a 304 has no body."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        # A connection kept alive would go on answering for a server that was stopped.
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)
