"""Which games ROMs are, as a person says; and what front ends are given of them."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from models import RomExport
from models.errors import UsageError
from pipeline.operations.library_imports import answer_of
from pipeline.operations.roms import RomAnswer, as_answer, folder_named, slug_of
from pipeline.roms.exports.exporting import export
from pipeline.roms.exports.records import Exported, Format
from pipeline.roms.listing.collected import RomFilter, load_collected, load_named
from pipeline.roms.resolving import Settled, forget_answers, settle, unmatch
from pipeline.roms.store.folders import list_folders, shown
from pipeline.runtime.runtime import Runtime


class ReopenedRoms(msgspec.Struct, frozen=True, kw_only=True):
    """The ROMs that the next scan looks up again."""

    roms: list[int]


class ExportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a front end that Lootwire wrote into, and when it last changed it."""

    path: str
    format: Format
    written_at: datetime


def roms_named(connection: Connection, person_id: int, names: Sequence[str]) -> list[int]:
    """Return the ROMs that a person names by number, name, title or file. Raises `UnknownRom`."""
    return [rom.id for rom in load_named(connection, person_id, names)]


def settle_roms(
    runtime: Runtime, person_id: int, now: datetime, ids: Sequence[int], game: str | None, *, own: bool = False
) -> list[RomAnswer]:
    """Say which game ROMs are: one of IGDB by title, number or address, else one that IGDB lacks (`own`), or none.

    The answer holds for all files of that title; returns the ROMs that it changed. Raises `UnclearGame`, `UnknownRom`.
    """
    said = answer_of(runtime, game, own=own)
    with runtime.engine.begin() as connection:
        return _changed(connection, person_id, settle(connection, person_id, ids, said, now))


def unmatch_roms(connection: Connection, person_id: int, now: datetime, ids: Sequence[int]) -> list[RomAnswer]:
    """Have ROMs be no game that Lootwire knows, for good; returns those that it changed. Raises `UnknownRom`."""
    return _changed(connection, person_id, unmatch(connection, person_id, ids, now))


def undo_roms(connection: Connection, person_id: int, now: datetime, ids: Sequence[int]) -> ReopenedRoms:
    """Take back what a person said of ROMs; the next scan looks their titles up again. Raises `UnknownRom`."""
    return ReopenedRoms(roms=list(forget_answers(connection, person_id, ids, now)))


def list_exports(connection: Connection, person_id: int) -> list[ExportAnswer]:
    """Return the files that exports of a person wrote into, by their paths."""
    query = select(RomExport.path, RomExport.format, RomExport.written_at).where(RomExport.person_id == person_id)
    rows = connection.execute(query.order_by(RomExport.path))
    return [
        msgspec.convert({"path": shown(row.path), "format": row.format, "written_at": row.written_at}, ExportAnswer)
        for row in rows
    ]


def run_export(
    connection: Connection,
    person_id: int,
    now: datetime,
    format_: Format,
    to: Path,
    *,
    folder: str | None = None,
    platform: str | None = None,
    dry_run: bool = False,
) -> Exported:
    """Bring a person's ROMs into a front end's list, which keeps all that is its own; again, it changes nothing.

    Raises `UnknownFolder`, `UsageError` where `to` cannot be what it is to be, `LootwireError` where it is not written.
    """
    return export(
        connection,
        person_id=person_id,
        format=format_,
        to=to,
        now=now,
        folder_id=folder_named(connection, person_id, folder).id if folder else None,
        platform=slug_of(platform),
        dry_run=dry_run,
    )


def check_in_folder(connection: Connection, person_id: int, to: Path) -> Path:
    """Return where a file really lies that another program names; it has to be in a folder of ROMs of that person.

    Raises `UsageError` for any other place.
    """
    real = os.path.realpath(os.fsencode(to))
    folders = list_folders(connection, person_id)
    if not any(real == folder.path or real.startswith(folder.path + b"/") for folder in folders):
        raise UsageError(f"{shown(real)} is in no folder of ROMs; exports of the API are written into these alone")
    return Path(os.fsdecode(real))


def _changed(connection: Connection, person_id: int, settled: Settled) -> list[RomAnswer]:
    mine = load_collected(connection, person_id, RomFilter(ids=settled.rom_ids))
    return [as_answer(rom) for rom in mine]
