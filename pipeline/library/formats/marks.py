"""Our own line in a column of a table that we wrote, so that what trackers cannot hold comes back with it. Pure.

A tracker's row says less than we know (a rating of five stars) or more (a status that only follows). Where a row is as
we wrote it, the line beside it is read in its place; of one that was changed since it says alone what the row is about.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b

import msgspec

from pipeline.fetch.shapes import UNREADABLE
from pipeline.library.formats.own import Game, checked
from pipeline.library.formats.table import Row
from pipeline.library.records import Record

COLUMN = "lootwire"
# Readers of CSV give up at 131,072 characters; without its line a row is read as it is.
_LONGEST = 100_000


class _Mark(msgspec.Struct):
    row: str
    game: Game


_MARK = msgspec.json.Decoder(_Mark)


def mark(cells: Sequence[object], record: Record) -> str:
    """Return what stands in the column for a row of these other cells; empty for a record too long for a cell."""
    game = msgspec.to_builtins(record)
    del game["line"]
    written = msgspec.json.encode({"row": _digest(cells), "game": game}).decode().replace("\x7f", "\\u007f")
    return written if len(written) <= _LONGEST else ""


def with_marks(header: Sequence[str], convert: Callable[[Row], Record | None]) -> Callable[[Row], Record | None]:
    """Return a reader of rows that reads our own line where one stands beside a row that is as we wrote it."""
    place = next((place for place, name in enumerate(header) if name.lower() == COLUMN), None)
    if place is None:
        return convert

    def read(row: Row) -> Record | None:
        mark = _mark_of(row, place)
        if mark is None:
            return convert(row)
        ours = checked(mark.game, row.line)
        if mark.row == _digest([cell for at, cell in enumerate(row.cells) if at != place]):
            return ours
        record = convert(row)
        return None if record is None else _of_the_same(record, ours)

    return read


def _mark_of(row: Row, place: int) -> _Mark | None:
    try:
        return _MARK.decode(row.cells[place]) if place < len(row.cells) and row.cells[place] else None
    except UNREADABLE:
        return None


def _of_the_same(record: Record, ours: Record) -> Record:
    """Return what a changed row says, of the entry and the playthrough that it is about."""
    if record.store == ours.store and record.external_id is None:
        record = msgspec.structs.replace(record, external_id=ours.external_id)
    if len(record.playthroughs) == len(ours.playthroughs) == 1:
        [way], [known] = record.playthroughs, ours.playthroughs
        record = msgspec.structs.replace(record, playthroughs=(msgspec.structs.replace(way, key=known.key),))
    return record


def _digest(cells: Sequence[object]) -> str:
    """Return what cells say, whichever program has saved them since: without spaces and control characters."""
    texts = ("".join(sign for sign in str(cell) if sign.isprintable() and not sign.isspace()) for cell in cells)
    return blake2b("\x1f".join(texts).rstrip("\x1f").encode("utf-8", "replace"), digest_size=9).hexdigest()
