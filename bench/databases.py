"""Throw-away databases on a throw-away embedded server, for benchmarks."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from pipeline import embedded
from pipeline.database.connecting import connect, migrate


class Server:
    """Makes empty, migrated databases, each quickly from a template."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._count = 0
        self._admin = create_engine(url, isolation_level="AUTOCOMMIT")
        template = connect(url)
        migrate(template)
        template.dispose()

    def database(self) -> Engine:
        """Return an engine on a new database."""
        self._count += 1
        name = f"bench_{self._count}"
        with self._admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE lootwire STRATEGY file_copy"))
        return connect(self._url.replace("/lootwire?", f"/{name}?"))

    def close(self) -> None:
        """Close the connection that makes databases."""
        self._admin.dispose()


@contextmanager
def throw_away_server() -> Iterator[Server]:
    """Start an embedded PostgreSQL that goes away with the benchmark."""
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        servers = embedded.ensure(Path(folder) / "data")
        engine = create_engine(servers.database_url)
        engine.dispose()
        server = Server(servers.database_url)
        # A template must have no other connection.
        yield server
        server.close()
