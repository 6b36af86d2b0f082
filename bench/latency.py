"""How long after a stream goes live a person gets the message, through the real programs.

    uv run --frozen python bench/latency.py [seconds] [streams a second] [processes of the worker] [--tiny]

A local Twitch tells of streams by EventSub; EventSub's program, a worker and beat run under the supervisor on embedded
servers; a local web server receives the messages. Measured from the moment that Twitch sends to the moment that the
message arrives. Goal: at 50 a second, half of them within a second and 99 of 100 within three.
"""

import os
import re
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import func, insert, select

from bench.databases import Servers
from bench.results import Result, bounded, percentile
from bench.running import Size, run_alone
from models import Channel, Delivery, Event, EventSubMessage, Follow
from notifiers.subscriptions import add_subscription
from notifiers.targets import add_target
from pipeline.channels.eventsub.source_row import load_memory
from pipeline.programs import programs
from pipeline.runtime.runtime import Runtime, open_runtime, utc_now
from pipeline.runtime.settings import load_settings
from tests.twitch import LocalTwitch

GOALS = {50: 1.0, 99: 3.0}
PATIENCE = 180.0
LOGIN = re.compile(rb"channel\d{5}")


@dataclass(frozen=True)
class Stretch(Size):
    """So many seconds, streams that go live in each, and processes of the worker."""

    seconds: float
    rate: float
    processes: int


FULL, TINY = Stretch(20.0, 50.0, 2), Stretch(1.0, 5.0, 1)


class Door:
    """A web server that notes when each channel was first named in what it got."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self.messages = 0
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                now = time.time()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                door.messages += 1
                for login in LOGIN.findall(body.lower()):
                    door.arrived.setdefault(login.decode(), now)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port

    @contextmanager
    def open(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def environment(servers: Servers, folder: str, twitch: LocalTwitch, processes: int) -> dict[str, str]:
    return {
        "DATABASE_URL": servers.database_url(),
        "REDIS_URL": servers.redis_url(),
        "LOOTWIRE_DATA_DIR": f"{folder}/data",
        "LOOTWIRE_HTTP_PORT": str(free_port()),
        "LOOTWIRE_RECEIVER_PORT": str(free_port()),
        "TWITCH_CLIENT_ID": twitch.client_id,
        "TWITCH_CLIENT_SECRET": twitch.client_secret,
        "LOOTWIRE_TWITCH_AUTH_URL": twitch.auth_url,
        "LOOTWIRE_HELIX_URL": twitch.helix_url,
        "LOOTWIRE_EVENTSUB_URL": twitch.eventsub_url,
        "LOOTWIRE_WORKER_PROCESSES": str(processes),
        # No other service is asked: the other sources fail at once, and rest.
        **dict.fromkeys(("LOOTWIRE_DROPS_MIRROR_URL", "LOOTWIRE_KICK_URL", "LOOTWIRE_CHZZK_URL"), "http://127.0.0.1:1"),
        "LOOTWIRE_LOG_LEVEL": "ERROR",
        "NO_PROXY": "127.0.0.1",
    }


def follow(runtime: Runtime, twitch: LocalTwitch, count: int) -> list[str]:
    since = utc_now() - timedelta(days=1)
    users = twitch.add_users(count)
    rows = [{"service": "twitch", "external_id": u.id, "login": u.login, "first_seen_at": since} for u in users]
    with runtime.engine.begin() as connection:
        ids = connection.scalars(insert(Channel).values(rows).returning(Channel.id)).all()
        connection.execute(
            insert(Follow).values([{"kind": "channel", "channel_id": i, "created_at": since} for i in ids])
        )
    return [user.login for user in users]


def wait(what: str, done: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < until, f"{what} takes more than {PATIENCE:.0f} s"
        time.sleep(0.1)


def is_subscribed(runtime: Runtime, channels: int) -> bool:
    with runtime.engine.connect() as connection:
        return load_memory(connection).subscribed >= 3 * channels + 1


def go_live(twitch: LocalTwitch, logins: list[str], rate: float) -> dict[str, float]:
    sent: dict[str, float] = {}
    began = time.monotonic()
    for number, login in enumerate(logins):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        sent[login] = time.time()
        twitch.go_live(login, title="On air", viewers=number)
    return sent


def legs(runtime: Runtime) -> dict[str, list[float]]:
    """Return where the time goes, by the times in the rows: received, handled, sent."""
    query = (
        select(EventSubMessage.sent_at, EventSubMessage.received_at, Event.recorded_at, Delivery.first_attempt_at)
        .select_from(EventSubMessage)
        .join(Channel, Channel.external_id == EventSubMessage.event["broadcaster_user_id"].astext)
        .join(Event, (Event.channel_id == Channel.id) & (Event.kind == "stream.online"))
        .join(Delivery, Delivery.event_id == Event.id)
        .where(EventSubMessage.subscription_type == "stream.online")
    )
    with runtime.engine.connect() as connection:
        rows: list[tuple[datetime | None, ...]] = [tuple(row) for row in connection.execute(query)]
    names = ("sent -> kept", "kept -> event", "event -> sending")
    return {
        name: [
            (end - begin).total_seconds()
            for begin, end in (list(pairwise(row))[leg] for row in rows)
            if begin is not None and end is not None
        ]
        for leg, name in enumerate(names)
    }


def report(runtime: Runtime, door: Door, sent: Mapping[str, float]) -> list[Result]:
    took = [door.arrived[login] - at for login, at in sent.items() if login in door.arrived]
    with runtime.engine.connect() as connection:
        events = connection.scalar(select(func.count()).select_from(Event).where(Event.kind == "stream.online"))
    print(f"{len(sent)} streams; {events} events; {door.messages} messages")
    assert events == len(sent), "each stream is one event"
    print(f"{'':>18}  {'p50':>7}  {'p99':>7}  {'most':>7}")
    for name, values in {**legs(runtime), "all the way": took}.items():
        if values:
            print(f"{name:>18}  {percentile(values, 50):6.2f}s  {percentile(values, 99):6.2f}s  {max(values):6.2f}s")
    missing = len(sent) - len(took)
    assert not missing, f"{missing} never arrived"
    return [
        bounded(f"latency: p{percent}", percentile(took, percent), "s", most=goal) for percent, goal in GOALS.items()
    ]


def run(servers: Servers, size: Stretch) -> list[Result]:
    door = Door()
    with LocalTwitch() as twitch, door.open(), tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        twitch.budget = 100_000
        env = environment(servers, folder, twitch, size.processes)
        runtime = open_runtime(load_settings(os.environ | env).settings)
        logins = follow(runtime, twitch, int(size.seconds * size.rate))
        with runtime.engine.begin() as connection:
            add_target(connection, runtime.vault, "door", f"json://127.0.0.1:{door.port}/", utc_now(), private=True)
            add_subscription(connection, "door", utc_now(), kinds=["stream.online"])
        with programs.supervisor(runtime, programs.programs(runtime), env=env, grace=10):
            programs.wake(runtime)
            wait("subscribing", lambda: is_subscribed(runtime, len(logins)))
            sent = go_live(twitch, logins, size.rate)
            wait("telling", lambda: len(door.arrived) >= len(logins))
        results = report(runtime, door, sent)
        runtime.engine.dispose()
    return results


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
