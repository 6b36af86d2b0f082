"""The ports of this machine that our programs listen on."""

import errno
import socket

from models.errors import LootwireError
from pipeline.runtime.settings import LOOPBACK

# Unless another one is set: this machine alone reaches it.
HOST = LOOPBACK
BACKLOG = 2048


def listen(port: int, setting: str, *, host: str = HOST) -> socket.socket:
    """Return a socket that listens on an address of this machine; `setting` is where another port is set.

    Raises `LootwireError` if the port is taken, or if this machine has no such address.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise LootwireError(f"LOOTWIRE_HTTP_HOST: this machine knows no address {host} ({error.strerror})") from error
    # asyncio turns Nagle's algorithm off, which costs 40 ms an answer, only where the protocol is named.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # `::` is every address of the machine, those of IPv4 too.
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise LootwireError(f"LOOTWIRE_HTTP_HOST: {host} is no address of this machine") from error
        raise LootwireError(
            f"port {port} on {host} cannot be used ({error.strerror}); set {setting} to another one"
        ) from error
    return listening
