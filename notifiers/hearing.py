"""What services answer while Apprise talks to them: it tells whether a message was taken, and little more.

`http_wire` and `mail_wire` carry each request and note here what came of it. A hearing belongs to one call of `send`,
and is found by its context, so threads that send at the same time never hear each other's answers.
"""

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from notifiers.answers import HttpAnswer, MailReply


@dataclass(frozen=True, kw_only=True)
class Patience:
    """For how many seconds a service is waited for.

    For mail they are those of RFC 5321, 4.5.3.2. `mail_end` is the wait for the answer to a whole message: a sender
    that gives up earlier sends it twice. `whole` is for everything but that one wait.
    """

    connect: float = 20.0
    http_answer: float = 120.0
    # The status is the answer; what comes after it is worth less.
    http_body: float = 20.0
    mail_command: float = 300.0
    mail_data: float = 120.0
    mail_block: float = 180.0
    mail_end: float = 600.0
    mail_quit: float = 5.0
    # For services that speak a protocol of their own; Apprise gives them up.
    other: float = 60.0
    whole: float = 900.0

    @property
    def longest(self) -> float:
        """The seconds after which no message is under way any more."""
        return self.whole + self.mail_end + self.mail_block


PATIENCE = Patience()


@dataclass
class Hearing:
    """What was heard in one call.

    `is_unanswered` says that a service was sent a whole request, or a mail to its final dot, and never answered;
    `is_taken` that a mail server took the mail. `refusal` is the mail server's last reply if that was a refusal, and
    `unreachable` says in words why no connection came about, where that is known, and `lacking` what the address wants
    of a mail server that does not offer it.
    """

    patience: Patience = PATIENCE
    # Whether it may lead to a private address, and whether it would have, and was refused.
    may_be_private: bool = False
    is_private: bool = False
    answers: list[HttpAnswer] = field(default_factory=list)
    refusal: MailReply | None = None
    is_unanswered: bool = False
    is_taken: bool = False
    is_attempted: bool = False
    unreachable: str = ""
    lacking: str = ""
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the clock of the whole call."""
        self._until = time.monotonic() + self.patience.whole

    def seconds(self, longest: float) -> float:
        """Return for how long to wait now: `longest`, or what is left of the whole call."""
        return min(longest, self._until - time.monotonic())

    @property
    def rest(self) -> timedelta | None:
        """The longest rest that the service asked for."""
        return max((answer.rest for answer in self.answers if answer.rest), default=None)


_current: ContextVar[Hearing | None] = ContextVar("hearing", default=None)


def current() -> Hearing | None:
    """Return the hearing of the call that this code runs for."""
    return _current.get()


@contextmanager
def listening(patience: Patience, *, may_be_private: bool = False) -> Iterator[Hearing]:
    """Hear what services answer to the requests of a `with` block, which may lead to private addresses or not."""
    hearing = Hearing(patience, may_be_private)
    token = _current.set(hearing)
    try:
        yield hearing
    finally:
        _current.reset(token)


class TimedReader(io.RawIOBase):
    """Reads a socket until a deadline and up to a number of bytes, both set by `allow`; else it raises OSError.

    A socket's own timeout begins anew with each byte, so a server that drips would be read for ever.
    """

    def __init__(self, connection: socket.socket) -> None:
        """Read `connection`, which stays open until this and it are closed; nothing may be read yet."""
        self._socket = connection
        self._raw: Any = connection.makefile("rb", buffering=0)
        self._until = 0.0
        self._bytes = 0

    def allow(self, seconds: float, size: int) -> None:
        """Read for so many seconds and bytes from now on."""
        self._until = time.monotonic() + seconds
        self._bytes = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        if self._bytes <= 0:
            raise OSError("the answer is too long")
        self._socket.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        self._bytes -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
