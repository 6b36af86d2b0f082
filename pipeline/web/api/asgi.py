"""Requests and answers as ASGI has them."""

from collections.abc import Mapping
from contextlib import suppress

import anyio
from starlette.types import Receive, Scope, Send

from models.errors import LootwireError
from pipeline.web.api.messages import Answer
from pipeline.web.api.problems import RequestProblem

LARGEST_BODY = 1024 * 1024
# Of a body that is a file.
LARGEST_FILE = 32 * 1024 * 1024
# Seconds.
BODY_WITHIN, FILE_WITHIN = 10.0, 60.0
_CLOSES = {"Connection": "close"}
_WITHOUT_BODY = frozenset({204, 304})


class ClientGone(LootwireError):
    """A client that went away in the middle of its request."""


def read_headers(scope: Scope) -> dict[str, str]:
    """Return the headers of a request by their names in lower case; those that came several times are one list."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


async def read_body(headers: Mapping[str, str], receive: Receive, *, is_file: bool = False) -> bytes:
    """Return the body of a request; raises `RequestProblem` for one that is too large or slow, and `ClientGone`.

    A file may be larger and slower. It has its time from the headers on, however many bytes come meanwhile.
    """
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return b""
    largest, within = (LARGEST_FILE, FILE_WITHIN) if is_file else (LARGEST_BODY, BODY_WITHIN)
    body = bytearray()
    try:
        with anyio.fail_after(within):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone("the client went away")
                body += message.get("body", b"")
                if len(body) > largest:
                    raise RequestProblem("too-large", f"a body has at most {largest:,} bytes", headers=_CLOSES)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise RequestProblem("slow", f"a body has to be there within {within:.0f} s", headers=_CLOSES) from None


async def send_answer(answer: Answer, send: Send) -> None:
    """Send an answer; a client that has gone does not miss it."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if answer.status not in _WITHOUT_BODY:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    with suppress(OSError):
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
