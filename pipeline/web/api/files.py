"""Files as answers: whole or in parts, by their digest, without reading them into memory."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from pipeline.web.api.problems import CONTENT_TYPE, make_problem
from pipeline.web.static import wants_parts

_NOT_SATISFIABLE = 416


class FileAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler returns for a file of this machine; `digest` is another one where its bytes are."""

    path: Path
    media_type: str
    digest: str

    @property
    def headers(self) -> dict[str, str]:
        """What is said of it, whether the reader has it already or not."""
        return {
            "Content-Type": self.media_type,
            "Cache-Control": "private, no-cache",
            "ETag": f'"{self.digest}"',
            # Whatever a service gave as a sound, no browser is to take it for a page of ours.
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }


class FileParts(Response):
    """Sends a file, or the parts of it that a request names; a range beyond its end is a problem of ours."""

    def __init__(self, path: Path, headers: Mapping[str, str], problems: str) -> None:
        self._file = FileResponse(path, headers=headers)
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the whole, with parts, or with what is wrong."""
        if not wants_parts(Headers(scope=scope)):
            # What is written otherwise is ignored (RFC 9110, 14.2).
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]
        size: str | None = None

        async def send_but_refusals(message: Message) -> None:
            nonlocal size
            if message["type"] == "http.response.start" and message["status"] == _NOT_SATISFIABLE:
                size = Headers(raw=message["headers"])["content-range"]
            elif size is None:
                await send(message)

        await self._file(scope, receive, send_but_refusals)
        if size is not None:
            problem = make_problem("range", f"the file has other bytes: {size}", self._problems)
            headers = {"Content-Range": size, "Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
            await Response(msgspec.json.encode(problem), problem.status, headers)(scope, receive, send)


# What the document says of the answers of a route that gives a file.
RESPONSES: Mapping[str, Mapping[str, object]] = {
    "200": {"description": "The file.", "content": {"audio/*": {}, "video/*": {}, "application/octet-stream": {}}},
    "206": {
        "description": "The parts that Range names.",
        "content": {"audio/*": {}, "video/*": {}, "application/octet-stream": {}, "multipart/byteranges": {}},
    },
    "304": {"description": "It is the one that If-None-Match names."},
}
