"""Read the members of tar and zip archives in time order, and write none to disk under its own name."""

import gzip
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

import msgspec

from pipeline.fetch.limits import TooMuch
from pipeline.importer import limits
from pipeline.importer.entries import Entry, Key, modified, problem
from pipeline.importer.limits import Ratio, TooMany, limited
from pipeline.importer.streams import DAMAGED_STREAM, begins, decompressed, unpack
from pipeline.importer.times import TimeParser
from pipeline.importer.walking import open_file, shown

# What a damaged archive raises, by format: encrypted and unknown kinds are a RuntimeError, odd fields the others.
DAMAGED = (*DAMAGED_STREAM, tarfile.TarError, zipfile.BadZipFile, RuntimeError, ValueError, struct.error, TooMuch)
_NOT_READ = "not a file: links, pipes and devices in archives are not followed"
_ZIP_END = struct.Struct("<4s4H2LH")
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_BLOCK = 512
_BLOCK = 2**16
Kind = Literal["tar", "zip"]


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """An archive that was looked through; `first` sorts it among others, `ordered` says that one pass is enough."""

    path: str
    file: Path
    kind: Kind
    first: Key
    ordered: bool


def archive_kind(start: bytes, raw_start: bytes) -> Kind | None:
    """Return the kind of an archive by its first bytes, unpacked and raw; None for a single payload."""
    if raw_start[:4] in _ZIP_MARKS:
        return "zip"
    # A tar header is one block with this mark in it.
    return "tar" if start[257:262] == b"ustar" else None


def look_through(path: str, file: Path, kind: Kind, parse_time: TimeParser) -> Archive | Entry:
    """Return an archive with its order, or an entry that says why nothing of it can be read."""
    first: Key | None = None
    last: Key | None = None
    ordered = True
    try:
        if kind == "zip":
            with _open_zip(file) as archive:
                listed = [_zip_entry(path, archive, info, parse_time).key for info in _zip_members(archive)]
            first = min(listed, default=None)
        else:
            for entry in _tar_entries(path, file, parse_time):
                ordered = ordered and (last is None or last <= entry.key)
                last = entry.key
                first = min(first, last) if first else last
    except TooMany as error:
        return problem(path, error)
    except DAMAGED as error:
        # Members before the damage are read, and the damage is reported when the reading reaches it.
        if first is None:
            return problem(path, error)
    if first is None:
        return problem(path, "an archive with nothing in it")
    return Archive(path=path, file=file, kind=kind, first=first, ordered=ordered)


def archive_entries(archive: Archive, parse_time: TimeParser, *, spool: bool) -> Generator[Entry, None, None]:
    """Yield the members in time order; each must be read before the next one is asked for.

    With `spool` the members wait on disk and no decompressor in memory, so that many archives may be open at once.
    """
    last = archive.first
    if archive.kind == "zip":
        members = _sorted_zip(archive, parse_time)
    elif archive.ordered and not spool:
        members = _tar_entries(archive.path, archive.file, parse_time)
    else:
        members = _spooled(archive, parse_time)
    try:
        for entry in members:
            last = entry.key
            yield entry
    except DAMAGED as error:
        yield problem(archive.path, error, after=last)


def _sorted_zip(archive: Archive, parse_time: TimeParser) -> Iterator[Entry]:
    with _open_zip(archive.file) as opened:
        entries = [_zip_entry(archive.path, opened, info, parse_time) for info in _zip_members(opened)]
        yield from sorted(entries, key=lambda entry: entry.key)


@contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    with open_file(path) as file:
        _check_zip_end(file)
        with zipfile.ZipFile(file) as archive:
            yield archive


def _check_zip_end(file: IO[bytes]) -> None:
    """Refuse a list of contents that would fill the memory before any other limit is checked."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 2**16 - _ZIP_END.size))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if 0 <= at <= len(tail) - _ZIP_END.size:
        directory = _ZIP_END.unpack_from(tail, at)[5]
        if directory > limits.MAX_ZIP_DIRECTORY:
            raise TooMuch(f"a zip whose list of contents has {directory:,} bytes")
    file.seek(0)


def _zip_members(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    ratio, total = Ratio("zip"), 0
    for number, info in enumerate(archive.infolist(), start=1):
        if number > limits.MAX_ENTRIES:
            raise TooMany(f"more than {limits.MAX_ENTRIES:,} entries")
        if info.is_dir():
            continue
        total += info.compress_size
        # Members that overlap, as in the best bombs, add up to more than the file that they are in.
        ratio.add(info.file_size, min(total, archive.start_dir))
        yield info


def _zip_entry(path: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, parse_time: TimeParser) -> Entry:
    def read() -> bytes:
        if (info.external_attr >> 28) == 0xA:
            raise TooMuch(_NOT_READ)
        with archive.open(info) as stream:
            return unpack(limited(stream, info.file_size))

    try:
        modified_at = datetime(*info.date_time, tzinfo=UTC)
    except ValueError:
        modified_at = datetime.now(UTC)
    name = shown(info.filename)
    return Entry(path=f"{path}:{name}", moment=parse_time(name), modified_at=modified_at, read=read)


class _Member(tarfile.TarInfo):
    """A member of a tar whose header blocks cannot fill the memory."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> "_Member":
        """Return the next member; raises for a damaged header in the middle, which tarfile takes for the end."""
        try:
            return super().fromtarfile(archive)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"damaged inside: {error}") from error

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        headers = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, b"x", b"g", b"X")
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise TooMuch(f"{shown(self.name)}: a sparse file, which no payload is")
        if self.type in headers and self.size > limits.MAX_HEADER:
            raise TooMuch(f"a header of {self.size:,} bytes")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]

    def _proc_gnusparse_10(self, *_: object) -> None:
        raise TooMuch(f"{shown(self.name)}: a sparse file, which no payload is")


def _tar_entries(path: str, file: Path, parse_time: TimeParser) -> Iterator[Entry]:
    total = count = 0
    # The default of 10 KiB costs more calls than the decompression. Larger blocks than these are new memory each time,
    # which the kernel clears first: at 256 KiB a pass takes three times as long.
    with (
        open_file(file) as packed,
        decompressed(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK, tarinfo=_Member) as tar,  # type: ignore[call-overload]
    ):
        for member in tar:
            count, total = count + 1, total + member.size
            if count > limits.MAX_ENTRIES:
                raise TooMany(f"more than {limits.MAX_ENTRIES:,} entries")
            if total > limits.MAX_TOTAL:
                raise TooMuch(f"more than {limits.MAX_TOTAL // 2**30} GiB")
            if not member.isdir():
                yield _tar_entry(path, tar, member, parse_time)
            # tarfile remembers every member it has seen; over a stream of thousands that is memory for nothing.
            tar.members = []


def _tar_entry(path: str, tar: tarfile.TarFile, member: tarfile.TarInfo, parse_time: TimeParser) -> Entry:
    def read() -> bytes:
        stream = tar.extractfile(member) if member.isfile() else None
        if stream is None:
            raise TooMuch(_NOT_READ)
        payload = limited(stream, member.size)
        if len(payload) < member.size:
            raise EOFError("the archive ended inside this file")
        return unpack(payload)

    name = shown(member.name)
    return Entry(path=f"{path}:{name}", moment=parse_time(name), modified_at=modified(member.mtime), read=read)


def _spooled(archive: Archive, parse_time: TimeParser) -> Iterator[Entry]:
    """Unpack an archive whose members are out of order, each under a number and not under its own name."""
    with tempfile.TemporaryDirectory(prefix="lootwire-import-") as name:
        folder, entries = Path(name), list[Entry]()
        damage: Exception | None = None
        try:
            for number, entry in enumerate(_tar_entries(archive.path, archive.file, parse_time)):
                entries.append(_spool(entry, folder / f"{number}.gz"))
        except DAMAGED as error:
            damage = error
        yield from sorted(entries, key=lambda entry: entry.key)
        if damage is not None:
            raise damage


def _spool(entry: Entry, path: Path) -> Entry:
    try:
        payload = entry.read()
    except DAMAGED as error:
        return msgspec.structs.replace(entry, read=_raiser(error))
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(payload)

    def read() -> bytes:
        with gzip.open(path) as spooled:
            return spooled.read()

    return msgspec.structs.replace(entry, read=read)


def _raiser(error: Exception) -> Callable[[], bytes]:
    def read() -> bytes:
        raise error

    return read


def start_of(file: Path) -> tuple[bytes, bytes]:
    """Return the first bytes of a file, unpacked and raw; raises one of `DAMAGED`."""
    with open_file(file) as packed:
        raw = packed.read(_TAR_BLOCK)
        packed.seek(0)
        with decompressed(packed) as stream:
            return begins(stream, _TAR_BLOCK), raw
