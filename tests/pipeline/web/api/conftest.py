"""The API as a real server, with people and their keys."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert
from starlette.routing import Route

from models import Person
from models.people import OWNER_ID
from pipeline.embedded import Servers
from pipeline.fetch.limiter import connect_redis
from pipeline.people.records import SCOPES_OF, Role, Scope
from pipeline.people.store.keys import add_key
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings
from pipeline.web.api.address import PAGE, PREFIX
from pipeline.web.api.application import Entry
from pipeline.web.api.routes.all_routes import OPERATIONS
from pipeline.web.api.routing import Routes
from pipeline.web.application import Application, Below
from tests.feeds.libraries import Libraries
from tests.feeds.world import Publishing
from tests.pipeline.web.serving import answering
from tests.plain_http import NO_CERTIFICATES

# A database of these tests' own on the tests' Valkey.
REDIS_NUMBER = 7
# Makes a key of a person, with all scopes of the person's role where none are given.
KeyFor = Callable[..., str]
# Serves routes, all that there are if none are given, with settings of their own; returns the address.
Serve = Callable[..., str]
# A client of the API with a key or with none, at an address that was served if one is given.
ClientFor = Callable[..., httpx.Client]


@pytest.fixture
def runtime(engine: Engine, servers: Servers, tmp_path: Path) -> Iterator[Runtime]:
    url = engine.url.render_as_string(hide_password=False)
    redis_url = servers.redis_url.replace("?db=0", f"?db={REDIS_NUMBER}")
    with connect_redis(redis_url) as redis:
        # What one test uses up is none of another's.
        redis.flushdb()
    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=SecretStr(url),
        redis_url=SecretStr(redis_url),
        # A test asks as fast as it can.
        api_requests_per_minute=60_000,
        api_burst=6_000,
    )
    runtime = Runtime(settings=settings, database_url=url, redis_url=redis_url)
    # Tests and the server share the sessions of one database.
    runtime.__dict__["engine"] = engine
    yield runtime
    runtime.reading_engine.dispose()


@pytest.fixture
def serve(runtime: Runtime) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(*routes: Routes, **settings: Any) -> str:
            here = replace(runtime, settings=runtime.settings.model_copy(update=settings))
            here.__dict__.update({"engine": runtime.engine, "reading_engine": runtime.reading_engine})

            @asynccontextmanager
            async def opened() -> AsyncIterator[Application]:
                operations = tuple(operation for each in routes for operation in each.operations) or OPERATIONS
                entry = Entry(here, operations)
                yield Application([Below(PREFIX, entry), Route(PAGE, entry)])

            return stack.enter_context(answering(opened)) + PREFIX

        yield start


@pytest.fixture
def address(serve: Serve) -> str:
    return serve()


@pytest.fixture
def key_for(engine: Engine) -> KeyFor:
    def make(person_id: int = OWNER_ID, *scopes: Scope, role: Role = "owner") -> str:
        with engine.begin() as connection:
            return add_key(connection, person_id, "a test", scopes or SCOPES_OF[role], utc_now()).key

    return make


@pytest.fixture
def add_person(engine: Engine) -> Callable[[str, Role], int]:
    def add(name: str, role: Role = "member") -> int:
        row = {"name": name, "role": role, "created_at": utc_now()}
        with engine.begin() as connection:
            return connection.execute(insert(Person).values(row).returning(Person.id)).scalar_one()

    return add


@pytest.fixture
def client_for(address: str) -> Iterator[ClientFor]:
    opened: list[httpx.Client] = []

    def open_client(key: str | None, at: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = httpx.Client(base_url=at or address, headers=headers, verify=NO_CERTIFICATES)
        opened.append(client)
        return client

    yield open_client
    for client in opened:
        client.close()


@pytest.fixture
def owner(client_for: ClientFor, key_for: KeyFor) -> httpx.Client:
    """A client with a key of the owner for everything."""
    return client_for(key_for())


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> Publishing:
    """Rows that services bring, made with few words; it is now there."""
    return Publishing(engine, tmp_path / "public", now=utc_now())


@pytest.fixture
def libraries(world: Publishing) -> Libraries:
    """Rows of people's libraries."""
    return Libraries(world)
