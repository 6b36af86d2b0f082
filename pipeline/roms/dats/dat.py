"""What a DAT is when it is read: a name, a version, and its games one after the other. Pure."""

from collections.abc import Iterator
from typing import NoReturn

import msgspec

from models.errors import UsageError
from pipeline.roms.records import DatGameRecord, DatKind


class DatHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a DAT says of itself; `version` is empty where it says none."""

    name: str
    version: str = ""
    description: str | None = None


class Dat(msgspec.Struct, frozen=True, kw_only=True):
    """A DAT that is being read: `games` yields each once, and raises `UsageError` where it goes wrong."""

    kind: DatKind
    header: DatHeader
    games: Iterator[DatGameRecord]


def refuse(file_name: str, taken_for: str, why: str) -> NoReturn:
    """Raise the error of a file that was recognised, and cannot be read for this reason."""
    raise UsageError(f"{file_name} was taken for {taken_for}, and {why}")
