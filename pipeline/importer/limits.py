"""How much of a file is read before it is refused: no import may fill the memory or take a day."""

from typing import Protocol

import msgspec

from pipeline.fetch.limits import TooMuch

# The largest real payload is 2.5 MB; anything near this is not one.
MAX_BYTES = 16 * 2**20
# Twice as many hours as any service has been recorded for, and deeper than any real folder.
MAX_ENTRIES = 100_000
MAX_DEPTH = 64
# What an archive may hold in all: years of hourly snapshots.
MAX_TOTAL = 128 * 2**30
# Standard input is copied to disk while it is read.
MAX_SPOOLED = 8 * 2**30
# Header blocks of an archive (long names, attributes), and the list of contents of a zip.
MAX_HEADER = 64 * 2**10
MAX_ZIP_DIRECTORY = 8 * 2**20
# JSON values are counted in payloads of this size and more: counting costs a tenth of reading an unchanged one.
COUNTED_FROM = 3 * 2**20
# Compressed data may unpack to this many times its size. JSON in deflate reaches 30, and a quarter of hourly
# snapshots that hardly differ 1,400 in xz; bombs are at 1,000 and 6,800.
RATIO = {"gzip": 200, "zip": 200, "xz": 4000, "zstd": 4000}
RATIO_COUNTS_FROM = 2**20


class TooMany(TooMuch):
    """An archive has more members than all that was ever recorded: not even the first of them are read."""


class Readable(Protocol):
    """A stream to read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes; none at the end."""


def read_up_to(stream: Readable, size: int) -> bytes:
    """Return exactly so many bytes, or fewer where the stream ends."""
    data = stream.read(size)
    if len(data) == size or not data:
        return data
    parts, left = [data], size - len(data)
    while left > 0 and (data := stream.read(left)):
        parts.append(data)
        left -= len(data)
    return b"".join(parts)


def limited(stream: Readable, size: int | None = None) -> bytes:
    """Read a whole payload, whose size may be known; raises `TooMuch` before it fills the memory."""
    if size is not None and size > MAX_BYTES:
        raise TooMuch(f"{size:,} bytes: larger than {MAX_BYTES // 2**20} MiB")
    data = read_up_to(stream, MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise TooMuch(f"larger than {MAX_BYTES // 2**20} MiB")
    return data


class Ratio(msgspec.Struct):
    """Counts what comes out of compressed data, and refuses too much of it."""

    kind: str
    out: int = 0

    def add(self, count: int, packed: int) -> None:
        """Count unpacked bytes; `packed` is how many compressed ones they took so far."""
        self.out += count
        if self.out > RATIO_COUNTS_FROM and self.out > RATIO[self.kind] * max(packed, 1):
            raise TooMuch(
                f"unpacks to more than {RATIO[self.kind]:,} times its size: a decompression bomb, not a payload"
            )
