"""Lines that wait for a person: what they may mean, the person's answers, and how to take an answer back."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, select

from models import Source
from models.errors import UnknownThing, UsageError
from models.names import name_key
from pipeline.games.following.list_rows import want_what_is_listed
from pipeline.games.following.lists import OpenLine, load_lines_by_id, load_open_lines, settle_open_lines
from pipeline.games.store.decisions import Answer, decide, forget, load_decisions, own_game
from pipeline.games.store.wanted import begin_wanting
from pipeline.ingest.turn import take_turn
from pipeline.library.importing.taking_back import take_back
from pipeline.library.records import Reading, Record
from pipeline.library.resolving import answer_on, key_of_record, resolve, title_of
from pipeline.library.store.imports import StoredLine, load_lines, settle_lines
from pipeline.library.store.person_works import renew, renew_wanted
from pipeline.library.store.placings import note_meant_no_more
from pipeline.library.take_in import Line, Taken, take_lines

Said = Literal["own", "skip"]


class UnknownLine(UnknownThing):
    """The person has no line of that number."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an answer: the lines that it settled, also of other files that have the same title or id.

    `is_listed` where the line is of a list of games, whose lines have numbers of their own.
    """

    id: int
    is_listed: bool = False
    origin: str
    line: Line


def waiting_lines(connection: Connection, person_id: int) -> list[StoredLine]:
    """Return the lines of all files and answers that wait for a person, in the order in which they came."""
    return load_lines(connection, person_id, waiting=True)


def waiting_list_lines(connection: Connection, person_id: int) -> list[OpenLine]:
    """Return the lines of lists that wait for a person, but for those whose title waits as a line of a file."""
    titles = {
        name_key(title_of(record_of(line)))
        for line in waiting_lines(connection, person_id)
        if line.waiting.verdict != "invalid"
    }
    return [line for line in load_open_lines(connection, person_id) if name_key(line.written) not in titles]


def settle(
    connection: Connection,
    person_id: int,
    ids: Collection[int],
    said: int | Said,
    now: datetime,
    *,
    listed: Collection[int] = (),
) -> list[Settled]:
    """Keep a person's answer on lines and take in all lines that it settles; returns them with what came of each.

    `said` is the number of a stored entry of IGDB, `own` for a game that IGDB lacks, or `skip` for what is no game. It
    holds for the title, or for the shop's id where the line has one, in whatever comes later. `listed` are lines of
    lists of games. Takes the turn to store. Raises `UsageError` where a line is none that waits, or cannot be read.
    """
    take_turn(connection)
    chosen = _chosen(connection, person_id, ids)
    of_lists = _chosen_of_lists(connection, person_id, listed)
    for line in chosen:
        if line.waiting.verdict == "invalid" and said != "skip":
            raise UsageError(
                f"line {line.id} cannot be read ({line.waiting.explanation}), so no game can be said for it; "
                f"--skip puts it aside"
            )
    broken = [line for line in chosen if line.waiting.verdict == "invalid"]
    settle_lines(connection, [line.id for line in broken], now)
    keys = {}
    for line in chosen:
        if line.waiting.verdict != "invalid":
            record = record_of(line)
            keys[key_of_record(record)] = _answer(connection, record, said, now)
    for each in of_lists:
        record = Record(line=each.position, written=each.written)
        keys[key_of_record(record)] = _answer(connection, record, said, now)
    for key, answer in keys.items():
        decide(connection, person_id, key, answer, now)
    aside = [Settled(id=line.id, origin=line.origin, line=_put_aside(line)) for line in broken]
    if keys and settle_open_lines(connection, person_id):
        begin_wanting(connection, now)
        want_what_is_listed(connection, now)
    aside += [_settled_on_list(each, said) for each in of_lists]
    return aside + (apply_decisions(connection, person_id, now) if keys else [])


def apply_decisions(connection: Connection, person_id: int, now: datetime) -> list[Settled]:
    """Take in all waiting lines that a person's answers settle; call it where an answer was kept anywhere.

    Belongs in a transaction that took the turn to store.
    """
    waiting = [line for line in load_lines(connection, person_id, waiting=True) if line.waiting.verdict != "invalid"]
    decisions = load_decisions(connection, person_id)
    answered = [line for line in waiting if answer_on(record_of(line), decisions) is not None]
    settled = []
    for import_id in dict.fromkeys(line.import_id for line in answered):
        lines = {line.waiting.line: line for line in answered if line.import_id == import_id}
        # They know: they have just said it.
        reading, taken = take_again(connection, person_id, list(lines.values()), now, silent=True)
        done = [line for line in taken.lines if line.verdict in {"new", "changed", "same", "no_game"}]
        settle_lines(connection, [lines[line.line].id for line in done], now)
        settled += [Settled(id=lines[line.line].id, origin=reading.taken_for, line=line) for line in done]
    return settled


def take_again(
    connection: Connection, person_id: int, lines: Sequence[StoredLine], now: datetime, *, silent: bool
) -> tuple[Reading, Taken]:
    """Take in stored lines of one file or answer, and return them as a reading with what came of each."""
    first = lines[0]
    source_id = connection.scalar(select(Source.id).where(Source.name == first.format))
    reading = Reading(format=first.format, taken_for=first.origin, records=[record_of(line) for line in lines])
    taken = take_lines(
        connection,
        reading,
        person_id=person_id,
        import_id=first.import_id,
        source_id=source_id,
        now=now,
        silent=silent,
    )
    return reading, taken


def undo(connection: Connection, person_id: int, line_id: int, now: datetime) -> list[StoredLine]:
    """Take back the answer on a line: it waits again, with all others that the answer had settled; returns them.

    What those lines alone had brought is removed, and what was told of it is taken off the person's feeds. Takes the
    turn to store, in a caller's turn to publish; raises `UsageError` for a line that nobody has settled.
    """
    take_turn(connection)
    line = _line(connection, person_id, line_id)
    if line.settled_at is None:
        raise UsageError(f"line {line_id} is not settled; `lootwire library review` shows what waits")
    if line.waiting.verdict == "invalid":
        settle_lines(connection, [line_id], None)
        return [line]
    key = key_of_record(record_of(line))
    settled = [
        each
        for each in load_lines(connection, person_id)
        if each.settled_at is not None and each.waiting.verdict != "invalid" and key_of_record(record_of(each)) == key
    ]
    records = [record_of(each) for each in settled]
    resolved = resolve(connection, records, load_decisions(connection, person_id))
    works = take_back(connection, person_id, list(zip(settled, records, resolved, strict=True)))
    forget(connection, person_id, key)
    settle_lines(connection, [each.id for each in settled], None)
    if works:
        renew(connection, person_id, works, now)
        if renew_wanted(connection, now):
            begin_wanting(connection, now)
    return settled


def undo_on_list(connection: Connection, person_id: int, line_id: int, now: datetime) -> list[OpenLine]:
    """Take back the answer on the title of a line of a list: it waits again, and lines of files with it; returns it.

    Takes the turn to store, in a caller's turn to publish; raises `UsageError` for a line that nobody has settled.
    """
    take_turn(connection)
    lines = load_lines_by_id(connection, person_id, [line_id])
    if not lines:
        raise _unknown(f"L{line_id}")
    key = key_of_record(Record(line=lines[0].position, written=lines[0].written))
    if key not in load_decisions(connection, person_id).answers:
        raise UsageError(f"line L{line_id} is not settled; `lootwire library review` shows what waits")
    of_files = [
        line
        for line in load_lines(connection, person_id)
        if line.settled_at is not None and line.waiting.verdict != "invalid" and key_of_record(record_of(line)) == key
    ]
    if of_files:
        undo(connection, person_id, of_files[0].id, now)
    begin_wanting(connection, now)
    forget(connection, person_id, key)
    works = {line.work_id for line in lines if line.work_id is not None}
    note_meant_no_more(connection, person_id, works, {line.written for line in lines})
    want_what_is_listed(connection, now)
    return load_lines_by_id(connection, person_id, [line_id])


def record_of(line: StoredLine) -> Record:
    """Return a line as its format read it."""
    return msgspec.convert(line.waiting.record, Record)


def _chosen(connection: Connection, person_id: int, ids: Collection[int]) -> Sequence[StoredLine]:
    by_id = {line.id: line for line in load_lines(connection, person_id, ids=ids)}
    for line_id in ids:
        if line_id not in by_id:
            raise _unknown(line_id)
        if by_id[line_id].settled_at is not None:
            raise UsageError(f"line {line_id} is settled already; `lootwire library undo {line_id}` takes that back")
    return [by_id[line_id] for line_id in dict.fromkeys(ids)]


def _chosen_of_lists(connection: Connection, person_id: int, ids: Collection[int]) -> list[OpenLine]:
    if not ids:
        return []
    lines = load_lines_by_id(connection, person_id, ids)
    for line_id in ids:
        if line_id not in {line.id for line in lines}:
            raise _unknown(f"L{line_id}")
    still_open = {line.id for line in load_open_lines(connection, person_id)}
    for line in lines:
        if line.id not in still_open:
            raise UsageError(
                f"line L{line.id} is settled already; `lootwire games lists settle {line.list!r} {line.position}` "
                "says another game"
            )
    return lines


def _settled_on_list(line: OpenLine, said: int | Said) -> Settled:
    skipped, own = "you said to skip it", "a game that IGDB lacks, as you said"
    return Settled(
        id=line.id,
        is_listed=True,
        origin=f"the list {line.list}",
        line=Line(
            line=line.position,
            written=line.written,
            verdict="no_game" if said == "skip" else "changed",
            explanation=skipped if said == "skip" else own if said == "own" else "you said so",
            igdb_id=said if isinstance(said, int) else None,
        ),
    )


def _line(connection: Connection, person_id: int, line_id: int) -> StoredLine:
    lines = load_lines(connection, person_id, ids=[line_id])
    if not lines:
        raise _unknown(line_id)
    return lines[0]


def _unknown(line_id: int | str) -> UnknownLine:
    return UnknownLine(f"there is no line {line_id}; `lootwire library review` shows those that wait")


def _answer(connection: Connection, record: Record, said: int | Said, now: datetime) -> Answer:
    if isinstance(said, int):
        return Answer(verdict="is", igdb_id=said)
    if said == "skip":
        return Answer(verdict="skip")
    return Answer(verdict="own", game_id=own_game(connection, title_of(record), record.year, now))


def _put_aside(line: StoredLine) -> Line:
    waiting = line.waiting
    return Line(line=waiting.line, written=waiting.written, verdict="no_game", explanation="you said to skip it")
