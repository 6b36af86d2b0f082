"""A folder of files that tests write and read."""

import hashlib
import os
import struct
import zlib
from pathlib import Path

from pipeline.roms.reading import Limits, read_file
from pipeline.roms.records import FileReading, Hashes


def read(folder: Path, name: str | bytes, limits: Limits | None = None, *, deep: bool = False) -> FileReading:
    """Read a file below a folder."""
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return read_file(root, os.fsencode(name), limits or Limits(), deep=deep)
    finally:
        os.close(root)


def hashes(data: bytes) -> Hashes:
    """Return the hashes of bytes, by the standard library."""
    md5, sha1 = hashlib.md5(data, usedforsecurity=False), hashlib.sha1(data, usedforsecurity=False)
    return Hashes(size=len(data), crc32=zlib.crc32(data), md5=md5.digest(), sha1=sha1.digest())


def zip_of(members: list[tuple[bytes, bytes]], *, flags: int = 0, method: int = 0, count: int | None = None) -> bytes:
    """Return a zip with members under any name, which the standard library would not write."""
    body, listed = b"", b""
    for name, data in members:
        packed = zlib.compress(data, wbits=-15) if method == 8 else data
        fields = (flags, method, 0, 0, zlib.crc32(data), len(packed), len(data), len(name))
        listed += struct.pack("<4s2H4H3L3H2H2L", b"PK\x01\x02", 20, 20, *fields, 0, 0, 0, 0, 0, len(body)) + name
        body += struct.pack("<4sH4H3L2H", b"PK\x03\x04", 20, *fields, 0) + name + packed
    number = len(members) if count is None else count
    return body + listed + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, number, number, len(listed), len(body), 0)
