"""Where requests may lead that others chose: which addresses are public, and which forms are taken."""

import socket
from collections.abc import Callable, Sequence

import httpx
import msgspec

from models.errors import LootwireError
from models.internet import Address, is_global

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 3
PORTS = {"http": 80, "https": 443}

Allowed = Callable[[Address], bool]
# Gives the addresses of a host, as text; raises OSError.
Resolve = Callable[[str, int], Sequence[str]]


class Unreachable(LootwireError):
    """Nothing was fetched; `permanent` says that asking again will not help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class Rules(msgspec.Struct, frozen=True):
    """Where a fetch may lead; `ports` is None where any will do."""

    allowed: Allowed = is_global
    ports: frozenset[int] | None = frozenset(PORTS.values())


PUBLIC = Rules()


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host from the machine's own resolver; raises OSError."""
    return [str(answer[4][0]) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def checked(url: str, rules: Rules, led_by: httpx.URL | None = None) -> httpx.URL:
    """Return an address, or where a redirect leads from another, if its form is allowed; raises `Unreachable`."""
    try:
        target = httpx.URL(url) if led_by is None else led_by.join(url)
        # Which decodes a name of other scripts.
        has_host = bool(target.host)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise Unreachable("not an address", permanent=True) from error
    port = target.port or PORTS.get(target.scheme)
    if port is None or target.scheme not in PORTS or not has_host or target.userinfo:
        raise Unreachable("not an http or https address", permanent=True)
    if rules.ports is not None and port not in rules.ports:
        raise Unreachable(f"{target.host}: port {port} is not allowed", permanent=True)
    if led_by is not None and led_by.scheme == "https" and target.scheme == "http":
        raise Unreachable(f"{led_by.host} leads from https to http", permanent=True)
    return target
