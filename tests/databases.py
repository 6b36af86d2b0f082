"""Databases for tests: each is as good as new to the test that gets it, and most have served another test before.

A database made from a template, its first session and its end cost 100 ms of work, which was a third of the suite's. So
it goes back when its test is over: the rows that the test wrote are deleted, and it gets another name, so that nobody
who still knows the old one reaches it. It is dropped instead where a test left more behind than rows: other tables, a
session that goes on, or so many rows that deleting them is no gain. Its engine goes with it to the next test, since it
knows how the statements are compiled, which was a fifth of all work.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

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
# What the views of statistics show takes a session longer to prepare than all else here takes.
_SESSIONS = text("SELECT pg_stat_get_db_numbackends(oid) FROM pg_database WHERE datname = :name")
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
    INSERT INTO people (name, created_at) VALUES ('owner', now());
END $$;
"""  # noqa: S608  only our own words


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
        """Close the session with the server, which keeps its databases until it stops."""
        self._server.dispose()

    @contextmanager
    def new(self) -> Iterator[Engine]:
        """A database with all tables and no rows."""
        name = f"lootwire_{next(self._numbers)}"
        if self._waiting:
            engine = self._waiting.pop()
            self._run(f"ALTER DATABASE {engine.url.database} RENAME TO {name}")
            engine.url = engine.url.set(database=name)
        else:
            self._run(f"CREATE DATABASE {name} {_WITH_TABLES}")
            engine = self._connect(name)
        try:
            yield engine
        finally:
            self._take_back(engine, name)

    @contextmanager
    def empty(self) -> Iterator[Engine]:
        """A database without tables."""
        name = f"lootwire_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name}")
        engine = self._connect(name)
        try:
            yield engine
        finally:
            engine.dispose()
            self._drop(name)

    def _take_back(self, engine: Engine, name: str) -> None:
        if self._is_emptied(engine) and _comes_to_none(lambda: self._sessions(name)):
            self._waiting.append(engine)
        else:
            self._drop(name)

    def _is_emptied(self, engine: Engine) -> bool:
        """Close the engine, and empty its database if a test has written nothing but rows, and not too many.

        Returns whether that is so. The work is done in one of the engine's own sessions: the start of one more would
        cost as much.
        """
        try:
            session = engine.raw_connection()
        except DBAPIError:
            engine.dispose()
            return False
        engine.dispose()
        connection = cast("psycopg.Connection[Any]", session.dbapi_connection)
        session.detach()
        with closing(connection):
            try:
                connection.autocommit = True
                is_fit = _comes_to_none(lambda: _value(connection, _OTHERS)) and _value(
                    connection, _IS_FIT, self._version
                )
                if is_fit:
                    connection.execute(_EMPTY)
            except psycopg.Error:
                return False
        return bool(is_fit)

    def _sessions(self, name: str) -> int:
        with self._server.connect() as connection:
            [count] = connection.scalars(_SESSIONS, {"name": name})
            return int(count)

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
