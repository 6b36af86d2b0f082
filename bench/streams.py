"""How long a round of polling takes: 2,000 channels are followed, 300 of them live.

    uv run --frozen python bench/streams.py [channels] [live] [rounds]

A round is everything that a worker does every five minutes: who is watched, the requests to a local Twitch that answers
without delay, sessions, snapshots, events. Goals: at most 25 requests, less than two seconds, and the snapshots of a
round in one statement. The first round opens all sessions and tells of them; later ones only write snapshots.
"""

import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


from pydantic import SecretStr
from redis import Redis
from sqlalchemy import Engine, event, func, insert, select, update

from models import Follow, Source, StreamSnapshot
from models.vault import Vault
from pipeline import embedded
from pipeline.catalogue.records import ChannelRecord
from pipeline.catalogue.storing import store_channels
from pipeline.channels.sources.streams import TwitchStreams
from pipeline.database.connecting import connect, migrate
from pipeline.fetch.limiter import Budget, connect_redis
from pipeline.ingest.fetching import fetch_source, register
from pipeline.runtime.runtime import utc_now
from pipeline.services.twitch.app_token import SharedAppTokens
from pipeline.services.twitch.helix import Helix
from tests.twitch import LocalTwitch

REQUESTS, SECONDS = 25, 2.0
EVERY = timedelta(minutes=5)


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


def measure(engine: Engine, source: TwitchStreams, twitch: LocalTwitch, live: int, rounds: int) -> bool:
    """Print a line for each round; returns whether all reached the goals."""
    statements = Statements(engine)
    good = True
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
        requests = len([asked for asked in twitch.requests if asked.path.startswith("/helix/")])
        writes = statements.of["INSERT INTO stream_snapshots"]
        told = fetched.events.total()
        print(f"  {number:5d}   {seconds:7.3f}   {requests:8d}   {statements.all:10d}   {writes:12d}   {told:6d}")
        good &= requests <= REQUESTS and seconds < SECONDS and writes == 1
    with engine.connect() as connection:
        count = connection.scalar(select(func.count()).select_from(StreamSnapshot))
    assert count == live * rounds, count
    return good


def main() -> int:
    channels, live, rounds = (int(given) for given in [*sys.argv[1:], *["2000", "300", "5"][len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as name, LocalTwitch() as twitch:
        folder = Path(name)
        servers = embedded.ensure(folder / "data")
        engine, redis = connect(servers.database_url), connect_redis(servers.redis_url)
        migrate(engine)
        people(twitch, engine, channels, live)
        print(f"{channels} channels, {live} live")
        good = measure(engine, polling(engine, redis, twitch, folder), twitch, live, rounds)
        engine.dispose()
        redis.close()
    print(f"  goals: at most {REQUESTS} requests, less than {SECONDS:g} s, snapshots in 1 statement")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
