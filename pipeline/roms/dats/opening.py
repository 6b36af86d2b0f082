"""Find the DATs of a file: itself, or each in a zip, by their content. Pure but for reading."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import IO, NoReturn

import msgspec

from models.errors import UsageError
from pipeline.roms.dats import clrmamepro, limits, smdb
from pipeline.roms.dats.dat import Dat
from pipeline.roms.dats.source import Source
from pipeline.roms.dats.xml import read_xml

FORMATS = "Logiqx XML, clrmamepro's text, a MAME software list or an SMDB, each also in a zip"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
# What libraries raise for a broken or encrypted member.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error)
_XML_BEGINNINGS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\0", b"\xfe\xff\0<")
_ZIP_END = struct.Struct("<4s4H2LH")
_LONGEST_ZIP_COMMENT = 2**16
_OTHERS = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!", "a rar archive; unpack it first"),
    (b"\x1f\x8b", "a gzipped file; unpack it first"),
    (b"[CREDITS]", "a RomCenter list; export it as Logiqx XML"),
    (b"{", "JSON"),
    (b"%PDF", "a PDF"),
)
_SHOWN = 5


class DatSource(msgspec.Struct, frozen=True):
    """A file that may be read as a DAT, as often as it is opened; `name` is for people."""

    name: str
    open: Callable[[], AbstractContextManager[Source]]


def dats_of(file: IO[bytes], name: str) -> list[DatSource]:
    """Return the DATs of a file that is open and can be read from any place: one, or those of a zip in its order.

    In a zip what is no DAT is passed over. Raises `UsageError`, which says what the file was taken for, where it is
    none and holds none.
    """
    file.seek(0)
    if file.read(4) in _ZIP:
        return _in_zip(file, name)
    size = file.seek(0, io.SEEK_END)
    if size > limits.MAX_BYTES:
        raise UsageError(f"{name} has more than {limits.MAX_BYTES >> 20:,} MiB: no DAT is that large")

    def reopen() -> AbstractContextManager[Source]:
        file.seek(0)
        return nullcontext(Source(file, name))

    with reopen() as source:
        beginning = next(source.blocks(), b"")
    if _reader_of(beginning) is None:
        _refuse(name, beginning)
    return [DatSource(name, reopen)]


def read_dat(source: Source) -> Dat:
    """Return the DAT that a source is, by its content; raises `UsageError` where it is none."""
    blocks = source.blocks()
    beginning = next(blocks, b"")
    reader = _reader_of(beginning)
    if reader is None:
        _refuse(source.name, beginning)
    return reader(source, chain((beginning,), blocks))


def _reader_of(beginning: bytes) -> Callable[[Source, Iterator[bytes]], Dat] | None:
    if beginning.lstrip().startswith(_XML_BEGINNINGS):
        return read_xml
    text = beginning.removeprefix(b"\xef\xbb\xbf")
    if clrmamepro.BEGINNING.match(text):
        return clrmamepro.read_clrmamepro
    return smdb.read_smdb if smdb.LINE.match(text) else None


def _refuse(name: str, beginning: bytes) -> NoReturn:
    if not beginning.strip():
        raise UsageError(f"{name} is empty: a DAT is {FORMATS}")
    taken_for = next((words for start, words in _OTHERS if beginning.startswith(start)), None)
    what = f"was taken for {taken_for}" if taken_for else "was not recognised"
    raise UsageError(f"{name} {what}: a DAT is {FORMATS}")


def _in_zip(file: IO[bytes], name: str) -> list[DatSource]:
    try:
        _check_directory(file, name)
        archive = zipfile.ZipFile(file)
        listed = [info for info in archive.infolist() if not info.is_dir()]
        if len(listed) > limits.MAX_ZIP_MEMBERS:
            raise UsageError(f"{name} has more than {limits.MAX_ZIP_MEMBERS:,} members: unpack it, and import a part")
        dats = [_member(archive, info, name) for info in listed if _is_dat(archive, info)]
    except _DAMAGED as error:
        raise UsageError(f"{name} is a zip that cannot be read ({error})") from error
    if not dats:
        inside = ", ".join(info.filename[:60] for info in listed[:_SHOWN]) or "nothing"
        more = ", …" if len(listed) > _SHOWN else ""
        raise UsageError(f"{name} is a zip without a DAT; it has {inside}{more}. A DAT is {FORMATS}")
    return dats


def _is_dat(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    with archive.open(info) as stream:
        return _reader_of(stream.read(2**16)) is not None


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> DatSource:
    return DatSource(f"{name}: {info.filename}", lambda: _Member(archive, info, f"{name}: {info.filename}"))


class _Member(AbstractContextManager[Source]):
    """A member of a zip while it is read; damage in it is an error of ours."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
        self._archive, self._info, self._name = archive, info, name

    def __enter__(self) -> Source:
        self._stream = self._archive.open(self._info)
        return Source(self._stream, self._name, packed=self._info.compress_size)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._stream.close()
        if isinstance(error, _DAMAGED):
            raise UsageError(f"{self._name} is damaged in its zip ({error})") from error


def _check_directory(file: IO[bytes], name: str) -> None:
    """Refuse a list of members that would fill the memory before any other limit is checked."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _LONGEST_ZIP_COMMENT - _ZIP_END.size))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if 0 <= at <= len(tail) - _ZIP_END.size and _ZIP_END.unpack_from(tail, at)[5] > limits.MAX_ZIP_DIRECTORY:
        raise UsageError(f"{name} is a zip whose list of members has more than {limits.MAX_ZIP_DIRECTORY >> 20} MiB")
