"""What the importer works through: payloads, each with what is known of its time."""

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
    """Write down nothing."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One payload to import: where it is, when it was taken as far as its name tells, and how to read it.

    `settle` is called in the transaction that takes the payload in, or sets it aside.
    """

    path: str
    moment: Moment | None
    modified_at: datetime
    read: Callable[[], bytes]
    settle: Callable[[Connection], None] = _nothing

    @property
    def key(self) -> Key:
        """What entries are sorted by: time, and by name where the name tells none; those come last."""
        at = self.moment.earliest if self.moment else _LAST
        return self.moment is None, at, natural(self.path)


def problem(path: str, error: Exception | str, after: Key | None = None) -> Entry:
    """Return what stands for something that cannot be read, so that it is reported; `after` says where in the order."""

    def read() -> bytes:
        raise error if isinstance(error, Exception) else LootwireError(error)

    timed = after is not None and not after[0]
    moment = Moment(after[1], after[1]) if after is not None and timed else None
    return Entry(path=path, moment=moment, modified_at=datetime.now(UTC), read=read)


def natural(path: str) -> list[str]:
    """Sort `snapshot-9` before `snapshot-10`."""
    return [part.zfill(20) if part.isdigit() else part for part in _DIGITS.split(path)]


def modified(seconds: float) -> datetime:
    """Return a file's time; one that no calendar holds, or that has not come, is now."""
    now = datetime.now(UTC)
    try:
        return min(datetime.fromtimestamp(seconds, UTC), now)
    except (OverflowError, ValueError, OSError):
        return now
