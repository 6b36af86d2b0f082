"""Takes the mail and the webhooks that the demo and the tests send, and keeps them to be looked at."""

import json
from asyncio import Server
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from threading import Condition
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from pipeline.demo.local import LOOPBACK, QuietHandler, serving

MAX_BYTES = 5_000_000
"""The longest mail or webhook body that a sink takes."""

MAX_KEPT = 1000
"""How many messages a sink keeps; it goes on taking more and forgets the oldest."""

Message = TypeVar("Message")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it was received; `sender` and `to` are the envelope's addresses."""

    subject: str
    sender: str
    to: tuple[str, ...]
    text: str
    html: str
    """Both bodies have plain newlines, and are empty where the mail has none."""
    raw: bytes


@dataclass(frozen=True, slots=True)
class Hook:
    """One POST as it was received, and the status that it was answered with."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    json: Any
    """The decoded body, None if it is not JSON."""
    status: int


class _Inbox(Generic[Message]):
    """The messages that arrived so far, oldest first, and a way to wait for more; several threads may use it."""

    def __init__(self) -> None:
        self._kept: deque[Message] = deque(maxlen=MAX_KEPT)
        self._total = 0
        self._arrived = Condition()

    def add(self, message: Message) -> None:
        with self._arrived:
            self._kept.append(message)
            self._total += 1
            self._arrived.notify_all()

    def all(self) -> list[Message]:
        with self._arrived:
            return list(self._kept)

    def wait_for(self, count: int, timeout: float) -> list[Message]:
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._total >= count, timeout):
                raise TimeoutError(f"{self._total} of {count} messages arrived in {timeout} s")
            return list(self._kept)


class MailSink:
    """A mail server on a free port of 127.0.0.1 that takes everything; use it as a context manager.

    It speaks plain SMTP and accepts any user and password.
    """

    def __init__(self) -> None:
        """Prepares an empty mailbox; nothing listens yet."""
        self.host = LOOPBACK
        self.port = 0
        self._inbox: _Inbox[Mail] = _Inbox()
        self._running = ExitStack()

    def __enter__(self) -> Self:
        controller = _FreePortController(
            _MailHandler(self._inbox),
            hostname=LOOPBACK,
            port=0,
            data_size_limit=MAX_BYTES,
            auth_require_tls=False,
            authenticator=_take_any_password,
        )
        controller.start()
        self._running.callback(controller.stop)
        self.port = controller.port
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def messages(self) -> list[Mail]:
        """The mails that arrived, oldest first."""
        return self._inbox.all()

    def wait_for(self, count: int, timeout: float = 10) -> list[Mail]:
        """The mails, as soon as `count` have arrived since the start.

        Raises:
            TimeoutError: They did not within `timeout` seconds.
        """
        return self._inbox.wait_for(count, timeout)


class WebhookSink:
    """A web server on a free port of 127.0.0.1 that takes any POST; use it as a context manager."""

    def __init__(self) -> None:
        """Prepares an empty list; nothing listens yet."""
        self.url = ""
        self._accepted: _Inbox[Hook] = _Inbox()
        self._refused: _Inbox[Hook] = _Inbox()
        self._failures: deque[int] = deque()
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self.url = self._running.enter_context(serving(partial(_HookHandler, self)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def messages(self) -> list[Hook]:
        """The POSTs that were answered with 200, oldest first."""
        return self._accepted.all()

    @property
    def refused(self) -> list[Hook]:
        """The POSTs that were answered with another status, oldest first."""
        return self._refused.all()

    def fail_next(self, count: int, status: int = 503) -> None:
        """Answers the next `count` POSTs with this status; calls add up and are used in their order."""
        self._failures.extend([status] * count)

    def wait_for(self, count: int, timeout: float = 10) -> list[Hook]:
        """The accepted POSTs, as soon as there were `count` since the start.

        Raises:
            TimeoutError: There were not within `timeout` seconds.
        """
        return self._accepted.wait_for(count, timeout)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Keeps a POST and returns the status to answer it with."""
        try:
            # One atomic step: two POSTs at a time must not both take the last failure.
            status = self._failures.popleft()
        except IndexError:
            status = 200
        kept = self._accepted if status == 200 else self._refused
        kept.add(Hook(path, headers, body, _decoded(body), status))
        return status


class _FreePortController(Controller):
    """aiosmtpd's controller, which would otherwise try to greet itself on port 0."""

    def _trigger_server(self) -> None:
        if isinstance(self.server, Server):
            self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class _MailHandler:
    def __init__(self, inbox: _Inbox[Mail]) -> None:
        self.inbox = inbox

    async def handle_DATA(  # noqa: N802  the name that aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.inbox.add(_mail(envelope))
        return "250 Kept"


class _HookHandler(QuietHandler):
    def __init__(self, sink: WebhookSink, *connection: Any) -> None:
        # Before the base class, whose constructor already handles the request.
        self.sink = sink
        super().__init__(*connection)

    def do_POST(self) -> None:  # noqa: N802  the name that http.server calls
        length = int(self.headers.get("Content-Length", "0"))
        if length > MAX_BYTES:
            self.answer(413, {})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.sink.take(self.path, headers, self.rfile.read(length))
        self.answer(status, {"Content-Type": "application/json"}, b"{}")


def _take_any_password(*_: Any) -> AuthResult:
    return AuthResult(success=True)


def _mail(envelope: Envelope) -> Mail:
    raw = envelope.original_content or b""
    message = message_from_bytes(raw, EmailMessage, policy=policy.default)
    return Mail(
        subject=str(message["Subject"] or ""),
        sender=envelope.mail_from or "",
        to=tuple(envelope.rcpt_tos),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        raw=raw,
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
