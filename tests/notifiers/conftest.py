"""A real PostgreSQL of our own, and a fresh database in it for each test."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.vault import Vault
from pipeline.demo.sinks import MailSink, WebhookSink
from tests.notifiers.world import Notifying


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "secret" / "key")


@pytest.fixture
def world(engine: Engine, vault: Vault) -> Notifying:
    return Notifying(engine, vault)


@pytest.fixture
def hooks() -> Iterator[WebhookSink]:
    with WebhookSink() as sink:
        yield sink


@pytest.fixture
def mails() -> Iterator[MailSink]:
    with MailSink() as sink:
        yield sink


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """The messages that reach a root logger of the lowest level; pytest's caplog holds others too."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield lines
    root.setLevel(level)
    root.removeHandler(handler)
