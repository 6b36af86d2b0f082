"""Fetch from addresses that payloads or users gave, without being led to the machines around us.

A name is resolved once and all of its addresses are judged before anything is sent; the connection goes to one that was
judged, so a name that resolves to something else a moment later gains nothing. Each redirect is judged anew, and
proxies are not used: they would resolve names themselves.
"""

import functools
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpcore
import httpx
import msgspec

from models.errors import LootwireError
from pipeline.fetch.http import MAX_REDIRECTS, USER_AGENT

MAX_BYTES = 5 * 1024 * 1024
DEADLINE = timedelta(seconds=10)
# An address that swallows what is sent to it must leave time for the next one of the same name.
CONNECT_SECONDS = 4.0
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Refusals that time may cure; any other status from 400 to 499 says the same tomorrow.
_PASSING = frozenset({408, 425, 429})
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# RFC 6052: how networks without IPv4 write its addresses.
_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
# Gives the addresses of a host, as text; raises OSError.
Resolve = Callable[[str, int], Sequence[str]]


class Unreachable(LootwireError):
    """Nothing was fetched; `permanent` says that asking again will not help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


def is_global(address: Address) -> bool:
    """Whether an address belongs to a machine of the public internet, and so does each address wrapped in it."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address in _NAT64:
        return is_global(IPv4Address(int(address) & 0xFFFFFFFF))
    inner = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    if any(wrapped is not None and not is_global(wrapped) for wrapped in inner):
        return False
    return address.ipv4_mapped is not None or (address in _GLOBAL_UNICAST and address.is_global)


class Rules(msgspec.Struct, frozen=True):
    """Where a fetch may lead; `ports` is None where any will do."""

    allowed: Callable[[Address], bool] = is_global
    ports: frozenset[int] | None = frozenset(_PORTS.values())


PUBLIC = Rules()


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host from the machine's own resolver; raises OSError."""
    return [str(answer[4][0]) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def fetch(
    url: str,
    rules: Rules = PUBLIC,
    *,
    resolve: Resolve = resolve,
    max_bytes: int = MAX_BYTES,
    deadline: timedelta = DEADLINE,
) -> bytes:
    """Return what an http or https address gives, of at most `max_bytes` and within `deadline` from first to last.

    Follows three redirects, none from https to http. The machine's resolver has time limits of its own.
    Raises `Unreachable`.
    """
    backend = _GuardedBackend(rules, resolve, time.monotonic() + deadline.total_seconds())
    target = checked(url, rules)
    # No connection is kept, so that each redirect is judged anew.
    with httpcore.ConnectionPool(_tls(), max_keepalive_connections=0, network_backend=backend) as pool:
        for _ in range(MAX_REDIRECTS + 1):
            answer = _ask(pool, target, max_bytes)
            if isinstance(answer, bytes):
                return answer
            target = checked(answer, rules, led_by=target)
    raise Unreachable(f"{target.host} leads on and on", permanent=True)


def checked(url: str, rules: Rules, led_by: httpx.URL | None = None) -> httpx.URL:
    """Return an address, or where a redirect leads from another, if its form is allowed; raises `Unreachable`."""
    try:
        target = httpx.URL(url) if led_by is None else led_by.join(url)
    except httpx.InvalidURL as error:
        raise Unreachable("not an address", permanent=True) from error
    port = target.port or _PORTS.get(target.scheme)
    if port is None or target.scheme not in _PORTS or not target.host or target.userinfo:
        raise Unreachable("not an http or https address", permanent=True)
    if rules.ports is not None and port not in rules.ports:
        raise Unreachable(f"{target.host}: port {port} is not allowed", permanent=True)
    if led_by is not None and led_by.scheme == "https" and target.scheme == "http":
        raise Unreachable(f"{led_by.host} leads from https to http", permanent=True)
    return target


class _GuardedBackend(httpcore.NetworkBackend):
    """Opens connections to judged addresses only, and ends them at the deadline."""

    def __init__(self, rules: Rules, resolve: Resolve, until: float) -> None:
        self._rules = rules
        self._resolve = resolve
        self._until = until
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline says more
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        problem: Exception | None = None
        for address in self._judged(host, port):
            seconds = min(CONNECT_SECONDS, _left(self._until, httpcore.ConnectTimeout))
            try:
                stream = self._plain.connect_tcp(str(address), port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _TimedStream(stream, self._until)
        raise Unreachable(f"{host}: no connection") from problem

    def _judged(self, host: str, port: int) -> list[Address]:
        try:
            addresses = [ip_address(text) for text in dict.fromkeys(self._resolve(host, port))]
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"{host}: no such host") from error
        # One forbidden address is reason enough: a name of the public internet has no business inside.
        if not addresses or not all(map(self._rules.allowed, addresses)):
            raise Unreachable(f"{host} is no address of the public internet", permanent=True)
        return addresses


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every step must be done before one deadline, however slowly its bytes drip."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _left(self._until, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _left(self._until, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        seconds = _left(self._until, httpcore.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, seconds), self._until)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(until: float, late: type[httpcore.TimeoutException]) -> float:
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise late("the deadline is over")
    return seconds


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpcore.default_ssl_context()


def _ask(pool: httpcore.ConnectionPool, target: httpx.URL, max_bytes: int) -> bytes | str:
    """Return the body of an answer, or the address that it redirects to."""
    # Nothing is unpacked: what arrives is what there is.
    headers = {b"Host": target.netloc, b"User-Agent": USER_AGENT.encode(), b"Accept-Encoding": b"identity"}
    address = httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path)
    try:
        with pool.stream("GET", address, headers=list(headers.items())) as response:
            location = _location(response)
            if location is not None:
                return location
            _raise_for_status(response.status, target.host)
            return _body(response, max_bytes, target.host)
    except httpcore.TimeoutException as error:
        raise Unreachable(f"{target.host}: no whole answer in time") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unreachable(f"{target.host}: {type(error).__name__}") from error


def _location(response: httpcore.Response) -> str | None:
    if response.status not in _REDIRECTS:
        return None
    locations = (value for name, value in response.headers if name.lower() == b"location")
    return next(locations, b"").decode("latin-1")


def _body(response: httpcore.Response, max_bytes: int, host: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > max_bytes:
            raise Unreachable(f"{host}: larger than {max_bytes} bytes", permanent=True)
    return bytes(body)


def _raise_for_status(status: int, host: str) -> None:
    if status != 200:
        permanent = status < 500 and status not in _PASSING
        raise Unreachable(f"{host} answered {status}", permanent=permanent)
