"""Routes over one table of a test, in each way that a route can change something."""

import threading
from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import Engine, text

from models.errors import UnknownThing
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routing import Routes


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """Something with a size."""

    name: str
    size: int


class NewSize(msgspec.Struct, frozen=True, kw_only=True):
    """How large it is from now on."""

    size: int
    note: str = ""
    tags: list[str] = []


class Things:
    """The table, its routes, and what happens while one of them works."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.shown = 0
        self.at_work = threading.Event()
        self.may_go_on = threading.Event()
        self.fails: Exception | None = None
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE things (name text PRIMARY KEY, size bigint NOT NULL)"))

    def put(self, name: str, size: int) -> None:
        with self.engine.begin() as connection:
            _put(connection, name, size)

    def sizes(self) -> dict[str, int]:
        with self.engine.connect() as connection:
            return {row.name: row.size for row in connection.execute(text("SELECT name, size FROM things"))}

    @property
    def routes(self) -> Routes:
        routes = Routes("things")

        def version(call: Reading, thing: str) -> object:
            return call.connection.scalar(text("SELECT xmin::text FROM things WHERE name = :name"), {"name": thing})

        @routes.add("GET", "/things", scope="read")
        def list_things(call: Reading, query: PageQuery) -> Page[Thing]:
            """List things."""
            rows = call.connection.execute(text("SELECT name, size FROM things"))
            return page_of([Thing(**row._asdict()) for row in rows], query, lambda each: each.name)

        @routes.add("GET", "/things/{thing}", scope="read")
        def show_thing(call: Reading, thing: str) -> Thing:
            """Show a thing."""
            return self._show(call, thing)

        @routes.add("GET", "/versioned/{thing}", scope="read", version=version)
        def show_by_version(call: Reading, thing: str) -> Thing:
            """Show a thing, whose version is cheap."""
            return self._show(call, thing)

        @routes.add("PATCH", "/things/{thing}", scope="targets")
        def change_thing(call: Changing, thing: str, body: NewSize) -> Thing:
            """Change a thing."""
            self._wait()
            _put(call.connection, thing, body.size)
            return self._show(call, thing)

        @routes.add("PATCH", "/versioned/{thing}", scope="targets")
        def change_by_version(call: Changing, thing: str, body: NewSize) -> Thing:
            """Change a thing, whose version is cheap."""
            _put(call.connection, thing, body.size)
            return self._show(call, thing)

        @routes.add("DELETE", "/things/{thing}", scope="targets")
        def remove_thing(call: Changing, thing: str) -> None:
            """Remove a thing."""
            call.connection.execute(text("DELETE FROM things WHERE name = :name"), {"name": thing})

        @routes.add("POST", "/things/{thing}/grow", scope="targets")
        def grow(call: Changing, thing: str) -> Thing:
            """Make a thing larger by one."""
            self._wait()
            _grow(call.connection, thing)
            return self._show(call, thing)

        @routes.add("POST", "/things/{thing}/work", scope="targets", status=201)
        def work(call: Working, thing: str, body: NewSize) -> Thing:
            """Make a thing larger by one in a transaction of its own."""
            with call.runtime.engine.begin() as connection:
                _grow(connection, thing)
            self._wait()
            return Thing(name=thing, size=body.size)

        @routes.add("PUT", "/worked/{thing}", scope="targets")
        def set_by_work(call: Working, thing: str, body: NewSize) -> Thing:
            """Set a thing in a transaction of its own."""
            with call.runtime.engine.begin() as connection:
                _put(connection, thing, body.size)
            return Thing(name=thing, size=body.size)

        @routes.add("GET", "/worked/{thing}", scope="read")
        def show_worked(call: Reading, thing: str) -> Thing:
            """Show a thing."""
            return self._show(call, thing)

        return routes

    def _wait(self) -> None:
        self.at_work.set()
        if self.fails is not None:
            raise self.fails
        if not self.may_go_on.wait(20):
            raise TimeoutError

    def _show(self, call: Reading | Changing, name: str) -> Thing:
        self.shown += 1
        row = call.connection.execute(text("SELECT name, size FROM things WHERE name = :name"), {"name": name})
        if (thing := row.one_or_none()) is None:
            raise UnknownThing("there is no such thing")
        return Thing(**thing._asdict())


@pytest.fixture
def things(engine: Engine) -> Iterator[Things]:
    things = Things(engine)
    things.may_go_on.set()
    things.put("chair", 1)
    yield things
    things.may_go_on.set()


def _put(connection: object, name: str, size: int) -> None:
    statement = "INSERT INTO things VALUES (:name, :size) ON CONFLICT (name) DO UPDATE SET size = excluded.size"
    connection.execute(text(statement), {"name": name, "size": size})  # type: ignore[attr-defined]


def _grow(connection: object, name: str) -> None:
    connection.execute(text("UPDATE things SET size = size + 1 WHERE name = :name"), {"name": name})  # type: ignore[attr-defined]
