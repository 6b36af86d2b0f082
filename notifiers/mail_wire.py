"""Carries the mail of Apprise, and notes in the call's hearing what the mail server replies.

Apprise tells nothing of a reply but a line of its log, and waits for each as long as for a connection.
"""

import io
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from notifiers.answers import MailReply
from notifiers.hearing import Hearing, TimedReader, current
from notifiers.unreachable import why_unreachable

# A reply may have many lines, and nobody reads so many.
MAX_REPLY_BYTES = 100_000
_GO_AHEAD = 354
# What is said at the end is no word on the message.
_PARTING = frozenset({"rset", "quit"})


def install() -> None:
    """Let Apprise's mail plugin speak SMTP by the classes of this module; safe to call again."""
    from apprise.plugins.email import smtp

    ours = SimpleNamespace(SMTP=HearingSmtp, SMTP_SSL=HearingSmtps, SMTPException=smtplib.SMTPException)
    vars(smtp)["smtplib"] = ours


class _HearingMixin:
    """Waits for each reply as long as RFC 5321 wants it, from its command to its last byte."""

    sock: Any
    file: Any
    _reader: TimedReader
    _command = ""
    _last_code = 0

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        with _noted():
            return super()._get_socket(host, port, timeout)  # type: ignore[misc]

    def login(self, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        with _wanted("no login (AUTH); leave user and password out of the address, or use mailtos://"):
            reply: tuple[int, bytes] = super().login(*arguments, **options)  # type: ignore[misc]
            return reply

    def starttls(self, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        with _noted(), _wanted("no encryption (STARTTLS); use mailtos://…?mode=ssl, or mailto:// without any"):
            reply: tuple[int, bytes] = super().starttls(*arguments, **options)  # type: ignore[misc]
            return reply

    def putcmd(self, cmd: str, args: str = "") -> None:
        self._command = cmd.lower()
        if (hearing := current()) is not None and self._command not in _PARTING:
            # If no reply comes to this one, the last refusal is not the reason.
            hearing.refusal = None
        super().putcmd(cmd, args)  # type: ignore[misc]

    def send(self, s: Any) -> None:
        if (hearing := current()) is not None and self.sock:
            self.sock.settimeout(max(hearing.seconds(hearing.patience.mail_block), 0.001))
        super().send(s)  # type: ignore[misc]

    def getreply(self) -> tuple[int, bytes]:
        hearing = current()
        if hearing is None:
            reply: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
            return reply
        is_end = self._last_code == _GO_AHEAD
        self._last_code = 0
        if self.file is None:
            self._reader = TimedReader(self.sock)
            self.file = io.BufferedReader(self._reader)
        self._reader.allow(self._seconds(hearing, is_end=is_end), MAX_REPLY_BYTES)
        hearing.is_unanswered |= is_end
        hearing.is_attempted = True
        code, words = super().getreply()  # type: ignore[misc]
        hearing.is_attempted = False
        self._hear(hearing, code, words, is_end=is_end)
        return code, words

    def _seconds(self, hearing: Hearing, *, is_end: bool) -> float:
        patience = hearing.patience
        if is_end:
            return patience.mail_end
        longest = {"data": patience.mail_data, "quit": patience.mail_quit, "rset": patience.mail_quit}
        return hearing.seconds(longest.get(self._command, patience.mail_command))

    def _hear(self, hearing: Hearing, code: int, words: bytes, *, is_end: bool) -> None:
        self._last_code = code
        if is_end and code >= 200:
            hearing.is_unanswered, hearing.is_taken = False, code < 300
        if self._command not in _PARTING and code >= 400:
            hearing.refusal = MailReply(code, words.decode(errors="replace"))


@contextmanager
def _noted() -> Iterator[None]:
    """Note in the call's hearing why no connection comes about."""
    try:
        yield
    except OSError as error:
        if (hearing := current()) is not None:
            hearing.unreachable = why_unreachable(error)
        raise


@contextmanager
def _wanted(lacking: str) -> Iterator[None]:
    """Note in the call's hearing what a mail server lacks where it offers no such thing."""
    try:
        yield
    except smtplib.SMTPNotSupportedError:
        if (hearing := current()) is not None:
            hearing.lacking = lacking
        raise


class HearingSmtp(_HearingMixin, smtplib.SMTP):
    """smtplib's client for a call of `send`."""


class HearingSmtps(_HearingMixin, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""
