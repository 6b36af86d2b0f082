"""A web application: parts side by side, served on a port of its own until the program ends."""

import asyncio
import contextlib
import functools
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.web.guarded import (
    HEADERS_WITHIN,
    READ_WITHIN,
    GuardedProtocol,
    most_connections,
    most_waiting,
)

END_WITHIN = 3
# Seconds, while connections wait for room.
LOOK_AGAIN = 0.02
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
            # The API itself reads X-Forwarded-For, of proxies that are trusted.
            proxy_headers=False,
            timeout_graceful_shutdown=END_WITHIN,
        )
        with listening:
            await _Server(config, ends).serve(sockets=[listening])


class Below(BaseRoute):
    """A part that has all paths below one, whatever they hold: Starlette's Mount leaves out those with a line break."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        self._path = path
        self._app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a request is for this part."""
        path = scope.get("path", "")
        is_below = scope["type"] == "http" and (path == self._path or path.startswith(f"{self._path}/"))
        return (Match.FULL if is_below else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Raise `NoMatchFound`: nothing here has a name."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._app(scope, receive, send)


class _Server(uvicorn.Server):
    """A server beside others in one event loop; the program itself handles signals.

    It takes up connections by itself: uvicorn would take all that wait at once, before any of them is heard.
    """

    def __init__(self, config: uvicorn.Config, ends: asyncio.Event) -> None:
        super().__init__(config)
        self._ends = ends
        self._waiting = deque[socket.socket]()
        self._tasks: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take up connections."""
        await super().startup(sockets=[])
        come = asyncio.Event()
        self._tasks = [asyncio.create_task(self._take(each, come)) for each in sockets or ()]
        self._tasks.append(asyncio.create_task(self._let_in(come)))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take up no more connections, and end those that there are; those that wait are closed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self._waiting:
            connection.close()
        await super().shutdown(sockets=sockets)

    async def _take(self, listening: socket.socket, come: asyncio.Event) -> None:
        """Take what comes; a socket that nobody reads costs little, and the system keeps few."""
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError:
                # No file is left for it, or it is gone already.
                await asyncio.sleep(LOOK_AGAIN)
                continue
            self._waiting.append(connection)
            come.set()
            while len(self._waiting) >= most_waiting():  # noqa: ASYNC110 - rare, and an event would have to be set often
                await asyncio.sleep(LOOK_AGAIN)

    async def _let_in(self, come: asyncio.Event) -> None:
        """Hear those that have come, in their order, as long as there is room."""
        loop = asyncio.get_running_loop()
        protocol: Callable[[], asyncio.Protocol] = functools.partial(
            cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class),
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        while True:
            await come.wait()
            come.clear()
            while self._waiting:
                while not self._has_room():  # noqa: ASYNC110 - with time there is room too: for those that ask nothing
                    await asyncio.sleep(LOOK_AGAIN)
                connection = self._waiting.popleft()
                try:
                    await loop.connect_accepted_socket(protocol, connection)
                except OSError:
                    connection.close()

    def _has_room(self) -> bool:
        """Return whether there is room for another connection, which one that asks nothing may have made."""
        connections = self.server_state.connections
        if len(connections) < most_connections():
            return True
        return any(each.make_room() for each in list(connections) if isinstance(each, GuardedProtocol))

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
