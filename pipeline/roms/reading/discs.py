"""Read the headers of compressed discs: CHD of MAME, CSO and ZSO of the PSP."""

import os
import struct
import zlib
from collections.abc import Iterator

from pipeline.roms.reading.hashing import Member, hashed
from pipeline.roms.reading.limits import Limits, Spending, TooMuch
from pipeline.roms.reading.trouble import BROKEN, Broken, Contents, Troubles

# By version: the header's size, and where in it the SHA-1 is that MAME's `disk` entries have (of raw and meta data; in
# version 3, which has none of both, of the raw data). https://github.com/mamedev/mame/blob/master/src/lib/util/chd.h
_CHD = {3: (120, 80), 4: (108, 48), 5: (124, 84)}
_CSO = struct.Struct("<4sLQLBB2x")
_MAX_BLOCK = 2**20
_INDEX_STEP = 2**14


def chd_sha1(begin: bytes) -> bytes:
    """Return the SHA-1 that a CHD's header has of its raw and meta data.

    Raises `Broken` for a version before 3, which has none, and for a damaged header.
    """
    if len(begin) < 16:
        raise Broken("its CHD header is cut off")
    length, version = struct.unpack_from(">LL", begin, 8)
    if version not in _CHD:
        raise Broken(f"a CHD of version {version}, whose header has no SHA-1: convert it by `chdman copy`")
    size, at = _CHD[version]
    sha1 = begin[at : at + 20]
    if length != size or len(sha1) < 20:
        raise Broken("its CHD header is damaged")
    if not any(sha1):
        raise Broken("its CHD header has no SHA-1: it was never finished, or is written to")
    return sha1


def read_cso(file: int, size: int, name: str, limits: Limits, *, deep: bool) -> Contents:
    """Return the disc in a CSO or ZSO, whose size its header has; with `deep` a CSO's is unpacked and hashed."""
    troubles = Troubles()
    try:
        begin = os.pread(file, _CSO.size, 0)
        if len(begin) < _CSO.size:
            raise Broken("its header is cut off")
        mark, _, whole, block, version, align = _CSO.unpack(begin)
        if not 0 < block <= _MAX_BLOCK or whole >= 2**63 or align > 31 or whole // block * 4 > size:
            raise Broken("its header is damaged")
        member = Member(name=f"{name.rpartition('.')[0] or name}.iso", size=whole, crc32=None)
    except BROKEN as error:
        troubles.add(None, error)
        return Contents(members=(), error=troubles.sentence())
    if not deep:
        return Contents(members=(member.listed(),), error=None)
    try:
        if mark != b"CISO" or version > 1:
            raise Broken("its LZ4 is not unpacked: only the size of the disc in it is known")
        content = hashed(member.name, whole, _disc(file, whole, block, align, Spending(limits, size)))
        if content.hashes.size != whole:
            raise Broken("it ends early")
    except (*BROKEN, TooMuch) as error:
        troubles.add(None, error)
        content = member.broken()
    return Contents(members=(content,), error=troubles.sentence())


def _disc(file: int, whole: int, block: int, align: int, spending: Spending) -> Iterator[bytes]:
    """Yield the blocks of a CSO: https://github.com/unknownbrackets/maxcso/blob/master/README_CSO.md."""
    count = -(-whole // block)
    for first in range(0, count, _INDEX_STEP):
        number = min(_INDEX_STEP, count - first)
        index = os.pread(file, 4 * (number + 1), _CSO.size + 4 * first)
        if len(index) < 4 * (number + 1):
            raise Broken("its index ends early")
        places = struct.unpack(f"<{number + 1}L", index)
        for offset in range(number):
            begin, end = ((places[offset + side] & 0x7FFFFFFF) << align for side in (0, 1))
            size = min(block, whole - (first + offset) * block)
            if not 0 <= end - begin <= 2 * block + (1 << align):
                raise Broken("its index is damaged")
            data = os.pread(file, end - begin, begin)
            if not places[offset] & 0x80000000:
                data = zlib.decompressobj(-15).decompress(data, size)
            spending.add_bytes(size)
            if len(data) < size:
                raise Broken("a block of it ends early")
            yield data[:size]
