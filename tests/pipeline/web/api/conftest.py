"""The API as a real server, with people and their keys."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert
from starlette.routing import Mount

from models import Person
from models.people import OWNER_ID
from pipeline.embedded import Servers
from pipeline.people.records import SCOPES_OF, Role, Scope
from pipeline.people.store.keys import add_key
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings
from pipeline.web.api.until_asked import PREFIX, Api
from pipeline.web.application import Application
from tests.feeds.libraries import Libraries
from tests.feeds.world import Publishing
from tests.pipeline.web.serving import answering
from tests.plain_http import NO_CERTIFICATES

# Makes a key of a person, with all scopes of the person's role where none are given.
KeyFor = Callable[..., str]
# A client of the API with a key, or with none.
ClientFor = Callable[[str | None], httpx.Client]


@pytest.fixture
def runtime(engine: Engine, servers: Servers, tmp_path: Path) -> Runtime:
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(data_dir=tmp_path / "data", database_url=SecretStr(url), redis_url=SecretStr(servers.redis_url))
    runtime = Runtime(settings=settings, database_url=url, redis_url=servers.redis_url)
    # Tests and the server share the sessions of one database.
    runtime.__dict__["engine"] = engine
    return runtime


@pytest.fixture
def address(runtime: Runtime) -> Iterator[str]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Application]:
        yield Application([Mount(PREFIX, Api(lambda: runtime))])

    with answering(opened) as address:
        yield f"{address}{PREFIX}"


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

    def open_client(key: str | None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = httpx.Client(base_url=address, headers=headers, verify=NO_CERTIFICATES)
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
