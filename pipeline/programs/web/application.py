"""A web application: parts side by side, served on a port of its own until the program ends."""

import asyncio
import contextlib
import functools
import socket
from collections.abc import Iterator, Sequence
from typing import cast

import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from pipeline.programs.web.guarded import HEADERS_WITHIN, READ_WITHIN, GuardedProtocol

END_WITHIN = 3
# Of files, for all connections together: they are short, and mostly in the memory of the system.
READING_THREADS = 4


class Application(Starlette):
    """An application of several parts; the first part whose path fits takes the request.

    A client has so many seconds for the headers of a request, and for each buffer of an answer.
    """

    def __init__(
        self,
        parts: Sequence[BaseRoute],
        *,
        headers_within: float = HEADERS_WITHIN,
        read_within: float = READ_WITHIN,
    ) -> None:
        super().__init__(routes=parts)
        self._protocol = functools.partial(GuardedProtocol, headers_within=headers_within, read_within=read_within)

    async def serve(self, listening: socket.socket, ends: asyncio.Event) -> None:
        """Answer on a socket until `ends` is set, give what is under way three seconds, and close the socket.

        A request that fails is answered with 500 and logged, and stops no other. A client that is slow to ask or to
        read is cut off.
        """
        anyio.to_thread.current_default_thread_limiter().total_tokens = READING_THREADS
        config = uvicorn.Config(
            self,
            loop="asyncio",
            # uvicorn only calls it.
            http=cast("type[GuardedProtocol]", self._protocol),
            ws="none",
            lifespan="off",
            # The web server in front keeps the access log.
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=END_WITHIN,
        )
        with listening:
            await _Server(config, ends).serve(sockets=[listening])


class _Server(uvicorn.Server):
    """A server beside others in one event loop; the program itself handles signals."""

    def __init__(self, config: uvicorn.Config, ends: asyncio.Event) -> None:
        super().__init__(config)
        self._ends = ends

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        # Only the date of the answers needs a tick; uvicorn itself ticks ten times a second.
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._ends.wait()
            self.should_exit = self._ends.is_set()
