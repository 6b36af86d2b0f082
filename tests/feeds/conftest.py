"""A real PostgreSQL of our own, a fresh database in it for each test, and a folder to publish to."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from models import Base
from pipeline.embedded import ensure
from tests.feeds.world import World

_numbers = itertools.count()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, str]]:
    """A server connection, and the name of a database that holds the tables."""
    url = make_url(ensure(tmp_path_factory.mktemp("data")).database_url)
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE feeds_tables"))
    tables = create_engine(url.set(database="feeds_tables"))
    Base.metadata.create_all(tables)
    tables.dispose()
    yield server, "feeds_tables"
    server.dispose()


@pytest.fixture
def engine(template: tuple[Engine, str]) -> Iterator[Engine]:
    server, tables = template
    name = f"feeds_{next(_numbers)}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {tables} STRATEGY file_copy"))
    engine = create_engine(server.url.set(database=name))
    yield engine
    engine.dispose()
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "public"


@pytest.fixture
def world(engine: Engine, root: Path) -> World:
    return World(engine, root)
