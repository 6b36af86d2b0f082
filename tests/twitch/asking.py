"""Small clients of the local Twitch for tests: Helix with a token, EventSub's websocket, and a place for callbacks."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.plain_http import NO_CERTIFICATES
from tests.twitch.local import LocalTwitch


@contextmanager
def helix(twitch: LocalTwitch, token: str | None = None) -> Iterator[httpx.Client]:
    """A client with an app token, or the one given."""
    headers = {"Authorization": f"Bearer {token or twitch.app_token()}", "Client-Id": twitch.client_id}
    with httpx.Client(
        base_url=twitch.helix_url, headers=headers, trust_env=False, timeout=60, verify=NO_CERTIFICATES
    ) as client:
        yield client


class Listener:
    """A client's websocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.welcome = self.next()
        self.id: str = self.welcome["payload"]["session"]["id"]

    def next(self, kind: str | None = None) -> dict[str, Any]:
        """The next message, or the next one of a kind."""
        while True:
            message: dict[str, Any] = json.loads(self.socket.recv(timeout=60))
            if kind in {None, message["metadata"]["message_type"]}:
                return message

    def closed(self) -> int:
        """Read on until it is closed, and return the code: 1006 where no code came."""
        try:
            while True:
                self.socket.recv(timeout=60)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    def titles(self, count: int) -> list[str]:
        """The titles that the next so many channel.update messages tell."""
        return [self.next("notification")["payload"]["event"]["title"] for _ in range(count)]


@contextmanager
def listen(url: str) -> Iterator[Listener]:
    """Connect a websocket, and wait for its welcome."""
    with connect(url, proxy=None, close_timeout=1) as socket:
        yield Listener(socket)


def add_conduit(client: httpx.Client, session_id: str | None = None) -> str:
    """A new conduit's id; with a session its one shard is attached."""
    created = client.post("/eventsub/conduits", json={"shard_count": 1})
    assert created.status_code == 200, created.text
    conduit_id: str = created.json()["data"][0]["id"]
    if session_id is not None:
        assert attach(client, conduit_id, session_id)["errors"] == []
    return conduit_id


def attach(client: httpx.Client, conduit_id: str, session_id: str, shard_id: str = "0") -> dict[str, Any]:
    transport = {"method": "websocket", "session_id": session_id}
    shards = [{"id": shard_id, "transport": transport}]
    answer = client.patch("/eventsub/conduits/shards", json={"conduit_id": conduit_id, "shards": shards})
    assert answer.status_code == 202, answer.text
    decoded: dict[str, Any] = answer.json()
    return decoded


def subscribe(
    client: httpx.Client, type_: str, condition: dict[str, str], version: str = "1", **transport: str
) -> httpx.Response:
    """Ask for a subscription: `method="conduit", conduit_id=…` and so on is its transport."""
    body = {"type": type_, "version": version, "condition": condition, "transport": transport}
    return client.post("/eventsub/subscriptions", json=body)


@dataclass
class Callback:
    """A receiver of webhooks: takes challenges, and answers the rest with `status`."""

    url: str
    status: int = 204
    reply: Callable[[str], str] = lambda challenge: challenge
    messages: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [headers["twitch-eventsub-message-type"] for headers, _ in self.messages]


@contextmanager
def callback() -> Iterator[Callback]:
    """A receiver on 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers["content-length"]))
            place.messages.append((headers, body))
            challenge = json.loads(body).get("challenge")
            answer = b"" if challenge is None else place.reply(challenge).encode()
            self.send_response(place.status if challenge is None else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        place = Callback(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield place
        server.shutdown()
        thread.join()
