"""Convert a payload to UTF-8 without a byte order mark, the only encoding that the importer reads."""

import codecs

from models.errors import LootwireError

# The longer marks first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# JSON begins with an ASCII character, and where its zeros stand tells the encoding (RFC 4627, section 3).
_ZEROS = (
    ((False, True, True, True), "utf-32-le"),
    ((True, True, True, False), "utf-32-be"),
    ((False, True), "utf-16-le"),
    ((True, False), "utf-16-be"),
)
_STARTS = (b"{", b"[", b" ", b"\t", b"\r", b"\n")
_ARCHIVES = ((0, b"PK\x03\x04"), (257, b"ustar"))


def as_utf8(payload: bytes) -> bytes:
    """Return the payload in UTF-8; raises `LootwireError` for what is no text in the encoding that it claims."""
    for at, mark in _ARCHIVES:
        if payload.startswith(mark, at):
            raise LootwireError("an archive inside an archive: unpack it first")
    for mark, encoding in _MARKS:
        if payload.startswith(mark):
            return _converted(payload[len(mark) :], encoding)
    start = payload[:4]
    zeros = tuple(byte == 0 for byte in start)
    if any(zeros) and start.strip(b"\0")[:1] in _STARTS:
        for pattern, encoding in _ZEROS:
            if zeros[: len(pattern)] == pattern:
                return _converted(payload, encoding)
    return payload


def _converted(payload: bytes, encoding: str) -> bytes:
    if encoding == "utf-8":
        return payload
    try:
        return payload.decode(encoding).encode()
    except UnicodeError as error:
        raise LootwireError(f"not {encoding.upper()}, as its first bytes claim: {error.reason}") from error  # type: ignore[attr-defined]
