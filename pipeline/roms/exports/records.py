"""What exports hand to one another: ROMs as front ends list them, and what came of writing a file. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal, get_args

import msgspec

Format = Literal["gamelist", "batocera", "pegasus", "launchbox", "romm", "retroarch", "m3u", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)
# What people call them too. EmulationStation and ES-DE read the same file.
ALSO: Mapping[str, Format] = {
    "emulationstation": "gamelist",
    "es": "gamelist",
    "es-de": "gamelist",
    "esde": "gamelist",
    "retropie": "gamelist",
    "lpl": "retroarch",
    "pegasus-frontend": "pegasus",
}


class GameToExport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A ROM that is there, as a front end lists it.

    `folder` is the collection's path, `path` that of the file that a front end opens, `files` those of all its files,
    both below it. `title` is as it is shown: the person's name for the game, else IGDB's, the DAT's or what the file's
    name says. `dat_name` is what its DAT calls it, or else the file's name without its ending. `rating` is the
    person's, 0 to 100; `players` as front ends write it (`1-4`); times are UTC. `member` is the only file of an
    archive, and hashes are of it, without a copier's header where it has one.
    """

    rom_id: int
    file_id: int
    folder: bytes
    path: bytes
    title: str
    dat_name: str
    files: tuple[bytes, ...] = ()
    kind: str = "file"
    platform: str | None = None
    description: str | None = None
    released_on: date | None = None
    year: int | None = None
    developer: str | None = None
    publisher: str | None = None
    genres: Sequence[str] = ()
    players: str | None = None
    rating: float | None = None
    is_favourite: bool = False
    regions: Sequence[str] = ()
    languages: Sequence[str] = ()
    disc: int | None = None
    size: int | None = None
    member: str | None = None
    crc32: int | None = None
    md5: bytes | None = None
    sha1: bytes | None = None
    igdb_id: int | None = None
    verdict: str = "unknown"
    status: str | None = None
    seconds: int | None = None
    last_played_at: datetime | None = None


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A ROM that an export cannot hold, its path as text, and why."""

    shown: str
    reason: str


class WrittenFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file, or a link, that an export wrote or, with a dry run, would write; one that is as it was is none.

    `diff` is a unified diff of its text. `is_removed` for a link of ours whose ROM is gone.
    """

    path: str
    is_new: bool
    diff: str
    is_removed: bool = False


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an export: how many entries are new, changed (also by a new path) or as they were.

    `kept` counts entries that are not of the ROMs that were exported, and stay. `files` are those that were written, or
    would be.
    """

    format: Format
    to: str
    added: int = 0
    changed: int = 0
    same: int = 0
    kept: int = 0
    files: tuple[WrittenFile, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether anything was written, or would be."""
        return bool(self.files)
