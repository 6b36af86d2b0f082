"""Write the catalogue: JSON Lines to read in again, CSV and SQLite to work with."""

import csv
import io
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

import msgspec
from sqlalchemy import Engine

from models.printable import escaped
from pipeline.export.destination import database_file, destination
from pipeline.export.reading import AT_ONCE, Moment, Objects, one_moment
from pipeline.export.tables import KINDS, SCHEMA, WITH_LIBRARY, Kind, all_kinds, names, references

Format = Literal["jsonl", "csv", "sqlite"]
Count = Callable[[int], None]


def export(
    engine: Engine,
    form: Format,
    output: Path,
    now: datetime,
    *,
    library: bool = False,
    count: Count = lambda _: None,
) -> int:
    """Write the whole catalogue as it is now; returns the number of rows or objects.

    With the `library` goes what people own, play and rank, and what that brought here; without, nothing of it.
    `count` is called with numbers of rows as they are written. Raises `LootwireError` where it cannot write.
    """
    kinds = WITH_LIBRARY if library else KINDS
    with one_moment(engine) as moment:
        if form == "sqlite":
            with database_file(output) as path:
                return _write_sqlite(moment, kinds, path, now, count)
        with destination(output) as stream:
            write = _write_lines if form == "jsonl" else _write_csv
            return write(moment, kinds, stream, now, count)


def _encode_escaped(value: Any) -> bytes:
    return escaped(msgspec.json.encode(value).decode()).encode()


def _write_lines(moment: Moment, kinds: tuple[Kind, ...], stream: IO[bytes], now: datetime, count: Count) -> int:
    # On a terminal what it would obey is escaped, and the line says the same.
    encode = _encode_escaped if stream.isatty() else msgspec.json.Encoder().encode
    written = {kind.name: 0 for kind in kinds}
    stream.write(encode({"lootwire": "export", "schema": SCHEMA, "exported_at": now}) + b"\n")
    for kind in kinds:
        for fields in Objects(moment, kind):
            stream.write(encode({"type": kind.name, **fields}) + b"\n")
            written[kind.name] += 1
            count(1)
    # By this line a reader tells a whole export from one that was cut off.
    stream.write(encode({"type": "end", "lines": written}) + b"\n")
    return sum(written.values())


def _write_csv(moment: Moment, kinds: tuple[Kind, ...], stream: IO[bytes], now: datetime, count: Count) -> int:
    """Write a zip with a file for each table: UTF-8, RFC 4180, an unknown value is empty."""
    total = 0
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind, above in all_kinds(kinds):
            # With the real time of the export: zip knows no time zones, so UTC.
            info = zipfile.ZipInfo(f"{kind.table.name}.csv", date_time=now.astimezone(UTC).timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
                sheet = csv.writer(text)
                sheet.writerow(names(kind, above))
                for batch in _batches(moment, kind, above, _as_text):
                    sheet.writerows(batch)
                    total += len(batch)
                    count(len(batch))
    return total


def _write_sqlite(moment: Moment, kinds: tuple[Kind, ...], path: Path, now: datetime, count: Count) -> int:
    """Write a database of the same tables; times are ISO 8601 text, JSON is text, truth is 0 and 1."""
    total = 0
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        database.execute("CREATE TABLE export (schema INTEGER, exported_at TEXT)")
        database.execute("INSERT INTO export VALUES (?, ?)", (SCHEMA, _as_text(now)))
        for kind, above in all_kinds(kinds):
            table, listed = kind.table.name, names(kind, above)
            primary = ', PRIMARY KEY ("key")' if kind.keyed else ""
            database.execute(f'CREATE TABLE "{table}" ({", ".join(map(_quoted, listed))}{primary})')
            places = ", ".join("?" * len(listed))
            for batch in _batches(moment, kind, above, _as_sqlite):
                database.executemany(f'INSERT INTO "{table}" VALUES ({places})', batch)  # noqa: S608 - our own names
                total += len(batch)
                count(len(batch))
            for name in references(kind, above):
                database.execute(f'CREATE INDEX "{table}_{name}" ON "{table}" ({_quoted(name)})')
        database.execute("COMMIT")
    finally:
        database.close()
    return total


def _batches(
    moment: Moment, kind: Kind, above: tuple[Kind, ...], shown: Callable[[Any], Any]
) -> Iterator[list[list[Any]]]:
    rows = moment.rows(kind, above)
    while batch := [[shown(value) for value in line.fields.values()] for line in islice(rows, AT_ONCE)]:
        yield batch


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return value


def _as_sqlite(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else _as_text(value)


def _quoted(name: str) -> str:
    return f'"{name}"'
