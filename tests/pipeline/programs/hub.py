"""A WebSub hub on this machine, which takes what publishers tell it (PubSubHubbub Core 0.4, section 7.1)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from pipeline.demo.local import QuietHandler, serving


class Hub:
    """The topics that were told, in their order; `status` is what it answers to what is asked rightly."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.status = 204
        self.refused = ""
        self.url = ""
        self._lock = threading.Lock()

    def take(self, kind: str, body: bytes) -> int:
        fields = parse_qs(body.decode(), strict_parsing=True)
        is_right = fields.get("hub.mode") == ["publish"] and len(fields.get("hub.url", ())) == 1
        if kind != "application/x-www-form-urlencoded" or not is_right:
            return 400
        (topic,) = fields["hub.url"]
        if self.refused and self.refused in topic:
            return 422
        if self.status == 204:
            with self._lock:
                self.topics.append(topic)
        return self.status

    def forget(self) -> list[str]:
        """Return what was told so far, and begin anew."""
        told, self.topics = self.topics, []
        return told


class _Handler(QuietHandler):
    def __init__(self, hub: Hub, *connection: Any) -> None:
        # Before the base class, whose constructor already handles the request.
        self.hub = hub
        super().__init__(*connection)

    def do_POST(self) -> None:  # noqa: N802  the name that http.server calls
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.answer(self.hub.take(self.headers.get("Content-Type", ""), body), {})


@contextmanager
def serving_hub() -> Iterator[Hub]:
    """Run a hub until the block ends."""
    hub = Hub()
    with serving(lambda *connection: _Handler(hub, *connection)) as address:
        hub.url = f"{address}/hub?key=hunter2"
        yield hub
