"""Find what a person has twice: files, or members of archives, with the same bytes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, and_, func, or_, select

from models import RomContent, RomFile, RomFolder

# An archive's own bytes say how it was packed, its members what it holds.
_ARCHIVES = ("zip", "7z", "rar", "tar", "gz")


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """Where a content lies: a file by its path in a folder, or a member of it."""

    folder: str
    file: str
    member: str = ""


class Duplicate(msgspec.Struct, frozen=True, kw_only=True):
    """A content that several files have. `by` is the hash that says so: of `crc32` it is very likely, no more."""

    size: int
    by: str
    digest: str
    copies: tuple[Copy, ...]

    @property
    def wasted(self) -> int:
        """How many bytes, unpacked, are there more than once."""
        return self.size * (len(self.copies) - 1)


class _Part(msgspec.Struct, frozen=True):
    file_id: int
    sha1: bytes | None
    copy: Copy


def load_duplicates(connection: Connection, person_id: int) -> list[Duplicate]:
    """Return what a person has more than once, the most wasteful first; files that are missing do not count."""
    present = (
        select(
            *(RomContent.file_id, RomContent.member, RomContent.size, RomContent.crc32, RomContent.sha1),
            *(RomFolder.shown.label("folder"), RomFile.shown.label("file")),
        )
        .join(RomFile, RomFile.id == RomContent.file_id)
        .join(RomFolder, RomFolder.id == RomFile.folder_id)
        .where(RomFolder.person_id == person_id, RomFolder.removed_at.is_(None), RomFile.missing_since.is_(None))
        .where(RomContent.size > 0, RomContent.crc32.is_not(None))
        .where(or_(RomFile.container.not_in(_ARCHIVES), RomContent.position > 0))
        .subquery("present")
    )
    several = (
        select(present.c.size, present.c.crc32)
        .group_by(present.c.size, present.c.crc32)
        .having(func.count(func.distinct(present.c.file_id)) > 1)
        .subquery("several")
    )
    statement = (
        select(present)
        .join(several, and_(several.c.size == present.c.size, several.c.crc32 == present.c.crc32))
        .order_by(present.c.folder, present.c.file, present.c.member)
    )
    parts: defaultdict[tuple[int, int], list[_Part]] = defaultdict(list)
    for row in connection.execute(statement):
        copy = Copy(folder=row.folder, file=row.file, member=row.member)
        parts[row.size, row.crc32].append(_Part(row.file_id, row.sha1, copy))
    duplicates = [each for (size, crc32), some in parts.items() for each in _duplicates(size, crc32, some)]
    return sorted(duplicates, key=lambda each: (-each.wasted, each.digest))


def _duplicates(size: int, crc32: int, parts: Sequence[_Part]) -> Iterable[Duplicate]:
    """Yield the contents of one size and CRC32 that are there more than once.

    Where SHA-1 tells several apart, what has none may be any of them, and is none.
    """
    by_sha1: defaultdict[bytes | None, list[_Part]] = defaultdict(list)
    for part in parts:
        by_sha1[part.sha1].append(part)
    known = [sha1 for sha1 in by_sha1 if sha1 is not None]
    if len(known) == 1 and None in by_sha1:
        by_sha1 = defaultdict(list, {None: list(parts)})
    for sha1, same in by_sha1.items():
        if len({part.file_id for part in same}) > 1:
            by, digest = ("sha1", sha1.hex()) if sha1 is not None else ("crc32", f"{crc32:08x}")
            yield Duplicate(size=size, by=by, digest=digest, copies=tuple(part.copy for part in same))
