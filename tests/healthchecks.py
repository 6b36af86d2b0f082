"""A local server that takes pings as Healthchecks.io does (https://healthchecks.io/docs/http_api/).

`GET`, `HEAD` and `POST` to a check's address count as success, with `/fail`, `/start` or `/log` behind it as what that
says; what is posted is kept, up to 100 kB of it. An address of no check is answered with 404, one that is no UUID with
400, and more than five requests of a kind within a minute are not this server's business.
"""

import re
import uuid
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pipeline.demo.local import QuietHandler, serving

_PATH = re.compile(r"/(?P<uuid>[^/]+)(?:/(?P<signal>fail|start|log|\d{1,3}))?")
_KEPT = 100_000


@dataclass(frozen=True)
class Ping:
    """A ping that was taken: `success`, `fail`, `start` or `log`, how, and with what."""

    signal: str
    method: str
    body: str
    agent: str


class Healthchecks:
    """A server with one check, on a free port of 127.0.0.1; use it as a context manager."""

    def __init__(self) -> None:
        """Knows one check; nothing listens yet."""
        self.uuid = str(uuid.UUID(int=0x5EED_0000_0000_4000_8000_0000_0000_0001))
        self.pings: list[Ping] = []
        # What is answered instead, while it is set.
        self.failing: int | None = None

    def __enter__(self) -> Self:
        self._serving = serving(lambda *connection: _Handler(self, *connection))
        self._url = self._serving.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.__exit__(kind, error, trace)

    @property
    def address(self) -> str:
        """The address of the check."""
        return f"{self._url}/{self.uuid}"

    @property
    def signals(self) -> list[str]:
        """What was said so far, the oldest first."""
        return [ping.signal for ping in self.pings]


class _Handler(QuietHandler):
    def __init__(self, server: Healthchecks, *connection: Any) -> None:
        # Before the base class, whose constructor already handles the request.
        self.checks = server
        super().__init__(*connection)

    def do_GET(self) -> None:  # noqa: N802  the name that http.server calls
        self._take()

    def do_HEAD(self) -> None:  # noqa: N802  likewise
        self._take()

    def do_POST(self) -> None:  # noqa: N802  likewise
        self._take()

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))[:_KEPT].decode(errors="replace")
        match = _PATH.fullmatch(self.path.partition("?")[0])
        if self.checks.failing is not None:
            self._say(self.checks.failing, "out of order")
        elif match is None or not _is_uuid(match["uuid"]):
            self._say(400, "invalid url format")
        elif match["uuid"] != self.checks.uuid:
            self._say(404, "not found")
        else:
            agent = self.headers.get("User-Agent", "")
            self.checks.pings.append(Ping(match["signal"] or "success", self.command, body, agent))
            self._say(200, "OK")

    def _say(self, status: int, text: str) -> None:
        self.answer(status, {"Content-Type": "text/plain", "Ping-Body-Limit": str(_KEPT)}, text.encode())


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
