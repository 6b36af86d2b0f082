"""The receiver's port: `/health` for monitors, and the webhooks of services where we have an address for them.

It stays small at first: the database is opened for the first request for `/health`, or for webhooks.
"""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.runtime.problems import explain
from pipeline.runtime.settings import Settings
from pipeline.web.application import Application

if TYPE_CHECKING:
    from pipeline.runtime.runtime import Runtime


@asynccontextmanager
async def receiving(settings: Settings, open_runtime: Callable[[], "Runtime"]) -> AsyncIterator[Application]:
    """Give the receiver's application; what it opens is closed after the `with` block."""
    streams = settings.twitch_client_id is not None and settings.twitch_client_secret is not None
    opened, began = functools.cache(open_runtime), time.monotonic()
    health = Health(lambda: _look(opened, streams=streams, runs_for=time.monotonic() - began))
    parts = [Route("/health", health.answer, methods=["GET"])]

    def close() -> None:
        if opened.cache_info().currsize:
            opened().engine.dispose()

    with ExitStack() as stack:
        stack.callback(close)
        if streams and settings.eventsub_callback_url is not None:
            runtime = await asyncio.to_thread(opened)
            from pipeline.web.webhooks import Webhooks

            parts += stack.enter_context(Webhooks(runtime)).routes
        yield Application(parts)


class Health:
    """Answers `/health`; `look` returns whether all is well, and the particulars."""

    def __init__(self, look: Callable[[], tuple[bool, Mapping[str, Any]]]) -> None:
        self._look = look
        self._looking = asyncio.Lock()

    async def answer(self, _request: Request) -> Response:
        """Answer 200 where all works, else 503."""
        # One look at a time: a monitor that asks often must not keep webhooks waiting.
        async with self._looking:
            well, particulars = await asyncio.to_thread(self._look)
        return JSONResponse(dict(particulars), status_code=200 if well else 503, headers={"Cache-Control": "no-store"})


def _look(open_runtime: Callable[[], "Runtime"], *, streams: bool, runs_for: float) -> tuple[bool, Mapping[str, Any]]:
    try:
        runtime = open_runtime()
    except Exception as error:
        if (problem := explain(error)) is None:
            raise
        return False, {"status": "failing", "database": problem}
    from pipeline.programs import health
    from pipeline.programs.operating.looking import look_at_machine
    from pipeline.runtime.runtime import utc_now

    starting = runs_for < health.START_WITHIN.total_seconds()
    machine = look_at_machine(runtime.settings, try_publishing=False)
    return health.look(
        runtime.engine, runtime.redis_url, utc_now(), streams=streams, starting=starting, machine=machine
    )


def open_here(settings: Settings) -> "Runtime":
    """Open the runtime, whose modules are imported for it."""
    from pipeline.runtime.runtime import open_runtime

    return open_runtime(settings)
