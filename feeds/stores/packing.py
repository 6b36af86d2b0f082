"""Pack files for web servers that send them so as they are stored: `.gz` and `.zst` beside each.

The same bytes always give the same packed bytes, with the same version of the library.
"""

import gzip
import sys
from collections.abc import Collection, Mapping
from typing import Literal

Packing = Literal["gzip", "zstd"]
# By the name that HTTP has for it. The smallest comes first.
ENDINGS: Mapping[Packing, str] = {"zstd": ".zst", "gzip": ".gz"}
# Pictures are packed already.
_WORTHWHILE = (".xml", ".html", ".json", ".ics", ".css", ".js", ".xsl", ".opml", ".svg", ".txt")
# Below it nothing is gained: an answer's headers are larger.
_LEAST_BYTES = 500
_GZIP_LEVEL = 6
_ZSTD_LEVEL = 9


def packings_of(name: str, size: int, wanted: Collection[Packing]) -> list[Packing]:
    """Return the packings, of those that are wanted, that a file of this name and size gets."""
    if size < _LEAST_BYTES or not name.endswith(_WORTHWHILE):
        return []
    return [packing for packing in ENDINGS if packing in wanted]


def packed(packing: Packing, data: bytes) -> bytes:
    """Return bytes in packed form; other threads run meanwhile."""
    if packing == "gzip":
        return gzip.compress(data, _GZIP_LEVEL, mtime=0)
    return _zstd(data)


def _zstd(data: bytes) -> bytes:
    # Imported where it is used: most folders hold no such files.
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.compress(data, _ZSTD_LEVEL)
    import zstandard

    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(data)
