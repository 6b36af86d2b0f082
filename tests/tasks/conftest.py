"""An installation on real servers, whose tasks a test may call, leave to a worker, or kill."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

from pipeline.demo.services import DemoServices
from pipeline.demo.sinks import WebhookSink
from pipeline.embedded import Servers
from pipeline.runtime.celery_app import make_app
from tasks import surroundings
from tests.tasks.forks import Forks
from tests.tasks.installation import AtWork
from tests.twitch import LocalTwitch
from tests.twitch.dashboard import Dashboard

# The tasks' own database on the tests' Valkey.
VALKEY_DATABASE = 5


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    with Forks() as running:
        yield running


@pytest.fixture
def services() -> Iterator[DemoServices]:
    with DemoServices(datetime.now(UTC)) as running:
        yield running


@pytest.fixture
def hook() -> Iterator[WebhookSink]:
    with WebhookSink() as sink:
        yield sink


@pytest.fixture
def twitch() -> Iterator[Dashboard]:
    with LocalTwitch() as running:
        yield running.dashboard


@pytest.fixture
def installation(
    engine: Engine, servers: Servers, services: DemoServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AtWork]:
    redis_url = servers.redis_url.replace("?db=0", f"?db={VALKEY_DATABASE}")
    variables = {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "REDIS_URL": redis_url,
        "LOOTWIRE_DATA_DIR": str(tmp_path / "data"),
        **services.addresses,
        "LOOTWIRE_CHZZK_FIRST_NUMBER": "1204",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    # A developer's own `.env` and `lootwire.toml` must not matter.
    monkeypatch.chdir(tmp_path)
    AtWork.reopen()
    app = make_app(redis_url)
    with redis.Redis.from_url(redis_url) as broker:
        broker.flushdb()
        runtime = surroundings.runtime()
        yield AtWork(runtime, broker, app)
        runtime.engine.dispose()
    app.close()
    AtWork.reopen()
