"""Ask an ASGI application in this process, and what that takes of the processor."""

import statistics
import time
from collections.abc import Mapping
from typing import Any

# The least of so many rounds is what it takes; the others were disturbed.
ROUNDS = 5


class Asker:
    """Asks one application with the same headers."""

    def __init__(self, app: Any, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def get(self, path: str, query: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return the status, the headers and the body."""
        given = {**self._headers, **headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:])


async def measure(asker: Asker, path: str, query: str, requests: int, *, status: int = 200, **headers: str) -> float:
    """Return the seconds of CPU that a request takes, all threads of this process counted."""
    rounds = []
    for _ in range(ROUNDS + 1):
        began = time.process_time()
        for _ in range(requests):
            answered, _, _ = await asker.get(path, query, **headers)
            assert answered == status, answered
        rounds.append((time.process_time() - began) / requests)
    # The first warms up.
    return statistics.median(rounds[1:])
