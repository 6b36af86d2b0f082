"""Read a file, and unpack it where its first bytes say that it is compressed."""

import gzip
import lzma
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from pipeline.fetch.limits import TooMuch
from pipeline.importer.limits import Ratio, Readable, limited, read_up_to

if sys.version_info >= (3, 14):
    from compression import zstd

    ZstdError = zstd.ZstdError
else:
    import zstandard

    ZstdError = zstandard.ZstdError

GZIP, XZ, ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
# The errors that a damaged compressed file raises, by format.
DAMAGED_STREAM = (OSError, EOFError, lzma.LZMAError, zlib.error, ZstdError)
# `xz -9` needs 65 MiB to unpack, and 257 MiB the window that long histories are packed with; a header that asks for
# gigabytes is not obeyed.
_XZ_MEMORY = 272 * 2**20
_ZSTD_WINDOW = 2**27
_CHUNK = 2**16
# All that a piece of this size unpacks to is in memory at once, up to 32,000 times as much.
_ZSTD_CHUNK = 2**10
_CUT_OFF = "the compressed file ended before its end was marked"


def compression(magic: bytes) -> str | None:
    """Return the compression of data by its first bytes; None for none."""
    for kind, mark in (("gzip", GZIP), ("xz", XZ), ("zstd", ZSTD)):
        if magic.startswith(mark):
            return kind
    return None


@contextmanager
def decompressed(file: IO[bytes]) -> Iterator[Readable]:
    """Give a stream of a file's unpacked content; reading from it raises `TooMuch` for a bomb."""
    kind = compression(file.read(6))
    file.seek(0)
    if kind is None:
        yield file
    elif kind == "gzip":
        with gzip.open(file) as unpacked:
            yield _Watched(unpacked, file, kind)
    elif kind == "xz":
        yield _Watched(_XzReader(file), file, kind)
    else:
        yield _Watched(_ZstdReader(file), file, kind)


def unpack(payload: bytes) -> bytes:
    """Return a payload unpacked, should it be compressed once more inside its archive."""
    if compression(payload[:6]) is None:
        return payload
    import io

    with decompressed(io.BytesIO(payload)) as stream:
        return limited(stream)


class _Watched:
    """A decompressed stream that gives up when too much comes out of too little."""

    def __init__(self, stream: Readable, source: IO[bytes], kind: str) -> None:
        self._stream = stream
        self._source = source
        self._ratio = Ratio(kind)

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._ratio.add(len(data), self._source.tell())
        return data


class _XzReader:
    """Like `lzma.open`, which would allocate whatever dictionary a header asks for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decompressor = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def read(self, size: int = -1, /) -> bytes:
        while True:
            if self._decompressor.eof:
                # Streams may follow each other, with zeros between them.
                rest = (self._decompressor.unused_data or self._file.read(_CHUNK)).lstrip(b"\0")
                if not rest:
                    return b""
                self._decompressor = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
                data = self._decompress(rest, size)
            elif self._decompressor.needs_input:
                packed = self._file.read(_CHUNK)
                if not packed:
                    raise EOFError(_CUT_OFF)
                data = self._decompress(packed, size)
            else:
                data = self._decompress(b"", size)
            if data:
                return data

    def _decompress(self, packed: bytes, size: int) -> bytes:
        try:
            return self._decompressor.decompress(packed, size)
        except lzma.LZMAError as error:
            if "emory" in str(error):
                raise TooMuch(f"needs more than {_XZ_MEMORY // 2**20} MiB of memory to unpack") from error
            raise


class _ZstdReader:
    """Like the library's own reader, which takes a cut-off file for a whole one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._frame = self._new_frame()
        self._ready = b""

    def read(self, size: int = -1, /) -> bytes:
        while not self._ready:
            if self._frame.eof:
                rest = self._frame.unused_data or self._file.read(_ZSTD_CHUNK)
                if not rest:
                    return b""
                self._frame = self._new_frame()
            else:
                rest = self._file.read(_ZSTD_CHUNK)
                if not rest:
                    raise EOFError(_CUT_OFF)
            self._ready = self._frame.decompress(rest)
        data, self._ready = self._ready[:size], self._ready[size:]
        return data

    @staticmethod
    def _new_frame() -> Any:
        if sys.version_info >= (3, 14):
            return zstd.ZstdDecompressor()
        return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()


def begins(stream: Readable, size: int = 512) -> bytes:
    """Return the first bytes of a stream, as many as there are."""
    return read_up_to(stream, size)
