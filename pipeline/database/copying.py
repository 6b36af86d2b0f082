"""Write new rows in bulk by COPY, which resolves no conflicts and costs least.

Lines are made here and not by the driver, which takes several times as long for arrays.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from itertools import chain, islice
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import DBAPIError

# A block still fits the socket, so that sending it does not wait for the server: long lines are 25, short ones more.
_LINES = 25
_BLOCK = 24_000
# Line breaks and tabs stand between JSON's values only, where a space means the same.
_JSON_SPACES = bytes(ord(" ") if code in b"\t\n\r" else code for code in range(256))


class Json(msgspec.Struct, frozen=True, gc=False):
    """JSON text as a value of a row; it must be what PostgreSQL can keep."""

    text: bytes


# PostgreSQL looks up the foreign keys of each row by itself, which takes longer than to store it and to index it. It is
# for a superuser to say that they hold, as the one of an embedded database is; with any other they are looked up.
_KEYS_HOLD = text(
    "SELECT set_config('session_replication_role', :role, true) WHERE current_setting('is_superuser') = 'on'"
)


def copy_rows(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    keys_hold: bool = False,
) -> None:
    """Append rows, whose values stand in the order of `names`; raises `IntegrityError` where a key exists already.

    Values are None, truth values, numbers, text without NUL, aware times, days, bytes, tuples of texts, or `Json`. With
    `keys_hold` the caller knows that the rows which foreign keys name are there and stay until the transaction's end:
    it wrote or locked them in this transaction. They need not be looked up then.
    """
    lines = (b"\t".join([_TEXT[type(value)](value) for value in row]) for row in rows)
    blocks = _blocks(lines)
    first = next(blocks, None)
    if first is None:
        return
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"{type(driver)} is no connection of psycopg")
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    if keys_hold:
        connection.execute(_KEYS_HOLD, {"role": "replica"})
    with _raising_as_others(connection, driver, table), driver.cursor() as cursor, cursor.copy(statement) as copy:
        # In blocks, so that the server works on one while we make the next.
        for block in chain((first,), blocks):
            copy.write(block)
    if keys_hold:
        connection.execute(_KEYS_HOLD, {"role": "origin"})


@contextmanager
def _raising_as_others(connection: Connection, driver: "psycopg.Connection[Any]", table: Table) -> Iterator[None]:
    """Raise an error of the driver as other statements do: callers know a database that is away, or full, by it."""
    try:
        yield
    except psycopg.Error as error:
        if driver.broken:
            connection.invalidate(error)
        raise DBAPIError.instance(
            f"COPY {table.name}",
            None,
            error,
            psycopg.Error,
            connection_invalidated=driver.broken,
            dialect=connection.dialect,
        ) from error


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    block = b""
    while some := b"\n".join([*islice(lines, _LINES), b""]):
        block += some
        if len(block) >= _BLOCK:
            yield block
            block = b""
    if block:
        yield block


def _null(_: None) -> bytes:
    return b"\\N"


def _escaped(value: str) -> bytes:
    """Return text as COPY reads it: https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"."""
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if "\n" in value:
        value = value.replace("\n", "\\n")
    if "\r" in value:
        value = value.replace("\r", "\\r")
    if "\t" in value:
        value = value.replace("\t", "\\t")
    return value.encode()


def _json(value: Json) -> bytes:
    data = value.text.translate(_JSON_SPACES)
    return data.replace(b"\\", b"\\\\") if b"\\" in data else data


@lru_cache(maxsize=8192)
def _array(values: tuple[str, ...]) -> bytes:
    quoted = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return _escaped('{"' + '","'.join(quoted) + '"}') if quoted else b"{}"


def _number(value: float) -> bytes:
    return str(value).encode()


# A page of rows shares most of its times.
@lru_cache(maxsize=8192)
def _time(value: date) -> bytes:
    return str(value).encode()


def _bytes(value: bytes) -> bytes:
    return b"\\\\x" + value.hex().encode()


_TEXT: Mapping[type, Callable[[Any], bytes]] = {
    type(None): _null,
    bool: lambda value: b"t" if value else b"f",
    str: _escaped,
    int: _number,
    float: _number,
    datetime: _time,
    date: _time,
    tuple: _array,
    bytes: _bytes,
    Json: _json,
}
