"""The files of a folder, with what is in them: compared by directory, read by directory, written many at once."""

import hashlib
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    CursorResult,
    LargeBinary,
    Table,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
    text,
    update,
)

from models import RomContent, RomFile
from pipeline.database.bulk import as_bytea, execute_rows, rows_as_table
from pipeline.database.copying import copy_rows
from pipeline.roms.records import Content, FileReading, FoundFile, Hashes
from pipeline.roms.store.folders import shown

_FILES: Table = RomFile.__table__  # type: ignore[assignment]
_CONTENTS: Table = RomContent.__table__  # type: ignore[assignment]
ARCHIVES = ("zip", "7z", "rar", "tar", "gz")
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_FILE_COLUMNS = (
    *("id", "folder_id", "path", "shown", "size", "mtime_ns", "inode", "container", "sheet"),
    *("first_seen_at", "read_at", "error"),
)
_CONTENT_COLUMNS = (
    *("file_id", "position", "member", "size", "crc32", "md5", "sha1", "header_bytes"),
    *("crc32_headerless", "md5_headerless", "sha1_headerless", "disk_sha1"),
)
# Of each directory, by its name as PostgreSQL escapes bytes, what `digest_of` makes of its files. One statement for all
# of them, so that a scan that finds nothing new reads no row; files that were absent are not of it.
_DIGESTS = text(r"""
    SELECT directory, count(*), md5(
        string_agg(path, '\x00'::bytea ORDER BY path)
        || string_agg(int8send(size) || int8send(mtime_ns) || int8send(inode), ''::bytea ORDER BY path)
    )
    FROM (
        SELECT coalesce(substring(encode(path, 'escape') FROM '^.*/'), '') COLLATE "C" AS directory,
            path, size, mtime_ns, inode
        FROM rom_files WHERE folder_id = :folder_id AND absences = 0 AND missing_since IS NULL
    ) AS present
    GROUP BY directory
""")
_ESCAPED = {code: f"\\{code:03o}" for code in (0, *range(128, 256))} | {ord("\\"): r"\\"}
_KNOWN = select(
    RomFile.id,
    RomFile.path,
    RomFile.size,
    RomFile.mtime_ns,
    RomFile.inode,
    RomFile.absences,
    RomFile.missing_since.is_not(None),
    RomFile.error,
)
_IN_DIRECTORY = _KNOWN.where(
    RomFile.folder_id == bindparam("folder_id"),
    RomFile.path >= bindparam("first", type_=LargeBinary),
    RomFile.path < bindparam("last", type_=LargeBinary),
    func.position(text(r"'\x2f'::bytea IN substring(rom_files.path FROM :length + 1)")) == 0,
)
_IDS_IN = text(r"""
    SELECT f.id
    FROM unnest(CAST(:first AS bytea[]), CAST(:last AS bytea[])) AS directory (first, last)
    JOIN rom_files AS f ON f.folder_id = :folder_id AND f.path >= directory.first AND f.path < directory.last
        AND position('\x2f'::bytea IN substring(f.path FROM length(directory.first) + 1)) = 0
""")
# Without a type: SQLAlchemy looks at each value of an array by itself, the driver does not.
_SHEET: ColumnElement[Any] = literal_column("rom_files.sheet")
_AT_THE_TOP = _KNOWN.where(
    RomFile.folder_id == bindparam("folder_id"), func.position(text(r"'\x2f'::bytea IN rom_files.path")) == 0
)


class KnownFile(NamedTuple):
    """A file as it is stored; `absences` counts the scans in a row that lacked it, if any."""

    id: int
    path: bytes
    size: int
    mtime_ns: int
    inode: int
    absences: int
    is_missing: bool
    error: str | None

    @property
    def is_absent(self) -> bool:
        """Whether the last whole scan lacked it."""
        return self.is_missing or self.absences > 0


class ReadFile(NamedTuple):
    """A file that was read, to be stored: new without an `id`. `path` is as it is stored."""

    id: int | None
    path: bytes
    size: int
    mtime_ns: int
    inode: int
    reading: FileReading


def digest_of(directory: str, files: Sequence[tuple[str, int, int, int]]) -> str:
    """Return what `load_digests` has for a directory with these files, which are ordered by the bytes of their names.

    Of each it takes the name, the size, the time of change in nanoseconds and the inode. Pure.
    """
    paths = directory + f"\0{directory}".join([file[0] for file in files])
    numbers = [number for file in files for number in file[1:]]
    packed = struct.pack(f">{len(numbers)}q", *numbers)
    return hashlib.md5(paths.encode("utf-8", "surrogateescape") + packed, usedforsecurity=False).hexdigest()


def escaped(directory: bytes) -> str:
    """Return a directory's name as `load_digests` gives it. Pure."""
    return directory.decode("latin-1").translate(_ESCAPED)


def unescaped(directory: str) -> bytes:
    """Return the directory that `load_digests` calls so. Pure."""
    parts = directory.split("\\\\")
    return b"\\".join(
        b"".join(
            part.encode() if number == 0 else bytes([int(part[:3], 8)]) + part[3:].encode()
            for number, part in enumerate(each.split("\\"))
        )
        for each in parts
    )


def load_digests(connection: Connection, folder_id: int) -> dict[str, tuple[int, str]]:
    """Return of each directory how many files it had when it was last seen, and the digest of them."""
    # A hundred thousand paths are sorted in memory and not on the disk.
    connection.execute(text("SET LOCAL work_mem = '64MB'"))
    rows = connection.execute(_DIGESTS, {"folder_id": folder_id})
    return {directory: (count, digest) for directory, count, digest in rows}


def load_directory(connection: Connection, folder_id: int, directory: bytes) -> list[KnownFile]:
    """Return the files that are known of a directory itself, those that are absent too."""
    if not directory:
        return [KnownFile(*row) for row in connection.execute(_AT_THE_TOP, {"folder_id": folder_id})]
    # A slash is followed by a zero.
    bounds = {"first": directory, "last": directory[:-1] + b"0", "length": len(directory)}
    return [KnownFile(*row) for row in connection.execute(_IN_DIRECTORY, {"folder_id": folder_id, **bounds})]


def load_absent(connection: Connection, folder_id: int) -> list[KnownFile]:
    """Return the files that the last whole scan lacked."""
    query = _KNOWN.where(RomFile.folder_id == folder_id, (RomFile.absences > 0) | RomFile.missing_since.is_not(None))
    return [KnownFile(*row) for row in connection.execute(query)]


def load_unread(connection: Connection, folder_id: int) -> list[KnownFile]:
    """Return the files that are still to be read, by their paths."""
    query = _KNOWN.where(RomFile.folder_id == folder_id, RomFile.read_at.is_(None)).order_by(RomFile.path)
    return [KnownFile(*row) for row in connection.execute(query)]


def load_files(connection: Connection, ids: Collection[int]) -> list[KnownFile]:
    """Return files by their ids."""
    return [KnownFile(*row) for row in connection.execute(_KNOWN.where(RomFile.id == func.any(_IDS)), {"ids": [*ids]})]


def is_empty(connection: Connection, folder_id: int) -> bool:
    """Whether no file of a folder is known."""
    return connection.scalar(select(RomFile.id).where(RomFile.folder_id == folder_id).limit(1)) is None


def load_new(connection: Connection, folder_id: int, since: datetime, sizes: Collection[int]) -> list[KnownFile]:
    """Return the files of these sizes that were stored since a moment, and read."""
    query = _KNOWN.where(
        RomFile.folder_id == folder_id,
        RomFile.first_seen_at >= since,
        RomFile.read_at.is_not(None),
        RomFile.size == func.any(bindparam("sizes", type_=ARRAY(BigInteger))),
    )
    return [KnownFile(*row) for row in connection.execute(query, {"sizes": [*sizes]})]


def forget_readings(connection: Connection, folder_id: int) -> None:
    """Have every file of a folder read again; what is known of it stays until then."""
    connection.execute(
        update(RomFile).where(RomFile.folder_id == folder_id, RomFile.missing_since.is_(None)).values(read_at=None)
    )


def store_readings(connection: Connection, folder_id: int, files: Sequence[ReadFile], now: datetime) -> None:
    """Store files that were read, new ones and known ones, with what is in them.

    What could not be opened is to be read again by the next scan, and keeps what was known of its contents.
    """
    known = [file for file in files if file.id is not None]
    if len(known) < len(files):
        new = [file for file in files if file.id is None]
        ids = _new_ids(connection, folder_id, len(new))
        rows = [_file_row(id_, file, folder_id, now) for id_, file in zip(ids, new, strict=True)]
        copy_rows(connection, _FILES, _FILE_COLUMNS, rows, keys_hold=True)
        contents = _content_rows(zip(ids, new, strict=True))
        copy_rows(connection, _CONTENTS, _CONTENT_COLUMNS, contents, keys_hold=True)
    if known:
        _rewrite(connection, known, now)
        copy_rows(connection, _CONTENTS, _CONTENT_COLUMNS, _content_rows((file.id or 0, file) for file in known))


def move_files(connection: Connection, paths: Mapping[int, bytes]) -> None:
    """Give files other paths, which other ones of these may have so far."""
    if not paths:
        return
    # One step after the other: the paths of a folder are unique at any moment.
    connection.execute(
        update(RomFile)
        .where(RomFile.id == func.any(_IDS))
        .values(path=func.decode("00", "hex").op("||")(func.int8send(RomFile.id))),
        {"ids": [*paths]},
    )
    rows = [{"id": id_, "path": as_bytea(path), "shown": shown(path)} for id_, path in paths.items()]
    moved = rows_as_table(_FILES, ("id", "path", "shown")).subquery()
    statement = update(RomFile).where(RomFile.id == moved.c.id).values(path=moved.c.path, shown=moved.c.shown)
    execute_rows(connection, statement, rows)


def replace_files(connection: Connection, new_by_old: Mapping[int, int]) -> None:
    """Let known files take over the paths, times and inodes of new ones that turned out to be them."""
    if not new_by_old:
        return
    olds, news = [*new_by_old], [*new_by_old.values()]
    rows = connection.execute(
        select(RomFile.id, RomFile.path, RomFile.size, RomFile.mtime_ns, RomFile.inode).where(
            RomFile.id == func.any(_IDS)
        ),
        {"ids": news},
    ).all()
    by_id = {row.id: row for row in rows}
    connection.execute(delete(RomFile).where(RomFile.id == func.any(_IDS)), {"ids": news})
    move_files(connection, {old: by_id[new].path for old, new in new_by_old.items()})
    note_stats(connection, [(old, *by_id[new_by_old[old]][2:]) for old in olds])


def note_stats(connection: Connection, stats: Iterable[tuple[int, int, int, int]]) -> None:
    """Note the size, the time of change and the inode of files that are as they were but for these."""
    rows = [{"id": id_, "size": size, "mtime_ns": mtime_ns, "inode": inode} for id_, size, mtime_ns, inode in stats]
    if rows:
        new = rows_as_table(_FILES, tuple(rows[0])).subquery()
        values = {"size": new.c.size, "mtime_ns": new.c.mtime_ns, "inode": new.c.inode}
        statement = update(RomFile).where(RomFile.id == new.c.id).values(**values, absences=0, missing_since=None)
        execute_rows(connection, statement, rows)


def note_present(connection: Connection, ids: Collection[int]) -> None:
    """Note that files are there again."""
    if ids:
        connection.execute(
            update(RomFile).where(RomFile.id == func.any(_IDS)).values(absences=0, missing_since=None), {"ids": [*ids]}
        )


def is_any_absent(connection: Connection, folder_id: int) -> bool:
    """Whether the last whole scan lacked a file that is not missing yet."""
    query = select(RomFile.id).where(
        RomFile.folder_id == folder_id, RomFile.absences > 0, RomFile.missing_since.is_(None)
    )
    return connection.scalar(query.limit(1)) is not None


def note_absent(connection: Connection, folder_id: int, gone: Collection[int], now: datetime, *, most: int) -> None:
    """Count an absence of the files that are gone, and one more of those that were absent before.

    Those that have been absent so often in a row are missing.
    """
    was_absent = (RomFile.folder_id == folder_id) & (RomFile.absences > 0)
    absences = RomFile.absences + 1
    values = {"absences": absences, "missing_since": case((absences >= most, now))}
    statement = update(RomFile).where(was_absent | (RomFile.id == func.any(_IDS)), RomFile.missing_since.is_(None))
    connection.execute(statement.values(values), {"ids": [*gone]})


def load_found(
    connection: Connection, folder_id: int, directories: Collection[bytes] | None = None
) -> Iterator[FoundFile]:
    """Return the files that sets are made of, of some directories or of all.

    They are those that are not missing, and have paths that lead to them.
    """
    # Most files have no members, and to ask each for them would cost more than all else here.
    is_archive = RomFile.container.in_(ARCHIVES)
    members = (
        select(literal_column("array_agg(member ORDER BY position)"))
        .where(RomContent.file_id == RomFile.id, RomContent.position > 0)
        .scalar_subquery()
    )
    query = select(RomFile.id, RomFile.path, RomFile.size, RomFile.container, _SHEET).where(
        RomFile.folder_id == folder_id, RomFile.missing_since.is_(None), func.get_byte(RomFile.path, 0) != 0
    )
    parameters: dict[str, Any] = {}
    if directories is not None:
        query, parameters = (
            query.where(RomFile.id == func.any(_IDS)),
            {"ids": load_ids(connection, folder_id, directories)},
        )
    for id_, path, size, container, sheet in rows_of(connection.execute(query.where(~is_archive), parameters)):
        yield _found_file(id_, path, size, container, sheet, ())
    archives = query.where(is_archive).add_columns(members)
    for id_, path, size, container, sheet, names in rows_of(connection.execute(archives, parameters)):
        yield _found_file(id_, path, size, container, sheet, names or ())


def rows_of(result: CursorResult[*tuple[Any, ...]]) -> Iterator[Any]:
    """Give the rows of a result: some thousands at once, for each by itself takes longer and all take more memory."""
    return chain.from_iterable(result.partitions(5_000))


def load_sheets(connection: Connection, folder_id: int) -> list[FoundFile]:
    """Return those of the files that sets are made of which list others."""
    query = select(RomFile.id, RomFile.path, RomFile.size, RomFile.container, _SHEET)
    listing = query.where(RomFile.folder_id == folder_id, text("sheet <> '{}'"), RomFile.missing_since.is_(None))
    rows = connection.execute(listing)
    return [_found_file(id_, path, size, container, sheet, ()) for id_, path, size, container, sheet in rows]


def load_ids(connection: Connection, folder_id: int, directories: Collection[bytes]) -> list[int]:
    """Return the files that are known of directories themselves, the missing ones too."""
    parameters = {
        "folder_id": folder_id,
        "first": [*directories],
        # A slash is followed by a zero; nothing that is behind the longest of names begins a path.
        "last": [directory[:-1] + b"0" if directory else b"\xff" * 256 for directory in directories],
    }
    return list(connection.scalars(_IDS_IN, parameters).all())


def _found_file(
    id_: int, path: bytes, size: int, container: Any, sheet: Sequence[str], members: Sequence[str]
) -> FoundFile:
    return FoundFile(id=id_, path=path, size=size, container=container, sheet=tuple(sheet), members=tuple(members))


def load_contents(connection: Connection, ids: Collection[int]) -> dict[int, tuple[Any, ...]]:
    """Return what is in files as a value that two files of the same contents share; those never read are left off."""
    columns = (
        *(RomContent.member, RomContent.size, RomContent.crc32, RomContent.md5, RomContent.sha1),
        RomContent.disk_sha1,
    )
    query = select(RomContent.file_id, *columns).where(RomContent.file_id == func.any(_IDS))
    contents: dict[int, list[tuple[Any, ...]]] = {}
    for file_id, *content in connection.execute(query.order_by(RomContent.position), {"ids": [*ids]}):
        contents.setdefault(file_id, []).append(tuple(content))
    return {file_id: tuple(each) for file_id, each in contents.items()}


def _new_ids(connection: Connection, folder_id: int, count: int) -> Sequence[int]:
    """Return ids for so many files of a folder, which stays until they are stored."""
    # COPY gives no ids back.
    query = text(
        "WITH folder AS (SELECT id FROM rom_folders WHERE id = :folder_id FOR KEY SHARE)"
        " SELECT nextval(pg_get_serial_sequence('rom_files', 'id')) FROM folder, generate_series(1, :count)"
    )
    return connection.scalars(query, {"folder_id": folder_id, "count": count}).all()


def _file_row(file_id: int, file: ReadFile, folder_id: int, now: datetime) -> tuple[Any, ...]:
    reading = file.reading
    return (
        *(file_id, folder_id, file.path, shown(file.path), file.size, file.mtime_ns, file.inode, reading.container),
        *(reading.sheet, now, now if is_settled(reading) else None, reading.error),
    )


def is_settled(reading: FileReading) -> bool:
    """Whether a file was read as far as it goes; else the next scan tries again. Pure."""
    return bool(reading.contents)


def _rewrite(connection: Connection, files: Sequence[ReadFile], now: datetime) -> None:
    # Also where their contents are kept, for the next scan has to try again.
    names = ("id", "size", "mtime_ns", "inode", "container", "sheet", "read_at", "error")
    rows = [
        {
            "id": file.id,
            "size": file.size,
            "mtime_ns": file.mtime_ns,
            "inode": file.inode,
            "container": file.reading.container,
            "sheet": file.reading.sheet,
            "read_at": now if is_settled(file.reading) else None,
            "error": file.reading.error,
        }
        for file in files
    ]
    new = rows_as_table(_FILES, names).subquery()
    values = {name: new.c[name] for name in names[1:]}
    statement = update(RomFile).where(RomFile.id == new.c.id)
    execute_rows(connection, statement.values(**values, absences=0, missing_since=None), rows)
    settled = [file.id for file in files if is_settled(file.reading)]
    connection.execute(delete(RomContent).where(RomContent.file_id == func.any(_IDS)), {"ids": settled})


def _content_rows(files: Iterable[tuple[int, ReadFile]]) -> Iterator[tuple[Any, ...]]:
    for file_id, file in files:
        for position, content in enumerate(file.reading.contents):
            yield _content_row(file_id, position, content)


_NO_HASHES = Hashes(size=0)


def _content_row(file_id: int, position: int, content: Content) -> tuple[Any, ...]:
    hashes, without = content.hashes, content.headerless or _NO_HASHES
    return (
        *(file_id, position, content.member, hashes.size, hashes.crc32, hashes.md5, hashes.sha1, content.header_bytes),
        *(without.crc32, without.md5, without.sha1, content.disk_sha1),
    )
