"""The HTTP side: what arrives is written down, faults come first, then the limits, then the true answer."""

import asyncio
import gzip
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pipeline.demo.igdb.language import BadQuery, Query, parse, parse_multi
from pipeline.demo.igdb.tables import Row, Table
from tests.igdb.limits import Limits
from tests.igdb.webhooks import Webhooks
from tests.twitch.faults import Faults, SeenRequest

PREFIX = "/v4"
UNAUTHORISED = {
    "message": "Authorization Failure. Have you tried:",
    "Tip 1": "Ensure you are sending Authorization and Client-ID as headers.",
    "Tip 2": "Ensure Authorization value starts with 'Bearer ', including the space",
    "Tip 3": "Ensure Authorization value ends with the App Access Token you generated, NOT your Client Secret.",
    "Docs": "https://api-docs.igdb.com/#authentication",
}
BLOCKED = "<html><head><title>Access denied</title></head><body>error code: 1010</body></html>"
TOO_MANY = {"message": "Too Many Requests"}
# An endpoint's answer: its status, its body, and how many rows match in all.
Answer = tuple[int, Any, int | None]


@dataclass
class Core:
    """What the endpoints share. `short` are the rows that the next pages lack."""

    client_id: str
    accepts: Callable[[str], bool]
    tables: dict[str, Table] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    webhooks: Webhooks = field(default_factory=Webhooks)
    faults: Faults = field(default_factory=Faults)
    requests: list[SeenRequest] = field(default_factory=list)
    short: list[int] = field(default_factory=list)
    latency: float = 0.0


class Front:
    """The application. A thread makes the answers, so that the loop notes each request when it arrives."""

    def __init__(self, core: Core) -> None:
        self._core = core
        # One at a time, so that the loop is free to note what arrives meanwhile.
        self._answering = ThreadPoolExecutor(1, thread_name_prefix="local-igdb-answers")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        with self._core.limits.place() as allowed:
            body = await request.body()
            query = tuple(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
            record = SeenRequest(request.method, scope["path"].removeprefix(PREFIX), query, time.time(), body)
            self._core.requests.append(record)
            if self._core.latency:
                await asyncio.sleep(self._core.latency)
            response = await self._respond(request, record, allowed=allowed)
            record.status = response.status_code
            await response(scope, receive, send)

    async def _respond(self, request: Request, record: SeenRequest, *, allowed: bool) -> Response:
        fault = self._core.faults.take(record.method, record.path)
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.status is not None:
                return fault.response()
        if not request.headers.get("User-Agent"):
            return Response(BLOCKED, 403, media_type="text/html")
        if not self._authorised(request):
            return _json(401, UNAUTHORISED)
        if not allowed:
            return _json(429, TOO_MANY)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._answering, self._answer, record, request.headers)

    def _authorised(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return (
            scheme == "Bearer"
            and request.headers.get("Client-ID") == self._core.client_id
            and self._core.accepts(token)
        )

    def _answer(self, record: SeenRequest, headers: Mapping[str, str]) -> Response:
        try:
            status, body, meant = self._true_answer(record)
        except BadQuery as bad:
            return _json(400, bad.body())
        return _json(status, body, meant, packed="gzip" in headers.get("Accept-Encoding", ""))

    def _true_answer(self, record: SeenRequest) -> Answer:
        parts = [part for part in record.path.split("/") if part]
        if "webhooks" in parts:
            return self._webhooks(record, parts)
        if record.method != "POST":
            return 405, {"message": "Method Not Allowed"}, None
        text = record.body.decode()
        if parts == ["multiquery"]:
            return 200, [self._named(*named_query) for named_query in parse_multi(text)], None
        return self._one(parts, parse(text))

    def _one(self, parts: list[str], query: Query) -> Answer:
        match parts:
            case [name, "count"] if name in self._core.tables:
                return 200, {"count": self._core.tables[name].count(query)}, None
            case [name] if name in self._core.tables:
                rows, meant = self._core.tables[name].select(query)
                return 200, self._shortened(rows), meant
        return 404, {"message": "no Route matched with those values"}, None

    def _named(self, endpoint: str, name: str, query: Query) -> dict[str, Any]:
        status, body, _ = self._one(endpoint.split("/"), query)
        if status != 200:
            raise BadQuery(f"Unknown endpoint {endpoint}")
        return {"name": name, "count": body["count"]} if isinstance(body, dict) else {"name": name, "result": body}

    def _shortened(self, rows: list[Row]) -> list[Row]:
        if not self._core.short or not rows:
            return rows
        return rows[: max(len(rows) - self._core.short.pop(0), 0)]

    def _webhooks(self, record: SeenRequest, parts: list[str]) -> Answer:
        hooks = self._core.webhooks
        match record.method, parts:
            case "POST", [endpoint, "webhooks"]:
                hook = hooks.add(endpoint, dict(parse_qsl(record.body.decode())))
                if hook is None:
                    return 400, [{"title": "Invalid webhook", "status": 400, "cause": "url, method, secret"}], None
                return 200, hook.shown(), None
            case "GET", ["webhooks"]:
                return 200, [hook.shown() for hook in hooks.registered.values()], None
            case "DELETE", ["webhooks", number] if number.isdecimal() and int(number) in hooks.registered:
                return 200, hooks.registered.pop(int(number)).shown(), None
        return 404, [{"title": "Not found", "status": 404}], None


def _json(status: int, body: Any, meant: int | None = None, *, packed: bool = False) -> Response:
    # IGDB lays its answers out.
    content = msgspec.json.format(msgspec.json.encode(body), indent=2)
    headers = {} if meant is None else {"X-Count": str(meant)}
    if packed and len(content) > 1000:
        content, headers["Content-Encoding"] = gzip.compress(content, 1), "gzip"
    return Response(content, status, headers=headers, media_type="application/json;charset=utf-8")


def rows_by_id(rows: Any) -> Mapping[int, Row]:
    """Rows as a table wants them."""
    return rows if isinstance(rows, Mapping) else {row["id"]: row for row in rows}
