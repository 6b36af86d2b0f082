"""A web application: parts side by side, served on a port of its own until the program ends."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

END_WITHIN = 3


class Application(Starlette):
    """An application of several parts; the first part whose path fits takes the request."""

    def __init__(self, parts: Sequence[BaseRoute]) -> None:
        super().__init__(routes=parts)

    async def serve(self, listening: socket.socket, ends: asyncio.Event) -> None:
        """Answer on a socket until `ends` is set, give what is under way three seconds, and close the socket.

        A request that fails is answered with 500 and logged, and stops no other.
        """
        config = uvicorn.Config(
            self,
            loop="asyncio",
            http="h11",
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
