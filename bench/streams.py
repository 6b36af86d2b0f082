"""How long a round of polling takes: 2,000 channels are followed, 300 of them live.

    uv run --frozen python bench/streams.py [channels] [live] [rounds] [--tiny]

A round is everything that a worker does every five minutes: who is watched, the requests to a local Twitch that answers
without delay, sessions, snapshots, events. Goals: at most 25 requests, less than two seconds, and the snapshots of a
round in one statement. The first round opens all sessions and announces them; later ones only write snapshots. Beside:
the same requests, bare, with their answers decoded.
"""

import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import Engine, event, func, insert, select, update

from bench.databases import Servers
from bench.results import Result, as_long, bounded
from bench.running import Size, run_alone
from models import Follow, Source, StreamSnapshot
from models.vault import Vault
from pipeline.catalogue.records import ChannelRecord
from pipeline.catalogue.storing import store_channels
from pipeline.channels.sources.streams import TwitchStreams
from pipeline.fetch.limiter import Budget, connect_redis
from pipeline.ingest.fetching import fetch_source, register
from pipeline.runtime.runtime import utc_now
from pipeline.services.twitch.app_token import SharedAppTokens
from pipeline.services.twitch.helix import Helix
from tests.twitch import LocalTwitch
from tests.twitch.faults import SeenRequest

REQUESTS, SECONDS = 25, 2.0
EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class Following(Size):
    """Followed channels, those of them that are live, and how often they are polled."""

    channels: int
    live: int
    rounds: int


FULL, TINY = Following(2000, 300, 5), Following(120, 30, 2)


class Statements:
    """Counts what is executed, by its first words."""

    def __init__(self, engine: Engine) -> None:
        self.all = 0
        self.of: Counter[str] = Counter()
        event.listen(engine, "before_cursor_execute", self._hear)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.all += 1
        self.of[" ".join(statement.split()[:3])] += 1

    def forget(self) -> None:
        """Count anew."""
        self.all = 0
        self.of.clear()


def people(twitch: LocalTwitch, engine: Engine, channels: int, live: int) -> None:
    """Make and follow channels, some of which are live."""
    since = datetime.now(UTC) - timedelta(days=1)
    users = twitch.add_users(channels)
    records = [ChannelRecord(external_id=user.id, login=user.login) for user in users]
    with engine.begin() as connection:
        ids = store_channels(connection, "twitch", records, since)
        rows = [{"kind": "channel", "channel_id": row_id, "created_at": since} for row_id in ids.values()]
        connection.execute(insert(Follow), rows)
    for number in range(40):
        twitch.add_category(str(1000 + number), f"Game {number}")
    for number, user in enumerate(users[:live]):
        twitch.go_live(user.login, title=f"Title {number}", category=str(1000 + number % 40), viewers=number)


def polling(engine: Engine, redis: Redis, twitch: LocalTwitch, folder: Path) -> TwitchStreams:
    vault = Vault.open(folder / "secret.key")
    secret = SecretStr(twitch.client_secret)
    tokens = SharedAppTokens(redis, lambda: vault, twitch.auth_url, twitch.client_id, secret)
    budget = Budget(redis, "helix")
    source = TwitchStreams(
        engine,
        lambda client: Helix(client, twitch.helix_url, tokens, budget),
        lambda: datetime.now(UTC),
        poll_every=EVERY,
        flap=timedelta(minutes=10),
    )
    with engine.begin() as connection:
        register(connection, [source], datetime.now(UTC))
    return source


@dataclass(frozen=True)
class Round:
    """What one round took: ours and of the bare requests in seconds, requests, statements that write snapshots."""

    seconds: float
    bare: float
    requests: int
    writes: int


def measure(engine: Engine, source: TwitchStreams, twitch: LocalTwitch, live: int, rounds: int) -> list[Round]:
    """Poll so many times; prints a line for each round."""
    statements = Statements(engine)
    results: list[Round] = []
    print("  round   seconds   requests   statements   snapshots in   events")
    for number in range(1, rounds + 1):
        with engine.begin() as connection:
            connection.execute(update(Source).values(next_due_at=datetime.now(UTC)))
        twitch.forget_requests()
        statements.forget()
        began = time.perf_counter()
        fetched = fetch_source(engine, source, utc_now)
        seconds = time.perf_counter() - began
        assert fetched is not None
        assert fetched.items == live, fetched
        requests = [request for request in twitch.requests if request.path.startswith("/helix/")]
        writes = statements.of["INSERT INTO stream_snapshots"]
        events = fetched.events.total()
        assert events == (live if number == 1 else 0), "streams are announced once"
        print(
            f"  {number:5d}   {seconds:7.3f}   {len(requests):8d}   {statements.all:10d}   {writes:12d}   {events:6d}"
        )
        results.append(Round(seconds, only_ask(twitch, requests), len(requests), writes))
    with engine.connect() as connection:
        count = connection.scalar(select(func.count()).select_from(StreamSnapshot))
    assert count == live * rounds, count
    return results


def only_ask(twitch: LocalTwitch, requests: Sequence[SeenRequest]) -> float:
    """Return the seconds that the same requests take without us, one after another on one connection."""
    headers = {"Client-Id": twitch.client_id, "Authorization": f"Bearer {twitch.app_token()}"}
    root = twitch.helix_url.removesuffix("/helix")
    with httpx.Client(headers=headers, trust_env=False) as client:
        began = time.perf_counter()
        for request in requests:
            client.get(root + request.path, params=list(request.query)).raise_for_status().json()
        return time.perf_counter() - began


def run(servers: Servers, size: Following) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder, LocalTwitch() as twitch:
        engine, redis = servers.database(), connect_redis(servers.redis_url())
        people(twitch, engine, size.channels, size.live)
        print(f"{size.channels} channels, {size.live} live")
        source = polling(engine, redis, twitch, Path(folder))
        rounds = measure(engine, source, twitch, size.live, size.rounds)
        redis.close()
    slowest = max(rounds, key=lambda measured: measured.seconds)
    later = statistics.median(measured.seconds for measured in rounds[1:] or rounds)
    bare = statistics.median(measured.bare for measured in rounds)
    return [
        as_long("streams: a later round", later, bare, "the same requests, bare"),
        bounded("streams: the slowest round", slowest.seconds, "s", most=SECONDS),
        bounded("streams: requests a round", max(measured.requests for measured in rounds), "requests", most=REQUESTS),
        bounded("streams: writing snapshots", max(measured.writes for measured in rounds), "statements", most=1),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
