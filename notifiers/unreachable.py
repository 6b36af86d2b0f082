"""Says in words that hold no address why no connection to a service came about."""

import socket
import ssl
from collections.abc import Iterator

from urllib3.exceptions import NameResolutionError


def why_unreachable(error: BaseException) -> str:
    """Return why there is no connection, by an error and those behind it; nothing where none of them tells."""
    for reason in _reasons(error):
        if isinstance(reason, ssl.SSLCertVerificationError):
            # What is after the comma is the host's name.
            return f"its certificate is not valid ({reason.verify_message.partition(',')[0]})"
        if isinstance(reason, ssl.SSLError):
            return "it does not speak TLS as we do"
        if isinstance(reason, socket.gaierror | NameResolutionError):
            return "the name of its host cannot be looked up"
        if isinstance(reason, ConnectionRefusedError):
            return "nothing listens at its address"
    return ""


def _reasons(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those behind it, the way that requests and urllib3 wrap them, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        reason = waiting.pop(0)
        if id(reason) in seen:
            continue
        seen.add(id(reason))
        yield reason
        behind = (reason.__cause__, reason.__context__, getattr(reason, "reason", None), *reason.args)
        waiting += [other for other in behind if isinstance(other, BaseException)]
