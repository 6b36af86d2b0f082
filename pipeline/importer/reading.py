"""Walk files, folders and archives, and hand out their payloads oldest first, one in memory at a time."""

import gzip
import heapq
import io
import lzma
import re
import shutil
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from pipeline.errors import LootwireError
from pipeline.importer.times import Moment, TimeParser

# The largest real payload is 2.5 MB; anything near this is not one.
MAX_BYTES = 64 * 1024 * 1024
MAX_ENTRIES = 200_000
_GZIP, _XZ, _ZSTD, _ZIP = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_DIGITS = re.compile(r"(\d+)")

# What a damaged archive or compressed file raises, by format.
DAMAGED = (OSError, EOFError, lzma.LZMAError, zlib.error, tarfile.TarError, zipfile.BadZipFile, RuntimeError)


class TooLarge(LootwireError):
    """A payload is larger than any real one."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One payload to import: where it is, when it was taken as far as its name tells, and how to read it."""

    path: str
    moment: Moment | None
    modified_at: datetime
    read: Callable[[], bytes]


def entries(paths: Sequence[Path], parse_time: TimeParser) -> Iterator[Entry]:
    """Yield every payload below the paths in time order; those whose names tell no time come last, by name.

    An entry must be read before the next one is asked for. Raises `LootwireError` for a path that does not exist.
    """
    with ExitStack() as stack:
        files: list[Entry] = []
        archives: list[Iterator[Entry]] = []
        for file in _files(paths):
            kind = _archive_kind(file)
            if kind is None:
                files.append(_file_entry(file, parse_time))
            else:
                archives.append(stack.enter_context(_archive(file, kind, parse_time)))
        yield from heapq.merge(sorted(files, key=_order), *archives, key=_order)


def read_ahead(listed: Iterator[Entry]) -> Iterator[tuple[Entry, bytes | Exception]]:
    """Yield entries with their payloads, or with what went wrong; the next is read while the last is worked on.

    Decompression runs beside the caller's work then, and at most two payloads are in memory.
    """

    def step() -> tuple[Entry, bytes | Exception] | None:
        entry = next(listed, None)
        if entry is None:
            return None
        try:
            return entry, entry.read()
        except (*DAMAGED, LootwireError) as error:
            return entry, error

    with ThreadPoolExecutor(max_workers=1) as reader:
        ahead = reader.submit(step)
        while (found := ahead.result()) is not None:
            ahead = reader.submit(step)
            yield found


def _order(entry: Entry) -> tuple[bool, datetime, list[str]]:
    at = entry.moment.earliest if entry.moment else datetime.max.replace(tzinfo=UTC)
    return entry.moment is None, at, _natural(entry.path)


def _natural(path: str) -> list[str]:
    """Sort `snapshot-9` before `snapshot-10`."""
    return [part.zfill(20) if part.isdigit() else part for part in _DIGITS.split(path)]


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            # Links are not followed: they may lead out of the folder, or round in circles.
            yield from sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink())
        elif path.is_file():
            yield path
        else:
            raise LootwireError(f"{path}: no such file or folder")


def _file_entry(path: Path, parse_time: TimeParser) -> Entry:
    return Entry(
        path=str(path),
        moment=parse_time(path.name),
        modified_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        read=lambda: _read_file(path),
    )


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file, decompressed(file) as stream:
        return limited(stream, str(path))


def limited(stream: IO[bytes], path: str) -> bytes:
    """Read a whole payload; raises `TooLarge` before it fills the memory."""
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise TooLarge(f"{path}: larger than {MAX_BYTES // 2**20} MiB")
    return data


@contextmanager
def decompressed(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Give a stream of what a file holds, whether or not it is compressed, judged by its first bytes."""
    magic = file.read(6)
    file.seek(0)
    if magic.startswith(_GZIP):
        with gzip.open(file) as stream:
            yield stream  # type: ignore[misc]
    elif magic.startswith(_XZ):
        with lzma.open(file) as stream:
            yield stream
    elif magic.startswith(_ZSTD):
        with _open_zstd(file) as stream:
            yield stream
    else:
        yield file


def _open_zstd(file: IO[bytes]) -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.open(file)
    import zstandard

    return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file))


def _archive_kind(path: Path) -> str | None:
    """Return `tar` or `zip` by content; None for a single payload."""
    try:
        with path.open("rb") as file:
            if file.read(4) == _ZIP:
                return "zip"
            file.seek(0)
            with decompressed(file) as stream:
                # A tar header is one block of 512 bytes with this mark in it; reading a block costs nothing.
                return "tar" if stream.read(512)[257:262] == b"ustar" else None
    except (OSError, EOFError, lzma.LZMAError, ValueError):
        return None


@contextmanager
def _archive(path: Path, kind: str, parse_time: TimeParser) -> Iterator[Iterator[Entry]]:
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            yield _zip_entries(path, archive, parse_time)
    elif _tar_is_ordered(path, parse_time):
        with path.open("rb") as file, decompressed(file) as stream, _stream_tar(stream) as tar:
            yield _tar_entries(path, tar, parse_time)
    else:
        with tempfile.TemporaryDirectory(prefix="lootwire-import-") as folder:
            yield _spooled_entries(path, Path(folder), parse_time)


def _stream_tar(stream: IO[bytes]) -> tarfile.TarFile:
    # In blocks of a megabyte: the default of 10 KiB costs more than the decompression.
    return tarfile.open(fileobj=stream, mode="r|", bufsize=2**20)


def _zip_entries(path: Path, archive: zipfile.ZipFile, parse_time: TimeParser) -> Iterator[Entry]:
    def entry(info: zipfile.ZipInfo) -> Entry:
        def read() -> bytes:
            with archive.open(info) as stream:
                return limited(stream, f"{path}:{info.filename}")

        modified_at = datetime(*info.date_time, tzinfo=UTC)
        return Entry(
            path=f"{path}:{info.filename}", moment=parse_time(info.filename), modified_at=modified_at, read=read
        )

    listed = [info for info in archive.infolist() if not info.is_dir()]
    _check_count(path, len(listed))
    yield from sorted(map(entry, listed), key=_order)


def _tar_is_ordered(path: Path, parse_time: TimeParser) -> bool:
    """Whether the members stand in time order, so that one pass over the archive is enough."""
    last = None
    with path.open("rb") as file, decompressed(file) as stream, _stream_tar(stream) as tar:
        for count, member in enumerate(tar, start=1):
            _check_count(path, count)
            if not member.isfile():
                continue
            key = _order(_tar_entry(path, tar, member, parse_time))
            if last is not None and key < last:
                return False
            last = key
    return True


def _tar_entries(path: Path, tar: tarfile.TarFile, parse_time: TimeParser) -> Iterator[Entry]:
    for member in tar:
        if member.isfile():
            yield _tar_entry(path, tar, member, parse_time)
        # tarfile remembers every member it has seen; over a stream of thousands that is memory for nothing.
        tar.members = []  # type: ignore[attr-defined]


def _tar_entry(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, parse_time: TimeParser) -> Entry:
    name = f"{path}:{member.name}"

    def read() -> bytes:
        stream = tar.extractfile(member)
        return limited(stream, name) if stream else b""

    modified_at = datetime.fromtimestamp(member.mtime, UTC)
    return Entry(path=name, moment=parse_time(member.name), modified_at=modified_at, read=read)


def _spooled_entries(path: Path, folder: Path, parse_time: TimeParser) -> Iterator[Entry]:
    """Unpack an archive whose members are out of order, each under a number, so that no name of its own is used."""
    found = []
    with path.open("rb") as file, decompressed(file) as stream, _stream_tar(stream) as tar:
        for number, member in enumerate(tar):
            if not member.isfile():
                continue
            entry = _tar_entry(path, tar, member, parse_time)
            spooled = folder / f"{number}.gz"
            with gzip.open(spooled, "wb", compresslevel=1) as out:
                shutil.copyfileobj(io.BytesIO(entry.read()), out)
            found.append(msgspec.structs.replace(entry, read=lambda spooled=spooled: _read_file(spooled)))
    yield from sorted(found, key=_order)


def _check_count(path: Path, count: int) -> None:
    if count > MAX_ENTRIES:
        raise LootwireError(f"{path}: more than {MAX_ENTRIES} entries")
