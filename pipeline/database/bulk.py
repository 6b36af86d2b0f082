"""Write many rows with one statement: the rows travel as one JSON parameter and become a table in the server.

Building a statement costs SQLAlchemy more than PostgreSQL needs to run it, so the functions that return statements
are pure, and their callers keep what they return (`functools.cache`).
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, CursorResult, Executable, Select, Table, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert


@functools.cache
def insert_rows(table: Table, names: tuple[str, ...]) -> Insert:
    """Return an INSERT of rows with these columns; add `on_conflict_…` and `returning`, run it by `execute_rows`.

    Unlike `executemany` it costs one round trip, and unlike COPY it can resolve conflicts and give new ids back.
    """
    return insert(table).from_select(names, rows_as_table(table, names))


@functools.cache
def rows_as_table(table: Table, names: tuple[str, ...]) -> Select[Any]:
    """Return a SELECT that yields the rows, in their order, with the column types of `table`."""
    columns = [column(name, table.c[name].type) for name in names]
    payload = cast(bindparam("rows", type_=Text), JSONB)
    record = func.jsonb_to_recordset(payload).table_valued(*columns, name="r")
    return select(*record.render_derived(with_types=True).c)


def execute_rows(
    connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]], **parameters: Any
) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement made by `insert_rows` or `rows_as_table` on its rows, which all have its columns as keys."""
    encoded = msgspec.json.encode(rows).decode()
    return connection.execute(statement, {"rows": encoded, **parameters})


def as_bytea(value: bytes) -> str:
    """Return bytes as PostgreSQL reads them from text."""
    return "\\x" + value.hex()
