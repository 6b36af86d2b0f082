"""An installation and its local Twitch, as tests of EventSub use them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from pydantic import SecretStr
from sqlalchemy import Engine, RowMapping, delete, func, insert, select, text

from models import Base, Channel, Event, EventSubMessage, Follow, Source, StreamSession
from pipeline.channels.eventsub.program import Program
from pipeline.channels.eventsub.source_row import NAME, Memory, load_memory
from pipeline.embedded import Servers
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings
from tests.pipeline.channels.eventsub.timing import FAST, Quick
from tests.twitch import LocalTwitch
from tests.waiting import wait_for

# EventSub's own database on the tests' Valkey.
VALKEY_DATABASE = 7


@contextmanager
def knows_twitch(engine: Engine, servers: Servers, twitch: LocalTwitch, folder: Path) -> Iterator[Runtime]:
    """A runtime on the tests' servers that knows the local Twitch."""
    url = engine.url.render_as_string(hide_password=False)
    redis_url = servers.redis_url.replace("?db=0", f"?db={VALKEY_DATABASE}")
    with redis.Redis.from_url(redis_url) as broker:
        broker.flushdb()
    settings = Settings(
        data_dir=folder / "data",
        database_url=SecretStr(url),
        redis_url=SecretStr(redis_url),
        twitch_client_id=twitch.client_id,
        twitch_client_secret=SecretStr(twitch.client_secret),
        twitch_auth_url=twitch.auth_url,
        helix_url=twitch.helix_url,
        eventsub_url=twitch.eventsub_url,
    )
    opened = Runtime(settings=settings, database_url=url, redis_url=redis_url)
    yield opened
    opened.redis.close()
    opened.engine.dispose()


@contextmanager
def running(runtime: Runtime, *, now: Callable[[], datetime] = utc_now) -> Iterator[Program]:
    """The program in threads of this process."""
    ends = threading.Event()
    with Program(runtime, timing=FAST, backoff=Quick(), now=now) as program:
        overseer = threading.Thread(target=program.run_until, args=(ends,))
        overseer.start()
        try:
            yield program
        finally:
            ends.set()
            overseer.join()


def environment_of(runtime: Runtime) -> dict[str, str]:
    """Return the environment of a program that works with the same servers and the same Twitch."""
    settings = runtime.settings
    assert settings.twitch_client_secret is not None
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": runtime.database_url,
        "REDIS_URL": runtime.redis_url,
        "LOOTWIRE_DATA_DIR": str(settings.data_dir),
        "TWITCH_CLIENT_ID": settings.twitch_client_id or "",
        "TWITCH_CLIENT_SECRET": settings.twitch_client_secret.get_secret_value(),
        "LOOTWIRE_TWITCH_AUTH_URL": settings.twitch_auth_url,
        "LOOTWIRE_HELIX_URL": settings.helix_url,
        "LOOTWIRE_EVENTSUB_URL": settings.eventsub_url,
        "LOOTWIRE_LOG_LEVEL": "ERROR",
    }


@contextmanager
def program(module: str, environment: Mapping[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """A program in a process of its own, which ends in good order unless the test has ended it."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            assert process.wait(60) in {0, -signal.SIGTERM, -signal.SIGKILL}


class Listening:
    """A runtime, the Twitch that it knows, and short words for what happened."""

    def __init__(self, runtime: Runtime, twitch: LocalTwitch) -> None:
        self.runtime = runtime
        self.engine = runtime.engine
        self.twitch = twitch
        # Contexts that stay open until the test ends.
        self.kept = ExitStack()

    def follow(self, *logins: str, since: datetime | None = None) -> None:
        """Follow channels by hand; Twitch gets the users that it lacks."""
        since = since or utc_now() - timedelta(days=1)
        for login in logins:
            user = self.twitch.add_user(login)
            self.follow_ids([(user.id, login)], since)

    def unfollow(self, login: str) -> None:
        known = select(Channel.id).where(Channel.login == login).scalar_subquery()
        with self.engine.begin() as connection:
            connection.execute(delete(Follow).where(Follow.channel_id == known))

    def cut_connections(self) -> None:
        """End every session of the database but this one, as a restart of it would."""
        others = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with self.engine.connect() as connection:
            connection.execute(others)

    def follow_ids(self, users: Iterable[tuple[str, str]], since: datetime) -> None:
        channels = [
            {"service": "twitch", "external_id": user_id, "login": login, "first_seen_at": since}
            for user_id, login in users
        ]
        with self.engine.begin() as connection:
            ids = connection.scalars(insert(Channel).values(channels).returning(Channel.id)).all()
            follows = [{"kind": "channel", "channel_id": channel_id, "created_at": since} for channel_id in ids]
            connection.execute(insert(Follow).values(follows))

    def rows(self, table: type[Base], *conditions: Any) -> Sequence[RowMapping]:
        query = select(*table.__table__.c).where(*conditions)
        with self.engine.connect() as connection:
            return connection.execute(query).mappings().all()

    def count(self, table: type[Base], *conditions: Any) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0

    def events(self, kind: str = "stream.online") -> list[RowMapping]:
        """The events of a kind, in the order in which they happened."""
        return sorted(self.rows(Event, Event.kind == kind), key=lambda row: row["id"])

    def kinds(self) -> list[str]:
        """The kinds of all events, in order."""
        return [row["kind"] for row in sorted(self.rows(Event), key=lambda row: row["id"])]

    def waiting(self) -> int:
        return self.count(EventSubMessage, EventSubMessage.handled_at.is_(None))

    def open_sessions(self) -> int:
        return self.count(StreamSession, StreamSession.ended_at.is_(None))

    @property
    def source(self) -> RowMapping:
        return self.rows(Source, Source.name == NAME)[0]

    @property
    def memory(self) -> Memory:
        with self.engine.connect() as connection:
            return load_memory(connection)

    def is_subscribed(self, count: int) -> bool:
        """Whether so many subscriptions work, and messages would find their way."""
        working = [subscription for subscription in self.twitch.subscriptions if subscription.status == "enabled"]
        return len(working) == count and self.has_shard

    @property
    def has_shard(self) -> bool:
        shards = [shard for conduit in self.twitch.conduits for shard in conduit.shards.values()]
        return any(shard.status == "enabled" and shard.transport.session is not None for shard in shards)

    def wait_until_subscribed(self, channels: int) -> None:
        wait_for(lambda: self.is_subscribed(3 * channels + 1))

    def wait_for_events(self, count: int, kind: str = "stream.online") -> None:
        wait_for(lambda: len(self.events(kind)) >= count)
        assert len(self.events(kind)) == count
