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

_OUTER = msgspec.msgpack.Decoder(tuple[bytes, int, int, msgspec.Raw])
_ROMS = msgspec.msgpack.Decoder(tuple[Remembered, ...])
_ENCODER = msgspec.msgpack.Encoder()


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What was last written into a file.

    `digest` is that of the file and of the ROMs then (`merging.digest_of`), `same` and `kept` how many entries were of
    them, and were not.
    """

    digest: bytes = b""
    same: int = 0
    kept: int = 0
    # Decoded when it is asked for: of a file that is as it was nobody asks.
    written: bytes = b""

    @property
    def roms(self) -> tuple[Remembered, ...]:
        return _ROMS.decode(self.written) if self.written else ()


def load_memory(connection: Connection, person_id: int, path: Path, format_: Format) -> Memory:
    """Return what was last written into a file, nothing where that was in another format."""
    query = select(RomExport.written).where(
        RomExport.person_id == person_id, RomExport.path == os.fsencode(path), RomExport.format == format_
    )
    row = connection.scalar(query)
    if row is None:
        return Memory()
    digest, same, kept, written = _OUTER.decode(row)
    return Memory(digest=digest, same=same, kept=kept, written=bytes(written))


def keep_memory(
    connection: Connection,
    person_id: int,
    path: Path,
    format_: Format,
    before: Memory,
    roms: Iterable[Remembered],
    now: datetime,
    *,
    digest: bytes = b"",
    same: int = 0,
    kept: int = 0,
) -> None:
    """Remember what is written into a file; where that is what was remembered `before`, no row changes."""
    memory = Memory(digest=digest, same=same, kept=kept, written=_ENCODER.encode(tuple(roms)))
    if memory == before:
        return
    written = _ENCODER.encode((digest, same, kept, msgspec.Raw(memory.written)))
    row = {"format": format_, "written": written, "written_at": now}
    statement = insert(RomExport).values(person_id=person_id, path=os.fsencode(path), **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["person_id", "path"], set_=row))
