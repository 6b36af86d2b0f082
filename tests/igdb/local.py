"""The local IGDB as tests, benchmarks and campaigns use it.

`with LocalIgdb(games=[…], accepts=tokens) as igdb:` starts a real server on 127.0.0.1, whose address is `igdb.url`.
Documents have everything expanded; what a query does not ask to expand is shown as its id. All methods may be called
from any thread.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import uvicorn

from pipeline.demo.igdb.tables import Row, Table
from tests.igdb.front import PREFIX, Core, Front, rows_by_id
from tests.igdb.limits import Limits
from tests.igdb.webhooks import Webhook
from tests.twitch.faults import Fault, SeenRequest
from tests.twitch.local import CLIENT_ID

ENDPOINTS = (
    *("games", "platforms", "genres", "release_dates", "external_games", "alternative_names", "covers", "game_types"),
    *("themes", "game_modes", "franchises", "collections", "companies", "involved_companies", "websites"),
)


class LocalIgdb:
    """A whole IGDB for one application.

    Args:
        games: The documents of /games: a list, or a mapping by id that may make them as they are asked for.
        accepts: The valid app tokens, or what tells whether one is valid. By default any token will do.
        client_id: The application.
        port: A free one unless given.
        tables: The documents of other endpoints, by their names.
    """

    def __init__(
        self,
        games: Iterable[Row] | Mapping[int, Row] = (),
        *,
        accepts: Collection[str] | Callable[[str], bool] | None = None,
        client_id: str = CLIENT_ID,
        port: int = 0,
        **tables: Iterable[Row],
    ) -> None:
        self._core = Core(client_id, _judge_of(accepts))
        by_endpoint: Mapping[str, Any] = {"games": games, **tables}
        self._core.tables = {name: Table(rows_by_id(by_endpoint.get(name, ()))) for name in {*ENDPOINTS, *by_endpoint}}
        self._listener = _listen(port)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{PREFIX}"
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="local-igdb")
        self._loop: asyncio.AbstractEventLoop | None = None
        config = uvicorn.Config(
            Front(self._core), lifespan="off", ws="none", http="h11", loop="asyncio", log_config=None, access_log=False
        )
        self._http = uvicorn.Server(config)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    @property
    def client_id(self) -> str:
        """The application that may ask."""
        return self._core.client_id

    @property
    def limits(self) -> Limits:
        """4 requests a second and 8 open; may be changed at any time."""
        return self._core.limits

    @property
    def requests(self) -> list[SeenRequest]:
        """All requests so far; paths are below /v4."""
        return [replace(request) for request in self._core.requests]

    @property
    def webhooks(self) -> list[Webhook]:
        """Those that are registered now."""
        return list(self._core.webhooks.registered.values())

    @property
    def latency(self) -> float:
        """How many seconds each answer takes at least."""
        return self._core.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._core.latency = seconds

    def bodies(self, path: str) -> list[str]:
        """The bodies that were sent to a path: "/games"."""
        return [request.body.decode() for request in self.requests if request.path == path]

    def forget_requests(self) -> None:
        """Empty `requests`."""
        self._core.requests.clear()

    def put(self, *rows: Row, endpoint: str = "games") -> None:
        """Add documents, or replace them."""
        self._core.tables[endpoint].put(*rows)

    def remove(self, *ids: int, endpoint: str = "games") -> None:
        """Take documents away."""
        self._core.tables[endpoint].remove(*ids)

    def shorten(self, *missing: int) -> None:
        """Let the next pages lack their last rows, a number for each page; X-Count stays true."""
        self._core.short.extend(missing)

    def fail(
        self,
        path: str,
        status: int | None,
        body: Any = None,
        times: float = 1,
        headers: Mapping[str, str] | None = None,
        *,
        delay: float = 0,
    ) -> None:
        """Script a fault for the next requests of a path; status None is the true answer, late."""
        fault = Fault(path, status, body, times, headers or {}, None, delay, False, False, False)
        self._core.faults.add(fault)

    def webhook_message(self, method: str, row: Row, endpoint: str = "games") -> tuple[dict[str, str], bytes]:
        """Headers and body of what is posted to a registered webhook; method is create, update or delete."""
        return self._core.webhooks.message(endpoint, method, row)

    async def _main(self) -> None:
        self._stopping = asyncio.Event()
        self._http.config.load()
        self._http.lifespan = self._http.config.lifespan_class(self._http.config)
        await self._http.startup(sockets=[self._listener])
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._stopping.wait()
        for server in self._http.servers:
            server.close()
        for connection in list(self._http.server_state.connections):
            transport: Any = connection
            transport.transport.abort()
        await asyncio.gather(*self._http.server_state.tasks, return_exceptions=True)
        for server in self._http.servers:
            await server.wait_closed()


def _judge_of(accepts: Collection[str] | Callable[[str], bool] | None) -> Callable[[str], bool]:
    if accepts is None:
        return bool
    return accepts if callable(accepts) else accepts.__contains__


def _listen(port: int) -> socket.socket:
    # Only where the protocol is named does asyncio turn Nagle's algorithm off, which costs 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    return listener
