"""Connections whose every step is done before one deadline: from looking up the name to the last byte of the answer.

Time-outs of single steps do not bound a request: a service that sends a byte now and then passes all of them.
"""

import contextlib
import queue
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from datetime import timedelta
from ipaddress import ip_address

import httpcore
import httpx

from pipeline.fetch.addresses import Allowed, Resolve, Unreachable, resolve

# The kernel takes a part of what is sent, and each part would begin the wait anew.
_SENT_AT_ONCE = 64 * 1024
# The deadline of the request that this thread is making: connections outlive requests.
_DEADLINE: ContextVar["Deadline"] = ContextVar("deadline")


class Deadline:
    """The moment at which a request must be over."""

    def __init__(self, within: timedelta) -> None:
        self._until = time.monotonic() + within.total_seconds()

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def left(self, step: float | None, late: type[httpcore.TimeoutException]) -> float:
        """Return the seconds that a step may take, which are at most `step`; raises `late` where none are left."""
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise late("the deadline is over")
        return seconds if step is None else min(seconds, step)


@contextlib.contextmanager
def deadline(within: timedelta) -> Iterator[Deadline]:
    """Hold all that this thread does on a `Wire` meanwhile to a deadline."""
    token = _DEADLINE.set(ends := Deadline(within))
    try:
        yield ends
    finally:
        _DEADLINE.reset(token)


class Wire(httpcore.NetworkBackend):
    """Opens connections that keep the deadline of the request; where `allowed` is given, only to addresses it allows.

    A name is resolved once, and the connection goes to an address that was judged: a name that resolves to something
    else a moment later gains nothing. Raises `Unreachable` where an address is not allowed.
    """

    def __init__(self, allowed: Allowed | None = None, resolve: Resolve = resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        problem: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in self._addresses(host, port):
            # An address that swallows what is sent to it leaves time for the next one of the same name.
            seconds = _DEADLINE.get().left(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._plain.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _TimedStream(stream)
        raise problem or httpcore.ConnectError("the name has no address")

    def _addresses(self, host: str, port: int) -> list[str]:
        seconds = _DEADLINE.get().left(None, httpcore.ConnectTimeout)
        addresses = list(dict.fromkeys(_resolve_within(seconds, self._resolve, host, port)))
        # One forbidden address is reason enough: a name of the public internet has no business inside.
        if self._allowed is not None and not all(self._allowed(ip_address(address)) for address in addresses):
            raise Unreachable(f"{host} is no address of the public internet", permanent=True)
        return addresses


def _resolve_within(seconds: float, resolve: Resolve, host: str, port: int) -> list[str]:
    """Resolve in a thread that is left alone when it takes too long: the C library has no deadline."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(list(resolve(host, port)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise httpcore.ConnectError("no such host") from answer
    return answer


class _TimedStream(httpcore.NetworkStream):
    """A connection that keeps the deadline of the request, however slowly its bytes drip."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _DEADLINE.get().left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for begin in range(0, len(buffer), _SENT_AT_ONCE):
            seconds = _DEADLINE.get().left(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[begin : begin + _SENT_AT_ONCE], seconds)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = _DEADLINE.get().left(timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def core_url(url: httpx.URL) -> httpcore.URL:
    """Return an address as httpcore takes it."""
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
