"""The ports of this machine that our programs listen on."""

import socket

from models.errors import LootwireError

HOST = "127.0.0.1"
BACKLOG = 2048


def listen(port: int, setting: str) -> socket.socket:
    """Return a socket that listens; raises `LootwireError` if the port is taken. `setting` chooses another one."""
    # asyncio turns Nagle's algorithm off, which costs 40 ms an answer, only where the protocol is named.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise LootwireError(
            f"port {port} on {HOST} cannot be used ({error.strerror}); set {setting} to another one"
        ) from error
    return listening
