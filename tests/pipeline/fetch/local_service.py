"""A small real HTTP server whose answers a test writes down: status, headers, body, and how it misbehaves."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from types import TracebackType
from typing import Any, Self


@dataclass
class Answer:
    """The answer to one request; a path gives its last answer again and again."""

    body: bytes = b"[]"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    # Misbehaviour: promise more than is sent; send one byte after the other this many seconds apart; never stop.
    cut_off: bool = False
    drip: float | None = None
    endless: bool = False


@dataclass
class Request:
    """A request as it arrived, with the monotonic time of its arrival."""

    path: str
    headers: Mapping[str, str]
    at: float


class LocalService:
    """A server on 127.0.0.1; use it as a context manager. A path without an answer is a 404."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.released = threading.Event()
        self.hold: str | None = None
        self.arrived = threading.Event()
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Else each answer waits 40 ms for an acknowledgement that its headers arrived.
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                service._serve(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answers(self, path: str, *answers: Answer | bytes) -> None:
        """Answer the requests for a path with these, one after the other, from now on."""
        with self._lock:
            self._answers[path] = [a if isinstance(a, Answer) else Answer(a) for a in answers]

    def hold_back(self, path: str) -> None:
        """Let requests for a path wait until `released` is set; `arrived` is set when one waits."""
        self.hold = path

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [request.path for request in self.requests]

    def _next(self, path: str) -> Answer:
        with self._lock:
            scripted = self._answers[path]
            if len(scripted) > 1:
                return scripted.pop(0)
            return scripted[0] if scripted else Answer(b'{"error":"Not Found"}', status=404)

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append(Request(request.path, dict(request.headers.items()), monotonic()))
        if request.path == self.hold:
            self.arrived.set()
            self.released.wait(60)
        answer = self._next(request.path)
        try:
            self._send(request, answer)
        except (BrokenPipeError, ConnectionResetError):
            request.close_connection = True  # the client has had enough

    def _send(self, request: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.etag is not None and request.headers.get("If-None-Match") == answer.etag:
            request.send_response(304)
            request.send_header("ETag", answer.etag)
            request.end_headers()
            return
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        if answer.etag is not None:
            request.send_header("ETag", answer.etag)
        if answer.endless:
            request.send_header("Connection", "close")
            request.end_headers()
            while not self.released.is_set():
                request.wfile.write(b" " * 65536)
            return
        length = len(answer.body) * (2 if answer.cut_off else 1)
        request.send_header("Content-Length", str(length))
        request.end_headers()
        if answer.drip is None:
            request.wfile.write(answer.body)
        else:
            for byte in answer.body:
                request.wfile.write(bytes([byte]))
                if self.released.wait(answer.drip):
                    break
        if answer.cut_off:
            request.close_connection = True
