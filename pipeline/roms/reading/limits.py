"""How much of an archive is looked into before it is left alone: no file may fill the memory or take a day. Pure."""

import time

import msgspec

from models.errors import LootwireError

# Small files unpack to any ratio: a blank save of 8 KiB is a few bytes.
RATIO_COUNTS_FROM = 2**20


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive may cost; beyond any of them the file has an error, and its own hashes all the same.

    `members` counts files. `unpacked` are bytes in all, `ratio` how many times its packed size an archive may unpack
    to, counted from 1 MiB on (padded disc images in 7z reach 1,000). `directory` is the size in bytes of a list of
    contents, `dictionary` that of a decompressor's window in memory, `seconds` the time of one archive's unpacking. A
    plain file is read whatever it takes.
    """

    members: int = 50_000
    unpacked: int = 64 * 2**30
    ratio: int = 2000
    directory: int = 16 * 2**20
    dictionary: int = 64 * 2**20
    seconds: float = 1800.0
    sheet: int = 2**20


class TooMuch(LootwireError):
    """An archive is larger, or more tightly packed, than the limits allow; the text says which."""


class Spending:
    """Counts what one archive takes, and raises `TooMuch` beyond its limits. `packed` is its size in bytes."""

    def __init__(self, limits: Limits, packed: int) -> None:
        self.limits = limits
        self.packed = packed
        self.unpacked = 0
        self.members = 0
        self._until = time.monotonic() + limits.seconds

    def add_member(self) -> None:
        """Count a file of the archive."""
        self.members += 1
        if self.members > self.limits.members:
            raise TooMuch(f"more than {self.limits.members:,} members")

    def add_bytes(self, count: int) -> None:
        """Count unpacked bytes."""
        self.unpacked += count
        if self.unpacked > self.limits.unpacked:
            raise TooMuch(f"unpacks to more than {self.limits.unpacked:,} bytes")
        if self.unpacked > RATIO_COUNTS_FROM and self.unpacked > self.limits.ratio * max(self.packed, 1):
            raise TooMuch(f"unpacks to more than {self.limits.ratio:,} times its size: a decompression bomb")
        if time.monotonic() > self._until:
            raise TooMuch(f"unpacking took longer than {self.limits.seconds:g} seconds")
