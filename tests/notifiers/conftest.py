"""A real PostgreSQL of our own, and a fresh database in it for each test."""

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from models import Base
from notifiers.vault import Vault
from pipeline.demo.sinks import MailSink, WebhookSink
from pipeline.embedded import ensure
from tests.notifiers.world import World

_numbers = itertools.count()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, str]]:
    """A server connection, and the name of a database that holds the tables."""
    url = make_url(ensure(tmp_path_factory.mktemp("data")).database_url)
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE tables"))
    tables = create_engine(url.set(database="tables"))
    Base.metadata.create_all(tables)
    tables.dispose()
    yield server, "tables"
    server.dispose()


@pytest.fixture
def engine(template: tuple[Engine, str]) -> Iterator[Engine]:
    server, tables = template
    name = f"test_{next(_numbers)}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {tables} STRATEGY file_copy"))
    engine = create_engine(server.url.set(database=name))
    yield engine
    engine.dispose()
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "secret" / "key")


@pytest.fixture
def world(engine: Engine, vault: Vault) -> World:
    return World(engine, vault)


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
    """What reaches a root logger that takes everything; pytest's caplog also hears what never gets there."""
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
