"""Look again at lines of files that wait, without their file: IGDB may know by now which games they mean."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, Engine

from pipeline.ingest.turn import take_turn
from pipeline.library.importing.asking import Asking
from pipeline.library.importing.review import record_of, take_again
from pipeline.library.store.imports import (
    ReadFile,
    StoredLine,
    files_read_before,
    knows_format,
    load_lines,
    note_read,
    put_lines,
)
from pipeline.library.take_in import WAITING, waiting_lines_of

EVERY = timedelta(days=1)
# In one go; of a file with more lines others have their turn each day.
FILES_AT_ONCE = 5
LINES_AT_ONCE = 500


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of looking again: how many lines are known now or say something else, and the events of that."""

    known: int = 0
    changed: int = 0
    events: Counter[str] = msgspec.field(default_factory=Counter)


def look_again(engine: Engine, asking: Asking, now: datetime) -> Looked:
    """Look at the lines that wait of the files that nobody has looked at for a day, a few files at a time.

    Safe to call twice, and late: the day begins anew with each look. Answers of shops are none of it: their lines are
    looked at whenever the shop is asked.
    """
    with engine.connect() as connection:
        files = files_read_before(connection, now - EVERY, FILES_AT_ONCE)
    looked = [_look(engine, asking, file, now) for file in files]
    return Looked(
        known=sum(each.known for each in looked),
        changed=sum(each.changed for each in looked),
        events=sum((each.events for each in looked), Counter()),
    )


def _look(engine: Engine, asking: Asking, file: ReadFile, now: datetime) -> Looked:
    with engine.connect() as connection:
        lines = _turn(_open_lines(connection, file), now)
    asked = asking.ask(engine, [record_of(line) for line in lines], file.person_id)
    with engine.begin() as connection:
        take_turn(connection)
        asking.keep(connection, asked)
        note_read(connection, file.id, now)
        # A person may have answered meanwhile, or the file may have come again.
        ids = {line.id for line in lines}
        lines = [line for line in _open_lines(connection, file) if line.id in ids]
        if not lines:
            return Looked()
        # As an import of it: what a person had before they brought it here is no news.
        silent = not knows_format(connection, file.person_id, lines[0].format, but=file.id)
        reading, taken = take_again(connection, file.person_id, lines, now, silent=silent)
        waiting = list(waiting_lines_of(reading, taken.lines))
        changed = put_lines(connection, file.id, waiting, among={line.waiting.line for line in lines})
    return Looked(known=sum(line.verdict not in WAITING for line in taken.lines), changed=changed, events=taken.events)


def _open_lines(connection: Connection, file: ReadFile) -> list[StoredLine]:
    lines = load_lines(connection, file.person_id, waiting=True)
    return [line for line in lines if line.import_id == file.id and line.waiting.verdict != "invalid"]


def _turn(lines: Sequence[StoredLine], now: datetime) -> Sequence[StoredLine]:
    """Return the lines whose turn it is on a day."""
    if len(lines) <= LINES_AT_ONCE:
        return lines
    first = now.toordinal() * LINES_AT_ONCE % len(lines)
    return [*lines[first:], *lines[:first]][:LINES_AT_ONCE]
