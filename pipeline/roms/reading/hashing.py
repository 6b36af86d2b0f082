"""Hash bytes in one pass: CRC32, MD5 and SHA-1, and the same without the header that a copier put before a dump."""

import hashlib
from collections.abc import Iterable

import msgspec
from isal.isal_zlib import crc32

from pipeline.roms.records import Content, Hashes

_SNES = frozenset({"smc", "sfc", "swc", "fig", "ufo"})
_SNES_HEADER = 512
# Where a header's mark stands, the mark, and the header's size in bytes. No-Intro's DATs are of the rest:
# https://datomatic.no-intro.org (`forcenodump`, header skippers NES, FDS, Lynx, A7800).
_MARKS = (
    (0, b"NES\x1a", 16),
    (0, b"FDS\x1a", 16),
    (0, b"LYNX", 64),
    (1, b"ATARI7800", 128),
)
_FIRST = frozenset({b"N", b"F", b"L", b"\x00", b"\x01", b"\x02", b"\x03", b"\x04"})
_SNES_MARK = (8, b"\xaa\xbb\x04")
_HEADERED = frozenset({"nes", "fds", "lnx", "lyx", "a78"}) | _SNES


def ending(name: str) -> str:
    """Return what follows a name's last dot, in lower case; empty where there is none."""
    return name.rpartition("/")[2].rpartition(".")[2].lower() if "." in name else ""


def may_have_header(name: str, size: int) -> bool:
    """Whether a member of an archive may begin with a copier's header, so that its listed CRC32 is not enough."""
    kind = ending(name)
    return kind in _HEADERED and (kind not in _SNES or size % 1024 == _SNES_HEADER)


def as_text(name: bytes | str) -> str:
    """Return a name as text that can be stored: bytes that are no UTF-8, and NUL, stand as escapes."""
    if isinstance(name, str):
        name = name.encode("utf-8", "surrogatepass")
    return name.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def header_size(begin: bytes, size: int | None, name: str) -> int:
    """Return the size in bytes of the copier's header that a file begins with; 0 for none.

    `size` is the file's, None where it is not known yet: then a SNES header may turn out to be none.
    """
    if begin[:1] in _FIRST:
        for at, mark, length in _MARKS:
            if begin.startswith(mark, at):
                return length if size is None or size > length else 0
    # Copiers of the SNES wrote 512 bytes before a dump, whose own size is a multiple of 1 KiB.
    if size is not None and (size % 1024 != _SNES_HEADER or size <= _SNES_HEADER):
        return 0
    at, mark = _SNES_MARK
    return _SNES_HEADER if ending(name) in _SNES or begin.startswith(mark, at) else 0


def hash_whole(data: bytes) -> Hashes:
    """Return the hashes of bytes that are all there."""
    return Hashes(
        size=len(data),
        crc32=crc32(data),
        md5=hashlib.md5(data, usedforsecurity=False).digest(),
        sha1=hashlib.sha1(data, usedforsecurity=False).digest(),
    )


class Hasher:
    """Takes bytes in order and gives their `Content`. `size` where it is known before; `name` tells SNES by its ending.

    Of what begins with a header a second set of hashes leaves it out.
    """

    __slots__ = ("_crc32", "_inner", "_md5", "_name", "_sha1", "_skip", "_whole", "size")

    def __init__(self, name: str, size: int | None = None) -> None:
        self.size = 0
        self._whole = size
        self._name = name
        self._crc32 = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._inner: Hasher | None = None
        self._skip = -1

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes; the first 512 must come at once, where there are so many."""
        if self._skip < 0:
            self._skip = header_size(bytes(data[:_SNES_HEADER]), self._whole, self._name)
            if self._skip:
                self._inner = Hasher("")
                # A header within is part of the dump.
                self._inner._skip = 0  # noqa: SLF001
                self._inner.update(memoryview(data)[self._skip :])
        elif self._inner is not None:
            self._inner.update(data)
        self.size += len(data)
        self._crc32 = crc32(data, self._crc32)
        self._md5.update(data)
        self._sha1.update(data)

    def content(self, member: str = "") -> Content:
        """Return what was hashed, under a member's name; empty for a file itself."""
        inner = self._inner
        if inner is None or not inner.size or (self._skip == _SNES_HEADER and self.size % 1024 != _SNES_HEADER):
            return Content(member=member, hashes=self._hashes())
        return Content(member=member, hashes=self._hashes(), header_bytes=self._skip, headerless=inner._hashes())  # noqa: SLF001

    def _hashes(self) -> Hashes:
        return Hashes(size=self.size, crc32=self._crc32, md5=self._md5.digest(), sha1=self._sha1.digest())


def hashed(name: str, size: int | None, blocks: Iterable[bytes]) -> Content:
    """Return the content of a member whose bytes come in blocks of any size."""
    hasher = Hasher(name, size)
    begin = b""
    for block in blocks:
        if hasher.size:
            hasher.update(block)
            continue
        begin += block
        if len(begin) >= _SNES_HEADER:
            hasher.update(begin)
    if begin and not hasher.size:
        hasher.update(begin)
    return hasher.content(name)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member as an archive's list of contents has it; sizes in bytes."""

    name: str
    size: int
    crc32: int | None

    def listed(self) -> Content:
        """Return it as the list alone says."""
        return Content(member=self.name, hashes=Hashes(size=self.size, crc32=self.crc32))

    def broken(self) -> Content:
        """Return it with its size alone, since its bytes are not those that the list says."""
        return Content(member=self.name, hashes=Hashes(size=self.size))
