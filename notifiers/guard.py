"""Keeps messages from private addresses: a target is somewhere on the internet, unless a person allowed its network.

Whatever carries a message, the address that it really connects to is judged, at that moment: what a name resolved to
before is nothing, and a plugin that speaks a protocol of its own connects by the same sockets. A call of `send` is
known by its context, which threads that it starts inherit. All other connections of the process are left alone.
"""

import errno
import socket
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import wraps
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from models.internet import is_global
from notifiers.hearing import Hearing, current

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}
_KEPT = (
    *(".localhost", ".local", ".home.arpa", ".internal"),
    *(".lan", ".home", ".corp", ".intranet", ".private", ".localdomain", ".fritz.box"),
)
_IP = (socket.AF_INET, socket.AF_INET6)


def install() -> None:
    """Judge the connections of calls of `send` from now on; safe to call again."""
    if not hasattr(socket.socket.connect, "judges"):
        for name in ("connect", "connect_ex", "sendto"):
            setattr(socket.socket, name, _judging(getattr(socket.socket, name)))
        vars(threading)["Thread"].start = _inheriting(threading.Thread.start)


def _judging(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def connect(connection: socket.socket, *arguments: Any) -> Any:
        hearing = current()
        if hearing is None or hearing.may_be_private:
            return original(connection, *arguments)
        # The address is the last argument of all three.
        return original(connection, *arguments[:-1], _judged(connection, arguments[-1], hearing))

    vars(connect)["judges"] = True
    return connect


def _inheriting(original: Callable[..., None]) -> Callable[..., None]:
    @wraps(original)
    def start(thread: threading.Thread) -> None:
        if current() is not None:
            vars(thread)["run"] = _within(thread.run)
        original(thread)

    return start


def _within(run: Callable[[], None]) -> Callable[[], None]:
    context = copy_context()
    return lambda: context.run(run)


def _judged(connection: socket.socket, address: Any, hearing: Hearing) -> Any:
    """Return the address to connect to, of a name the one that was judged; raises OSError for a private one."""
    if connection.family not in _IP:
        raise _refusal(hearing)
    host, port = str(address[0]), int(address[1])
    if not _is_number(host):
        resolved = socket.getaddrinfo(host, port, connection.family, connection.type)
        address = resolved[0][4]
        host = str(address[0])
    if not is_public(host) and not _is_proxy(host, port):
        raise _refusal(hearing)
    return address


def refuse_private(host: str, port: int, hearing: Hearing) -> None:
    """Raise OSError where a name that a proxy will resolve is that of a private address, as far as we can tell."""
    if hearing.may_be_private:
        return
    try:
        resolved = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        # Behind a proxy there may be no other resolver than its own.
        return
    if not all(map(is_public, resolved)):
        raise _refusal(hearing)


def is_public(host: str) -> bool:
    """Return whether an address in figures is one of the internet."""
    return is_global(ip_address(host.partition("%")[0]))


def is_private_by_name(host: str) -> bool:
    """Return whether a host is private without asking anybody: in figures, or by a name that the internet has not."""
    name = host.strip("[]").rstrip(".").lower()
    figures = name if _is_number(name) else _figures(name)
    if figures is not None:
        return not is_public(figures)
    # RFC 6761, 6762, 8375, what ICANN keeps for it or never gives away, and names that only a search domain completes.
    return "." not in name or name.endswith(_KEPT)


def _figures(name: str) -> str | None:
    """Return the address that resolvers take a host for which is written in the old ways: `127.1`, `0x7f000001`."""
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except (OSError, UnicodeEncodeError):
        return None


def _is_number(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_proxy(host: str, port: int) -> bool:
    """Return whether this is the proxy that the operator named: it stands between us and the internet."""
    return any((host, port) in _ends(proxy) for proxy in getproxies().values())


def _ends(proxy: str) -> set[tuple[str, int]]:
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        port = parts.port or _PORTS.get(parts.scheme, 80)
        resolved = socket.getaddrinfo(parts.hostname or "", port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return set()
    return {(str(each[4][0]), port) for each in resolved}


def _refusal(hearing: Hearing) -> OSError:
    hearing.is_private = True
    return OSError(errno.EACCES, "a private address")
