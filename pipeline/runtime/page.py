"""Say where the page is once it can be opened: an address that does not answer yet helps nobody.

The supervisor imports this, so it asks with a socket instead of a library.
"""

import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from models.printable import printable

PATIENCE = 1.0
FIRST_COMPLAINT_SECONDS = 20.0
# Our page has it near its beginning (feeds/publish.py): another program's page is not what we announce.
_OURS = b"<!-- lootwire "
_BEGINNING = 4096


def problem_of(host: str, port: int) -> str | None:
    """Ask for the page once and return None where it answers 200, else why it cannot be opened."""
    request = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, port), PATIENCE) as connection:
            connection.sendall(request.encode())
            answer = _read_beginning(connection)
    except OSError as error:
        return f"nothing answers on port {port}: {error.strerror or error}"
    status = answer.partition(b" ")[2][:3].decode("ascii", "replace")
    if status == "404":
        return "no page has been written yet"
    if status != "200":
        return f"it answers {status or 'nothing'}"
    return None if _OURS in answer else f"another program answers on port {port}"


def _read_beginning(connection: socket.socket) -> bytes:
    answer, until = b"", time.monotonic() + PATIENCE
    # Another program on the port may drip: the supervisor has more to do than to wait for each byte of it.
    while len(answer) < _BEGINNING and time.monotonic() < until and (part := connection.recv(_BEGINNING)):
        answer += part
    return answer


@dataclass
class Announcement:
    """Prints a greeting once the page answers, and until then now and then why it does not; `look` asks once."""

    host: str
    port: int
    greeting: str
    say: Callable[[str], None]
    complain_after: float = FIRST_COMPLAINT_SECONDS
    _began: float = field(default_factory=time.monotonic)
    _is_over: bool = False

    def look(self) -> None:
        """Print what there is to say now; raises BrokenPipeError where nobody reads the greeting."""
        if self._is_over:
            return
        if (problem := problem_of(self.host, self.port)) is None:
            self._is_over = True
            sys.stdout.write(f"{printable(self.greeting)}\n")
            sys.stdout.flush()
        elif time.monotonic() - self._began > self.complain_after:
            self.complain_after *= 3
            self.say(f"pages and feeds are not served yet: {problem}")
