"""The bytes of a DAT as they come, counted against the limits, and its lines where it is text. Pure but for reading."""

import hashlib
from collections.abc import Iterator
from typing import IO

from models.errors import UsageError
from pipeline.roms.dats import limits

BLOCK = 2**16
_DIGEST_SIZE = 32
# Below this size packing proves nothing: a few bytes may unpack to hundreds of the same.
_SMALL = 2**20


class Source:
    """The bytes of a DAT, once; `name` is its file's, or `pack.zip: member.dat`, for errors.

    `packed` are the bytes that it takes in its archive. `digest` is of all bytes that were read so far.
    """

    def __init__(self, stream: IO[bytes], name: str, *, packed: int | None = None) -> None:
        self.name = name
        self._stream = stream
        self._packed = packed
        self._hash = hashlib.blake2b(digest_size=_DIGEST_SIZE)
        self._size = 0

    @property
    def digest(self) -> bytes:
        """The digest of the bytes that were read so far."""
        return self._hash.digest()

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes; raises `UsageError` for more than a DAT may have."""
        while block := self._stream.read(BLOCK):
            self._size += len(block)
            self._check()
            self._hash.update(block)
            yield block

    def _check(self) -> None:
        if self._size > limits.MAX_BYTES:
            raise UsageError(f"{self.name} has more than {limits.MAX_BYTES >> 20:,} MiB: no DAT is that large")
        packed = self._packed
        if packed is not None and self._size > max(_SMALL, packed * limits.MAX_RATIO):
            raise UsageError(
                f"{self.name} is more than {limits.MAX_RATIO} times as large as it is packed: it is no DAT, but a bomb"
            )


def digest_of(source: Source) -> bytes:
    """Return the digest of all bytes of a DAT, by which the same one is known again."""
    for _ in source.blocks():
        pass
    return source.digest


def lines(source: Source, blocks: Iterator[bytes]) -> Iterator[str]:
    """Yield the lines of a text, without their ends.

    It is UTF-8; a line that is not is Windows-1252, as old programs wrote it. Raises `UsageError` for zero bytes and
    for a line of more than `limits.MAX_TOKEN` bytes.
    """
    rest = b""
    for number, block in enumerate(blocks):
        if b"\0" in block:
            raise UsageError(f"{source.name} has zero bytes in it: it is no text")
        # Where the block has no end of a line, it is not looked for again in all that came before.
        ended, newline, begun = block.rpartition(b"\n")
        if newline:
            whole = rest + ended
            yield from _decoded(whole.removeprefix(b"\xef\xbb\xbf") if number == 0 else whole)
            rest = begun
        else:
            rest += block
        if len(rest) > limits.MAX_TOKEN:
            raise UsageError(f"{source.name} has a line of more than {limits.MAX_TOKEN >> 20} MiB")
    if rest:
        yield from _decoded(rest.removeprefix(b"\xef\xbb\xbf"))


def _decoded(whole: bytes) -> Iterator[str]:
    try:
        yield from whole.decode().split("\n")
    except UnicodeDecodeError:
        for line in whole.split(b"\n"):
            try:
                yield line.decode()
            except UnicodeDecodeError:
                yield line.decode("cp1252", "replace")
