"""The API behind its prefix: Starlette's routing in front, a bounded pool of threads behind."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version

import anyio
import anyio.to_thread
import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from pipeline.runtime.runtime import Runtime
from pipeline.web.api.door import JSON, Answer, Asked, Door
from pipeline.web.api.problems import CONTENT_TYPE, make_problem
from pipeline.web.api.routes.all_routes import OPERATIONS
from pipeline.web.api.routing import Operation, describe
from pipeline.web.api.until_asked import PREFIX

PROBLEMS = f"{PREFIX}/problems"
# Requests that are answered at once; others wait.
THREADS = 4
# Seconds that a request may take, waiting included.
DEADLINE = 30.0
LARGEST_BODY = 1024 * 1024
# Of a body that is a file.
LARGEST_FILE = 32 * 1024 * 1024


def make_router(runtime: Runtime) -> Router:
    """Return the API's own application, which answers what is not there too."""
    door = Door(runtime, PROBLEMS)
    return Router(list(make_routes(OPERATIONS, door)), redirect_slashes=False, default=_nothing)


def make_away(problem: str) -> Response:
    """Return the answer of an API that cannot be opened now."""
    return _response(_problem("away", problem, {"Retry-After": "30"}))


def make_routes(operations: Iterable[Operation], door: Door) -> Iterable[Route]:
    """Return the routes of these operations, and that of the document which describes them."""
    listed = tuple(operations)
    limiter = anyio.CapacityLimiter(THREADS)
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in listed:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    for path, methods in by_path.items():
        yield Route(path, _Endpoint(methods, door, limiter))
    yield Route("/openapi.json", functools.partial(_document, listed), methods=["GET"])


def document_of(operations: Iterable[Operation]) -> dict[str, object]:
    """Return the OpenAPI document of these operations."""
    description = "Everything that a command can do, for other programs."
    return describe(tuple(operations), title="Lootwire", version=version("lootwire"), description=description)


class _Endpoint:
    """A path with the operations that it has by method; whatever is wrong with a request is a problem document."""

    def __init__(self, methods: Mapping[str, Operation], door: Door, limiter: anyio.CapacityLimiter) -> None:
        self._methods = methods
        self._door = door
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; to one that went away nothing is answered."""
        request = Request(scope, receive)
        with suppress(ClientDisconnect):
            await _response(await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        method = "GET" if request.method == "HEAD" else request.method
        if (operation := self._methods.get(method)) is None:
            allowed = ", ".join(sorted(self._methods))
            return _problem("method", f"{request.method} is not one of {allowed}", {"Allow": allowed})
        largest = LARGEST_FILE if operation.body is bytes else LARGEST_BODY
        if (body := await _read_body(request, largest)) is None:
            return _problem("too-large", f"a body has at most {largest:,} bytes", {"Connection": "close"})
        if body and operation.body not in {None, bytes} and not _is_json(request):
            return _problem("no-json", "the body must be application/json")
        asked = Asked(
            method=method,
            target=request.url.path,
            path={name: str(value) for name, value in request.path_params.items()},
            query=request.query_params.multi_items(),
            headers=dict(request.headers),
            body=body,
        )
        try:
            with anyio.fail_after(DEADLINE):
                return await anyio.to_thread.run_sync(
                    self._door.answer, operation, asked, limiter=self._limiter, abandon_on_cancel=True
                )
        except TimeoutError:
            return _problem("away", f"this took longer than {DEADLINE:.0f} s", {"Retry-After": "30"})


async def _read_body(request: Request, largest: int) -> bytes | None:
    """Return the body of a request, or None for one that is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            return None
    return bytes(body)


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == JSON


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await _response(_problem("not-found", f"there is no {scope['path']}"))(scope, receive, send)


async def _document(operations: Sequence[Operation], _request: Request) -> Response:
    return Response(msgspec.json.encode(document_of(operations)), media_type=JSON)


def _problem(kind: str, detail: str, headers: dict[str, str] | None = None) -> Answer:
    problem = make_problem(kind, detail, PROBLEMS)
    return Answer(
        status=problem.status,
        body=msgspec.json.encode(problem),
        headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", **(headers or {})},
    )


def _response(answer: Answer) -> Response:
    response = Response(answer.body, answer.status, dict(answer.headers))
    if not answer.body and answer.status in {204, 304}:
        del response.headers["content-length"]
    return response
