"""`/api/v1` as a part of the web application, small until somebody asks.

What it needs is imported, and the database opened, for the first request, as with `/health`: a program that only serves
files stays small.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.runtime.problems import explain

if TYPE_CHECKING:
    from pipeline.runtime.runtime import Runtime


class Api:
    """The API as an ASGI application; while its runtime cannot be opened, each request is answered why."""

    def __init__(self, open_runtime: Callable[[], "Runtime"]) -> None:
        self._open_runtime = open_runtime
        self._opened: ASGIApp | None = None
        self._opening = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        opened = self._opened
        if opened is None:
            async with self._opening:
                opened = await asyncio.to_thread(self._open)
        await opened(scope, receive, send)

    def _open(self) -> ASGIApp:
        if self._opened is not None:
            return self._opened
        from pipeline.web.api.application import Entry, make_away
        from pipeline.web.api.asgi import send_answer

        try:
            self._opened = Entry(self._open_runtime())
        except Exception as error:
            if (problem := explain(error)) is None:
                raise
            away = make_away(problem)
            return lambda _scope, _receive, send: send_answer(away, send)
        return self._opened
