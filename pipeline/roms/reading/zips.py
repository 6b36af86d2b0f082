"""Read a zip: its list of contents, and its members unpacked in bounded steps.

The standard library's zipfile reads the whole list whatever its size, refuses all of it for a name that is no UTF-8,
and unpacks bzip2 and LZMA without a bound. The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

import bz2
import lzma
import os
import struct
from collections.abc import Iterator
from typing import Protocol

import msgspec
from isal import isal_zlib

from pipeline.roms.reading.hashing import Member, as_text, hashed, may_have_header
from pipeline.roms.reading.limits import Limits, Spending, TooMuch
from pipeline.roms.reading.trouble import BROKEN, Broken, Contents, Troubles
from pipeline.roms.records import Content

_END = struct.Struct("<4s4H2LH")
_END_64_AT = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_LARGE = 0xFFFFFFFF
_ENCRYPTED = 0x1
_UTF_8 = 0x800
_STEP = 2**18
_PACKED_STEP = 2**16


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    member: Member
    packed: int
    method: int
    flags: int
    at: int


def read_zip(file: int, size: int, limits: Limits, *, deep: bool) -> Contents:
    """Return the members of the zip that is open as `file` and has `size` bytes.

    Without `deep` only those are unpacked that may begin with a copier's header.
    """
    spending, troubles = Spending(limits, size), Troubles()
    contents: list[Content] = []
    entries: list[_Entry] = []
    try:
        for entry in _entries(file, size, limits):
            spending.add_member()
            spending.announce(entry.member.size)
            entries.append(entry)
    except TooMuch as error:
        return Contents(members=(), error=str(error))
    except BROKEN as error:
        troubles.add(None, error)
    for entry in entries:
        member = entry.member
        if spending.is_over or not (deep or may_have_header(member.name, member.size)):
            contents.append(member.listed())
            continue
        try:
            contents.append(_unpack(file, entry, spending))
        except TooMuch as error:
            troubles.add(None, error)
            contents.append(member.listed())
        except BROKEN as error:
            troubles.add(member.name, error)
            # Of an encrypted member the list is right all the same.
            contents.append(member.listed() if entry.flags & _ENCRYPTED else member.broken())
    return Contents(members=tuple(contents), error=troubles.sentence())


def _entries(file: int, size: int, limits: Limits) -> Iterator[_Entry]:
    count, length, at = _directory(file, size)
    if count > limits.members:
        raise TooMuch(f"more than {limits.members:,} members")
    if length > limits.directory:
        raise TooMuch(f"its list of contents has {length:,} bytes")
    listed = os.pread(file, length, at)
    place = 0
    for _ in range(count):
        if len(listed) < place + _ENTRY.size:
            raise Broken("its list of contents ends early")
        fields = _ENTRY.unpack_from(listed, place)
        if fields[0] != b"PK\x01\x02":
            raise Broken("its list of contents is damaged")
        flags, method, crc32 = fields[5], fields[6], fields[9]
        name_size, extra_size, comment_size = fields[12:15]
        begin = place + _ENTRY.size
        name = listed[begin : begin + name_size]
        extra = listed[begin + name_size : begin + name_size + extra_size]
        packed, unpacked, local = _large(extra, fields[10], fields[11], fields[18])
        place = begin + name_size + extra_size + comment_size
        if name.endswith(b"/") and not unpacked:
            continue
        member = Member(name=_name(name, flags), size=unpacked, crc32=crc32)
        yield _Entry(member=member, packed=packed, method=method, flags=flags, at=local)


def _directory(file: int, size: int) -> tuple[int, int, int]:
    """Return the number of entries, the size of the list and where it begins."""
    tail_at = max(0, size - 2**16 - _END.size - 1)
    tail = os.pread(file, size - tail_at, tail_at)
    at = tail.rfind(b"PK\x05\x06", 0, len(tail) - _END.size + 4)
    if at < 0:
        raise Broken("its end is missing: it was cut off, or only partly downloaded")
    _, disk, first_disk, _, count, length, begin, _ = _END.unpack_from(tail, at)
    if 0xFFFF in {disk, first_disk, count} or _LARGE in {length, begin}:
        large = _directory_64(file, tail_at + at)
        if large is not None:
            count, length, begin, disk = large
    if disk not in {0, 0xFFFF}:
        raise Broken("the last part of a split zip: the others are needed")
    if begin + length > size:
        raise Broken("its list of contents lies beyond its end")
    return count, length, begin


def _directory_64(file: int, end: int) -> tuple[int, int, int, int] | None:
    locator = os.pread(file, _END_64_AT.size, end - _END_64_AT.size) if end >= _END_64_AT.size else b""
    if not locator.startswith(b"PK\x06\x07"):
        return None
    at = _END_64_AT.unpack(locator)[2]
    record = os.pread(file, _END_64.size, at) if at < end else b""
    if len(record) < _END_64.size or not record.startswith(b"PK\x06\x06"):
        raise Broken("its list of contents is damaged")
    fields = _END_64.unpack(record)
    return fields[7], fields[8], fields[9], fields[4]


def _large(extra: bytes, packed: int, unpacked: int, local: int) -> tuple[int, int, int]:
    """Return packed size, size and place with what zip64's field says of those that need more than 32 bits."""
    if _LARGE not in {packed, unpacked, local}:
        return packed, unpacked, local
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        if kind == 1:
            values = iter(struct.unpack_from(f"<{min(length, len(extra) - place - 4) // 8}Q", extra, place + 4))
            try:
                unpacked = next(values) if unpacked == _LARGE else unpacked
                packed = next(values) if packed == _LARGE else packed
                local = next(values) if local == _LARGE else local
            except StopIteration:
                raise Broken("its list of contents is damaged") from None
            break
        place += 4 + length
    if max(packed, unpacked, local) >= 2**63:
        raise Broken("its list of contents is damaged")
    return packed, unpacked, local


def _name(name: bytes, flags: int) -> str:
    if flags & _UTF_8:
        return as_text(name)
    # Without the mark it is code page 437 by the book, and UTF-8 by what most programs write.
    try:
        return as_text(name.decode())
    except UnicodeDecodeError:
        return as_text(name.decode("cp437"))


def _unpack(file: int, entry: _Entry, spending: Spending) -> Content:
    if entry.flags & _ENCRYPTED:
        raise Broken("it is encrypted, and was not unpacked")
    content = hashed(entry.member.name, entry.member.size, _blocks(file, entry, spending))
    if content.hashes.size != entry.member.size:
        raise Broken("it ends early")
    if content.hashes.crc32 != entry.member.crc32:
        raise Broken("its CRC32 is not the listed one")
    return content


def _blocks(file: int, entry: _Entry, spending: Spending) -> Iterator[bytes]:
    left = entry.member.size
    for block in _decompressed(entry.method, _packed(file, entry), spending.limits):
        spending.add_bytes(len(block))
        left -= len(block)
        if left < 0:
            raise Broken("it is longer than the list says")
        yield block


def _packed(file: int, entry: _Entry) -> Iterator[bytes]:
    local = os.pread(file, _LOCAL.size, entry.at)
    if len(local) < _LOCAL.size or not local.startswith(b"PK\x03\x04"):
        raise Broken("it is not where the list says")
    fields = _LOCAL.unpack(local)
    at = entry.at + _LOCAL.size + fields[10] + fields[11]
    left = entry.packed
    while left > 0:
        data = os.pread(file, min(left, _PACKED_STEP), at)
        if not data:
            raise Broken("the archive ends within it")
        at, left = at + len(data), left - len(data)
        yield data


class _Decompressor(Protocol):
    """What bz2, lzma and zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _decompressed(method: int, packed: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    if method == 0:
        yield from packed
    elif method == 8:
        yield from inflated(packed, isal_zlib.decompressobj(-15))
    elif method == 9:
        import inflate64

        inflater = inflate64.Inflater()
        for data in packed:
            # It has no bound of its own: 512 bytes become half a megabyte at most.
            for at in range(0, len(data), 512):
                yield inflater.inflate(data[at : at + 512])
    elif method == 12:
        yield from _steps(packed, bz2.BZ2Decompressor())
    elif method == 14:
        yield from _lzma(packed, limits)
    elif method == 93:
        from backports import zstd

        yield from _steps(packed, zstd.ZstdDecompressor())
    else:
        raise Broken(f"it is compressed by method {method}, which is not read")


def inflated(packed: Iterator[bytes], inflater: isal_zlib.Decompress) -> Iterator[bytes]:
    """Yield what deflated bytes unpack to, in bounded blocks."""
    for data in packed:
        rest = data
        while rest and not inflater.eof:
            yield inflater.decompress(rest, _STEP)
            rest = inflater.unconsumed_tail
    # What is left in the window, where the last step was full.
    while not inflater.eof and (block := inflater.decompress(inflater.unconsumed_tail, _STEP)):
        yield block


def _steps(packed: Iterator[bytes], decompressor: _Decompressor) -> Iterator[bytes]:
    for data in packed:
        rest = data
        while not decompressor.eof:
            block = decompressor.decompress(rest, _STEP)
            yield block
            rest = b""
            if decompressor.needs_input or decompressor.eof:
                break


def _lzma(packed: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    begin = next(packed, b"")
    if len(begin) < 9:
        raise Broken("its LZMA header is damaged")
    length, coded, dictionary = struct.unpack_from("<HBL", begin, 2)
    if length != 5 or coded >= 225:
        raise Broken("its LZMA header is damaged")
    if dictionary > limits.dictionary:
        raise Broken(f"it needs {dictionary:,} bytes of memory to unpack, and was not")
    position, literal = divmod(coded // 9, 5)
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": coded % 9, "lp": literal, "pb": position}]
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)

    def rest() -> Iterator[bytes]:
        yield begin[9:]
        yield from packed

    yield from _steps(rest(), decompressor)
