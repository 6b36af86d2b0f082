"""EventSub's websockets: welcome, keepalive, reconnect, and Twitch's own close codes.

https://dev.twitch.tv/docs/eventsub/handling-websocket-events/
"""

import asyncio
import http
import secrets
import time
from asyncio import create_task
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.twitch.eventsub import EventSub
from tests.twitch.faults import Faults, SeenRequest
from tests.twitch.messages import envelope, new_id
from tests.twitch.settings import Settings
from tests.twitch.times import nanoseconds

PATH = "/ws"
REASONS = {
    4000: "internal server error",
    4001: "client sent inbound traffic",
    4002: "client failed ping-pong",
    4003: "connection unused",
    4004: "reconnect grace time expired",
    4005: "network timeout",
    4006: "network error",
    4007: "invalid reconnect",
}
DEFAULT_KEEPALIVE = 10


class Session:
    """One live socket. Belongs to the loop; its messages leave in the order in which they were put."""

    def __init__(self, session_id: str, socket: ServerConnection, keepalive: float, settings: Settings) -> None:
        self.id = session_id
        self.attached = False
        # The code with which this side is closing it.
        self.closing: int | None = None
        # Nothing is sent any more, as in a network that swallows everything.
        self.muted = False
        # Unix seconds.
        self.welcomed_at = time.time()
        self.connected_at = nanoseconds(settings.now())
        self.keepalive = keepalive
        self._socket = socket
        self._settings = settings
        self._outbox: asyncio.Queue[bytes | int] = asyncio.Queue()

    def put(self, message: bytes) -> None:
        self._outbox.put_nowait(message)

    def say(self, kind: str, **session: object) -> None:
        """A message about the session itself; without particulars its payload is empty."""
        payload = {"session": {"id": self.id, **session}} if session else {}
        self.put(envelope(new_id(), kind, nanoseconds(self._settings.now()), payload))

    def close(self, code: int) -> None:
        """Close it after all that was put before."""
        self.closing = code
        self._outbox.put_nowait(code)

    def abort(self) -> None:
        """Tear the connection down; the client sees 1006."""
        self.closing = 1006
        self._socket.transport.abort()

    async def write(self) -> None:
        """Send what is put, keepalives when it is quiet, and give up on a socket that stays unused."""
        unused_at = time.monotonic() + self._settings.attach_seconds
        quiet_since = time.monotonic()
        while True:
            pauses = [quiet_since + self.keepalive - time.monotonic()]
            if not self.attached:
                pauses.append(unused_at - time.monotonic())
            try:
                item = await asyncio.wait_for(self._outbox.get(), max(min(pauses), 0.001))
            except TimeoutError:
                now = time.monotonic()
                if not self.attached and now >= unused_at:
                    self.close(4003)
                elif now >= quiet_since + self.keepalive:
                    quiet_since = now
                    if self._settings.keepalives:
                        self.say("session_keepalive")
                continue
            if isinstance(item, int):
                await self._socket.close(item, REASONS.get(item, ""))
                return
            if not self.muted:
                await self._socket.send(item, text=True)
            quiet_since = time.monotonic()


class Sockets:
    """The websocket server; `server` is None until it is started."""

    def __init__(self, settings: Settings, eventsub: EventSub, faults: Faults, requests: list[SeenRequest]) -> None:
        self._settings = settings
        self._eventsub = eventsub
        self._faults = faults
        self._requests = requests
        self._server: Server | None = None
        self._invitations: dict[str, Session] = {}
        self._grace: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self, port: int) -> None:
        self._server = await serve(
            self._attend, "127.0.0.1", port, process_request=self._welcome, compression=None, close_timeout=1
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        for task in self._grace:
            task.cancel()
        await asyncio.gather(*self._grace, return_exceptions=True)
        for session in list(self._eventsub.sessions):
            session.abort()
        self._server.close()
        await self._server.wait_closed()

    def invite(self, url: str | None) -> None:
        """Ask every session to reconnect, at this address or a true one."""
        for session in list(self._eventsub.sessions):
            challenge = new_id()
            self._invitations[challenge] = session
            session.say(
                "session_reconnect",
                status="reconnecting",
                keepalive_timeout_seconds=None,
                reconnect_url=url or f"ws://127.0.0.1:{self.port}{PATH}?challenge={challenge}&id={session.id}",
                connected_at=session.connected_at,
            )
            task = create_task(self._end_grace(challenge, session))
            self._grace.add(task)
            task.add_done_callback(self._grace.discard)

    async def _end_grace(self, challenge: str, session: Session) -> None:
        await asyncio.sleep(self._settings.reconnect_grace_seconds)
        self._invitations.pop(challenge, None)
        if session in self._eventsub.sessions:
            session.close(4004)

    def _welcome(self, connection: ServerConnection, request: Request) -> Response | None:
        """Take or refuse a handshake."""
        target = urlsplit(request.path)
        query = tuple((key, value) for key, values in parse_qs(target.query).items() for value in values)
        fault = self._faults.take("GET", target.path)
        status = 101
        if self._settings.unreachable or (fault is not None and (fault.reset or fault.status is None)):
            connection.transport.abort()
        elif fault is not None and fault.status is not None:
            status = fault.status
        elif target.path != PATH:
            status = 404
        elif _keepalive(dict(query)) is None:
            status = 400
        self._requests.append(SeenRequest("GET", target.path, query, time.time(), status=status))
        return None if status == 101 else connection.respond(http.HTTPStatus(status), "")

    async def _attend(self, socket: ServerConnection) -> None:
        """One connection, from its welcome to its end."""
        assert socket.request is not None
        query = {key: values[0] for key, values in parse_qs(urlsplit(socket.request.path).query).items()}
        old = None
        if "challenge" in query or "id" in query:
            old = self._invitations.pop(query.get("challenge", ""), None)
            # The address is worth nothing once the old socket is closed.
            if old is None or old not in self._eventsub.sessions:
                await socket.close(4007, REASONS[4007])
                return
        session = self._open(socket, query, old)
        writer = create_task(session.write())
        try:
            async for _ in socket:
                session.close(4001)
                break
            await socket.wait_closed()
        except ConnectionClosed:
            pass  # its code is read below
        finally:
            self._eventsub.lost(session, session.closing or socket.close_code or 1006)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    def _open(self, socket: ServerConnection, query: dict[str, str], old: Session | None) -> Session:
        seconds = _keepalive(query) if old is None else old.keepalive
        keepalive = self._settings.keepalive_seconds or seconds or DEFAULT_KEEPALIVE
        kept = old is not None and self._settings.reconnect_keeps_id
        session = Session(old.id if old and kept else _session_id(), socket, keepalive, self._settings)
        session.say(
            "session_welcome",
            status="connected",
            connected_at=session.connected_at,
            keepalive_timeout_seconds=int(keepalive) if keepalive == int(keepalive) else keepalive,
            reconnect_url=None,
            recovery_url=None,
        )
        self._eventsub.sessions.append(session)
        if old is not None:
            self._eventsub.adopt(old, session)
        return session


def _session_id() -> str:
    return "AgoQ" + secrets.token_urlsafe(18)


def _keepalive(query: dict[str, str]) -> float | None:
    """The seconds that a client asks for; None where they are not from 10 to 600."""
    text = query.get("keepalive_timeout_seconds", str(DEFAULT_KEEPALIVE))
    return float(text) if text.isdecimal() and 10 <= int(text) <= 600 else None
