"""Unpack the body of an answer in steps that are bounded, however little of it came over the wire. Pure."""

import zlib
from collections.abc import Iterable, Iterator

from models.errors import LootwireError

# What we ask for: both unpack in steps, and no byte of theirs becomes more than 1,032.
ACCEPTED = "gzip, deflate"
_GZIP = frozenset({"gzip", "x-gzip"})
_STEP = 256 * 1024
_WINDOW = zlib.MAX_WBITS


class Unpackable(LootwireError):
    """The body is encoded as nobody asked for, or is not what it claims to be."""


def encoding_of(fields: Iterable[str]) -> str | None:
    """Return the encoding of a body from its Content-Encoding fields; None where it came as it is.

    Raises `Unpackable` for one that was not asked for, and for several upon each other.
    """
    words = [word.strip().lower() for field in fields for word in field.split(",")]
    encodings = [word for word in words if word not in {"", "identity"}]
    if len(encodings) > 1:
        raise Unpackable(f"encoded {len(encodings)} times ({_shown(encodings)}), which was not asked for")
    encoding = next(iter(encodings), None)
    if encoding is not None and encoding not in _GZIP | {"deflate"}:
        raise Unpackable(f"encoded as {_shown(encodings)}, which was not asked for")
    return encoding


def unpacked(chunks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """Yield what a body holds, at most 256 KiB at a time; raises `Unpackable` where it is broken or cut off."""
    if encoding is None:
        yield from chunks
        return
    unpacker = None
    for chunk in chunks:
        unpacker = unpacker or zlib.decompressobj(_window(encoding, chunk))
        # What follows the end belongs to nothing; it is read because the connection is kept.
        if not unpacker.eof:
            yield from _steps(unpacker, chunk)
    if unpacker is not None and not unpacker.eof:
        raise Unpackable(f"its {encoding} is cut off")


def _steps(unpacker: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    try:
        while step := unpacker.decompress(packed, _STEP):
            yield step
            packed = unpacker.unconsumed_tail
    except zlib.error as error:
        raise Unpackable(f"not what it claims to be ({error})") from error


def _window(encoding: str, beginning: bytes) -> int:
    """Return zlib's word for a format; `deflate` comes with the header of zlib or, against the standard, without."""
    if encoding in _GZIP:
        return _WINDOW | 16
    return _WINDOW if beginning[0] & 0x0F == zlib.DEFLATED else -_WINDOW


def _shown(encodings: Iterable[str]) -> str:
    return ", ".join(encodings)[:60].encode("ascii", "backslashreplace").decode()
