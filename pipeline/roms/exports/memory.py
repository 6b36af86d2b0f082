"""What exports last wrote into files, kept so that what others changed there since is known (`merging`)."""

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from models import RomExport
from pipeline.roms.exports.merging import Remembered
from pipeline.roms.exports.records import Format

_DECODER = msgspec.msgpack.Decoder(tuple[Remembered, ...])
_ENCODER = msgspec.msgpack.Encoder()


def load_memory(connection: Connection, person_id: int, path: Path, format_: Format) -> tuple[Remembered, ...]:
    """Return what was last written into a file, nothing where that was in another format."""
    query = select(RomExport.written).where(
        RomExport.person_id == person_id, RomExport.path == os.fsencode(path), RomExport.format == format_
    )
    written = connection.scalar(query)
    return () if written is None else _DECODER.decode(written)


def keep_memory(
    connection: Connection,
    person_id: int,
    path: Path,
    format_: Format,
    memory: Iterable[Remembered],
    before: Iterable[Remembered],
    now: datetime,
) -> None:
    """Remember what is written into a file; where that is what was remembered `before`, no row changes."""
    kept = tuple(memory)
    if kept == tuple(before):
        return
    row = {"format": format_, "written": _ENCODER.encode(kept), "written_at": now}
    statement = insert(RomExport).values(person_id=person_id, path=os.fsencode(path), **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["person_id", "path"], set_=row))
