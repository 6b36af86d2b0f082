"""The protocol of a connection from outside, which must ask, and take what it asked for, within bounds of time.

uvicorn itself closes connections only between requests. Here one that opens its request slowly, or reads its answer
slowly, is closed too, and where there are too many the oldest that has not asked yet makes room.
"""

import asyncio
import functools
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# For the request line and all headers together; a program that has something to ask has it ready.
HEADERS_WITHIN = 5.0
# For what is buffered of an answer, some ten thousand bytes: slower than any modem is nobody.
READ_WITHIN = 30.0
# Of the kernel, a connection. Left to itself it takes megabytes for a client that reads slowly.
SEND_BUFFER = 128 * 1024
MOST_CONNECTIONS = 1000
# A connection that is sent a file holds itself, the file, and the file opened for reading.
FILES_EACH = 3
_SPARE_FILES = 96


@functools.cache
def most_connections() -> int:
    """Return how many connections a port may have, raising the limit of this process on open files if need be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Two ports share them.
    wanted = 2 * FILES_EACH * MOST_CONNECTIONS + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, (soft - _SPARE_FILES) // (2 * FILES_EACH)))


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
        self._opened_at = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        # There is none at first, whatever uvicorn's types say.
        cycle = getattr(self, "cycle", None)
        return cycle is None or cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; one connection makes room where there are too many."""
        super().connection_made(transport)
        if (connection := transport.get_extra_info("socket")) is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._opened_at = self.loop.time()
        self._opening.start()
        if len(self.connections) > most_connections():
            self._make_room()

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
            if not self.flow.write_paused:
                self._reading.cancel()
        else:
            # The rest of a body that nobody reads counts as well.
            self._opening.start()

    def on_response_complete(self) -> None:
        """Wait for the next request, and for the client to take the end of this answer."""
        super().on_response_complete()
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

    def _make_room(self) -> None:
        idle = (each for each in self.connections if isinstance(each, GuardedProtocol) and each.is_idle)
        min(idle, key=lambda each: each._opened_at, default=self).transport.abort()  # noqa: SLF001 - of this class
