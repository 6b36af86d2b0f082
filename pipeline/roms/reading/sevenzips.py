"""Read a 7z: its list of contents, and its members unpacked in bounded steps.

py7zr reads the list and has the decompressors. Its own extracting refuses hostile names, which are only names here, and
takes steps of 128 MB.
"""

import os
import struct
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import msgspec

from pipeline.roms.reading.hashing import Member, as_text, hashed, may_have_header
from pipeline.roms.reading.limits import Limits, Spending, TooMuch
from pipeline.roms.reading.trouble import BROKEN, Broken, Contents, Troubles
from pipeline.roms.records import Content

if TYPE_CHECKING:
    from py7zr import SevenZipFile

_STEP = 2**20
_PACKED_STEP = 2**15
_LZMA, _LZMA2, _PPMD = b"\x03\x01\x01", b"\x21", b"\x03\x04\x01"
_WINDOWED = frozenset({_LZMA, _LZMA2})


class _Folder(msgspec.Struct, kw_only=True):
    """Members that were compressed as one, which 7z calls a folder: `members` by their place in the archive."""

    coders: list[dict[str, Any]]
    sizes: list[int]
    crc32: int | None
    at: int
    packed: int
    members: list[int]


class _Listing(msgspec.Struct, kw_only=True):
    members: list[Member]
    folders: list[_Folder]


def read_7z(file: int, size: int, limits: Limits, *, deep: bool) -> Contents:
    """Return the members of the 7z that is open as `file` and has `size` bytes.

    Without `deep` only folders are unpacked with a member that may begin with a copier's header, or has no CRC32.
    """
    spending, troubles = Spending(limits, size), Troubles()
    try:
        with os.fdopen(os.dup(file), "rb") as stream:
            listing = _list(stream, limits, spending)
            contents = [member.listed() for member in listing.members]
            for folder in listing.folders:
                wanted = [place for place in folder.members if deep or _is_wanted(listing.members[place])]
                if wanted and not spending.is_over:
                    _unpack(stream, folder, wanted[-1], listing.members, contents, spending, troubles)
    except TooMuch as error:
        return Contents(members=(), error=str(error))
    except BROKEN as error:
        troubles.add(None, error)
        return Contents(members=(), error=troubles.sentence())
    return Contents(members=tuple(contents), error=troubles.sentence())


def _is_wanted(member: Member) -> bool:
    return member.crc32 is None or may_have_header(member.name, member.size)


def _list(stream: IO[bytes], limits: Limits, spending: Spending) -> _Listing:
    archive = _open(stream, limits)
    listing = _Listing(members=[], folders=[])
    places: dict[int, int] = {}
    for entry in getattr(archive, "files", ()):
        if entry.is_directory:
            continue
        spending.add_member()
        spending.announce(entry.uncompressed)
        places[entry.id] = len(listing.members)
        crc32 = 0 if entry.emptystream else entry.crc32
        listing.members.append(Member(name=as_text(entry.filename), size=entry.uncompressed, crc32=crc32))
    streams = getattr(archive.header, "main_streams", None)
    if streams is None:
        return listing
    positions = streams.packinfo.packpositions
    for number, folder in enumerate(streams.unpackinfo.folders):
        if number + 1 < len(positions):
            listing.folders.append(
                _Folder(
                    coders=folder.coders,
                    sizes=folder.unpacksizes,
                    crc32=folder.crc,
                    at=archive.afterheader + positions[number],
                    packed=positions[number + 1] - positions[number],
                    members=[places[entry.id] for entry in folder.files or () if entry.id in places],
                )
            )
    return listing


def _open(stream: IO[bytes], limits: Limits) -> "SevenZipFile":
    import py7zr
    import py7zr.archiveinfo
    from py7zr.exceptions import ArchiveError, PasswordRequired

    # Its own bounds allow gigabytes, for lists that a machine with nothing else to do may read.
    py7zr.archiveinfo.MAX_NUMFILES = 2 * limits.members
    py7zr.archiveinfo.MAX_SUBSTREAMS = 2 * limits.members
    py7zr.archiveinfo.MAX_NUMFOLDERS = limits.members
    py7zr.archiveinfo.MAX_HEADER_SIZE = limits.directory
    stream.seek(0)
    try:
        return py7zr.SevenZipFile(stream)
    except PasswordRequired:
        raise Broken("its list of contents is encrypted") from None
    except ArchiveError as error:
        raise Broken(f"damaged: {error}") from error


def _unpack(
    stream: IO[bytes],
    folder: _Folder,
    last: int,
    members: list[Member],
    contents: list[Content],
    spending: Spending,
    troubles: Troubles,
) -> None:
    """Unpack a folder up to its last member that is wanted, and put what was hashed into `contents`."""
    blocks: _Blocks | None = None
    for place in folder.members:
        if place > last:
            return
        member = members[place]
        try:
            blocks = blocks or _Blocks(stream, folder, spending)
            content = hashed(member.name, member.size, blocks.take(member.size))
        except TooMuch as error:
            troubles.add(None, error)
            return
        except _NotUnpacked as error:
            troubles.add(None, error)
            return
        except BROKEN as error:
            # What follows in a folder hangs on what is before it.
            for broken in folder.members[folder.members.index(place) :]:
                troubles.add(members[broken].name, error)
                contents[broken] = members[broken].broken()
            return
        if member.crc32 is not None and content.hashes.crc32 != member.crc32:
            troubles.add(member.name, Broken("its CRC32 is not the listed one"))
            content = member.broken()
        contents[place] = content


class _NotUnpacked(Broken):
    """It is no archive's fault that it was not unpacked; what its list says holds."""


class _Blocks:
    """The unpacked bytes of a folder, in order."""

    def __init__(self, stream: IO[bytes], folder: _Folder, spending: Spending) -> None:
        from py7zr.compressor import SevenZipDecompressor
        from py7zr.exceptions import ArchiveError, PasswordRequired

        self._spending = spending
        self._is_full = False
        self._is_windowed = folder.coders[0]["method"] in _WINDOWED
        self._stream = stream
        stream.seek(folder.at)
        needed = max(_memory(coder, max(folder.sizes)) for coder in folder.coders)
        if needed > spending.limits.dictionary:
            raise _NotUnpacked(f"it needs {needed:,} bytes of memory to unpack: its CRC32s are as listed")
        self._errors = ArchiveError
        try:
            self._decompressor = SevenZipDecompressor(
                folder.coders, folder.packed, folder.sizes, folder.crc32, blocksize=_PACKED_STEP
            )
        except PasswordRequired:
            raise _NotUnpacked("it is encrypted, and was not unpacked") from None
        except ArchiveError as error:
            raise _NotUnpacked(f"it is compressed by a method that is not read: {error}") from error

    def read(self, size: int) -> bytes:
        """Return packed bytes; none while the decompressor still has some, which it would pile up."""
        return b"" if self._is_full else self._stream.read(size)

    def take(self, size: int) -> Iterator[bytes]:
        """Yield the next bytes, so many in all."""
        left, idle = size, 0
        while left > 0:
            wanted = min(left, _STEP)
            try:
                block = self._decompressor.decompress(self, wanted)
            except self._errors as error:
                raise Broken(f"damaged: {error}") from error
            # LZMA stops where a step is full, and goes on without new input.
            self._is_full = self._is_windowed and len(block) == wanted
            idle = 0 if block else idle + 1
            if idle > 2:
                raise Broken("the archive ends within it")
            self._spending.add_bytes(len(block))
            left -= len(block)
            yield bytes(block)


def _memory(coder: dict[str, Any], unpacked: int) -> int:
    """Return how many bytes a decompressor keeps in memory."""
    method, properties = coder["method"], coder["properties"] or b""
    if method == _LZMA2 and properties:
        return min(unpacked, (2 | (properties[0] & 1)) << (properties[0] // 2 + 11))
    if method in {_LZMA, _PPMD} and len(properties) >= 5:
        size: int = struct.unpack_from("<L", properties, 1)[0]
        return size if method == _PPMD else min(unpacked, size)
    return 0
