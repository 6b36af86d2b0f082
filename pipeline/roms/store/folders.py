"""The folders of a collection: added, looked at when they are due, removed."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
from sqlalchemy import Connection, RowMapping, Table, select, update

from models import RomFolder
from models.due import due
from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.roms.records import Layout

_TABLE: Table = RomFolder.__table__  # type: ignore[assignment]
# A day, the slowest that may be set, and what it varies by.
LONGEST_WAIT = timedelta(hours=27)
LAYOUTS: Sequence[Layout] = get_args(Layout)


class FolderOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which files of a folder are looked at.

    `extensions` are in lower case and without a dot; without any, files of all are. `ignore` are patterns of the shell
    (`*.txt`, `media/*`) for names and for paths in the folder, whatever the case of their letters.
    """

    extensions: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder as it is stored; `models.roms.RomFolder` says what its fields are."""

    id: int
    person_id: int
    path: bytes
    shown: str
    platform: str | None
    layout: Layout
    options: FolderOptions
    added_at: datetime
    next_due_at: datetime
    scans: int
    scan_started_at: datetime | None
    scanned_at: datetime | None
    suspect_since: datetime | None
    problem: str | None
    problem_since: datetime | None


def add_folder(
    connection: Connection,
    path: str | bytes | os.PathLike[str],
    *,
    person_id: int = OWNER_ID,
    platform: str | None = None,
    layout: Layout = "auto",
    options: FolderOptions = FolderOptions(),  # noqa: B008 - it is frozen
    now: datetime,
) -> Folder:
    """Add a folder, which is looked at as soon as a scan comes by; one that was removed is there again, with its ROMs.

    `platform` is a slug, None where folders and files shall say it. Raises `UsageError` where there is no such folder,
    it cannot be listed, or it lies in another one of that person or holds one, since files would count twice.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"{layout!r} is no layout of folders; there are {', '.join(LAYOUTS)}")
    real = _real_path(path)
    folders = list_folders(connection, person_id)
    for folder in folders:
        _check_apart(real, folder)
    row = {
        "person_id": person_id,
        "path": "\\x" + real.hex(),
        "shown": shown(real),
        "platform": platform,
        "layout": layout,
        "options": msgspec.to_builtins(options),
        "added_at": now,
        "next_due_at": now,
    }
    kept = {name: row[name] for name in ("platform", "layout", "options", "next_due_at")}
    statement = insert_rows(_TABLE, tuple(row)).on_conflict_do_update(
        index_elements=["person_id", "path"],
        # Sets are made anew, since another platform or layout makes others.
        set_={**kept, "scan_started_at": now, "removed_at": None},
    )
    folder_id = execute_rows(connection, statement.returning(RomFolder.id), [row]).scalar_one()
    return load_folder(connection, folder_id)


def list_folders(connection: Connection, person_id: int | None = None) -> list[Folder]:
    """Return the folders of a person, or of all, by their paths; those that were removed are not among them."""
    query = select(_TABLE).where(RomFolder.removed_at.is_(None)).order_by(RomFolder.path, RomFolder.id)
    if person_id is not None:
        query = query.where(RomFolder.person_id == person_id)
    return [_folder(row) for row in connection.execute(query).mappings()]


def due_folders(connection: Connection, now: datetime) -> list[int]:
    """Return the folders that are to be looked at, the longest due first."""
    query = select(RomFolder.id).where(RomFolder.removed_at.is_(None), due(RomFolder.next_due_at, now, LONGEST_WAIT))
    return list(connection.scalars(query.order_by(RomFolder.next_due_at, RomFolder.id)))


def load_folder(connection: Connection, folder_id: int) -> Folder:
    """Return a folder; raises `UsageError` where there is none, or it was removed."""
    query = select(_TABLE).where(RomFolder.id == folder_id, RomFolder.removed_at.is_(None))
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UsageError(f"no folder of ROMs has the id {folder_id}; `lootwire roms list` shows them")
    return _folder(row)


def lock_folder(connection: Connection, folder_id: int) -> Folder:
    """Return a folder as it is, which nobody changes until the transaction ends; raises `UsageError` likewise."""
    connection.execute(select(RomFolder.id).where(RomFolder.id == folder_id).with_for_update())
    return load_folder(connection, folder_id)


def remove_folder(connection: Connection, folder_id: int, now: datetime) -> None:
    """Look at a folder no more, and forget none of it; what its ROMs say of the library goes when they are shelved."""
    load_folder(connection, folder_id)
    connection.execute(update(RomFolder).where(RomFolder.id == folder_id).values(removed_at=now, scan_started_at=None))


def change_folder(connection: Connection, folder_id: int, **values: Any) -> None:
    """Write some columns of a folder."""
    connection.execute(update(RomFolder).where(RomFolder.id == folder_id).values(values))


def shown(path: bytes) -> str:
    """Return a path as text; a byte that is no UTF-8 is written in hexadecimal digits behind a backslash."""
    # PostgreSQL keeps no NUL; a path that stands for one that is too long begins with it.
    return path.decode("utf-8", "backslashreplace").replace("\0", "")


def _folder(row: RowMapping) -> Folder:
    return msgspec.convert({name: row[name] for name in Folder.__struct_fields__}, Folder)


def _real_path(path: str | bytes | os.PathLike[str]) -> bytes:
    written = os.fsencode(path)
    expanded = os.path.expanduser(written)  # noqa: PTH111 - a path of bytes
    try:
        real = os.path.realpath(expanded, strict=True)
        os.scandir(real).close()
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"{shown(written)} is no folder that can be listed: {reason}") from error
    if real == os.fsencode(Path(os.sep)):
        raise UsageError("the root of all files is no folder of ROMs; name the folder that holds them")
    return real


def _check_apart(path: bytes, folder: Folder) -> None:
    if path.startswith(folder.path + b"/") or folder.path.startswith(path + b"/"):
        raise UsageError(
            f"{shown(path)} overlaps with {folder.shown}, which is a folder of ROMs already; its files would count "
            f"twice. `lootwire roms remove` it first, or leave it as it is"
        )
