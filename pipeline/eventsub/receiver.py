"""The receiver: a small web application that takes Twitch's webhooks, and tells at /health how everything stands.

https://dev.twitch.tv/docs/eventsub/handling-webhook-events/. A message is judged by its signature before anything of it
is read; it is answered once its row is committed. Handling it is another program's work: no answer waits for it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipeline.bodies import read_within
from pipeline.errors import InvalidItem
from pipeline.eventsub.inbox import AT_ONCE
from pipeline.eventsub.messages import Challenge, Notification, Revocation, Unknown, read_body
from pipeline.eventsub.signature import Forged, verify
from pipeline.problems import explain

logger = logging.getLogger(__name__)
# The longest message that we subscribe to has two thousand bytes.
LONGEST_BODY = 64 * 1024
# Whoever sends a body drop by drop is not Twitch.
BODY_WITHIN = 10.0
HEADER = "twitch-eventsub-"

Health = Callable[[], tuple[bool, Mapping[str, Any]]]


class Kept:
    """Keeps messages of many requests in few transactions; a request goes on when its message is committed."""

    def __init__(self, write: Callable[[Sequence[Notification]], object]) -> None:
        self._write = write
        self._pending: list[tuple[Notification, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, message: Notification) -> None:
        """Return when the message is committed; raises what the database raised."""
        committed = asyncio.get_running_loop().create_future()
        self._pending.append((message, committed))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await committed

    async def _write_all(self) -> None:
        while self._pending:
            batch, self._pending = self._pending[:AT_ONCE], self._pending[AT_ONCE:]
            error: Exception | None = None
            try:
                await asyncio.to_thread(self._write, [message for message, _ in batch])
            except Exception as failed:  # noqa: BLE001 - told to each request that waits for it
                error = failed
            for _, committed in batch:
                if committed.done():
                    continue  # its request was given up
                if error is None:
                    committed.set_result(None)
                else:
                    committed.set_exception(error)


class Receiver:
    """What the application does; `secret` is None where nobody may call us back."""

    def __init__(
        self,
        kept: Kept,
        revoked: Callable[[Revocation], object],
        health: Health,
        *,
        secret: SecretStr | None,
        now: Callable[[], datetime],
    ) -> None:
        self._kept = kept
        # Does not wait.
        self._revoked = revoked
        self._health = health
        self._secret = secret
        self._now = now
        self._looking = asyncio.Lock()

    async def eventsub(self, request: Request) -> Response:
        """Take a message of Twitch's."""
        if self._secret is None:
            return Response(status_code=404)
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await read_within(request, LONGEST_BODY)
        except (TimeoutError, ClientDisconnect):
            return Response(status_code=408)
        if body is None:
            return Response(status_code=413)
        told = {name: request.headers.get(HEADER + name, "") for name in ("message-id", "message-type")}
        try:
            sent_at = verify(
                self._secret.get_secret_value(),
                message_id=told["message-id"],
                timestamp=request.headers.get(HEADER + "message-timestamp", ""),
                signature=request.headers.get(HEADER + "message-signature", ""),
                body=body,
                now=self._now(),
            )
        except Forged as error:
            logger.warning("a webhook is refused: %s", error)
            return Response(status_code=403)
        return await self._take(told["message-type"], told["message-id"], sent_at, body)

    async def _take(self, kind: str, message_id: str, sent_at: datetime, body: bytes) -> Response:
        try:
            match read_body(kind, message_id, sent_at, body):
                case Challenge(challenge):
                    logger.info("Twitch verifies our address")
                    return PlainTextResponse(challenge)
                case Revocation() as revocation:
                    self._revoked(revocation)
                case Notification() as notification:
                    await self._kept.keep(notification)
                case Unknown():
                    logger.info("a webhook of an unknown kind passes")
        except InvalidItem as error:
            # It would be no better a second time.
            logger.warning("a webhook could not be read: %s", error)
        except DBAPIError as error:
            # Twitch sends it again.
            logger.warning("a webhook could not be kept: %s", explain(error) or type(error).__name__)
            return Response(status_code=503)
        return Response(status_code=204)

    async def health(self, _request: Request) -> Response:
        """Tell how everything stands: 200 where all works, else 503."""
        # One look at a time: whoever asks often must not keep webhooks waiting.
        async with self._looking:
            well, told = await asyncio.to_thread(self._health)
        return JSONResponse(dict(told), status_code=200 if well else 503, headers={"Cache-Control": "no-store"})


def make_application(
    receiver: Receiver, *, more: Sequence[Route] = (), started: Callable[[], object] = lambda: None
) -> Starlette:
    """Return the application, with more routes; `started` is called when it begins to serve."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        started()
        yield

    routes = [
        Route("/eventsub", receiver.eventsub, methods=["POST"]),
        Route("/health", receiver.health, methods=["GET"]),
        *more,
    ]
    return Starlette(routes=routes, lifespan=lifespan)
