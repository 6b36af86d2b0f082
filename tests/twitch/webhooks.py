"""Webhooks: challenges and notifications are posted, signed, and posted again where the callback did not take them.

https://dev.twitch.tv/docs/eventsub/handling-webhook-events/
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import httpx

from tests.plain_http import NO_CERTIFICATES
from tests.twitch.eventsub import ENABLED, EventSub, Subscription, Transport
from tests.twitch.messages import NOTIFICATION, Message
from tests.twitch.settings import Settings


class Webhooks:
    """Posts in the background; what is still under way at the end is given up."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.eventsub = EventSub(settings, self._post)

    async def start(self) -> None:
        self._client = httpx.AsyncClient(trust_env=False, verify=NO_CERTIFICATES)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._client is not None
        await self._client.aclose()

    def verify(self, subscription: Subscription, transport: Transport, then: Callable[[str], None]) -> None:
        """Send the challenge, and say with which status the callback came out of it."""
        self._spawn(self._verify(subscription, transport, then))

    async def _verify(self, subscription: Subscription, transport: Transport, then: Callable[[str], None]) -> None:
        text = secrets.token_urlsafe(24)
        answer = await self._try(self.eventsub.challenge(subscription, text), transport, 0)
        passed = answer is not None and answer.status_code == 200 and answer.text == text
        then(ENABLED if passed else "webhook_callback_verification_failed")

    def _post(self, subscription: Subscription, message: Message, transport: Transport) -> None:
        self._spawn(self._deliver(subscription, message, transport))

    async def _deliver(self, subscription: Subscription, message: Message, transport: Transport) -> None:
        for retry, pause in enumerate([0, *self._settings.webhook_retries]):
            await asyncio.sleep(pause)
            answer = await self._try(message, transport, retry)
            if answer is not None and answer.is_success:
                return
        if message.kind != NOTIFICATION:
            return
        subscription.failures += 1
        if subscription.failures >= self._settings.webhook_failures and subscription.status == ENABLED:
            self.eventsub.end(subscription, "notification_failures_exceeded")

    async def _try(self, message: Message, transport: Transport, retry: int) -> httpx.Response | None:
        assert self._client is not None
        if self._settings.callback_to is None:
            return None  # the callback itself is somewhere in the world, where tests do not go
        headers, body = message.signed(transport.secret, retry)
        to = self._settings.callback_to
        try:
            return await self._client.post(to, content=body, headers=headers, timeout=self._settings.webhook_timeout)
        except (httpx.HTTPError, OSError):
            return None

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
