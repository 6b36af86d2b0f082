"""The DATs that were imported: their games and files, written by COPY, and which version of each counts."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Table, func, insert, select, text, update

from models import DatFile, DatGame, DatRom
from models.locks import lock_key, lock_transaction
from pipeline.database.copying import copy_rows
from pipeline.roms.dats.dat import Dat
from pipeline.roms.records import DatGameRecord, DatRomRecord

_LOCK = "roms.dats"
_DATS = cast("Table", DatFile.__table__)
_GAMES = cast("Table", DatGame.__table__)
_ROMS = cast("Table", DatRom.__table__)
# Games that are held at a time.
_AT_ONCE = 2_000
_GAME_COLUMNS = (
    *("id", "dat_id", "position", "name", "description", "parent_name", "year", "maker", "serial", "role", "files"),
)
_ROM_COLUMNS = ("dat_game_id", "position", "name", "size", "crc32", "md5", "sha1", "is_disk", "status")
_NEW_IDS = text("SELECT nextval(pg_get_serial_sequence('dat_games', 'id')) FROM generate_series(1, :count) ORDER BY 1")
# Names that two DATs share, and hashes, which stay where a game gets another name.
_SHARED = text("""
SELECT greatest(
    (SELECT count(*) FROM (
        SELECT name FROM dat_games WHERE dat_id = :dat_id INTERSECT SELECT name FROM dat_games WHERE dat_id = :other
    ) AS names),
    (SELECT count(*) FROM (
        SELECT crc32, size FROM dat_roms JOIN dat_games ON id = dat_game_id WHERE dat_id = :dat_id
        INTERSECT SELECT crc32, size FROM dat_roms JOIN dat_games ON id = dat_game_id WHERE dat_id = :other
    ) AS hashes WHERE crc32 IS NOT NULL)
)
""")


class KnownDat(msgspec.Struct, frozen=True, kw_only=True):
    """A DAT that is kept; one with a `superseded_at` does not count."""

    id: int
    name: str
    version: str
    platform: str | None
    games: int
    roms: int
    superseded_at: datetime | None


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written of a DAT."""

    games: int
    roms: int


def lock_dats(connection: Connection) -> None:
    """Wait until no other transaction imports DATs, and let none do so until this one ends."""
    lock_transaction(connection, lock_key(_LOCK))


def find_dat(connection: Connection, digest: bytes) -> KnownDat | None:
    """Return the DAT whose bytes have this digest, superseded or not."""
    dats = _known(connection, DatFile.digest == digest)
    return dats[0] if dats else None


def living_versions(connection: Connection, kind: str, name: str) -> list[KnownDat]:
    """Return the DATs of this name that count, the oldest first."""
    return _known(connection, DatFile.kind == kind, DatFile.name == name, DatFile.superseded_at.is_(None))


def _known(connection: Connection, *conditions: Any) -> list[KnownDat]:
    columns = [_DATS.c[name] for name in KnownDat.__struct_fields__]
    rows = connection.execute(select(*columns).where(*conditions).order_by(DatFile.id)).mappings()
    return [KnownDat(**row) for row in rows]


def keep_dat(
    connection: Connection, dat: Dat, *, digest: bytes, file_name: str, platform: str | None, now: datetime
) -> tuple[int, Written]:
    """Write a DAT with all its games, game by game, and return its id and what was written.

    Raises what reading it raises; the transaction is to be given up then.
    """
    row: dict[str, Any] = {
        "kind": dat.kind,
        "name": dat.header.name,
        "version": dat.header.version,
        "platform": platform,
    }
    row |= {"digest": digest, "file_name": file_name, "games": 0, "roms": 0, "imported_at": now}
    dat_id = connection.execute(insert(DatFile).values(row).returning(DatFile.id)).scalar_one()
    games = roms = 0
    lacks_crc32 = False
    while part := list(islice(dat.games, _AT_ONCE)):
        ids = connection.execute(_NEW_IDS, {"count": len(part)}).scalars().all()
        copy_rows(connection, _GAMES, _GAME_COLUMNS, _game_rows(dat_id, games + 1, ids, part))
        copy_rows(connection, _ROMS, _ROM_COLUMNS, _rom_rows(ids, part))
        games += len(part)
        roms += sum(len(game.roms) for game in part)
        lacks_crc32 = lacks_crc32 or any(_lacks_crc32(rom) for game in part for rom in game.roms)
    counts = {"games": games, "roms": roms, "lacks_crc32": lacks_crc32}
    connection.execute(update(DatFile).where(DatFile.id == dat_id).values(counts))
    return dat_id, Written(games=games, roms=roms)


def supersede(connection: Connection, dat_ids: Sequence[int], now: datetime) -> None:
    """Let these DATs count no more; what they say stays."""
    connection.execute(update(DatFile).where(DatFile.id.in_(dat_ids)).values(superseded_at=now))


def shared_by(connection: Connection, dat_id: int, other: int) -> int:
    """Return how many games or files two DATs have in common: by name, or by hash where that are more."""
    return int(connection.execute(_SHARED, {"dat_id": dat_id, "other": other}).scalar_one())


def refresh_statistics(connection: Connection) -> None:
    """Let PostgreSQL look at what was written, so that it plans for that many rows."""
    connection.execute(text("ANALYZE dat_files, dat_games, dat_roms"))


def count_dats(connection: Connection) -> int:
    """Return how many DATs count."""
    query = select(func.count()).select_from(DatFile).where(DatFile.superseded_at.is_(None))
    return connection.execute(query).scalar_one()


def _is_known(rom: DatRomRecord) -> bool:
    """Return whether a file can be known by any hash."""
    return rom.status != "nodump" and not (rom.sha1 is None and rom.md5 is None and rom.crc32 is None)


def _lacks_crc32(rom: DatRomRecord) -> bool:
    """Return whether a file can be known, and not by what the list of a zip says."""
    if rom.is_disk or rom.status == "nodump" or (rom.sha1 is None and rom.md5 is None):
        return False
    return rom.crc32 is None or rom.size is None


def _game_rows(
    dat_id: int, first: int, ids: Sequence[int], games: Iterable[DatGameRecord]
) -> Iterator[tuple[Any, ...]]:
    for number, (game_id, game) in enumerate(zip(ids, games, strict=True), first):
        yield (
            *(game_id, dat_id, number, game.name, game.description, game.parent, game.year, game.maker, game.serial),
            *(game.role, sum(map(_is_known, game.roms))),
        )


def _rom_rows(ids: Sequence[int], games: Iterable[DatGameRecord]) -> Iterator[tuple[Any, ...]]:
    for game_id, game in zip(ids, games, strict=True):
        for number, rom in enumerate(game.roms, 1):
            yield (game_id, number, rom.name, rom.size, rom.crc32, rom.md5, rom.sha1, rom.is_disk, rom.status)
