"""From what a handler returns to the answer: its bytes, its ETag, and where the next page is."""

from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode

import msgspec

from pipeline.web.api.calls import Call
from pipeline.web.api.entering import Passage
from pipeline.web.api.etags import etag_of, etag_of_version, is_listed
from pipeline.web.api.files import FileAnswer
from pipeline.web.api.messages import JSON, Answer, Asked
from pipeline.web.api.paging import Page
from pipeline.web.api.routing import Operation

CACHED = "private, no-cache"
_ENCODER = msgspec.json.Encoder()
_RELEASE = version("lootwire")


def answer_of(operation: Operation, result: Any, asked: Asked) -> Answer:
    """Return the answer of a handler that returned something."""
    if operation.answer is None:
        return Answer(status=operation.status)
    if isinstance(result, FileAnswer):
        return Answer(status=operation.status, headers=result.headers, file=result.path)
    headers = {"Content-Type": JSON, "Cache-Control": CACHED}
    if isinstance(result, Page) and result.next is not None:
        headers["Link"] = f'<{_next(asked, result.next)}>; rel="next"'
    return Answer(status=operation.status, body=_ENCODER.encode(result), headers=headers)


def shown(passage: Passage, call: Call) -> Answer:
    """Answer a request that reads: 304 where the client has what it would be answered.

    An operation with a cheap version is asked for that first, so that what has not changed is not even loaded.
    """
    operation, asked = passage.operation, passage.asked
    arguments = passage.bound()
    if operation.method != "GET":
        # It looks at what it was sent, and changes nothing.
        return answer_of(operation, operation.handler(call, **arguments), asked)
    etag = version_etag(operation, call, arguments, asked)
    known = asked.headers.get("if-none-match")
    if known is not None and etag is not None and is_listed(etag, known):
        return _unchanged(etag)
    answer = answer_of(operation, operation.handler(call, **arguments), asked)
    etag = etag or answer.headers.get("ETag") or etag_of(answer.body)
    if known is not None and is_listed(etag, known):
        return _unchanged(etag)
    return with_etag(answer, etag)


def version_etag(operation: Operation, call: Call, arguments: dict[str, Any], asked: Asked) -> str | None:
    """Return the ETag by the version of an operation's rows; None where it has no such function."""
    if operation.version is None:
        return None
    person_id = None if call.caller is None else call.caller.person_id
    return etag_of_version(operation.version(call, **arguments), _RELEASE, person_id, asked.target, asked.query)


def with_etag(answer: Answer, etag: str) -> Answer:
    """Return an answer with its ETag."""
    return msgspec.structs.replace(answer, headers={**answer.headers, "ETag": etag})


def _unchanged(etag: str) -> Answer:
    return Answer(status=304, headers={"ETag": etag, "Cache-Control": CACHED})


def _next(asked: Asked, cursor: str) -> str:
    pairs = [(name, value) for name, value in asked.query if name != "cursor"]
    return f"{asked.target}?{urlencode([*pairs, ('cursor', cursor)])}"
