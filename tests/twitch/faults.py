"""Faults that a test scripts, and the record of each request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.responses import Response

from tests.twitch.answers import error_body


@dataclass
class SeenRequest:
    """A request as it arrived; `status` is None until it is answered, and stays so where no answer is sent."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    # Unix seconds.
    time: float
    body: bytes = field(default=b"", repr=False)
    status: int | None = None

    def values(self, name: str) -> list[str]:
        """Return the values of a parameter, which may be given many times."""
        return [value for key, value in self.query if key == name]


@dataclass
class Fault:
    """What happens to requests of a path; `status` None is the true answer, late or cut."""

    path: str
    status: int | None
    body: Any
    times: float
    headers: Mapping[str, str]
    method: str | None
    delay: float
    cut_off: bool
    hang: bool
    reset: bool

    def concerns(self, method: str, path: str) -> bool:
        below = path.removeprefix("/helix")
        return self.method in {None, method} and (path.startswith(self.path) or below.startswith(self.path))

    def response(self) -> Response:
        """The scripted answer: JSON for what is no text, HTML for a text, bytes as they are."""
        assert self.status is not None
        match self.body:
            case None:
                error = error_body(self.status, "")
                if self.path.startswith("/oauth2"):
                    del error["error"]
                content, kind = msgspec.json.encode(error), "application/json"
            case bytes():
                content, kind = self.body, "application/octet-stream"
            case str():
                content, kind = self.body.encode(), "text/html"
            case _:
                content, kind = msgspec.json.encode(self.body), "application/json"
        return Response(content, self.status, headers=dict(self.headers), media_type=kind)


class Faults:
    """What is scripted, in order; the first that concerns a request is used up by it."""

    def __init__(self) -> None:
        self._scripted: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._scripted.append(fault)

    def clear(self) -> None:
        self._scripted.clear()

    def take(self, method: str, path: str) -> Fault | None:
        for fault in self._scripted:
            if fault.concerns(method, path):
                fault.times -= 1
                if fault.times <= 0:
                    self._scripted.remove(fault)
                return fault
        return None
