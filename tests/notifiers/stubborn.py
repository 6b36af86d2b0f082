"""A web server and a mail server that read whatever they are sent, whole, and then do what a test wants of them.

What they do is a function of the open connection: it answers, drips, says nothing or hangs up, and the connection is
closed when it returns.
"""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import parse_headers
from threading import Event, Lock, Thread
from typing import TypeVar

from pipeline.demo.local import LOOPBACK

Conduct = Callable[[socket.socket], None]

MAIL_TAKEN = b"250 2.0.0 queued\r\n"


def answers(status: int = 200, body: bytes = b"{}", /, **headers: str) -> Conduct:
    """Answer with a status, and headers whose names are written with `_`."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return says("\r\n".join([*lines, "", ""]).encode() + body)


def says(text: bytes) -> Conduct:
    """Say this, and hang up."""
    return lambda connection: connection.sendall(text)


def hangs_up(_: socket.socket) -> None:
    """Say nothing, and hang up."""


def hangs(connection: socket.socket) -> None:
    """Say nothing until the other side gives up."""
    while connection.recv(1000):
        pass


def drips(text: bytes) -> Conduct:
    """Say the first text, then a byte every few milliseconds without an end."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(text)
        pause = Event()
        while not pause.wait(0.005):
            connection.sendall(b"x")

    return drip


def repeats(text: bytes) -> Conduct:
    """Say the same again and again, every few milliseconds."""

    def repeat(connection: socket.socket) -> None:
        pause = Event()
        while not pause.wait(0.005):
            connection.sendall(text)

    return repeat


def waits_for(event: Event, then: Conduct) -> Conduct:
    """Do something as soon as an event has happened."""

    def wait(connection: socket.socket) -> None:
        event.wait(60)
        then(connection)

    return wait


@dataclass
class Stubborn:
    """A server with what it received, oldest first, and what it does after each: the last of `conducts` goes on."""

    conducts: list[Conduct]
    # What a mail server says instead of yes, by command ("connect" and "end" are no commands).
    replies: Mapping[str, bytes] = field(default_factory=dict)
    # With it a web server is also a proxy, which plays all hosts that the certificate is for.
    tls: ssl.SSLContext | None = None
    is_encrypted: bool = False
    port: int = 0
    received: list[bytes] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def take(self, message: bytes) -> Conduct:
        """Keep what was received, and return what to do now."""
        with self._lock:
            self.received.append(message)
            return self.conducts[min(len(self.received), len(self.conducts)) - 1]

    def url(self, scheme: str = "json", path: str = "/hook") -> str:
        """Return the Apprise URL of the web server."""
        return f"{scheme}://{LOOPBACK}:{self.port}{path}"

    def mail_url(self, user: str = "") -> str:
        """Return the Apprise URL of the mail server."""
        login = f"{user}@" if user else ""
        return f"mailto://{login}{LOOPBACK}:{self.port}/?from=loot@example.org&to=ann@example.org&mode=insecure"


Server = TypeVar("Server", bound=Stubborn)


@contextmanager
def web(*conducts: Conduct) -> Iterator[Stubborn]:
    """Serve HTTP until the block ends."""
    with serving_web(Stubborn(list(conducts))) as server:
        yield server


@contextmanager
def mail(*conducts: Conduct, **replies: bytes) -> Iterator[Stubborn]:
    """Serve SMTP until the block ends; a reply by the name of a command is said instead of yes."""
    with serving_mail(Stubborn(list(conducts or [says(MAIL_TAKEN)]), replies)) as server:
        yield server


@contextmanager
def serving_web(server: Server) -> Iterator[Server]:
    """Let a server serve HTTP until the block ends."""
    with _listening(server, _serve_web):
        yield server


@contextmanager
def serving_mail(server: Server) -> Iterator[Server]:
    """Let a server serve SMTP until the block ends."""
    with _listening(server, _serve_mail):
        yield server


@contextmanager
def _listening(server: Stubborn, serve: Callable[[Stubborn, socket.socket], None]) -> Iterator[None]:
    with socket.create_server((LOOPBACK, 0), backlog=200) as listener:
        server.port = listener.getsockname()[1]
        Thread(target=_accept, args=(server, listener, serve), daemon=True).start()
        try:
            yield
        finally:
            # On Linux this ends the wait of accept(), which close() does not.
            listener.shutdown(socket.SHUT_RDWR)


def _accept(server: Stubborn, listener: socket.socket, serve: Callable[[Stubborn, socket.socket], None]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            Thread(target=_talk, args=(server, connection, serve), daemon=True).start()


def _talk(server: Stubborn, connection: socket.socket, serve: Callable[[Stubborn, socket.socket], None]) -> None:
    with connection, suppress(OSError):
        if server.is_encrypted and server.tls is not None:
            connection = server.tls.wrap_socket(connection, server_side=True)
        serve(server, connection)


def _serve_web(server: Stubborn, connection: socket.socket) -> None:
    with connection.makefile("rb") as file:
        line = file.readline()
        if not line:
            return
        headers = parse_headers(file)
        if line.startswith(b"CONNECT") and server.tls is not None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            _serve_web(server, server.tls.wrap_socket(connection, server_side=True))
            return
        body = file.read(int(headers.get("Content-Length", "0")))
        server.take(line + body)(connection)


def _serve_mail(server: Stubborn, connection: socket.socket) -> None:
    with connection.makefile("rb") as file:
        connection.sendall(server.replies.get("connect", b"220 stubborn\r\n"))
        for line in file:
            command = line[:4].decode("ascii", "replace").lower().strip()
            if command in server.replies:
                connection.sendall(server.replies[command])
            elif command == "star" and server.tls is not None:
                connection.sendall(b"220 go ahead\r\n")
                _serve_mail(server, server.tls.wrap_socket(connection, server_side=True))
                return
            elif command == "data":
                connection.sendall(b"354 go ahead\r\n")
                _take_mail(server, connection, b"".join(iter(file.readline, b".\r\n")))
            elif command == "quit":
                connection.sendall(b"221 bye\r\n")
                return
            elif command == "ehlo":
                connection.sendall(b"250-stubborn\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
            else:
                connection.sendall(b"250 yes\r\n")


def _take_mail(server: Stubborn, connection: socket.socket, text: bytes) -> None:
    conduct = server.take(text)
    conduct(connection)
    if conduct is hangs_up or conduct is hangs:
        connection.shutdown(socket.SHUT_RDWR)
