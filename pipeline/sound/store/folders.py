"""The folders of a person's own sounds: added, looked at, removed."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
from sqlalchemy import Connection, RowMapping, Table, case, select, update

from models import SoundFolder
from models.errors import UnknownThing, UsageError
from models.people import OWNER_ID
from pipeline.database.bulk import as_bytea, execute_rows, insert_rows
from pipeline.sound.records import SoundKind

_TABLE: Table = SoundFolder.__table__  # type: ignore[assignment]
# What a sound is; all but episodes may lie in a folder.
KINDS: Sequence[SoundKind] = get_args(SoundKind)
FOLDER_KINDS: Sequence[SoundKind] = tuple(kind for kind in KINDS if kind != "episode")


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder as it is stored; `models.sounds.SoundFolder` says what its fields are."""

    id: int
    person_id: int
    path: bytes
    shown: str
    kind: SoundKind
    profile: str | None
    added_at: datetime
    scanned_at: datetime | None
    scan_wanted_at: datetime | None


def add_folder(
    connection: Connection,
    path: str | bytes | os.PathLike[str],
    *,
    person_id: int = OWNER_ID,
    kind: SoundKind = "effect",
    profile: str | None = None,
    now: datetime,
) -> Folder:
    """Add a folder, or change the kind and profile of one; one that was removed is there again, with its sounds.

    Raises `UsageError` where there is no such folder, it cannot be listed, or it lies in another one of that person or
    holds one, since its files would count twice.
    """
    if kind not in FOLDER_KINDS:
        raise UsageError(f"{kind!r} is no kind of sound that a folder holds; there are {', '.join(FOLDER_KINDS)}")
    real = real_path(path)
    for folder in list_folders(connection, person_id):
        if real.startswith(folder.path + b"/") or folder.path.startswith(real + b"/"):
            raise UsageError(
                f"{shown(real)} overlaps with {folder.shown}, which is a folder of sounds already; its files would "
                f"count twice. `lootwire sounds scan {folder.id}` looks at that, `lootwire sounds forget {folder.id}` "
                "leaves it off"
            )
    row = {
        "person_id": person_id,
        "path": as_bytea(real),
        "shown": shown(real),
        "kind": kind,
        "profile": profile,
        "added_at": now,
    }
    statement = insert_rows(_TABLE, tuple(row)).on_conflict_do_update(
        index_elements=["person_id", "path"], set_={"kind": kind, "profile": profile, "removed_at": None}
    )
    return load_folder(
        connection, execute_rows(connection, statement.returning(SoundFolder.id), [row]).scalar_one(), person_id
    )


def list_folders(connection: Connection, person_id: int | None = None) -> list[Folder]:
    """Return the folders of a person, or of all, by their paths; those that were removed are not among them."""
    query = select(_TABLE).where(SoundFolder.removed_at.is_(None)).order_by(SoundFolder.path, SoundFolder.id)
    if person_id is not None:
        query = query.where(SoundFolder.person_id == person_id)
    return [_folder(row) for row in connection.execute(query).mappings()]


def load_folder(connection: Connection, folder_id: int, person_id: int | None = None) -> Folder:
    """Return a folder; raises `UnknownThing` where there is none, or it was removed."""
    query = select(_TABLE).where(SoundFolder.id == folder_id, SoundFolder.removed_at.is_(None))
    if person_id is not None:
        query = query.where(SoundFolder.person_id == person_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownThing(f"no folder of sounds has the number {folder_id}; `lootwire sounds folders` shows them")
    return _folder(row)


def folder_named(connection: Connection, person_id: int, name: str) -> Folder | None:
    """Return the folder that a person means, by its number or its path; None where there is none."""
    path = os.path.realpath(os.path.expanduser(os.fsencode(name)))  # noqa: PTH111 - a path of bytes
    for folder in list_folders(connection, person_id):
        if name == str(folder.id) or path == folder.path or name == folder.shown:
            return folder
    return None


def note_scanned(connection: Connection, folder_id: int, now: datetime) -> None:
    """Note that a folder was looked at whole; one that a person wanted since then is still to be."""
    waits = SoundFolder.scan_wanted_at
    left = case((waits > now, waits))
    scanned = update(SoundFolder).where(SoundFolder.id == folder_id).values(scanned_at=now, scan_wanted_at=left)
    connection.execute(scanned)


def want_scan(connection: Connection, folder_id: int, now: datetime) -> None:
    """Have a folder scanned by the program that fetches sounds."""
    connection.execute(update(SoundFolder).where(SoundFolder.id == folder_id).values(scan_wanted_at=now))


def give_up_scan(connection: Connection, folder_id: int) -> None:
    """Let a folder wait no more: it cannot be listed."""
    connection.execute(update(SoundFolder).where(SoundFolder.id == folder_id).values(scan_wanted_at=None))


def folders_to_scan(connection: Connection) -> Sequence[int]:
    """Return the folders that wait to be scanned, the longest first."""
    waiting = (SoundFolder.scan_wanted_at.is_not(None), SoundFolder.removed_at.is_(None))
    query = select(SoundFolder.id).where(*waiting).order_by(SoundFolder.scan_wanted_at, SoundFolder.id)
    return connection.scalars(query).all()


def mark_removed(connection: Connection, folder_id: int, now: datetime) -> None:
    """Look at a folder no more; `files.settle_missing` says what that makes of its sounds."""
    connection.execute(update(SoundFolder).where(SoundFolder.id == folder_id).values(removed_at=now))


def real_path(path: str | bytes | os.PathLike[str]) -> bytes:
    """Return the path of a folder without links; raises `UsageError` where there is none that can be listed."""
    written = os.fsencode(path)
    expanded = os.path.expanduser(written)  # noqa: PTH111 - a path of bytes
    try:
        real = os.path.realpath(expanded, strict=True)
        os.scandir(real).close()
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"{shown(written)} is no folder that can be listed: {reason}") from error
    if real == os.fsencode(Path(os.sep)):
        raise UsageError("the root of all files is no folder of sounds; name the folder that holds them")
    return real


def shown(path: bytes) -> str:
    """Return a path as text; a byte that is no UTF-8 is written in hexadecimal digits behind a backslash."""
    return path.decode("utf-8", "backslashreplace").replace("\0", "")


def _folder(row: RowMapping) -> Folder:
    values: dict[str, Any] = {name: row[name] for name in Folder.__struct_fields__}
    return msgspec.convert(values, Folder)
