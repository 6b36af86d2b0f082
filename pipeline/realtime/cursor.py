"""Where a reader of the event log stands, pure: an opaque word that names an epoch, a transaction and an event."""

import re

import msgspec

from models.errors import UsageError

# PostgreSQL counts transactions by 64 bits without a sign, and ids with one.
_WORD = re.compile(r"([a-z2-7]{1,32})-([0-9]{1,20})-([0-9]{1,19})")
_MOST_XACT, _MOST_ID = 2**64 - 1, 2**63 - 1


class ForeignCursor(UsageError):
    """A cursor of another epoch: the database was restored or moved since, and the reader has to begin anew."""


class Cursor(msgspec.Struct, frozen=True, order=True):
    """The last event that a reader has had: by its transaction, then by its id."""

    epoch: str
    xact: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.epoch}-{self.xact}-{self.id}"


def read_cursor(word: str) -> Cursor:
    """Return the cursor that a word is; raises `UsageError` for one that is none of ours."""
    match = _WORD.fullmatch(word)
    if match is not None:
        cursor = Cursor(match[1], int(match[2]), int(match[3]))
        if cursor.xact <= _MOST_XACT and cursor.id <= _MOST_ID:
            return cursor
    raise UsageError("this is no cursor of the event log; begin without one")
