"""Import DATs: keep each in its version, and identify anew what it may know, without reading a file of a collection."""

import os
import stat
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Literal

import msgspec
from sqlalchemy import Connection, Engine

from models.errors import UsageError
from pipeline.roms.dats.dat import Dat, DatHeader
from pipeline.roms.dats.opening import DatSource, dats_of, read_dat
from pipeline.roms.dats.source import digest_of
from pipeline.roms.dats.versions import order_of
from pipeline.roms.platforms import platform_called
from pipeline.roms.store.dats import (
    KnownDat,
    find_dat,
    keep_dat,
    living_versions,
    lock_dats,
    refresh_statistics,
    shared_by,
    supersede,
)
from pipeline.roms.store.identification import Identified, identify

Outcome = Literal["new", "newer", "older", "already there", "refused"]
# Two lists of the same name are different ones, as those of Redump and TOSEC at libretro, where both are this long and
# share less than a tenth; a short one may well have changed altogether.
_LONG = 50
_A_PART = 10


class ImportedDat(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a DAT: `file` is its file, or `pack.zip: member.dat`; of a refused one `problem` says why.

    `newer` took the place of the version `instead_of`, `older` is kept and does not count beside it.
    """

    file: str
    outcome: Outcome
    dat_id: int | None = None
    name: str = ""
    version: str = ""
    platform: str | None = None
    games: int = 0
    roms: int = 0
    instead_of: str | None = None
    problem: str | None = None


class ImportedDats(msgspec.Struct, frozen=True, kw_only=True):
    """What came of each DAT, and of all ROMs that were identified anew; None where no DAT was new."""

    dats: Sequence[ImportedDat]
    identified: Identified | None


def import_dats(engine: Engine, files: Sequence[Path], *, platform: str | None = None, now: datetime) -> ImportedDats:
    """Import DATs, also those in zips, and identify all ROMs again where one was new.

    It is one transaction. Of each file all is kept or nothing: a file with anything wrong in it is refused, with its
    reason, and the others land. `platform` is a slug for all of them; else each header's name says it.
    """
    with engine.begin() as connection:
        lock_dats(connection)
        dats = [dat for file in files for dat in _import_file(connection, file, platform, now)]
        is_news = any(dat.outcome in {"new", "newer"} for dat in dats)
        if is_news:
            refresh_statistics(connection)
        return ImportedDats(dats=dats, identified=identify(connection, now=now) if is_news else None)


def _import_file(connection: Connection, file: Path, platform: str | None, now: datetime) -> list[ImportedDat]:
    name = os.fsencode(file.name).decode(errors="replace")
    try:
        with connection.begin_nested(), _open(file) as stream:
            return [_import_dat(connection, source, platform, now) for source in dats_of(stream, name)]
    except UsageError as error:
        return [ImportedDat(file=name, outcome="refused", problem=str(error))]
    except OSError as error:
        return [ImportedDat(file=name, outcome="refused", problem=f"{name} cannot be read: {error.strerror or error}")]


def _open(file: Path) -> IO[bytes]:
    # A pipe without a writer would be waited for.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"{file.name} is no file; name the files in a folder one by one")
    return os.fdopen(descriptor, "rb")


def _import_dat(connection: Connection, source: DatSource, platform: str | None, now: datetime) -> ImportedDat:
    with source.open() as opened:
        digest = digest_of(opened)
    if (known := find_dat(connection, digest)) is not None:
        return _imported(source.name, "already there", known)
    with source.open() as opened:
        dat = read_dat(opened)
        slug = platform or _platform_of(dat.header)
        dat_id, written = keep_dat(connection, dat, digest=digest, file_name=source.name, platform=slug, now=now)
        if opened.digest != digest:
            raise UsageError(f"{source.name} changed while it was read: import it again")
    if not written.games:
        raise UsageError(f"{source.name} was taken for a DAT ({dat.kind}), and it has no game in it")
    kept = KnownDat(
        id=dat_id,
        name=dat.header.name,
        version=dat.header.version,
        platform=slug,
        games=written.games,
        roms=written.roms,
        superseded_at=None,
    )
    return _placed(connection, source.name, dat, kept, now)


def _placed(connection: Connection, file: str, dat: Dat, kept: KnownDat, now: datetime) -> ImportedDat:
    """Let the newest of all versions count alone."""
    others = [
        other
        for other in living_versions(connection, dat.kind, kept.name)
        if other.id != kept.id and _is_same_list(connection, kept, other)
    ]
    newer = [other for other in others if order_of(kept.version, other.version) == "older"]
    if newer:
        supersede(connection, [kept.id], now)
        return _imported(file, "older", kept, newer[-1].version)
    if others:
        supersede(connection, [other.id for other in others], now)
        return _imported(file, "newer", kept, others[-1].version)
    return _imported(file, "new", kept)


def _is_same_list(connection: Connection, kept: KnownDat, other: KnownDat) -> bool:
    shorter = min(kept.games, other.games)
    return shorter < _LONG or shared_by(connection, kept.id, other.id) * _A_PART >= shorter


def _platform_of(header: DatHeader) -> str | None:
    for name in (header.name, header.description):
        if name and (platform := platform_called(name) or platform_called(name.split(" (")[0])) is not None:
            return platform.slug
    return None


def _imported(file: str, outcome: Outcome, dat: KnownDat, instead_of: str | None = None) -> ImportedDat:
    return ImportedDat(
        file=file,
        outcome=outcome,
        dat_id=dat.id,
        name=dat.name,
        version=dat.version,
        platform=dat.platform,
        games=dat.games,
        roms=dat.roms,
        instead_of=instead_of,
    )
