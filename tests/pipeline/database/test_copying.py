"""Rows that are copied come back as they were."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Date, DateTime, Double, Engine, Integer, LargeBinary, MetaData, Table, Text, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import IntegrityError, OperationalError

from pipeline.database.copying import Json, copy_rows
from pipeline.runtime.problems import explain
from tests.databases import Databases
from tests.examples import examples

COPIED = Table(
    "copied",
    MetaData(),
    Column("number", Integer),
    Column("note", Text),
    Column("words", ARRAY(Text)),
    Column("score", Double),
    Column("at", DateTime(timezone=True)),
    Column("day", Date),
    Column("digest", LargeBinary),
    Column("raw", JSONB),
)
NAMES = tuple(COPIED.c.keys())
_text = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=10) | st.text(
    "\\nNt\t\n\r{}\",'", max_size=6
)
_row = st.tuples(
    st.integers(-(2**31), 2**31 - 1),
    st.none() | _text,
    st.lists(_text, max_size=3).map(tuple),
    st.none() | st.floats(-100, 100),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone follows
    st.none() | st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    st.binary(max_size=5),
    st.sampled_from([b'{"a":\n\t"\\\\ \\n \\u00e9 \\"\xe7\x81\xaf"}', b"[1.5, null]", b'"\\t"']).map(Json),
)


@pytest.fixture(scope="module")
def table(databases: Databases) -> Iterator[Engine]:
    with databases.new() as engine:
        COPIED.create(engine)
        yield engine


@settings(max_examples=examples(80))
@given(rows=st.lists(_row, max_size=5))
def test_whatever_is_copied_comes_back(table: Engine, rows: list[tuple[Any, ...]]) -> None:
    with table.begin() as connection:
        connection.execute(text("TRUNCATE copied"))
        copy_rows(connection, COPIED, NAMES, rows)
        copied = connection.execute(select(COPIED)).all()
        documents = [
            connection.scalar(text("SELECT CAST(:raw AS jsonb)"), {"raw": row[-1].text.decode()}) for row in rows
        ]

    assert [(*row[:2], tuple(row[2]), *row[3:-1]) for row in copied] == [row[:-1] for row in rows]
    assert [row[-1] for row in copied] == documents


def test_many_rows_arrive_in_their_order(table: Engine) -> None:
    with table.begin() as connection:
        connection.execute(text("TRUNCATE copied"))
        copy_rows(connection, COPIED, ("number", "note"), [(number, str(number)) for number in range(1234)])
        copy_rows(connection, COPIED, ("number", "note"), [])

        assert connection.scalars(select(COPIED.c.note)).all() == [str(number) for number in range(1234)]


def test_a_key_that_exists_already_is_refused_as_by_any_other_statement(table: Engine) -> None:
    with table.connect() as connection:
        connection.execute(text("TRUNCATE copied"))
        connection.execute(text("CREATE UNIQUE INDEX ON copied (number)"))
        with pytest.raises(IntegrityError, match="COPY copied"):
            copy_rows(connection, COPIED, ("number",), [(1,), (1,)])


def test_a_database_that_goes_away_while_rows_are_copied_is_known_to_be_away(table: Engine) -> None:
    def rows(own: int) -> Iterator[tuple[int]]:
        for number in range(100_000):
            if number == 50_000:
                with table.connect() as other:
                    other.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
            yield (number,)

    with table.connect() as connection:
        own = connection.scalar(text("SELECT pg_backend_pid()"))
        with pytest.raises(OperationalError) as away:
            copy_rows(connection, COPIED, ("number",), rows(own or 0))
    assert away.value.connection_invalidated
    assert (explain(away.value) or "").startswith("the database does not answer")
