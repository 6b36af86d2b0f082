"""Throw-away databases on throw-away embedded servers, and the bare COPY that storing is measured beside."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from redis import Redis
from sqlalchemy import Engine, Table, create_engine, text

from pipeline import embedded
from pipeline.database.connecting import connect, migrate


class Servers:
    """Makes empty, migrated databases, each quickly from a template, and empties its Redis for each bench."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self._url, self._redis_url = database_url, redis_url
        self._count = 0
        self._admin = create_engine(database_url, isolation_level="AUTOCOMMIT")
        # A template must have no other connection.
        template = connect(database_url)
        migrate(template)
        template.dispose()
        self._engines: list[Engine] = []

    def database_url(self) -> str:
        """Return the address of a new database."""
        self._count += 1
        name = f"bench_{self._count}"
        with self._admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE lootwire STRATEGY file_copy"))
        return self._url.replace("/lootwire?", f"/{name}?")

    def database(self) -> Engine:
        """Return an engine on a new database; it is disposed of with the servers, or before by its user."""
        self._engines.append(connect(self.database_url()))
        return self._engines[-1]

    def redis_url(self) -> str:
        """Return the address of the Redis, which has forgotten everything."""
        with Redis.from_url(self._redis_url) as redis:
            redis.flushall()
        return self._redis_url

    def close(self) -> None:
        """Close all connections."""
        for engine in (*self._engines, self._admin):
            engine.dispose()


@contextmanager
def throw_away_servers() -> Iterator[Servers]:
    """Start an embedded PostgreSQL and Valkey that go away with the process."""
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        addresses = embedded.ensure(Path(folder) / "data")
        servers = Servers(addresses.database_url, addresses.redis_url)
        try:
            yield servers
        finally:
            servers.close()


def bare_copy(source: Engine, target: Engine, tables: Sequence[Table]) -> float:
    """Return the seconds that only a COPY of all rows of these tables takes, from one database into an empty other.

    The lines are ready before the clock starts, and one commit is all: no store can be faster with the same tables.
    """
    seconds = 0.0
    with ExitStack() as stack:
        reading, writing = (stack.enter_context(engine.connect()) for engine in (source, target))
        reader, writer = (_driver(connection.connection.driver_connection) for connection in (reading, writing))
        for table in tables:
            # By name: a migration may have appended a column that stands elsewhere in the model.
            names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns if not column.computed)
            out, into = (
                sql.SQL(text).format(sql.Identifier(table.name), names)
                for text in ("COPY {} ({}) TO STDOUT", "COPY {} ({}) FROM STDIN")
            )
            with reader.cursor() as cursor, tempfile.TemporaryFile() as lines:
                with cursor.copy(out) as dump:
                    for block in dump:
                        lines.write(block)
                lines.seek(0)
                began = time.perf_counter()
                with writer.cursor() as copying, copying.copy(into) as copy:
                    while data := lines.read(2**16):
                        copy.write(data)
                seconds += time.perf_counter() - began
        began = time.perf_counter()
        writer.commit()
    return seconds + time.perf_counter() - began


def _driver(connection: object) -> "psycopg.Connection[tuple[object, ...]]":
    assert isinstance(connection, psycopg.Connection)
    return connection
