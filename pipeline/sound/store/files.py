"""The files of a person's own folders, and the sounds that they are copies of."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, Table, case, delete, func, insert, select, update

from models import Sound, SoundFile, SoundFolder
from pipeline.database.bulk import as_bytea, execute_rows, insert_rows, rows_as_table
from pipeline.sound.store.folders import Folder, shown

_TABLE: Table = SoundFile.__table__  # type: ignore[assignment]
_SOUNDS: Table = Sound.__table__  # type: ignore[assignment]
# No path of a file begins so: such a row is between two places.
_ON_THE_WAY = b"\0"
Became = Literal["added", "moved", "changed", "duplicate", "returned", "same", "unreadable"]


class StoredFile(NamedTuple):
    """A file as its row has it."""

    id: int
    path: bytes
    stat: tuple[int, int, int]
    sound_id: int | None
    error: str | None
    is_missing: bool


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read: the row that its path has, its digest and what is in it, or else why not."""

    id: int | None
    path: bytes
    stat: tuple[int, int, int]
    digest: bytes | None
    title: str
    seconds: float | None = None
    codec: str | None = None
    error: str | None = None


class Taken(NamedTuple):
    """What became of a file that was read: the sound that it is, and the path that it had, or of which it is a copy."""

    path: bytes
    became: Became
    sound_id: int | None
    other: str | None = None


def load_files(connection: Connection, folder_id: int) -> list[StoredFile]:
    """Return all files of a folder, also those that are missing."""
    columns = (SoundFile.id, SoundFile.path, SoundFile.size, SoundFile.mtime_ns, SoundFile.inode)
    query = select(*columns, SoundFile.sound_id, SoundFile.error, SoundFile.missing_since.is_not(None))
    return [
        StoredFile(id_, bytes(path), (size, mtime_ns, inode), sound_id, error, is_missing)
        for id_, path, size, mtime_ns, inode, sound_id, error, is_missing in connection.execute(
            query.where(SoundFile.folder_id == folder_id)
        )
    ]


def move_files(connection: Connection, moves: Sequence[tuple[int, bytes]], now: datetime) -> None:
    """Give files of one folder new paths, by their ids; also where two change places."""
    if not moves:
        return
    # Each leaves its place before any takes one.
    for to in (lambda id_, _: _ON_THE_WAY + str(id_).encode(), lambda _, path: path):
        rows = [{"id": id_, "path": as_bytea(to(id_, path)), "shown": shown(path)} for id_, path in moves]
        given = rows_as_table(_TABLE, ("id", "path", "shown")).subquery()
        values = {"path": given.c.path, "shown": given.c.shown, "missing_since": None, "seen_at": now}
        execute_rows(connection, update(SoundFile).values(values).where(SoundFile.id == given.c.id), rows)


def note_returned(connection: Connection, file_ids: Collection[int], now: datetime) -> None:
    """Note that missing files are back as they were."""
    back = update(SoundFile).where(SoundFile.id.in_(file_ids))
    connection.execute(back.values(missing_since=None, seen_at=now))


def note_gone(connection: Connection, file_ids: Collection[int], now: datetime) -> list[str]:
    """Note that files are missing; returns the paths of those that were not before."""
    # What could not be read is nothing that could be missing.
    connection.execute(delete(SoundFile).where(SoundFile.id.in_(file_ids), SoundFile.sound_id.is_(None)))
    gone = update(SoundFile).where(SoundFile.id.in_(file_ids), SoundFile.missing_since.is_(None))
    return sorted(connection.scalars(gone.values(missing_since=now).returning(SoundFile.shown)))


def take_in(
    connection: Connection, folder: Folder, files: Iterable[ReadFile], gone: dict[int, bytes], now: datetime
) -> list[Taken]:
    """Store files that were read, and make sounds of those that are new; returns what became of each.

    `gone` are the files that are not where they were, by their ids: one of the same bytes was moved, and leaves it.
    """
    listed = list(files)
    times = Counter(file.digest for file in listed)
    of_person = Sound.person_id == folder.person_id
    mine = select(Sound.sha256).where(of_person, Sound.sha256.in_([digest for digest in times if digest is not None]))
    known = set(connection.scalars(mine))
    new = [file for file in listed if file.id is None and times[file.digest] == 1 and file.digest not in known | {None}]
    taken = {each.path: each for each in _take_new(connection, folder, new, now)} if new else {}
    return [taken.get(file.path) or _take(connection, folder, file, gone, now) for file in listed]


def _take_new(connection: Connection, folder: Folder, files: Sequence[ReadFile], now: datetime) -> list[Taken]:
    """Store files whose bytes nobody has yet, and their sounds: most of a first scan are such."""
    sounds = [_sound_row(folder, file, now) for file in files]
    encoded = [row | {"sha256": as_bytea(file.digest or b"")} for row, file in zip(sounds, files, strict=True)]
    made = insert_rows(_SOUNDS, tuple(encoded[0])).returning(Sound.sha256, Sound.id)
    ids = {bytes(digest): sound_id for digest, sound_id in execute_rows(connection, made, encoded)}
    rows = [
        {
            "folder_id": folder.id,
            "path": as_bytea(file.path),
            "shown": shown(file.path),
            "sound_id": ids[file.digest or b""],
            **_stat_row(file, now),
        }
        for file in files
    ]
    execute_rows(connection, insert_rows(_TABLE, tuple(rows[0])), rows)
    return [Taken(file.path, "added", ids[file.digest or b""]) for file in files]


def _take(connection: Connection, folder: Folder, file: ReadFile, gone: dict[int, bytes], now: datetime) -> Taken:
    row = _stat_row(file, now)
    if file.digest is None:
        _write(connection, folder, file, {**row, "error": file.error})
        return Taken(file.path, "unreadable", None, file.error)
    row |= {"error": None, "missing_since": None}
    before = None if file.id is None else _sound_of(connection, file.id)
    is_it = (Sound.sha256 == file.digest, Sound.person_id == folder.person_id)
    known = connection.scalar(select(Sound.id).where(*is_it).with_for_update())
    if known is not None and known == before:
        was_missing = connection.scalar(select(SoundFile.missing_since).where(SoundFile.id == file.id)) is not None
        _write(connection, folder, file, {**row, "sound_id": known})
        return Taken(file.path, "returned" if was_missing else "same", known)
    if known is None and before is not None and _is_its_only_file(connection, before, file.id):
        # The same sound with other bytes: what it is called and where it is listed stays.
        values = {"sha256": file.digest, "size": file.stat[0], "seconds": file.seconds, "codec": file.codec}
        connection.execute(update(Sound).where(Sound.id == before).values(**values, missing_at=None))
        _write(connection, folder, file, {**row, "sound_id": before})
        return Taken(file.path, "changed", before)
    if known is None:
        known = _new_sound(connection, folder, file, now)
        _write(connection, folder, file, {**row, "sound_id": known})
        return Taken(file.path, "added" if before is None else "changed", known)
    return _take_known(connection, folder, file, known, row, gone)


def _take_known(
    connection: Connection,
    folder: Folder,
    file: ReadFile,
    sound_id: int,
    row: dict[str, object],
    gone: dict[int, bytes],
) -> Taken:
    """Store a file with the bytes of a sound that it was not so far."""
    if file.id is None and (was := _moved(connection, folder, sound_id, file, row, gone)) is not None:
        return Taken(file.path, "moved", sound_id, was)
    copy_of = _another_file(connection, sound_id, folder.id, file.path)
    _write(connection, folder, file, {**row, "sound_id": sound_id})
    # A person who puts a file there again wants its sound again.
    connection.execute(update(Sound).where(Sound.id == sound_id).values(removed_at=None))
    if file.id is not None:
        return Taken(file.path, "changed", sound_id, copy_of)
    return Taken(file.path, "added" if copy_of is None else "duplicate", sound_id, copy_of)


def _moved(
    connection: Connection,
    folder: Folder,
    sound_id: int,
    file: ReadFile,
    row: dict[str, object],
    gone: dict[int, bytes],
) -> str | None:
    """Give the row of a file that is gone to one with the same bytes; returns where that was, None without one."""
    query = select(SoundFile.id, SoundFile.shown).where(
        SoundFile.folder_id == folder.id, SoundFile.sound_id == sound_id, SoundFile.id.in_(gone)
    )
    was = connection.execute(query.order_by(SoundFile.id).limit(1)).one_or_none()
    if was is None:
        return None
    values = {**row, "path": file.path, "shown": shown(file.path)}
    connection.execute(update(SoundFile).where(SoundFile.id == was.id).values(values))
    del gone[was.id]
    return str(was.shown)


def settle_missing(connection: Connection, sound_ids: Collection[int] | None, now: datetime) -> None:
    """Have sounds that folders alone hold be missing where no file of theirs is there, and no longer where one is.

    None settles all of them. A sound with a file of its own in the data directory is none of these. One whose only file
    became a copy of another has none at all.
    """
    is_there = SoundFile.id.is_not(None) & SoundFile.missing_since.is_(None) & SoundFolder.removed_at.is_(None)
    files = (
        select(Sound.id, func.bool_or(is_there).label("is_there"))
        .outerjoin(SoundFile, SoundFile.sound_id == Sound.id)
        .outerjoin(SoundFolder, SoundFolder.id == SoundFile.folder_id)
        .where(Sound.original.is_(None), Sound.removed_at.is_(None))
        .group_by(Sound.id)
    )
    if sound_ids is not None:
        files = files.where(Sound.id.in_(sound_ids))
    each = files.subquery()
    change = (
        update(Sound)
        .where(Sound.id == each.c.id, each.c.is_there == Sound.missing_at.is_not(None))
        .values(missing_at=case((each.c.is_there, None), else_=now))
    )
    connection.execute(change)


def sounds_of_folder(connection: Connection, folder_id: int) -> list[int]:
    """Return the sounds that a folder's files are."""
    query = select(SoundFile.sound_id).where(SoundFile.folder_id == folder_id, SoundFile.sound_id.is_not(None))
    return [sound_id for sound_id in connection.scalars(query.distinct()) if sound_id is not None]


def _write(connection: Connection, folder: Folder, file: ReadFile, row: dict[str, object]) -> None:
    if file.id is not None:
        connection.execute(update(SoundFile).where(SoundFile.id == file.id).values(row))
        return
    path = {"folder_id": folder.id, "path": file.path, "shown": shown(file.path)}
    connection.execute(insert(SoundFile).values(**path, **row))


def _sound_of(connection: Connection, file_id: int) -> int | None:
    return connection.scalar(select(SoundFile.sound_id).where(SoundFile.id == file_id))


def _is_its_only_file(connection: Connection, sound_id: int, file_id: int | None) -> bool:
    query = select(func.count()).where(SoundFile.sound_id == sound_id, SoundFile.id != file_id)
    has_original = connection.scalar(select(Sound.original).where(Sound.id == sound_id)) is not None
    return not has_original and not connection.scalar(query)


def _another_file(connection: Connection, sound_id: int, folder_id: int, path: bytes) -> str | None:
    """Return where a sound is already: in a folder, or among what was fetched."""
    query = (
        select(SoundFile.shown)
        .where(SoundFile.sound_id == sound_id, SoundFile.missing_since.is_(None))
        .where(~((SoundFile.folder_id == folder_id) & (SoundFile.path == path)))
        .order_by(SoundFile.id)
        .limit(1)
    )
    copied = connection.scalar(query)
    if copied is None:
        copied = connection.scalar(select(Sound.title).where(Sound.id == sound_id, Sound.original.is_not(None)))
    return copied


def _new_sound(connection: Connection, folder: Folder, file: ReadFile, now: datetime) -> int:
    return connection.scalars(insert(Sound).values(_sound_row(folder, file, now)).returning(Sound.id)).one()


def _sound_row(folder: Folder, file: ReadFile, now: datetime) -> dict[str, object]:
    return {
        "public_id": str(uuid4()),
        "person_id": folder.person_id,
        "kind": folder.kind,
        "sha256": file.digest,
        "size": file.stat[0],
        "seconds": file.seconds,
        "codec": file.codec,
        "title": file.title,
        "added_at": now,
    }


def _stat_row(file: ReadFile, now: datetime) -> dict[str, object]:
    return {"size": file.stat[0], "mtime_ns": file.stat[1], "inode": file.stat[2], "seen_at": now}
