"""Import DATs: keep each in its version, and identify anew what it may know, without reading a file of a collection."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from sqlalchemy import Engine

from pipeline.roms.store.identification import Identified

Outcome = Literal["new", "newer", "older", "already there", "refused"]


class ImportedDat(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a DAT: `file` is its file, or `pack.zip: member.dat`; of a refused one `problem` says why.

    `newer` took the place of another version, `older` is kept and does not count.
    """

    file: str
    outcome: Outcome
    dat_id: int | None = None
    name: str = ""
    version: str = ""
    platform: str | None = None
    games: int = 0
    roms: int = 0
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
    raise NotImplementedError
