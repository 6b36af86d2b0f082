"""Imported files, and their lines that wait for a person."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, delete, func, insert, select, update

from models import ImportLine, LibraryImport
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.games.store.decisions import OF_CONTENT

_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_LINES = bindparam("lines", type_=ARRAY(BigInteger))
_CONTENT = ("written", "record", "verdict", "score", "choices", "explanation")


class WaitingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that waits for a person; `record` and `choices` are JSON."""

    line: int
    written: str
    record: dict[str, Any]
    verdict: str
    score: float | None = None
    choices: tuple[Any, ...] = ()
    explanation: str


class StoredLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that waits or waited for a person, with the file that it is of."""

    id: int
    import_id: int
    origin: str
    format: str
    waiting: WaitingLine
    settled_at: datetime | None


class KnownImport(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was imported before; `is_whole` where it came to its end and nothing that it says can be new.

    That is not so where lines of it wait, where a person has answered anything since, or another version of the
    program has read it.
    """

    id: int
    is_whole: bool


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read to its end, and whose it is."""

    id: int
    person_id: int


def files_read_before(connection: Connection, at: datetime, limit: int) -> list[ReadFile]:
    """Return files with lines that wait and can be read, which were read last before a moment; the oldest first."""
    waits = (
        select(ImportLine.id)
        .where(ImportLine.import_id == LibraryImport.id, ImportLine.settled_at.is_(None))
        .where(ImportLine.verdict != "invalid")
        .exists()
    )
    query = select(LibraryImport.id, LibraryImport.person_id).where(LibraryImport.finished_at <= at, waits)
    rows = connection.execute(query.order_by(LibraryImport.finished_at, LibraryImport.id).limit(limit))
    return [ReadFile(id=row.id, person_id=row.person_id) for row in rows]


def note_read(connection: Connection, import_id: int, now: datetime) -> None:
    """Write down that what waits of a file was read again."""
    connection.execute(update(LibraryImport).where(LibraryImport.id == import_id).values(finished_at=now))


def find_import(connection: Connection, person_id: int, digest: bytes) -> KnownImport | None:
    """Return the import of a file by its digest, whose first bytes are those of the content (`OF_CONTENT`)."""
    waits = (
        select(ImportLine.id).where(ImportLine.import_id == LibraryImport.id, ImportLine.settled_at.is_(None)).exists()
    )
    query = select(LibraryImport.id, LibraryImport.digest, LibraryImport.finished_at, waits.label("waits"))
    same = func.substr(LibraryImport.digest, 1, OF_CONTENT) == digest[:OF_CONTENT]
    row = connection.execute(query.where(LibraryImport.person_id == person_id, same)).first()
    if row is None:
        return None
    return KnownImport(id=row.id, is_whole=row.finished_at is not None and not row.waits and row.digest == digest)


def open_import(
    connection: Connection, *, person_id: int, format_: str, name: str, digest: bytes, now: datetime
) -> int:
    """Return the import of a file, by its digest; it is made where that file was never imported."""
    known = find_import(connection, person_id, digest)
    if known is not None:
        return known.id
    row = {"person_id": person_id, "format": format_, "name": name, "digest": digest, "started_at": now}
    made: int = connection.execute(insert(LibraryImport).values(row).returning(LibraryImport.id)).scalar_one()
    return made


def close_import(
    connection: Connection, import_id: int, *, digest: bytes, counts: Mapping[str, int] | None, now: datetime
) -> None:
    """Write down that a file was read to its end, by which version, and how many lines had which verdict.

    Without `counts` those of the last time stay: nothing was changed.
    """
    its = update(LibraryImport).where(LibraryImport.id == import_id)
    if counts is None:
        connection.execute(its.where(LibraryImport.digest != digest).values(digest=digest))
    else:
        connection.execute(its.values(digest=digest, finished_at=now, counts=dict(counts)))


def is_finished(connection: Connection, import_id: int) -> bool:
    """Return whether a file was read to its end before."""
    query = select(LibraryImport.finished_at).where(LibraryImport.id == import_id)
    return connection.scalar(query) is not None


def knows_format(connection: Connection, person_id: int, format_: str, *, but: int | None) -> bool:
    """Return whether a person has imported anything of a format, apart from one import."""
    its = (LibraryImport.person_id == person_id) & (LibraryImport.format == format_)
    query = select(LibraryImport.id).where(its, LibraryImport.finished_at.is_not(None))
    if but is not None:
        query = query.where(LibraryImport.id != but)
    return connection.scalar(query.limit(1)) is not None


def put_lines(
    connection: Connection, import_id: int, waiting: Sequence[WaitingLine], *, among: Collection[int] | None = None
) -> int:
    """Make these the lines of a file that wait, of all or `among` some lines; returns how many rows that changed.

    Lines that a person has settled stay, unless they wait again.
    """
    query = select(ImportLine.id, ImportLine.line, *(getattr(ImportLine, name) for name in _CONTENT))
    query = query.where(ImportLine.import_id == import_id, ImportLine.settled_at.is_(None))
    rows = {line.line: _row(import_id, line) for line in waiting}
    if among is None:
        stored = {row.line: row for row in connection.execute(query)}
    else:
        some = query.where(ImportLine.line == func.any(_LINES))
        stored = {row.line: row for row in connection.execute(some, {"lines": sorted({*among, *rows})})}
    gone = [row.id for line, row in stored.items() if line not in rows]
    if gone:
        connection.execute(delete(ImportLine).where(ImportLine.id == func.any(_IDS)), {"ids": gone})
    changed = [row for line, row in rows.items() if line not in stored or _differs(stored[line], row)]
    if changed:
        statement = insert_rows(ImportLine.__table__, tuple(changed[0]))
        values = {name: getattr(statement.excluded, name) for name in (*_CONTENT, "settled_at")}
        keys = ["import_id", "line"]
        execute_rows(connection, statement.on_conflict_do_update(index_elements=keys, set_=values), changed)
    return len(gone) + len(changed)


def load_lines(
    connection: Connection, person_id: int, *, ids: Collection[int] | None = None, waiting: bool = False
) -> list[StoredLine]:
    """Return lines of a person's files in the order in which they came; those with ids, or those that wait."""
    query = (
        select(*ImportLine.__table__.c, LibraryImport.name, LibraryImport.format)
        .join(LibraryImport, LibraryImport.id == ImportLine.import_id)
        .where(LibraryImport.person_id == person_id)
        .order_by(ImportLine.import_id, ImportLine.line)
    )
    if waiting:
        query = query.where(ImportLine.settled_at.is_(None))
    parameters: dict[str, Any] = {}
    if ids is not None:
        query, parameters = query.where(ImportLine.id == func.any(_IDS)), {"ids": sorted(ids)}
    return [
        StoredLine(
            id=row.id,
            import_id=row.import_id,
            origin=row.name,
            format=row.format,
            waiting=WaitingLine(
                line=row.line,
                written=row.written,
                record=row.record,
                verdict=row.verdict,
                score=row.score,
                choices=tuple(row.choices),
                explanation=row.explanation,
            ),
            settled_at=row.settled_at,
        )
        for row in connection.execute(query, parameters)
    ]


def count_waiting(connection: Connection, import_id: int) -> int:
    """Return how many lines of a file wait for a person."""
    its = (ImportLine.import_id == import_id) & ImportLine.settled_at.is_(None)
    return connection.execute(select(func.count()).select_from(ImportLine).where(its)).scalar_one()


def count_all_waiting(connection: Connection, person_id: int) -> int:
    """Return how many lines of all of a person's files and accounts wait for them."""
    theirs = (
        select(func.count())
        .select_from(ImportLine)
        .join(LibraryImport, LibraryImport.id == ImportLine.import_id)
        .where(LibraryImport.person_id == person_id, ImportLine.settled_at.is_(None))
    )
    return connection.execute(theirs).scalar_one()


def settle_lines(connection: Connection, ids: Collection[int], now: datetime | None) -> None:
    """Note that a person has answered what lines mean; with None, that they wait again."""
    if ids:
        settled = update(ImportLine).where(ImportLine.id == func.any(_IDS)).values(settled_at=now)
        connection.execute(settled, {"ids": sorted(ids)})


def _row(import_id: int, line: WaitingLine) -> dict[str, Any]:
    return {"import_id": import_id, **msgspec.structs.asdict(line), "settled_at": None}


def _differs(stored: Any, row: Mapping[str, Any]) -> bool:
    known = {name: getattr(stored, name) for name in _CONTENT} | {"choices": tuple(stored.choices)}
    return any(known[name] != row[name] for name in _CONTENT)
