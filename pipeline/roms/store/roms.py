"""The ROMs of a folder and their files: written where they differ from what is known, and nowhere else."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
    true,
    update,
)

from models import Rom, RomFile, RomMember
from models.names import name_key
from pipeline.database.bulk import execute_rows, rows_as_table
from pipeline.database.copying import copy_rows
from pipeline.roms.compare import StoredRom
from pipeline.roms.details import RomLine
from pipeline.roms.records import RomName, RomSet
from pipeline.roms.store.files import rows_of

_ROMS: Table = Rom.__table__  # type: ignore[assignment]
_MEMBERS: Table = RomMember.__table__  # type: ignore[assignment]
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_NAMED = ("title", "title_key", "year", "regions", "languages", "disc", "revision", "flags", "tags")
_INSERTED = ("id", "folder_id", "kind", "written", "platform", *_NAMED, "added_at")
_CHANGED = ("id", "kind", "written", "platform", *_NAMED)

ReadName = Callable[[str], RomName]


def load_roms(connection: Connection, folder_id: int, ids: Collection[int] | None = None) -> list[StoredRom]:
    """Return the ROMs of a folder, some or all, with their files, the missing ones too."""
    # SQLAlchemy looks at each value of an array by itself, the driver does not.
    file_ids: ColumnElement[Any] = literal_column("array_agg(file_id ORDER BY position)")
    some = true() if ids is None else Rom.id == func.any(_IDS)
    per_rom = (
        select(RomMember.rom_id, file_ids.label("file_ids"))
        .join(Rom, Rom.id == RomMember.rom_id)
        .where(Rom.folder_id == folder_id, some)
        .group_by(RomMember.rom_id)
        .subquery()
    )
    query = (
        select(
            Rom.id,
            Rom.kind,
            Rom.written,
            Rom.platform,
            per_rom.c.file_ids,
            Rom.pinned_at.is_not(None),
            Rom.missing_since.is_not(None),
            Rom.game_id,
        )
        .outerjoin(per_rom, per_rom.c.rom_id == Rom.id)
        .where(Rom.folder_id == folder_id, some)
        .order_by(Rom.id)
    )
    return [
        StoredRom(id_, kind, written, platform, tuple(members or ()), *rest)
        for id_, kind, written, platform, members, *rest in rows_of(
            connection.execute(query, {} if ids is None else {"ids": [*ids]})
        )
    ]


def load_around(connection: Connection, file_ids: Collection[int]) -> tuple[list[int], list[bytes]]:
    """Return the ROMs that have one of these files, and the paths of all files of those."""
    having = select(RomMember.rom_id).where(RomMember.file_id == func.any(_IDS)).distinct()
    rom_ids = list(connection.scalars(having, {"ids": [*file_ids]}))
    query = select(RomFile.path).join(RomMember, RomMember.file_id == RomFile.id)
    return rom_ids, list(connection.scalars(query.where(RomMember.rom_id == func.any(_IDS)), {"ids": rom_ids}))


def count_roms(connection: Connection, folder_id: int) -> int:
    """Return how many ROMs of a folder there are, the missing ones too."""
    return connection.execute(select(func.count()).where(Rom.folder_id == folder_id)).scalar_one()


def load_missing_files(connection: Connection, folder_id: int) -> set[int]:
    """Return the files of a folder that are missing."""
    query = select(RomFile.id).where(RomFile.folder_id == folder_id, RomFile.missing_since.is_not(None))
    return set(connection.scalars(query))


def add_roms(
    connection: Connection, folder_id: int, sets: Sequence[RomSet], read_name: ReadName, now: datetime
) -> list[int]:
    """Store ROMs that are new, with their files; returns their ids, in order.

    The caller has locked the folder, and no other changes or forgets its files meanwhile.
    """
    if not sets:
        return []
    query = text("SELECT nextval(pg_get_serial_sequence('roms', 'id')) FROM generate_series(1, :count)")
    ids = list(connection.scalars(query, {"count": len(sets)}).all())
    rows = (
        (id_, folder_id, each.kind, each.written, each.platform, *_name_values(read_name(each.written)), now)
        for id_, each in zip(ids, sets, strict=True)
    )
    copy_rows(connection, _ROMS, _INSERTED, rows, keys_hold=True)
    _add_members(connection, zip(ids, sets, strict=True))
    return ids


def change_roms(connection: Connection, changed: Sequence[tuple[StoredRom, RomSet]], read_name: ReadName) -> None:
    """Store what ROMs are now. One with another name or platform is to be matched with games anew, but a pinned one."""
    if not changed:
        return
    rows = [
        {
            "id": rom.id,
            "kind": each.kind,
            "written": each.written,
            "platform": each.platform,
            **dict(zip(_NAMED, _name_values(read_name(each.written)), strict=True)),
        }
        for rom, each in changed
    ]
    new = rows_as_table(_ROMS, _CHANGED).subquery()
    values = {name: new.c[name] for name in _CHANGED[1:]}
    execute_rows(connection, update(Rom).where(Rom.id == new.c.id).values(values), rows)
    renamed = [
        rom.id
        for rom, each in changed
        if (rom.written, rom.platform) != (each.written, each.platform) and not rom.is_pinned
    ]
    if renamed:
        connection.execute(update(Rom).where(Rom.id == func.any(_IDS)).values(matched_at=None), {"ids": renamed})
    others = [(rom.id, each) for rom, each in changed if rom.file_ids != each.file_ids]
    if others:
        gone = delete(RomMember).where(RomMember.rom_id == func.any(_IDS))
        connection.execute(gone, {"ids": [rom_id for rom_id, _ in others]})
        _add_members(connection, others)


def note_missing(connection: Connection, ids: Collection[int], now: datetime) -> None:
    """Note that all files of these ROMs are missing; the ROMs stay, with all that is known of them."""
    if ids:
        connection.execute(update(Rom).where(Rom.id == func.any(_IDS)).values(missing_since=now), {"ids": [*ids]})


def note_returned(connection: Connection, ids: Collection[int]) -> None:
    """Note that ROMs are there again, as they were."""
    if ids:
        connection.execute(update(Rom).where(Rom.id == func.any(_IDS)).values(missing_since=None), {"ids": [*ids]})


def forget_roms(connection: Connection, ids: Collection[int]) -> None:
    """Forget ROMs whose files belong to other ROMs now."""
    if ids:
        connection.execute(delete(Rom).where(Rom.id == func.any(_IDS)), {"ids": [*ids]})


def load_lines(connection: Connection, ids: Collection[int]) -> list[RomLine]:
    """Return ROMs as events name them."""
    if not ids:
        return []
    query = select(Rom.id, Rom.title, Rom.platform, Rom.game_id).where(Rom.id == func.any(_IDS)).order_by(Rom.id)
    return [RomLine(*row) for row in rows_of(connection.execute(query, {"ids": [*ids]}))]


def _add_members(connection: Connection, sets: Iterable[tuple[int, RomSet]]) -> None:
    rows = ((rom_id, place, file_id) for rom_id, each in sets for place, file_id in enumerate(each.file_ids))
    copy_rows(connection, _MEMBERS, ("rom_id", "position", "file_id"), rows, keys_hold=True)


def _name_values(name: RomName) -> tuple[Any, ...]:
    return (
        *(name.title, name_key(name.title), name.year, name.regions, name.languages, name.disc, name.revision),
        *(name.flags, name.tags),
    )
