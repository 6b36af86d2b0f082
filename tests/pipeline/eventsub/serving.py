"""The receiver as a real server on a free port, in a thread of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from pipeline.eventsub.serving import Serving
from pipeline.runtime import Runtime
from tests.waiting import wait_for


class _Server(uvicorn.Server):
    """A server that leaves the signals of the test's process alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def serving(runtime: Runtime) -> Iterator[str]:
    """The address of a receiver."""
    with Serving(runtime) as found:
        server = _Server(found.server(0).config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            wait_for(lambda: server.started)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


def post(url: str, message: tuple[dict[str, str], bytes]) -> httpx.Response:
    """Post a signed message."""
    headers, body = message
    return httpx.post(f"{url}/eventsub", headers=headers, content=body)
