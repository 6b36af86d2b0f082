"""How much of an archive is looked into before it is left alone: no file may fill the memory or take a day."""

import time

import msgspec

from models.errors import LootwireError

# Below this nobody is harmed, and blank disks of 1.44 MB are a few hundred bytes.
RATIO_COUNTS_FROM = 64 * 2**20


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive may cost; beyond any of them the file has an error, and its own hashes all the same.

    `members` counts files. `unpacked` are bytes in all, `ratio` how many times its own size an archive may unpack to,
    counted from 64 MiB on. `directory` is the size in bytes of a list of contents, `dictionary` that of a
    decompressor's window in memory (7-Zip's default is 32 MiB), `seconds` the time that one archive's unpacking takes.
    Sheets (cue, gdi, m3u) are looked into up to `sheet` bytes. A plain file is hashed whatever it takes.
    """

    members: int = 50_000
    unpacked: int = 64 * 2**30
    ratio: int = 500
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
        self.is_over = False
        self._packed = max(packed, 1)
        self._members = 0
        self._announced = 0
        self._unpacked = 0
        self._until = time.monotonic() + limits.seconds

    def add_member(self) -> None:
        """Count a file of the archive."""
        self._members += 1
        if self._members > self.limits.members:
            raise self._too_much(f"more than {self.limits.members:,} members")

    def announce(self, count: int) -> None:
        """Count the bytes that a list of contents says a member unpacks to."""
        self._announced += count
        self._check_ratio(self._announced)

    def add_bytes(self, count: int) -> None:
        """Count unpacked bytes."""
        self._unpacked += count
        if self._unpacked > self.limits.unpacked:
            raise self._too_much(f"unpacks to more than {self.limits.unpacked:,} bytes")
        self._check_ratio(self._unpacked)
        if time.monotonic() > self._until:
            raise self._too_much(f"unpacking took longer than {self.limits.seconds:g} seconds")

    def _check_ratio(self, unpacked: int) -> None:
        if unpacked > RATIO_COUNTS_FROM and unpacked > self.limits.ratio * self._packed:
            raise self._too_much(f"unpacks to more than {self.limits.ratio:,} times its size: a decompression bomb")

    def _too_much(self, reason: str) -> TooMuch:
        self.is_over = True
        return TooMuch(reason)
