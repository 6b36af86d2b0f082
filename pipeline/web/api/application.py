"""The API as an ASGI application: from a request to the door and back, with a bounded pool of threads between."""

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import anyio.to_thread
import msgspec
from starlette.types import Receive, Scope, Send

from pipeline.runtime.runtime import Runtime
from pipeline.web.api.address import PREFIX
from pipeline.web.api.asgi import ClientGone, read_body, read_headers, send_answer
from pipeline.web.api.door import Door
from pipeline.web.api.file_sending import send_file
from pipeline.web.api.messages import JSON, Answer, Asked
from pipeline.web.api.outside import Hosts, Origins, client_of
from pipeline.web.api.packing import packed
from pipeline.web.api.paths import Paths
from pipeline.web.api.problems import RequestProblem
from pipeline.web.api.routes.all_routes import OPERATIONS
from pipeline.web.api.routing import Operation
from pipeline.web.api.wire import read_query, read_segments
from pipeline.web.api.written import PROBLEMS, READ_ONLY, Written, problem

# Requests that are answered at once; others wait.
THREADS = 4
# Bodies that are files, which are in memory whole; others wait.
FILES = 2
# Seconds that a request may take, waiting included.
DEADLINE = 30.0
_PREFIX = PREFIX.split("/")[1:]
_ADMITTED = Answer(status=100)


class Entry:
    """Answers requests with a runtime; whatever is wrong with one is a problem document."""

    def __init__(self, runtime: Runtime, operations: tuple[Operation, ...] = OPERATIONS) -> None:
        settings = runtime.settings
        self._written = Written(operations)
        self._door = Door(runtime, PROBLEMS, operations)
        self._hosts = Hosts(settings.public_url, settings.hosts)
        self._origins = Origins(settings.api_origins)
        self._proxies = settings.trusted_proxies
        self._limiter = anyio.CapacityLimiter(THREADS)
        self._files = anyio.CapacityLimiter(FILES)
        self._paths: Paths[dict[str, Operation]] = Paths()
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        for path, methods in by_path.items():
            self._paths.add(path, methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; to one that went away nothing is answered."""
        headers = read_headers(scope)
        try:
            answer = await self._answer(scope, headers, receive)
        except ClientGone:
            return
        for_page = self._origins.headers(headers.get("origin"))
        whole = _with_headers(answer, for_page) if for_page else answer
        if whole.file is not None:
            await send_file(whole.file, whole.headers, scope, receive, send)
        else:
            await send_answer(whole, send)

    async def _answer(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Answer:
        if not self._hosts.has(headers.get("host", "")):
            return problem("wrong-host", "the API does not answer to the name in Host")
        segments = read_segments(scope["raw_path"])
        if segments[: len(_PREFIX)] == _PREFIX:
            segments = segments[len(_PREFIX) :]
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if (place := self._paths.find(segments)) is None:
            return self._read(method, segments, scope["path"], headers)
        methods, path = place
        if (operation := methods.get(method)) is None:
            allowed = ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"}))
            return self._without_operation(method, allowed, headers)
        try:
            query = read_query(scope["query_string"])
            asked = self._asked(operation, scope, headers=headers, path=path, query=query)
            if operation.body is bytes:
                return await self._answer_with_file(operation, asked, receive)
            body = await read_body(headers, receive)
            _check_kind(operation, headers, body)
        except RequestProblem as error:
            return problem(error.kind, str(error), error.headers, error.fields)
        return await self._in_time(lambda: self._work(operation, msgspec.structs.replace(asked, body=body)))

    async def _answer_with_file(self, operation: Operation, asked: Asked, receive: Receive) -> Answer:
        """Answer a request whose body is a file, of which nothing is read before it is known who sends it."""
        refused = await self._in_time(lambda: self._door.refusal(operation, asked) or _ADMITTED)
        if refused is not _ADMITTED:
            return msgspec.structs.replace(refused, headers={**refused.headers, "Connection": "close"})
        async with self._files:
            body = await read_body(asked.headers, receive, is_file=True)
            _check_kind(operation, asked.headers, body)
            return await self._in_time(lambda: self._work(operation, msgspec.structs.replace(asked, body=body)))

    def _asked(self, operation: Operation, scope: Scope, *, headers: Mapping[str, str], **parts: Any) -> Asked:
        peer = scope["client"][0] if scope.get("client") else ""
        return Asked(
            method=operation.method,
            target=scope["raw_path"].decode("latin-1"),
            client=client_of(peer, headers.get("x-forwarded-for", ""), self._proxies),
            headers=headers,
            **parts,
        )

    async def _in_time(self, work: Callable[[], Answer]) -> Answer:
        try:
            with anyio.fail_after(DEADLINE):
                return await anyio.to_thread.run_sync(work, limiter=self._limiter, abandon_on_cancel=True)
        except TimeoutError:
            return problem("away", f"this took longer than {DEADLINE:.0f} s", {"Retry-After": "30"})

    def _work(self, operation: Operation, asked: Asked) -> Answer:
        return packed(self._door.answer(operation, asked), asked.headers.get("accept-encoding", ""))

    def _read(self, method: str, segments: list[str], path: str, headers: Mapping[str, str]) -> Answer:
        if (answer := self._written.find(segments)) is None:
            return problem("not-found", f"there is no {path}")
        if method != "GET":
            return self._without_operation(method, READ_ONLY, {})
        return packed(answer, headers.get("accept-encoding", ""))

    def _without_operation(self, method: str, allowed: str, headers: Mapping[str, str]) -> Answer:
        """Answer a method that a path does not have: OPTIONS, which says those that it has, or a wrong one."""
        if method != "OPTIONS":
            return problem("method", f"{method} is not one of {allowed}", {"Allow": allowed})
        preflight = self._origins.preflight(headers.get("origin"), allowed)
        return Answer(status=204, headers={"Allow": allowed, **preflight})


def _with_headers(answer: Answer, headers: Mapping[str, str]) -> Answer:
    vary = ", ".join(dict.fromkeys(each["Vary"] for each in (answer.headers, headers) if "Vary" in each))
    return msgspec.structs.replace(answer, headers={**answer.headers, **headers, "Vary": vary})


def _check_kind(operation: Operation, headers: Mapping[str, str], body: bytes) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and operation.body not in {None, bytes} and kind != JSON:
        raise RequestProblem("no-json", "the body must be application/json")


def make_away(detail: str) -> Answer:
    """Return the answer of an API that cannot be opened now."""
    return problem("away", detail, {"Retry-After": "30"})
