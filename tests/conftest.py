"""What all tests share: a real PostgreSQL with a fresh database for each test, and no way out of this machine."""

import errno
import gc
import ipaddress
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Engine

from pipeline import embedded
from pipeline.embedded import Servers, ensure
from tests import quick
from tests.databases import Databases
from tests.examples import examples, is_campaign
from tests.waiting import folder_of_processes

# Where Python keeps no byte code, each program that a test starts compiles all that it imports: two seconds of work.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(
        Path(__file__).resolve().parent.parent / ".pytest_cache" / "bytecode"
    )

# Imports leave hardly any garbage, and to look for it among all that they bring is a fifth of a collection's work.
gc.disable()

# A shell that runs pytest in the background has it ignore these, and so would each program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# The same examples on every machine, however slow it is today; the campaign `properties` wants others.
settings.register_profile(
    "lootwire", derandomize=not is_campaign(), max_examples=examples(300), deadline=None, database=None
)
settings.load_profile("lootwire")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only what needs no server, and what changes touch")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that none of them is left to one process at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    if config.getoption("--quick"):
        touched = quick.touched(item.path for item in items)
        chosen = [item for item in items if quick.is_quick(item, touched)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen


def pytest_collection_finish() -> None:
    """Leave what was imported to no more collections of garbage, each of which would read all of it."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(5000, 10, 10)


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
def databases(servers: Servers) -> Iterator[Databases]:
    """The databases of these servers, for tests that need more than the one of the fixture `engine`."""
    databases = Databases(servers.database_url)
    yield databases
    databases.close()


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    """A database with all tables and no rows."""
    with databases.new() as engine:
        yield engine


@pytest.fixture
def empty_engine(databases: Databases) -> Iterator[Engine]:
    """A new database without tables."""
    with databases.empty() as engine:
        yield engine
