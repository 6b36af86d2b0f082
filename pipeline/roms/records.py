"""What the rooms of this subject hand to one another: files as they were read, sets, names, games of DATs. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec

Container = Literal["plain", "zip", "7z", "rar", "tar", "gz", "chd", "cso"]
Layout = Literal["auto", "flat", "romm", "esde", "exodos"]
SetKind = Literal["file", "archive", "cue", "gdi", "m3u", "folder", "split"]
Verdict = Literal["verified", "incomplete", "bad", "unknown"]
IdentifiedBy = Literal["sha1", "md5", "crc32", "disk", "name"]
DatKind = Literal["logiqx", "clrmamepro", "softwarelist", "smdb"]
Role = Literal["game", "bios", "device"]
Status = Literal["good", "verified", "baddump", "nodump"]


class Hashes(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The size in bytes and the hashes of some bytes; those that nobody computed are None."""

    size: int
    crc32: int | None = None
    md5: bytes | None = None
    sha1: bytes | None = None


class Content(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a file is, or a member of an archive, whose name is `member` (empty for the file itself).

    Where it begins with a copier's header of `header_bytes`, `headerless` are the hashes of the rest, which DATs hold.
    `disk_sha1` is the SHA-1 that a CHD's header has of its raw and meta data.
    """

    member: str
    hashes: Hashes
    header_bytes: int = 0
    headerless: Hashes | None = None
    disk_sha1: bytes | None = None


class FileReading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file as it was read: the file itself first, then an archive's members in their order.

    `sheet` are the names that a cue, gdi or m3u lists, in order. With an `error`, a sentence for a person, what could
    be read is there all the same: of a broken archive the file's own hashes.
    """

    container: Container
    contents: tuple[Content, ...]
    sheet: tuple[str, ...] = ()
    error: str | None = None


class FoundFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file of a folder, as the making of sets sees it; `path` is relative to the folder, `id` the row's.

    `members` are the names in an archive, `sheet` those that a cue, gdi or m3u lists.
    """

    id: int
    path: bytes
    size: int
    container: Container
    members: tuple[str, ...] = ()
    sheet: tuple[str, ...] = ()


class RomSet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Files that make one release of a game: `file_ids` begin with that which a front end opens.

    `written` is its name as it stands there, without an ending: `Abuse (1995)`. `platform` is a slug of
    `models.platforms`, None where neither folders nor files say it.
    """

    kind: SetKind
    written: str
    platform: str | None
    file_ids: tuple[int, ...]


class RomName(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a name says: `title` as people write it ("The Seven Cities of Gold"), and what stands in its brackets.

    `regions` are as No-Intro writes them (`USA`, `Europe`), `languages` codes of ISO 639-1 in lower case. `flags` are
    words of `pipeline.roms.names.FLAGS`; `tags` are brackets that nobody knows, as they are written.
    """

    title: str
    year: int | None = None
    regions: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    disc: int | None = None
    revision: str | None = None
    flags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class DatRomRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a game of a DAT; what the DAT does not say is None. A CHD (`is_disk`) has the SHA-1 of its header."""

    name: str
    size: int | None = None
    crc32: int | None = None
    md5: bytes | None = None
    sha1: bytes | None = None
    is_disk: bool = False
    status: Status = "good"


class DatGameRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A game of a DAT; `parent` is the name of the one that it is a clone of."""

    name: str
    roms: Sequence[DatRomRecord]
    description: str | None = None
    parent: str | None = None
    year: int | None = None
    maker: str | None = None
    serial: str | None = None
    role: Role = "game"
