"""The payloads that the importer works through, each with its time as far as that is known."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection

from models.errors import LootwireError
from pipeline.importer.times import Moment

_DIGITS = re.compile(r"(\d+)")
_LAST = datetime.max.replace(tzinfo=UTC)
Key = tuple[bool, datetime, list[str]]


def _nothing(_: Connection) -> None:
    """Store nothing."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One payload to import: where it is, when it was taken (as far as its name tells), and how to read it.

    `settle` is called in the transaction that takes the payload in, or sets it aside.
    """

    path: str
    moment: Moment | None
    modified_at: datetime
    read: Callable[[], bytes]
    settle: Callable[[Connection], None] = _nothing

    @property
    def key(self) -> Key:
        """The order of entries: by time, and last those whose name tells none, by name."""
        at = self.moment.earliest if self.moment else _LAST
        return self.moment is None, at, natural(self.path)


def problem(path: str, error: Exception | str, after: Key | None = None) -> Entry:
    """Return an entry whose reading raises, so that the problem is reported; it comes after the key `after`."""

    def read() -> bytes:
        raise error if isinstance(error, Exception) else LootwireError(error)

    timed = after is not None and not after[0]
    moment = Moment(after[1], after[1]) if after is not None and timed else None
    return Entry(path=path, moment=moment, modified_at=datetime.now(UTC), read=read)


def natural(path: str) -> list[str]:
    """Return a sort key that puts `snapshot-9` before `snapshot-10`."""
    return [part.zfill(20) if part.isdigit() else part for part in _DIGITS.split(path)]


def modified(seconds: float) -> datetime:
    """Return a file's time; one that no calendar holds, or that has not come, is now."""
    now = datetime.now(UTC)
    try:
        return min(datetime.fromtimestamp(seconds, UTC), now)
    except (OverflowError, ValueError, OSError):
        return now
