"""An installation that knows a local Twitch, and the program that brings its messages in."""

import itertools
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import Engine

from pipeline.embedded import Servers
from pipeline.eventsub.paces import Paces
from pipeline.eventsub.program import Program
from pipeline.runtime import Runtime
from pipeline.settings import Settings
from tests.pipeline.eventsub.installation import Installation
from tests.pipeline.eventsub.paces import FAST, Quick
from tests.twitch import LocalTwitch

# EventSub's own database on the tests' Valkey.
VALKEY_DATABASE = 7
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def no_surprises(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fails a test in which a thread met an error that nobody foresaw, and went on."""
    caplog.set_level(logging.INFO)
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.exc_info] == []


@pytest.fixture
def twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch(client_id=f"client{next(_numbers)}of0lootwire") as running:
        yield running


@pytest.fixture
def runtime(engine: Engine, servers: Servers, twitch: LocalTwitch, tmp_path: Path) -> Iterator[Runtime]:
    url = engine.url.render_as_string(hide_password=False)
    redis_url = servers.redis_url.replace("?db=0", f"?db={VALKEY_DATABASE}")
    with redis.Redis.from_url(redis_url) as broker:
        broker.flushdb()
    settings = Settings(
        data_dir=tmp_path / "data",
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


@pytest.fixture
def installation(runtime: Runtime, twitch: LocalTwitch) -> Iterator[Installation]:
    found = Installation(runtime, twitch)
    with found.kept:
        yield found


@contextmanager
def running(runtime: Runtime, paces: Paces = FAST) -> Iterator[Program]:
    """The program in threads of this process."""
    ends = threading.Event()
    with Program(runtime, paces=paces, backoff=Quick()) as program:
        overseer = threading.Thread(target=program.run_until, args=(ends,))
        overseer.start()
        try:
            yield program
        finally:
            ends.set()
            overseer.join()
