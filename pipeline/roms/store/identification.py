"""Say of each set what the DATs say of it, in a few statements for all of them; no file is read."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection


class Identified(msgspec.Struct, frozen=True, kw_only=True):
    """How many sets were looked at, how many are now identified otherwise than before, and how all of them stand.

    `newly` are the ids of those that a DAT knows now and none did before, in order.
    """

    roms: int
    changed: int
    verified: int
    incomplete: int
    bad: int
    unknown: int
    newly: tuple[int, ...] = ()


def identify(connection: Connection, *, folder_id: int | None = None, now: datetime) -> Identified:
    """Set what DATs say of each set of a folder, or of all: game, verdict, by which hash, and its right name."""
    raise NotImplementedError


def needs_deep(connection: Connection, folder_id: int) -> list[int]:
    """Return the ids of a folder's archives that a DAT may know, and not by what is known of their members.

    They are to be read with all hashes: their list of contents has no more than CRC32 and size.
    """
    raise NotImplementedError
