"""Read a file of a collection once."""

import os
from typing import Protocol

import msgspec

from pipeline.roms.reading.discs import chd_sha1, read_cso
from pipeline.roms.reading.hashing import Hasher, as_text, ending, hash_whole, header_size
from pipeline.roms.reading.limits import Limits
from pipeline.roms.reading.opening import open_below
from pipeline.roms.reading.rars import read_rar
from pipeline.roms.reading.sevenzips import read_7z
from pipeline.roms.reading.sheets import SHEETS, sheet_names
from pipeline.roms.reading.streams import Source, read_stream
from pipeline.roms.reading.telling import BEGIN, Kind, broken_promise, is_part, kind_of, only_archives
from pipeline.roms.reading.trouble import Broken, Contents
from pipeline.roms.reading.zips import read_zip
from pipeline.roms.records import Container, Content, FileReading

_BLOCK = 2**18
_CHANGED = "changed while it was read: the next scan reads it again"


_NOTHING = Contents(members=(), error=None)


class _Reader(Protocol):
    def __call__(self, file: int, size: int, limits: Limits, *, deep: bool) -> Contents: ...


_ARCHIVES: dict[Kind, tuple[Container, _Reader]] = {
    "zip": ("zip", read_zip),
    "7z": ("7z", read_7z),
    "rar": ("rar", read_rar),
}


def read_file(root: int, path: bytes, limits: Limits, *, deep: bool = False) -> FileReading:
    """Return what the file at `path` below the open folder `root` is, with its hashes and those of its members.

    Nothing is raised for a file: what hinders, or is broken, is the reading's `error`, with what could be read. Members
    of a gz or tar, and those that may begin with a copier's header, are unpacked and hashed whole; of others in a zip,
    7z or rar the list of contents gives size and CRC32, and only with `deep` they are unpacked too. Archives in
    archives are plain members, and one that holds nothing else has that for an `error`. No file is written, and no link
    followed.
    """
    try:
        file, status = open_below(root, path)
    except OSError as error:
        return FileReading(container="plain", contents=(), error=f"cannot be opened: {error.strerror or error}")
    try:
        return _read(file, status, as_text(path.rpartition(b"/")[2]), limits, deep=deep)
    except OSError as error:
        return FileReading(container="plain", contents=(), error=f"cannot be read: {error.strerror or error}")
    finally:
        os.close(file)


def _read(file: int, before: os.stat_result, name: str, limits: Limits, *, deep: bool) -> FileReading:
    size = before.st_size
    # One byte more would cost a second read of most files; whether it grew the status says afterwards.
    begin = os.read(file, min(size, _BLOCK)) if size else b""
    kind: Kind = kind_of(begin[:BEGIN])
    if kind != "plain" and is_part(name):
        kind = "plain"
    container: Container = "plain"
    within = _NOTHING
    sheet: tuple[str, ...] = ()
    if kind in {"gz", "tar"}:
        os.lseek(file, 0, os.SEEK_SET)
        hasher = Hasher(name, size)
        source = Source(file, hasher)
        container, within = read_stream(source, kind, size, name, limits)
        source.drain()
        content = hasher.content()
    else:
        content = _hash(file, begin, size, name)
        if kind != "plain":
            container, within, disk_sha1 = _look_into(file, begin, name, kind, size, limits, deep=deep)
            if disk_sha1 is not None:
                content = msgspec.structs.replace(content, disk_sha1=disk_sha1)
        elif ending(name) in SHEETS and size <= limits.sheet:
            sheet = sheet_names(name, begin if len(begin) == size else os.pread(file, size, 0))
        else:
            within = Contents(members=(), error=broken_promise(name))
    after = os.fstat(file)
    if size != after.st_size or before.st_mtime_ns != after.st_mtime_ns or content.hashes.size != size:
        return FileReading(container=container, contents=(), error=_CHANGED)
    error = within.error or only_archives([each.member for each in within.members])
    return FileReading(container=container, contents=(content, *within.members), sheet=sheet, error=error)


def _hash(file: int, begin: bytes, size: int, name: str) -> Content:
    if len(begin) == size and not header_size(begin, size, name):
        return Content(member="", hashes=hash_whole(begin))
    hasher = Hasher(name, size)
    hasher.update(begin)
    left = size - len(begin)
    while left > 0 and (data := os.read(file, _BLOCK)):
        hasher.update(data)
        left -= len(data)
    return hasher.content()


def _look_into(
    file: int, begin: bytes, name: str, kind: Kind, size: int, limits: Limits, *, deep: bool
) -> tuple[Container, Contents, bytes | None]:
    """Return what a file is that was hashed, what is in it, and a CHD's SHA-1."""
    archive = _ARCHIVES.get(kind)
    if archive is not None:
        container, read = archive
        return container, read(file, size, limits, deep=deep), None
    if kind in {"cso", "zso"}:
        return "cso", read_cso(file, size, name, limits, deep=deep), None
    if kind == "chd":
        try:
            return "chd", _NOTHING, chd_sha1(begin)
        except Broken as error:
            return "chd", Contents(members=(), error=str(error)), None
    return "plain", _NOTHING, None
