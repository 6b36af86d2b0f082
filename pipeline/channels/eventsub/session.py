"""A websocket session of EventSub: opened, welcomed, read frame by frame, and taken for dead when it is silent.

https://dev.twitch.tv/docs/eventsub/handling-websocket-events/. We never send anything: pings of ours would be answered
with close code 4001. Twitch pings by itself, and the library answers.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from models.errors import LootwireError
from pipeline.channels.eventsub.close_codes import ABNORMAL, SILENT, ending
from pipeline.channels.eventsub.messages import Frame, Notification, Welcome, read_frame
from pipeline.errors import InvalidItem
from pipeline.fetch.http import USER_AGENT

# The least that Twitch takes: a dead connection is noticed soonest.
KEEPALIVE_SECONDS = 10
OPEN_WITHIN = timedelta(seconds=10)
CLOSE_WITHIN = 1.0
# A keepalive may be on its way for a while.
GRACE = timedelta(seconds=5)
LONGEST_FRAME = 1024 * 1024

Unread = Callable[[str, str], object]


class SessionEnded(LootwireError):
    """A session is over; `code` says why: the server's, the network's, or our own for silence."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{ending(code).meaning} ({code if code > 0 else 'silence'})")
        self.code = code


class CannotOpen(LootwireError):
    """No session could be opened; `status` is that of the refused handshake, where there was an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Session:
    """One open session. `unread` gets frames that cannot be read, with the reason."""

    def __init__(
        self,
        opened: contextlib.ExitStack,
        connection: ClientConnection,
        welcome: Welcome,
        unread: Unread,
        *,
        grace: timedelta = GRACE,
    ) -> None:
        """Use `open_session`."""
        self._opened = opened
        self._connection = connection
        self._unread = unread
        self._silence = (welcome.keepalive + grace).total_seconds()
        self._heard_at = time.monotonic()
        self.id = welcome.session_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def receive(self, within: float) -> Frame | None:
        """Return the next frame, None where none came within so many seconds; raises `SessionEnded`."""
        try:
            frame = self._connection.recv(timeout=within, decode=False)
        except TimeoutError:
            if time.monotonic() - self._heard_at > self._silence:
                raise SessionEnded(SILENT) from None
            return None
        except ConnectionClosed as error:
            raise SessionEnded(error.rcvd.code if error.rcvd is not None else ABNORMAL) from error
        self._heard_at = time.monotonic()
        try:
            message = read_frame(frame)
        except InvalidItem as error:
            self._unread(bytes(frame).decode(errors="replace"), str(error))
            return None
        if isinstance(message, Notification) and message.problem:
            self._unread(bytes(frame).decode(errors="replace"), message.problem)
        return message

    def close(self) -> None:
        """Say goodbye, and wait for the answer no longer than a moment."""
        with contextlib.suppress(WebSocketException, OSError, EOFError):
            self._opened.close()


def open_session(url: str, unread: Unread, *, grace: timedelta = GRACE) -> Session:
    """Open a session and wait for its welcome; raises `CannotOpen` or `SessionEnded`."""
    place = urlsplit(url).hostname
    with contextlib.ExitStack() as opened:
        connection = opened.enter_context(_connect(url, place))
        welcome = _await_welcome(connection, place)
        return Session(opened.pop_all(), connection, welcome, unread, grace=grace)


@contextlib.contextmanager
def _connect(url: str, place: str | None) -> Iterator[ClientConnection]:
    opened = contextlib.ExitStack()
    try:
        connecting = connect(
            url,
            open_timeout=OPEN_WITHIN.total_seconds(),
            close_timeout=CLOSE_WITHIN,
            ping_interval=None,
            max_size=LONGEST_FRAME,
            # A burst of 500 messages, and some more, while the thread is busy.
            max_queue=2048,
            user_agent_header=USER_AGENT,
        )
        connection = opened.enter_context(connecting)
    except InvalidStatus as error:
        status = error.response.status_code
        raise CannotOpen(f"{place} opens no websocket ({status})", status) from error
    except (WebSocketException, OSError, TimeoutError, EOFError) as error:
        raise CannotOpen(f"{place} opens no websocket: {str(error) or type(error).__name__}") from error
    with opened:
        yield connection


def with_keepalive(url: str) -> str:
    """Return the usual address with the keepalive that we ask for; that for reconnecting must stay as it is."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | {"keepalive_timeout_seconds": str(KEEPALIVE_SECONDS)}
    return parts._replace(query=urlencode(query)).geturl()


def _await_welcome(connection: ClientConnection, place: str | None) -> Welcome:
    try:
        frame = read_frame(connection.recv(timeout=OPEN_WITHIN.total_seconds(), decode=False))
    except TimeoutError as error:
        raise CannotOpen(f"{place} says no welcome") from error
    except ConnectionClosed as error:
        raise SessionEnded(error.rcvd.code if error.rcvd is not None else ABNORMAL) from error
    except InvalidItem as error:
        raise CannotOpen(f"{place} says a welcome that we cannot read: {error}") from error
    if not isinstance(frame, Welcome):
        raise CannotOpen(f"{place} begins with something else than a welcome")
    return frame
