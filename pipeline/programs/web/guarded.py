"""The protocol of a connection from outside, which must ask, and take what it asked for, within bounds of time.

uvicorn itself closes connections only between requests. Here one that opens its request slowly, or reads its answer
slowly, is closed too, and where there are too many the oldest that has not asked yet makes room.
"""

import asyncio
import functools
import resource
import socket
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


class GuardedProtocol(H11Protocol):
    """uvicorn's protocol with time-outs for both directions; what a client does wrong is no error of ours."""

    def __init__(
        self, *arguments: Any, headers_within: float = HEADERS_WITHIN, read_within: float = READ_WITHIN, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._headers_within = headers_within
        self._read_within = read_within
        self._opening: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._opened_at = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as uvicorn has it
        """Begin to wait for a request; one connection makes room where there are too many."""
        super().connection_made(transport)
        if (connection := transport.get_extra_info("socket")) is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._opened_at = self.loop.time()
        self._opening = self.loop.call_later(self._headers_within, self._give_up_opening)
        if len(self.connections) > most_connections():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._opening = _cancelled(self._opening)
        self._reading = _cancelled(self._reading)
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in some of a request; the time for its headers begins with their first byte."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self.is_idle:
            self._opening = _cancelled(self._opening)
            if not self.flow.write_paused:
                self._reading = _cancelled(self._reading)
        elif self._opening is None:
            # The rest of a body that nobody reads counts as well.
            self._opening = self.loop.call_later(self._headers_within, self._give_up_opening)

    def on_response_complete(self) -> None:
        """Wait for the next request, and for the client to take the end of this answer."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._expect_reading()

    def pause_writing(self) -> None:
        """Wait until the client has taken some of the answer."""
        super().pause_writing()
        self._reading = _cancelled(self._reading)
        self._expect_reading()

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        if not self.is_idle:
            self._reading = _cancelled(self._reading)

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

    def _expect_reading(self) -> None:
        if self._reading is None:
            self._reading = self.loop.call_later(self._read_within, self._give_up_reading)

    def _give_up_opening(self) -> None:
        self._opening = None
        if not self.transport.is_closing():
            self.transport.abort()

    def _give_up_reading(self) -> None:
        self._reading = None
        # Also where the connection is closed already and only waits for its last bytes to go.
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _make_room(self) -> None:
        idle = (each for each in self.connections if isinstance(each, GuardedProtocol) and each.is_idle)
        min(idle, key=lambda each: each._opened_at, default=self).transport.abort()  # noqa: SLF001 - of this class


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
