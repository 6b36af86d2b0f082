"""Read what a service says an account has, as the file formats read the same answer. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from models.errors import UsageError
from pipeline.errors import SourceChanged
from pipeline.library.formats.format import Format
from pipeline.library.formats.look import Look
from pipeline.library.records import Reading, ReadOptions, Record


class Facts(msgspec.Struct, frozen=True):
    """What a sync needs of an element beside what its format reads: its id, and when it was played last."""

    number: int
    played_at: datetime | None = None


def read_answer(body: bytes, title: str, of: Format, facts: Sequence[Facts | None], *, is_whole: bool) -> Reading:
    """Return an answer as its format reads it; `facts` are those of its elements in their order.

    A game is the same line in each answer, wherever it stands: the one with its number. Raises `SourceChanged` where
    nothing can be read.
    """
    if not facts:
        # A file without games is none of its format; an account may have none.
        return Reading(format=of.name, taken_for=title, records=(), is_whole=is_whole)
    try:
        reading = of.read(Look(body, f"the answer of {title}"), ReadOptions())
    except UsageError as error:
        raise SourceChanged(str(error), payload=body) from error
    if reading.broken and not reading.records:
        raise SourceChanged(f"{title}: no game of an account can be read ({reading.broken[0].reason})", payload=body)
    return msgspec.structs.replace(
        reading,
        taken_for=title,
        records=[_with(record, facts) for record in reading.records],
        broken=[msgspec.structs.replace(each, line=_number(each.line, facts)) for each in reading.broken],
        # What could not be read is not absent.
        is_whole=is_whole and not reading.broken,
    )


def _with(record: Record, facts: Sequence[Facts | None]) -> Record:
    changes: dict[str, Any] = {"line": _number(record.line, facts)}
    known = facts[record.line - 1]
    if record.last_played_at is None and known is not None:
        changes["last_played_at"] = known.played_at
    return msgspec.structs.replace(record, **changes)


def _number(line: int, facts: Sequence[Facts | None]) -> int:
    known = facts[line - 1]
    # Below zero, where no game's number is.
    return -line if known is None else known.number
