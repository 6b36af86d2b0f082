"""Keeps a process from all but the public internet: other addresses are neither resolved to nor connected to.

For a process of its own, since it cannot be taken back: names are resolved by a function that leaves out what is not
public, and an audit hook (PEP 578) sees every connection of a Python socket, whichever library opens it, after each
redirect, and every program that is started.
"""

import errno
import socket
import sys
from collections.abc import Callable, Collection
from ipaddress import ip_address
from typing import Any

from models.errors import LootwireError
from models.internet import is_global

_IP = (socket.AF_INET, socket.AF_INET6)


class InwardAddress(LootwireError, socket.gaierror):
    """A name that leads into a private network, or an address that lies in one."""

    def __init__(self) -> None:
        super().__init__(socket.EAI_NONAME, "a private address")


class Guard:
    """What may be reached: the public internet, and the ports of this machine that a test named.

    `refusals` counts what was refused. `programs` are the only ones that may be started.
    """

    def __init__(self, loopback_ports: Collection[int] = (), programs: Collection[str] = ()) -> None:
        self._ports = frozenset(loopback_ports)
        self._programs = frozenset(programs)
        self.refusals = 0

    def install(self) -> None:
        """Guard this process from now to its end."""
        vars(socket)["getaddrinfo"] = self._resolving(socket.getaddrinfo)
        sys.addaudithook(self._hook)

    def _resolving(self, original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def getaddrinfo(*arguments: Any, **named: Any) -> list[Any]:
            resolved = original(*arguments, **named)
            public = [each for each in resolved if each[0] in _IP and self._may_reach(each[4])]
            if not public:
                self.refusals += 1
                raise InwardAddress
            return public

        return getaddrinfo

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            self._judge(*arguments[:2])
        elif event in {"subprocess.Popen", "os.posix_spawn", "os.exec"}:
            if str(arguments[0]) not in self._programs:
                raise PermissionError(errno.EPERM, "no program is started here")
        elif event in {"os.system", "os.fork", "os.forkpty", "pty.spawn"}:
            raise PermissionError(errno.EPERM, "no program is started here")

    def _judge(self, connection: socket.socket, address: Any) -> None:
        # A datagram on a connected socket has none; it was judged when that connected.
        if address is None:
            return
        if connection.family in _IP and self._may_reach(address):
            return
        self.refusals += 1
        raise InwardAddress

    def _may_reach(self, address: Any) -> bool:
        host, port = str(address[0]).partition("%")[0], address[1]
        try:
            judged = ip_address(host)
        except ValueError:
            # The name of a host: the socket would resolve it by itself, past `getaddrinfo`.
            return False
        return is_global(judged) or (judged.is_loopback and port in self._ports)
