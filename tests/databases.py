"""Databases for tests: each is as good as new to the test that gets it, and most have served another test before.

A database made from a template, its first session and its end cost 100 ms of work, which was a third of the suite's. So
it goes back when its test is over: it gets another name, so that nobody who still knows the old one reaches it, and the
rows that the test wrote are deleted. It is dropped instead where a test left more behind than rows: other tables, a
session that goes on, or so many rows that deleting them is no gain. Its engine goes with it to the next test, since it
knows how the statements are compiled, which was a fifth of all work, and one session, which knows the tables: to learn
about them cost more than what most tests do with them. The session has forgotten all that a test may tell it.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from pipeline.database.connecting import connect, migrate

_MIGRATED = "migrated"
# Copying files takes a third of the time that the default, writing it all to the log, does.
_WITH_TABLES = f"TEMPLATE {_MIGRATED} STRATEGY file_copy"
# How long the sessions of a test may take to end.
_PATIENCE = 0.5

# Event triggers of PostgreSQL write down each change of tables, within its transaction: https://www.postgresql.org/docs/
# current/event-triggers.html. Without autovacuum rows stay in the order in which they were written.
_PREPARE = """
DO $$
DECLARE name regclass;
BEGIN
    FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', name);
    END LOOP;
END $$;
CREATE SCHEMA for_tests;
CREATE TABLE for_tests.changes (tag text);
CREATE FUNCTION for_tests.remember() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_EVENT = 'sql_drop' THEN
        INSERT INTO for_tests.changes
        SELECT TG_TAG FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary LIMIT 1;
    ELSE
        INSERT INTO for_tests.changes
        SELECT TG_TAG FROM pg_event_trigger_ddl_commands() WHERE schema_name IS DISTINCT FROM 'pg_temp' LIMIT 1;
    END IF;
END $$;
CREATE EVENT TRIGGER changed ON ddl_command_end EXECUTE FUNCTION for_tests.remember();
CREATE EVENT TRIGGER dropped ON sql_drop EXECUTE FUNCTION for_tests.remember();
"""
# `ALTER DATABASE` renames none that has sessions, and the one that does this stays.
_RENAME = "UPDATE pg_database SET datname = %s WHERE datname = current_database()"
# What the views of statistics show takes a session longer to prepare than all else here takes.
_OTHERS = "SELECT pg_stat_get_db_numbackends(oid) - 1 FROM pg_database WHERE datname = current_database()"
_VERSION = "SELECT version_num FROM alembic_version"
# Tables to which nobody has written have empty files. To ask for a table's size would open it.
_WRITTEN = """
SELECT oid, size FROM (
    SELECT oid, (pg_stat_file(pg_relation_filepath(oid))).size FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    OFFSET 0
) AS tables WHERE size > 0
"""
_IS_FIT = f"""
SELECT NOT EXISTS (SELECT FROM for_tests.changes)
AND coalesce(sum(size), 0) < 1000000 AND (SELECT array_agg(version_num::text) FROM alembic_version) = ARRAY[%s]
FROM ({_WRITTEN}) AS written
"""  # noqa: S608  only our own words
# Foreign keys need no look where all rows go.
_EMPTY = f"""
SET session_replication_role = replica;
DO $$
DECLARE name regclass;
BEGIN
    FOR name IN SELECT oid FROM ({_WRITTEN}) AS written LOOP
        EXECUTE format('DELETE FROM %s', name);
    END LOOP;
    PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL;
    -- As the migrations leave it.
    INSERT INTO people (name, role, created_at) VALUES ('owner', 'owner', now());
END $$;
"""  # noqa: S608  only our own words
# Settings, prepared statements, temporary tables, advisory locks.
_FORGET = "DISCARD ALL"


class Databases:
    """The databases of a server of our own: gives one to each test that asks, and takes it back."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        # A session that may create databases.
        self._server = create_engine(self._url, isolation_level="AUTOCOMMIT")
        # Those that no test uses now.
        self._waiting: list[Engine] = []
        self._numbers = itertools.count()
        self._run(f"CREATE DATABASE {_MIGRATED}")
        tables = self._connect(_MIGRATED)
        migrate(tables)
        tables.dispose()
        with self._psycopg(_MIGRATED) as connection:
            connection.execute(_PREPARE)
            self._version = _value(connection, _VERSION)

    def close(self) -> None:
        """Close the sessions with the server, which keeps its databases until it stops."""
        for engine in (*self._waiting, self._server):
            engine.dispose()

    @contextmanager
    def new(self) -> Iterator[Engine]:
        """A database with all tables and no rows."""
        if self._waiting:
            engine = self._waiting.pop()
        else:
            name = self._next_name()
            self._run(f"CREATE DATABASE {name} {_WITH_TABLES}")
            engine = self._connect(name)
        try:
            yield engine
        finally:
            self._take_back(engine)

    @contextmanager
    def empty(self) -> Iterator[Engine]:
        """A database without tables."""
        name = self._next_name()
        self._run(f"CREATE DATABASE {name}")
        engine = self._connect(name)
        try:
            yield engine
        finally:
            engine.dispose()
            self._drop(name)

    def _take_back(self, engine: Engine) -> None:
        try:
            is_fit = self._is_emptied(engine)
        except (DBAPIError, psycopg.Error):
            is_fit = False
        if is_fit:
            self._waiting.append(engine)
        else:
            engine.dispose()
            self._drop(str(engine.url.database))

    def _is_emptied(self, engine: Engine) -> bool:
        """Rename an engine's database, and empty it if a test has written nothing but rows, and not too many.

        Returns whether that is so; then the engine has one session left.
        """
        with closing(engine.raw_connection()) as session:
            for _ in range(cast("QueuePool", engine.pool).checkedin()):
                engine.raw_connection().invalidate()
            connection = cast("psycopg.Connection[Any]", session.dbapi_connection)
            connection.autocommit = True
            name = self._next_name()
            connection.execute(_RENAME, [name])
            engine.url = engine.url.set(database=name)
            is_alone = _comes_to_none(lambda: _value(connection, _OTHERS))
            connection.autocommit = False
            is_fit = is_alone and _value(connection, _IS_FIT, self._version)
            # It makes psycopg forget what statements it has prepared, of which it would not hear that they are gone.
            connection.rollback()
            connection.autocommit = True
            if is_fit:
                connection.execute(_EMPTY)
                connection.execute(_FORGET)
            connection.autocommit = False
        return bool(is_fit)

    def _next_name(self) -> str:
        return f"lootwire_{next(self._numbers)}"

    def _drop(self, name: str) -> None:
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _connect(self, name: str) -> Engine:
        engine = connect(self._url.set(database=name).render_as_string(hide_password=False))

        @event.listens_for(engine, "do_connect")
        def connect_to_its_name_of_now(_: object, __: object, ___: object, parameters: dict[str, Any]) -> None:
            parameters["dbname"] = engine.url.database

        return engine

    def _psycopg(self, name: str) -> "psycopg.Connection[Any]":
        url = self._url.set(drivername="postgresql", database=name)
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def _run(self, statement: str) -> None:
        with self._server.connect() as connection:
            connection.execute(text(statement))


def _value(connection: "psycopg.Connection[Any]", query: str, *values: str) -> Any:
    [[value]] = connection.execute(query, values).fetchall()
    return value


def _comes_to_none(count: Callable[[], int]) -> bool:
    """Whether nothing is counted, after a moment for what is ending."""
    deadline = time.monotonic() + _PATIENCE
    while count():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True
