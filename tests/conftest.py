"""What all tests share: a real PostgreSQL with a fresh database for each test, and no way out of this machine."""

import errno
import ipaddress
import itertools
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Engine, create_engine, make_url, text

from pipeline import embedded
from pipeline.database.connecting import connect, migrate
from pipeline.embedded import Servers, ensure
from tests.waiting import folder_of_processes

# The same examples on every machine, however slow it is today.
settings.register_profile("lootwire", derandomize=True, deadline=None, database=None)
settings.load_profile("lootwire")

_numbers = itertools.count()
_MIGRATED = "migrated"


class OutsideWorld:
    """Refuses connections to other machines, and remembers who was asked for."""

    def __init__(self) -> None:
        self.asked_for: list[str] = []
        self._closed = False
        # An audit hook sees every socket of Python, whichever library opens it; it cannot be taken away again.
        sys.addaudithook(self._hear)

    def close(self) -> None:
        self._closed = True

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._closed or event not in {"socket.connect", "socket.sendto"}:
            return
        address = arguments[1]
        if isinstance(address, tuple) and not _is_local(str(address[0])):
            self.asked_for.append(f"{address[0]}:{address[1]}")
            raise OSError(errno.EPERM, f"tests must not leave this machine, and this one asked for {address}")


def _is_local(host: str) -> bool:
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session")
def _hook() -> Iterator[OutsideWorld]:
    world = OutsideWorld()
    yield world
    world.close()


@pytest.fixture(autouse=True)
def outside_world(_hook: OutsideWorld) -> Iterator[OutsideWorld]:
    """Fails a test that tried to reach another machine, even where the code under test took the error well."""
    _hook.asked_for.clear()
    yield _hook
    if _hook.asked_for:
        pytest.fail(f"the test tried to reach another machine: {', '.join(_hook.asked_for)}")


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Real servers of our own, stopped after the last test."""
    with folder_of_processes() as folder:
        yield ensure(folder / "servers")
        # What the end of this process would do: the servers stop when nobody holds this lock.
        for lock in embedded._held.values():
            os.close(lock)
        embedded._held.clear()


@pytest.fixture(scope="session")
def server(servers: Servers) -> Iterator[Engine]:
    """A connection to the server that may create databases; one of them, `migrated`, holds the tables."""
    url = make_url(servers.database_url)
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {_MIGRATED}"))
    tables = connect(url.set(database=_MIGRATED).render_as_string(hide_password=False))
    migrate(tables)
    tables.dispose()
    yield server
    server.dispose()


@pytest.fixture
def engine(server: Engine) -> Iterator[Engine]:
    """A new database with all tables and no rows."""
    # Copying files takes a third of the time that the default, writing it all to the log, does.
    yield from _database(server, f"TEMPLATE {_MIGRATED} STRATEGY file_copy")


@pytest.fixture
def empty_engine(server: Engine) -> Iterator[Engine]:
    """A new database without tables."""
    yield from _database(server, "")


def _database(server: Engine, how: str) -> Iterator[Engine]:
    name = f"lootwire_{next(_numbers)}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} {how}"))
    engine = connect(server.url.set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
