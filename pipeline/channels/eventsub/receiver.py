"""The receiver of Twitch's webhooks.

https://dev.twitch.tv/docs/eventsub/handling-webhook-events/. A message is judged by its signature before anything of it
is read; it is answered once its row is committed. Handling it is another program's work: no answer waits for it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pipeline.channels.eventsub.inbox import AT_ONCE
from pipeline.channels.eventsub.messages import Challenge, Notification, Revocation, Unknown, read_body
from pipeline.channels.eventsub.signature import Forged, verify
from pipeline.errors import InvalidItem
from pipeline.fetch.bodies import read_limited
from pipeline.runtime.problems import explain

logger = logging.getLogger(__name__)
# The longest message that we subscribe to has two thousand bytes.
LONGEST_BODY = 64 * 1024
# Twitch does not send a body drop by drop.
BODY_WITHIN = 10.0
HEADER = "twitch-eventsub-"


class Kept:
    """Keeps messages of many requests in few transactions; a request goes on when its message is committed."""

    def __init__(self, write: Callable[[Sequence[Notification]], object]) -> None:
        self._write = write
        self._pending: list[tuple[Notification, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, message: Notification) -> None:
        """Return when the message is committed; raises the error of the database."""
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
            except Exception as failed:  # noqa: BLE001 - raised in each request that waits for it
                error = failed
            for _, committed in batch:
                if committed.done():
                    continue  # its request was given up
                if error is None:
                    committed.set_result(None)
                else:
                    committed.set_exception(error)


class Receiver:
    """Takes the messages that Twitch posts: verified, and kept before they are answered.

    `unread` gets bodies of which something cannot be read, with the reason; it and `revoked` must not wait.
    """

    def __init__(
        self,
        kept: Kept,
        revoked: Callable[[Revocation], object],
        unread: Callable[[bytes, str], object],
        *,
        secret: SecretStr,
        now: Callable[[], datetime],
    ) -> None:
        self._kept = kept
        self._revoked = revoked
        self._unread = unread
        self._secret = secret
        self._now = now

    @property
    def route(self) -> Route:
        """The address that Twitch posts to."""
        return Route("/eventsub", self.eventsub, methods=["POST"])

    async def eventsub(self, request: Request) -> Response:
        """Take a message of Twitch's."""
        body = await read_limited(request, longest=LONGEST_BODY, within=BODY_WITHIN)
        headers = {name: request.headers.get(HEADER + name, "") for name in ("message-id", "message-type")}
        try:
            sent_at = verify(
                self._secret.get_secret_value(),
                message_id=headers["message-id"],
                timestamp=request.headers.get(HEADER + "message-timestamp", ""),
                signature=request.headers.get(HEADER + "message-signature", ""),
                body=body,
                now=self._now(),
            )
        except Forged as error:
            logger.warning("a webhook is refused: %s", error)
            return Response(status_code=403)
        return await self._take(headers["message-type"], headers["message-id"], sent_at, body)

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
                    if notification.problem:
                        self._unread(body, notification.problem)
                case Unknown():
                    logger.info("a webhook of an unknown kind passes")
        except InvalidItem as error:
            # It would be no better a second time.
            self._unread(body, str(error))
        except DBAPIError as error:
            # Twitch sends it again.
            logger.warning("a webhook could not be kept: %s", explain(error) or type(error).__name__)
            return Response(status_code=503)
        return Response(status_code=204)
