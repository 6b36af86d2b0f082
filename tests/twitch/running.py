"""Runs the local Twitch in a thread of its own, with one event loop for both servers."""

import asyncio
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn
from starlette.types import Scope

from tests.twitch.core import Core
from tests.twitch.dashboard import Dashboard
from tests.twitch.faults import Faults, SeenRequest
from tests.twitch.front import Front, application
from tests.twitch.settings import Settings
from tests.twitch.sockets import Sockets
from tests.twitch.tokens import Budgets, Tokens
from tests.twitch.webhooks import Webhooks
from tests.twitch.world import Community

T = TypeVar("T")
# A public method that is not back by then never will be.
PATIENCE = 30


class Running(Settings):
    """Starts and stops. All state belongs to the loop's thread while that runs, so that nothing needs a lock."""

    def __init__(self, client_id: str, client_secret: str, http_port: int, socket_port: int) -> None:
        super().__init__()
        self.client_id, self.client_secret = client_id, client_secret
        self._core = Core(client_id, client_secret, self, Community(), Tokens(self), Budgets(self), Webhooks(self))
        self._faults = Faults()
        self._requests: list[SeenRequest] = []
        self._sockets = Sockets(self, self._core.eventsub, self._faults, self._requests)
        self._listener = _listen(http_port)
        self._http_port: int = self._listener.getsockname()[1]
        self.dashboard = Dashboard()
        self.dashboard.auth_url = self.auth_url
        self.dashboard.gql_url = f"http://127.0.0.1:{self._http_port}/gql"
        self._socket_port = socket_port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="local-twitch")
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        config = uvicorn.Config(
            Front(
                self._core, application(self._core, self.dashboard), self._faults, self._requests, self._transport_of
            ),
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            # By the clock of this Twitch, which a test may set (`front.py`).
            date_header=False,
        )
        self._http = uvicorn.Server(config)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        assert self._stopping is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    @property
    def auth_url(self) -> str:
        """Where the sign-in service is: `LOOTWIRE_TWITCH_AUTH_URL`."""
        return f"http://127.0.0.1:{self._http_port}/oauth2"

    @property
    def helix_url(self) -> str:
        """Where Helix is: `LOOTWIRE_HELIX_URL`."""
        return f"http://127.0.0.1:{self._http_port}/helix"

    @property
    def eventsub_url(self) -> str:
        """Where EventSub's websocket is, once this runs: `LOOTWIRE_EVENTSUB_URL`."""
        return f"ws://127.0.0.1:{self._sockets.port}/ws"

    def _call(self, function: Callable[[], T]) -> T:
        """Run something where the state belongs: in the loop's thread, or here while there is none."""
        if self._loop is None:
            return function()

        async def run() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(PATIENCE)

    async def _main(self) -> None:
        self._stopping = asyncio.Event()
        try:
            await self._sockets.start(self._socket_port)
        except OSError as error:
            self._listener.close()
            self._failure = error
            self._ready.set()
            return
        await self._core.webhooks.start()
        # The pieces of uvicorn's own serve(), which would take 0.2 s to stop.
        self._http.config.load()
        self._http.lifespan = self._http.config.lifespan_class(self._http.config)
        await self._http.startup(sockets=[self._listener])
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._stopping.wait()
        await self._stop()

    async def _stop(self) -> None:
        for server in self._http.servers:
            server.close()
        for connection in list(self._http.server_state.connections):
            _transport(connection).abort()
        await asyncio.gather(*self._http.server_state.tasks, return_exceptions=True)
        await self._sockets.stop()
        await self._core.webhooks.stop()
        for server in self._http.servers:
            await server.wait_closed()
        self._loop = None

    def _transport_of(self, scope: Scope) -> asyncio.Transport | None:
        connections = self._http.server_state.connections
        return next((_transport(c) for c in connections if getattr(c, "client", None) == tuple(scope["client"])), None)


def _listen(port: int) -> socket.socket:
    # Only where the protocol is named does asyncio turn Nagle's algorithm off, which costs 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(512)
    return listener


def _transport(connection: Any) -> asyncio.Transport:
    transport: asyncio.Transport = connection.transport
    return transport
