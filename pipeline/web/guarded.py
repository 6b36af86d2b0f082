"""The protocol of a connection from outside, which must ask, and take what it asked for, within bounds of time.

uvicorn itself closes connections only between requests. Here one that opens its request slowly, or reads its answer
slowly, is closed too, and where others wait one that asks nothing makes room.
"""

import asyncio
import functools
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# For the request line and all headers together; a program that has something to ask has it ready.
HEADERS_WITHIN = 5.0
# For what is buffered of an answer, some ten thousand bytes: slower than any modem is nobody.
READ_WITHIN = 30.0
# Of the kernel, a connection. Left to itself it takes megabytes for a client that reads slowly.
SEND_BUFFER = 128 * 1024
# Of a port; each takes some 60 kB of memory that Python keeps. Others wait, which takes next to nothing.
MOST_CONNECTIONS = 200
MOST_WAITING = 2000
# One that is open for so long and asks nothing makes room for others; a younger one may have asked by now.
IDLE_FOR = 0.5
# A connection that is sent a file holds itself, the file, and the file opened for reading.
FILES_EACH = 3
_SPARE_FILES = 96
_CLOSES = (b"connection", b"close")


def most_connections() -> int:
    """Return how many connections a port may have at once, raising this process's limit on open files if need be."""
    # Two ports share the files.
    return max(1, min(MOST_CONNECTIONS, (_files() - _SPARE_FILES) // (2 * FILES_EACH)))


def most_waiting() -> int:
    """Return how many connections may wait at a port until there is room."""
    left = (_files() - _SPARE_FILES) // 2 - FILES_EACH * most_connections()
    return max(1, min(MOST_WAITING, left))


@functools.cache
def _files() -> int:
    """Return how many files this process may have open, after raising its limit to what two ports need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * (FILES_EACH * MOST_CONNECTIONS + MOST_WAITING) + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if soft == resource.RLIM_INFINITY else soft


class _Timer:
    """Calls a function after some seconds unless it is cancelled; starting it again while it runs changes nothing."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, call: Callable[[], object]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._call = call
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._handle is None:
            self._handle = self._loop.call_later(self._seconds, self._end)

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _end(self) -> None:
        self._handle = None
        self._call()


class GuardedProtocol(H11Protocol):
    """uvicorn's protocol with time-outs for both directions; what a client does wrong is no error of ours."""

    def __init__(
        self, *arguments: Any, headers_within: float = HEADERS_WITHIN, read_within: float = READ_WITHIN, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._opening = _Timer(self.loop, headers_within, self._give_up_opening)
        self._reading = _Timer(self.loop, read_within, self._give_up_reading)
        # Since when it is open and asks nothing.
        self._idle_since = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        # There is none at first, whatever uvicorn's types say.
        cycle = getattr(self, "cycle", None)
        return cycle is None or cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        if (connection := transport.get_extra_info("socket")) is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._idle_since = self.loop.time()
        self._opening.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._opening.cancel()
        self._reading.cancel()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in some of a request; the time for its headers begins with their first byte."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self.is_idle:
            self._opening.cancel()
            headers = cast("list[tuple[bytes, bytes]]", self.cycle.scope["headers"])
            if len(self.connections) >= most_connections() and _CLOSES not in headers:
                # As if the client had said so, and uvicorn says it in its answer: others wait.
                headers.append(_CLOSES)
            if not self.flow.write_paused:
                self._reading.cancel()
        else:
            # The rest of a body that nobody reads counts as well.
            self._opening.start()

    def on_response_complete(self) -> None:
        """Wait for the next request, and for the client to take the end of this answer."""
        super().on_response_complete()
        self._idle_since = self.loop.time()
        if self.transport.get_write_buffer_size():
            self._reading.start()

    def pause_writing(self) -> None:
        """Wait until the client has taken some of the answer."""
        super().pause_writing()
        self._reading.cancel()
        self._reading.start()

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        if not self.is_idle:
            self._reading.cancel()

    def send_400_response(self, msg: str) -> None:
        """Answer a broken request, or end the connection where its answer has begun already."""
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:
            self.transport.abort()
        if self.cycle is not None:
            # A body broke off in the middle: what the application answers now comes too late.
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def shutdown(self) -> None:
        """End the connection, after its answer if there is one under way."""
        with suppress(h11.LocalProtocolError):
            return super().shutdown()
        self.transport.abort()
        return None

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that asks nothing more."""
        with suppress(h11.LocalProtocolError):
            return super().timeout_keep_alive_handler()
        self.transport.abort()
        return None

    def _should_upgrade(self) -> bool:
        # A wish for another protocol may be ignored (RFC 9110, section 7.8), and is nothing that an operator can mend.
        return False

    def _give_up_opening(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()

    def _give_up_reading(self) -> None:
        # Also where the connection is closed already and only waits for its last bytes to go.
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def make_room(self) -> bool:
        """End this connection for the sake of another, if it has asked nothing for a while; returns whether it has."""
        if not self.is_idle or self.loop.time() - self._idle_since < IDLE_FOR:
            return False
        self.transport.abort()
        return True
