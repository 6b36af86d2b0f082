"""Take in an export of a whole catalogue (`lootwire export`), into a database that holds none yet."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, LargeBinary, Table, exists, func, select, union_all
from sqlalchemy.dialects.postgresql import insert

from models import Game, Organization, Source
from models.names import name_key
from pipeline.bulk import execute_rows, insert_rows
from pipeline.errors import LootwireError
from pipeline.export.tables import KINDS, SCHEMA, Kind, columns, link, reference, told_name
from pipeline.importer.archives import DAMAGED
from pipeline.importer.limits import MAX_BYTES, Readable
from pipeline.importer.streams import decompressed
from pipeline.importer.walking import open_file
from pipeline.ingest import take_turn
from pipeline.sources.base import UNREADABLE

AT_ONCE = 2000
# Anything of these makes a catalogue that is not empty; sources have their rows from the beginning.
_CATALOGUE = tuple(kind for kind in KINDS if kind.model is not Source)
_CHUNK = 2**18
Line = dict[str, Any]


def import_export(connection: Connection, file: Path) -> int:
    """Take in an export within the caller's transaction; returns how many objects that were.

    Raises `LootwireError` where the catalogue is not empty, or the export is damaged, cut off or too new: the
    caller's transaction must then be rolled back.
    """
    take_turn(connection)
    full = union_all(*(select(exists(select(1).select_from(kind.table))) for kind in _CATALOGUE))
    if any(connection.scalars(full)):
        raise LootwireError(
            "an export of Lootwire, which only an empty catalogue can take: import it into a new data directory "
            "(LOOTWIRE_DATA_DIR) or database"
        )
    loader, decoder = _Loader(connection), msgspec.json.Decoder(Line)
    try:
        with open_file(file) as packed, decompressed(packed) as stream:
            for number, line in enumerate(_split(stream), start=1):
                try:
                    loader.take(decoder.decode(line))
                except (KeyError, TypeError, AttributeError, *UNREADABLE) as error:
                    raise LootwireError(f"line {number} of the export is damaged: {error!r}") from error
    except DAMAGED as error:
        raise LootwireError(f"the export cannot be read to its end: {error}") from error
    return loader.finish()


def _split(stream: Readable) -> Iterator[bytes]:
    rest = b""
    while data := stream.read(_CHUNK):
        *lines, rest = (rest + data).split(b"\n")
        yield from lines
        if len(rest) > MAX_BYTES:
            raise LootwireError(f"the export has a line of more than {MAX_BYTES // 2**20} MiB")
    if rest:
        yield rest


class _Loader:
    """Turns objects into rows: keys become row numbers, which are drawn beforehand."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kinds = {kind.name: kind for kind in KINDS}
        self._ids: dict[Table, dict[str, int]] = {kind.table: {} for kind in KINDS}
        self._drawn: dict[Table, list[int]] = {}
        self._rows: dict[Table, list[Line]] = {}
        self._waiting = 0
        self._counted = dict.fromkeys(self._kinds, 0)
        self._begun = self._ended = False

    def take(self, line: Line) -> None:
        """Take one line of the export."""
        if not self._begun:
            self._begin(line)
            return
        kind_name = line.pop("type")
        if kind_name == "end":
            self._end(line["lines"])
            return
        kind = self._kinds[kind_name]
        self._counted[kind_name] += 1
        if kind.model is Source:
            self._take_source(line)
        else:
            self._add(kind, line, {})
        if self._waiting >= AT_ONCE:
            self._flush()

    def finish(self) -> int:
        """Write what is left; returns how many objects came."""
        if not self._ended:
            raise LootwireError("the export was cut off: its last line is missing")
        self._flush()
        return sum(self._counted.values())

    def _begin(self, header: Line) -> None:
        if header.get("lootwire") != "export" or not isinstance(header.get("schema"), int):
            raise LootwireError("not an export of Lootwire: its first line is another")
        if header["schema"] > SCHEMA:
            raise LootwireError(
                f"the export is of schema {header['schema']}, this program reads up to {SCHEMA}: update it first"
            )
        self._begun = True

    def _end(self, told: dict[str, int]) -> None:
        wrong = [name for name, count in self._counted.items() if told.get(name, 0) != count]
        if wrong:
            raise LootwireError(f"the export is not whole: lines are missing of {', '.join(wrong)}")
        self._ended = True

    def _take_source(self, line: Line) -> None:
        """Let a source go on where it stood; one that this program cannot ask is known by name, and off."""
        told = {column.name: line.get(told_name(column)) for column in columns(self._kinds["source"])}
        told = {name: value for name, value in told.items() if value is not None}
        row = insert(Source).values(**told, enabled=False, next_due_at=func.now())
        upsert = row.on_conflict_do_update(index_elements=[Source.name], set_=told).returning(Source.id)
        self._ids[Source.__table__][line["name"]] = self._connection.execute(upsert).scalar_one()  # type: ignore[index]

    def _add(self, kind: Kind, line: Line, above: dict[str, int]) -> None:
        """Add a row, then those that hang on it; `above` says what it hangs on itself."""
        row: Line = dict(above)
        for column in columns(kind):
            if (value := line.get(told_name(column))) is not None and column.name not in row:
                row[column.name] = self._value(column, value)
        if kind.model in {Game, Organization}:
            row["name_key"] = name_key(row["name"])
        if "id" in kind.table.c:
            row["id"] = self._draw(kind.table)
            if kind.keyed:
                self._ids[kind.table][line["key"]] = row["id"]
        self._rows.setdefault(kind.table, []).append(row)
        self._waiting += 1
        for part in kind.parts:
            for found in line.get(part.name, ()):
                self._add(part, found, {link(part, kind).name: row["id"]})

    def _value(self, column: Column[Any], value: Any) -> Any:
        target = reference(column)
        if target is not None:
            return self._ids[target][value]
        return f"\\x{value}" if isinstance(column.type, LargeBinary) else value

    def _draw(self, table: Table) -> int:
        drawn = self._drawn.setdefault(table, [])
        if not drawn:
            sequence = func.pg_get_serial_sequence(table.name, "id")
            numbers = select(func.nextval(sequence)).select_from(func.generate_series(1, AT_ONCE))
            drawn += sorted(self._connection.scalars(numbers), reverse=True)
        return drawn.pop()

    def _flush(self) -> None:
        # In the order in which tables refer to each other.
        for table in sorted(self._rows, key=_ORDER.index):
            listed = self._rows[table]
            names = tuple(sorted({name for row in listed for name in row}))
            execute_rows(self._connection, insert_rows(table, names), listed)
        self._rows, self._waiting = {}, 0


def _tables(kinds: tuple[Kind, ...]) -> Iterator[Table]:
    for kind in kinds:
        yield kind.table
        yield from _tables(kind.parts)


_ORDER = list(_tables(KINDS))
