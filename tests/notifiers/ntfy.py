"""A local server that speaks as much of ntfy's protocol as a publisher meets, and keeps what it published.

As in ntfy's server/server.go: a JSON document of more than twice the message limit is refused with 413; a message that
reaches the limit becomes a file, and so does whatever comes with a name of a file. Without a store for files, which is
ntfy's default, those are refused with 400.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.demo.local import QuietHandler, serving

MESSAGE_LIMIT = 4096


@dataclass
class Ntfy:
    """What a server was sent: messages with their title and text, files, and how many requests it refused."""

    message_limit: int = MESSAGE_LIMIT
    takes_files: bool = False
    refuses_with: int | None = None
    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)
    refusals: int = 0

    def publish(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Keep a message or a file; returns the status and the answer."""
        status, answer = self._publish(path, body)
        self.refusals += status != 200
        return status, answer

    def _publish(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if self.refuses_with:
            return self.refuses_with // 100, {"code": self.refuses_with, "error": "as it was told"}
        target = urlsplit(path)
        if target.path != "/" or "filename" in parse_qs(target.query):
            return self._keep_file(body)
        if len(body) > 2 * self.message_limit:
            return 413, {"code": 41303, "http": 413, "error": "JSON body too large"}
        document = json.loads(body)
        message = document["message"].encode()
        if len(message) >= self.message_limit:
            return self._keep_file(message)
        self.messages.append(document)
        return 200, document

    def _keep_file(self, body: bytes) -> tuple[int, dict[str, Any]]:
        if not self.takes_files:
            return 400, {"code": 40014, "http": 400, "error": "invalid request: attachments not allowed"}
        self.files.append(body)
        return 200, {}


@contextmanager
def ntfy_server(**options: Any) -> Iterator[Ntfy]:
    """Serve ntfy on a free port of this machine until the block ends."""
    ntfy = Ntfy(**options)
    with serving(partial(_Handler, ntfy)) as address:
        ntfy.url = address.replace("http://", "ntfy://") + "/loot"
        yield ntfy


class _Handler(QuietHandler):
    def __init__(self, ntfy: Ntfy, *connection: Any) -> None:
        self.ntfy = ntfy
        super().__init__(*connection)

    def do_POST(self) -> None:  # noqa: N802  the name that http.server calls
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        status, answer = self.ntfy.publish(self.path, body)
        self.answer(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())
