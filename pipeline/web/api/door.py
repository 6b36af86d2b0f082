"""The one way that each request takes: key, scope, arguments, one transaction, and the bytes of the answer.

It is synchronous, and runs in a thread of its own; nothing of it knows Starlette.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from pipeline.people.records import ROLES
from pipeline.people.store.audit import note_change
from pipeline.people.store.keys import find_holder, note_use
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.web.api.calls import Call, Caller, Changing, Reading, Working
from pipeline.web.api.files import FileAnswer
from pipeline.web.api.problems import CONTENT_TYPE, KINDS, RequestProblem, make_problem, problem_of
from pipeline.web.api.routing import Operation, bind

logger = logging.getLogger(__name__)
JSON = "application/json"
# A statement that takes longer is given up; the client is told to come again.
STATEMENT_MS = 10_000
_READ_ONLY = text("SET TRANSACTION READ ONLY")
_WITHIN = text(f"SET LOCAL statement_timeout = {STATEMENT_MS}")
_BEARER = "bearer "


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came; the names of its headers are in lower case."""

    method: str
    # As it was written, without the query.
    target: str
    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes = b""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is answered."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    # Sent instead of a body.
    file: Path | None = None


class Door:
    """Answers requests with a runtime; `page` is the address below which kinds of problems have their pages."""

    def __init__(self, runtime: Runtime, page: str, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._runtime = runtime
        self._page = page
        self._clock = clock
        self._encoder = msgspec.json.Encoder()

    def answer(self, operation: Operation, asked: Asked) -> Answer:
        """Answer a request, whatever comes of it: never an error, and never a traceback to the client."""
        try:
            return self._answer(operation, asked)
        except Exception as error:
            if (problem := problem_of(error, self._page)) is None:
                logger.exception("%s failed", operation.name)
                problem = make_problem("failed", "The log of Lootwire has the reason.", self._page)
            headers = dict(error.headers) if isinstance(error, RequestProblem) else {}
            if problem.status == KINDS["away"].status:
                headers.setdefault("Retry-After", "5")
            return Answer(
                status=problem.status,
                body=self._encoder.encode(problem),
                headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", **headers},
            )

    def _answer(self, operation: Operation, asked: Asked) -> Answer:
        now = self._clock()
        caller = None if operation.scope is None else self._caller(operation, asked.headers, now)
        arguments = bind(operation, asked.path, asked.query, asked.body)
        with self._open(operation, caller, now) as call:
            result = operation.handler(call, **arguments)
            answer = self._encode(operation, result, asked)
            if isinstance(call, Changing) and caller is not None:
                note_change(
                    call.connection,
                    person_id=caller.person_id,
                    key=caller.key,
                    method=operation.method,
                    path=asked.target,
                    operation=operation.name,
                    status=answer.status,
                    now=now,
                )
        return answer

    def _caller(self, operation: Operation, headers: Mapping[str, str], now: datetime) -> Caller:
        written = headers.get("authorization", "")
        if not written.lower().startswith(_BEARER):
            raise _no_key("send a key: Authorization: Bearer lw_…")
        with self._runtime.engine.begin() as connection:
            holder = find_holder(connection, written[len(_BEARER) :].strip(), now)
            if holder is None:
                raise _no_key("this key is not valid: it is mistyped, expired or revoked")
            note_use(connection, holder.key_id, now)
        if operation.scope not in holder.scopes:
            raise RequestProblem("not-allowed", f"this key has not the scope {operation.scope}")
        if ROLES.index(holder.role) < ROLES.index(operation.role):
            raise RequestProblem("not-allowed", f"this is for the role {operation.role}")
        return Caller(
            person_id=holder.person_id,
            role=holder.role,
            scopes=holder.scopes,
            key_id=holder.key_id,
            key=holder.public_id,
        )

    @contextmanager
    def _open(self, operation: Operation, caller: Caller | None, now: datetime) -> Iterator[Call]:
        common: dict[str, Any] = {"runtime": self._runtime, "now": now, "caller": caller}
        if operation.call is Working:
            yield Working(**common)
            return
        with self._runtime.engine.begin() as connection:
            _limit(connection, reads=operation.call is Reading)
            yield operation.call(connection=connection, **common)  # type: ignore[call-arg] # both that are left have one

    def _encode(self, operation: Operation, result: Any, asked: Asked) -> Answer:
        if operation.answer is None:
            return Answer(status=operation.status)
        if isinstance(result, FileAnswer):
            return _answer_of(result, asked)
        body = self._encoder.encode(result)
        headers = {"Content-Type": JSON, "Cache-Control": "private, no-cache"}
        if operation.method == "GET":
            headers["ETag"] = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            if asked.headers.get("if-none-match") == headers["ETag"]:
                return Answer(status=304, headers=headers)
        return Answer(status=operation.status, body=body, headers=headers)


def _answer_of(file: FileAnswer, asked: Asked) -> Answer:
    known = {tag.strip().removeprefix("W/") for tag in asked.headers.get("if-none-match", "").split(",")}
    if known & {"*", file.headers["ETag"]}:
        return Answer(status=304, headers=file.headers)
    return Answer(status=200, headers=file.headers, file=file.path)


def _limit(connection: Connection, *, reads: bool) -> None:
    if reads:
        connection.execute(_READ_ONLY)
    connection.execute(_WITHIN)


def _no_key(detail: str) -> RequestProblem:
    return RequestProblem("no-key", detail, headers={"WWW-Authenticate": 'Bearer realm="lootwire"'})
