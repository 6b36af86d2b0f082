"""The HTTP side: what arrives is written down, faults come first, then the true answer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.twitch import conduits, helix, subscribing
from tests.twitch.answers import Call, Refused, error_body
from tests.twitch.auth import SignIn
from tests.twitch.core import Core
from tests.twitch.dashboard import Dashboard
from tests.twitch.faults import Fault, Faults, SeenRequest
from tests.twitch.tokens import Token

ENDPOINTS: dict[tuple[str, str], helix.Endpoint] = {
    **helix.ENDPOINTS,
    ("POST", "/eventsub/subscriptions"): subscribing.create,
    ("GET", "/eventsub/subscriptions"): subscribing.index,
    ("DELETE", "/eventsub/subscriptions"): subscribing.delete,
    ("POST", "/eventsub/conduits"): conduits.create,
    ("GET", "/eventsub/conduits"): conduits.index,
    ("PATCH", "/eventsub/conduits"): conduits.update,
    ("DELETE", "/eventsub/conduits"): conduits.delete,
    ("GET", "/eventsub/conduits/shards"): conduits.shards,
    ("PATCH", "/eventsub/conduits/shards"): conduits.update_shards,
}


def application(core: Core, dashboard: Dashboard) -> Starlette:
    """The sign-in service below /oauth2, Helix below /helix, and the dashboard's GraphQL at /gql."""
    sign_in = SignIn(core)
    below_helix = [
        Route(path, partial(_answer, core, endpoint), methods=[method])
        for (method, path), endpoint in ENDPOINTS.items()
    ]

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        ours = dashboard.is_client(form.get("client_id", ""))
        return await _of_dashboard(dashboard, request) if ours else await sign_in.token(request)

    async def validate(request: Request) -> Response:
        ours = dashboard.has_given(request.headers.get("Authorization", ""))
        return await _of_dashboard(dashboard, request) if ours else await sign_in.validate(request)

    return Starlette(
        routes=[
            Route("/gql", partial(_of_dashboard, dashboard), methods=["POST"]),
            Route("/oauth2/device", partial(_of_dashboard, dashboard), methods=["POST"]),
            Route("/oauth2/token", token, methods=["POST"]),
            Route("/oauth2/validate", validate, methods=["GET"]),
            Route("/oauth2/revoke", sign_in.revoke, methods=["POST"]),
            Mount("/helix", routes=below_helix),
        ],
        exception_handlers={404: _nowhere},
    )


async def _of_dashboard(dashboard: Dashboard, request: Request) -> Response:
    body = await request.body()
    # In a thread: a test may let it wait for what another request does.
    raw = await run_in_threadpool(dashboard.answer, request.url.path, request.headers, body)
    return Response(raw.body, raw.status, media_type=raw.content_type)


async def _answer(core: Core, endpoint: helix.Endpoint, request: Request) -> Response:
    headers: dict[str, str] = {}
    try:
        token = _authorised(core, request)
        allowed, headers = core.budgets.take(token)
        call = Call(request.query_params, await request.body(), token)
        status, body = endpoint(core, call) if allowed else (429, error_body(429, "Request limit exceeded"))
    except Refused as refused:
        status, body = refused.status, error_body(refused.status, refused.message)
    content = b"" if body is None else msgspec.json.encode(body)
    return Response(content, status, headers=headers, media_type="application/json; charset=utf-8")


def _authorised(core: Core, request: Request) -> Token:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not value:
        raise Refused(401, "OAuth token is missing")
    client_id = request.headers.get("Client-Id")
    if not client_id:
        raise Refused(401, "Client ID is missing")
    token = core.tokens.find(value)
    if token is None:
        raise Refused(401, "Invalid OAuth token")
    if token.client_id != client_id:
        raise Refused(401, "Client ID and OAuth token do not match")
    return token


async def _nowhere(_: Request, error: Exception) -> Response:
    return Response(msgspec.json.encode(error_body(404, "")), 404, media_type="application/json; charset=utf-8")


@dataclass
class Front:
    """The outermost application. `transport_of` finds the connection that a request came by."""

    core: Core
    app: ASGIApp
    faults: Faults
    requests: list[SeenRequest]
    transport_of: Callable[[Scope], asyncio.Transport | None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        request = self._note(scope, body)
        await asyncio.sleep(self.core.settings.latency)
        fault = self.faults.take(scope["method"], scope["path"])
        if fault is not None:
            await asyncio.sleep(fault.delay)
        if self.core.settings.unreachable or (fault is not None and (fault.reset or fault.hang)):
            if fault is None or not fault.hang:
                self._tear(scope)
            # The client, or the end of this server, ends it.
            await receive()
            return
        answer = await self._answer(fault, scope, body)
        request.status = answer[0]["status"]
        if fault is not None and fault.cut_off:
            await self._send_half(answer, scope, receive, send)
            return
        for message in answer:
            await send(message)

    def _note(self, scope: Scope, body: bytes) -> SeenRequest:
        query = tuple(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        request = SeenRequest(scope["method"], scope["path"], query, time.time(), body)
        self.requests.append(request)
        return request

    async def _answer(self, fault: Fault | None, scope: Scope, body: bytes) -> list[Message]:
        """The messages of the scripted answer or the true one; nothing is sent so far."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self.core.settings.now().astimezone(UTC), usegmt=True)
                message = {**message, "headers": [*message["headers"], (b"date", date.encode())]}
            sent.append(message)

        scripted = fault is not None and fault.status is not None
        app: Any = fault.response() if fault is not None and scripted else self.app
        await app(scope, receive, send)
        return sent

    def _tear(self, scope: Scope) -> None:
        transport = self.transport_of(scope)
        if transport is not None:
            transport.abort()

    async def _send_half(self, answer: list[Message], scope: Scope, receive: Receive, send: Send) -> None:
        start, *parts = answer
        body = b"".join(part.get("body", b"") for part in parts)
        await send(start)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        transport = self.transport_of(scope)
        if transport is not None:
            transport.close()
        await receive()


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body
