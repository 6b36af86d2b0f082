"""Read the whole catalogue at one moment, row by row, however large it is."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, text

from pipeline.export.tables import Kind, rows

AT_ONCE = 1000
Fields = dict[str, Any]


class Line(msgspec.Struct, frozen=True):
    """A row of the export, with its number and the number of the row it hangs on."""

    row_id: int | None
    above: int | None
    fields: Fields


class Moment:
    """The database as it was at one moment, whatever is written meanwhile."""

    def __init__(self, connection: Connection, stack: ExitStack) -> None:
        self._connection = connection
        self._stack = stack

    def rows(self, kind: Kind, above: tuple[Kind, ...]) -> Iterator[Line]:
        """Yield every row of a kind; a cursor in the server holds those that are not fetched yet."""
        query = rows(kind, above).execution_options(stream_results=True, yield_per=AT_ONCE)
        # Closed with the moment: an unfinished iteration would stay open until it is collected.
        for row in self._stack.enter_context(closing(self._connection.execute(query))):
            fields = row._asdict()
            yield Line(fields.pop("_id"), fields.pop("_above"), fields)


@contextmanager
def one_moment(engine: Engine) -> Iterator[Moment]:
    """Give the database as it is now."""
    with engine.connect() as plain:
        connection = plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin(), ExitStack() as stack:
            # A reader of our output may pause for as long as it likes.
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield Moment(connection, stack)


class Objects:
    """The objects of a kind with all their parts, one after the other: a cursor for each table, read in step."""

    def __init__(self, moment: Moment, kind: Kind, above: tuple[Kind, ...] = ()) -> None:
        self._rows = moment.rows(kind, above)
        self._next = next(self._rows, None)
        # The columns that a part's place inside its object shows already.
        self._implied = len(above)
        self._parts = {part.name: Objects(moment, part, (*above, kind)) for part in kind.parts}

    def __iter__(self) -> Iterator[Fields]:
        """Yield all objects that are left."""
        while (line := self._next) is not None:
            yield self._take(line)

    def _take(self, line: Line) -> Fields:
        self._next = next(self._rows, None)
        names = list(line.fields)[self._implied :]
        shown = {name: line.fields[name] for name in names if line.fields[name] is not None}
        for name, part in self._parts.items():
            if children := part.of(line.row_id):
                shown[name] = children
        return shown

    def of(self, above: int | None) -> list[Fields]:
        """Return the objects that hang on a row; to be called for each row in turn."""
        objects = []
        while (line := self._next) is not None and line.above == above:
            objects.append(self._take(line))
        return objects
