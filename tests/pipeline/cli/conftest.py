"""An operator of a fresh installation on the tests' servers."""

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

from pipeline.demo.sinks import WebhookSink
from pipeline.embedded import Servers
from tests.pipeline.cli.operator import Operator, environment

# The command line's own database on the tests' Valkey.
VALKEY_DATABASE = 6


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def operator(
    engine: Engine,
    servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logging_as_before: None,
) -> Operator:
    redis_url = servers.redis_url.replace("?db=0", f"?db={VALKEY_DATABASE}")
    with redis.Redis.from_url(redis_url) as broker:
        broker.flushdb()
    variables = {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "REDIS_URL": redis_url,
        "LOOTWIRE_DATA_DIR": str(tmp_path / "data"),
        "LOOTWIRE_PUBLIC_URL": "https://drops.example",
    }
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Operator(engine, tmp_path, capsys)


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """Undo what a command does to logging: outside of tests it has a process of its own."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {
        name: logger.level for name, logger in root.manager.loggerDict.items() if isinstance(logger, logging.Logger)
    }
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, was in levels.items():
        # To set a level takes as long as there are loggers, for each of which it is forgotten what they log.
        if (logger := logging.getLogger(name)).level != was:
            logger.setLevel(was)


@pytest.fixture
def hook() -> Iterator[WebhookSink]:
    with WebhookSink() as sink:
        yield sink
