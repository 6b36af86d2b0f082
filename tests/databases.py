"""Further databases for tests that need more than the one of the fixture `engine`."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from pipeline.database.connecting import connect

_numbers = itertools.count()


@contextmanager
def new_database(server: Engine) -> Iterator[Engine]:
    """A new database with all tables and no rows; `server` is the fixture of that name."""
    name = f"further_{os.getpid()}_{next(_numbers)}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY file_copy"))
    engine = connect(server.url.set(database=name).render_as_string(hide_password=False))
    try:
        yield engine
    finally:
        engine.dispose()
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
