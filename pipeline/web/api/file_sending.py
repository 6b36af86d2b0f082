"""Sends a file whole or in parts, without reading it into memory."""

from collections.abc import Mapping
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from pipeline.web.api.asgi import send_answer
from pipeline.web.api.files import OF_FILES
from pipeline.web.api.problems import KINDS
from pipeline.web.api.written import problem
from pipeline.web.static import wants_parts


async def send_file(path: Path, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send) -> None:
    """Send a file, or the parts of it that a request names; a range beyond its end is a problem of ours."""
    if not wants_parts(Headers(scope=scope)):
        # What is written otherwise is ignored (RFC 9110, 14.2).
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]
    size: str | None = None

    async def send_but_refusals(message: Message) -> None:
        nonlocal size
        if message["type"] == "http.response.start" and message["status"] == KINDS["range"].status:
            size = Headers(raw=message["headers"])["content-range"]
        elif size is None:
            await send(message)

    await FileResponse(path, headers=headers)(scope, receive, send_but_refusals)
    if size is not None:
        answer = problem("range", f"the file has other bytes: {size}", {**_kept(headers), "Content-Range": size})
        await send_answer(answer, send)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what of a file's headers is of every answer."""
    own = {name.lower() for name in (*OF_FILES, "Content-Type", "Cache-Control", "ETag")}
    return {name: value for name, value in headers.items() if name.lower() not in own}
