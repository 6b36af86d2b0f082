"""A local server of sounds: files with Range, streams in parts, pages, lists, and every way to refuse or to lie."""

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple, Self

PIECE = 16 * 1024


class Seen(NamedTuple):
    """A request as it came; `range` is that header."""

    method: str
    path: str
    range: str | None
    cookie: str | None


@dataclass(kw_only=True)
class Reply:
    """An answer: `length` is what its header says where that is a lie.

    After `hold_at` bytes of the file it waits until `MediaServer.go_on` is called, `breaks_at` is where the connection
    breaks. `seconds` is a pause before each piece of `piece` bytes: a drip.
    """

    body: bytes = b""
    content_type: str = "application/octet-stream"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    hold_at: int | None = None
    breaks_at: int | None = None
    piece: int = PIECE
    seconds: float = 0.0
    knows_range: bool = True


class MediaServer:
    """Answers on 127.0.0.1, or `[::1]`; use it as a context manager. `requests` are those that came, in order."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.replies: dict[str, Reply] = {}
        self.requests: list[Seen] = []
        self.held = threading.Event()
        self._going_on = threading.Event()
        self._over = threading.Event()

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            daemon_threads = True
            media = self

            def handle_error(self, request: object, client_address: object) -> None:
                """Clients that are killed are no errors."""

        self._server = Server((host, 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.port = int(self._server.server_address[1])
        self.address = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._going_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, path: str) -> str:
        """The address of a path."""
        return self.address + path

    def put(self, path: str, reply: Reply) -> str:
        """Answer a path from now on, and return its address."""
        self.replies[path] = reply
        return self.url(path)

    def file(self, path: str, body: bytes, content_type: str = "audio/mp4") -> str:
        """Serve a file with Range, and return its address."""
        return self.put(path, Reply(body=body, content_type=content_type))

    def page(self, path: str, html: str) -> str:
        """Serve a page, and return its address."""
        return self.put(path, Reply(body=html.encode(), content_type="text/html; charset=utf-8"))

    def status(self, path: str, status: int, headers: Mapping[str, str] | None = None) -> str:
        """Refuse a path, and return its address."""
        return self.put(path, Reply(status=status, body=b"no\n", content_type="text/plain", headers=headers or {}))

    def stream(self, path: str, parts: Sequence[bytes], seconds: float = 1.0, name: str = "{}.ts") -> str:
        """Serve parts as an HLS playlist, and return its address; `name` is how the parts are called."""
        folder = path.rpartition("/")[0]
        names = [name.format(number) for number in range(len(parts))]
        lines = [line for each in names for line in (f"#EXTINF:{seconds:.3f},", each)]
        head = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{int(seconds) + 1}", "#EXT-X-PLAYLIST-TYPE:VOD"]
        for each, part in zip(names, parts, strict=True):
            self.file(f"{folder}/{each}", part, "video/mp2t")
        text = "\n".join([*head, *lines, "#EXT-X-ENDLIST", ""])
        return self.put(path, Reply(body=text.encode(), content_type="application/vnd.apple.mpegurl"))

    def go_on(self) -> None:
        """Send the rest of what is held, and hold nothing any more."""
        self._going_on.set()

    def asked_for(self, path: str) -> list[Seen]:
        """The requests for a path that would get its content."""
        return [seen for seen in self.requests if seen.path == path and seen.method == "GET"]

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for `go_on`, or so many seconds; return whether the server is closed."""
        if seconds is None:
            self.held.set()
            self._going_on.wait()
        return self._over.wait(seconds or 0.0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def media(self) -> MediaServer:
        media: MediaServer = vars(type(self.server))["media"]
        return media

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        self.media.requests.append(Seen(self.command, path, self.headers.get("Range"), self.headers.get("Cookie")))
        reply = self.media.replies.get(path, Reply(status=404, body=b"no\n", content_type="text/plain"))
        start, end = self._range(reply)
        if start is None:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(reply.body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        is_part = (start, end) != (0, len(reply.body))
        self.send_response(206 if is_part else reply.status)
        self.send_header("Content-Type", reply.content_type)
        length = reply.length if reply.length is not None else len(reply.body)
        self.send_header("Content-Length", str(end - start if end < len(reply.body) else length - start))
        if reply.status == 200 and reply.knows_range:
            self.send_header("Accept-Ranges", "bytes")
        if is_part:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{length}")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            with contextlib.suppress(ConnectionError):
                self._send(reply, start, end)
        if reply.length is not None:
            self.close_connection = True

    def _range(self, reply: Reply) -> tuple[int | None, int]:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if asked is None or not reply.knows_range or reply.status != 200:
            return 0, len(reply.body)
        start = int(asked[1])
        if start >= len(reply.body):
            return None, 0
        return start, min(int(asked[2]) + 1 if asked[2] else len(reply.body), len(reply.body))

    def _send(self, reply: Reply, at: int, end: int) -> None:
        while at < end:
            stops = [stop for stop in (reply.hold_at, reply.breaks_at) if stop is not None and stop > at]
            piece = reply.body[at : min([at + reply.piece, end, *stops])]
            if reply.seconds and self.media.wait(reply.seconds):
                break
            self.wfile.write(piece)
            self.wfile.flush()
            at += len(piece)
            if at == reply.hold_at and self.media.wait():
                break
            if at == reply.breaks_at:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
                return
