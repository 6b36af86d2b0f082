"""Bring a library in from files, and say which games the lines mean that wait."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from feeds.take_in import TURN
from models.errors import UsageError
from models.locks import hold
from pipeline.fetch.http import Client
from pipeline.games.finding.finder import Finder
from pipeline.games.finding.names import read_name
from pipeline.games.following.lists import OpenLine, choices_in_words
from pipeline.library.formats import recognise
from pipeline.library.importing.asking import Asking
from pipeline.library.importing.files import Brought, Imported, digest_of, import_reading, rehearse_readings
from pipeline.library.importing.review import (
    Said,
    Settled,
    record_of,
    settle,
    undo,
    undo_on_list,
    waiting_lines,
    waiting_list_lines,
)
from pipeline.library.records import ReadOptions
from pipeline.library.store.imports import StoredLine
from pipeline.operations.meaning import UnclearGame
from pipeline.programs.sources import register
from pipeline.roms import resolving
from pipeline.runtime.runtime import Runtime, utc_now

# PostgreSQL counts no further.
_NUMBERS = range(1, 2**63)


class WaitingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A line that waits for its person; `line` is its number, with an L before it for a line of a list.

    `choices` are the games that it may mean, `record` is what the line says of the game.
    """

    line: int | str
    file: str
    line_of_file: int
    written: str
    verdict: str
    explanation: str | None
    score: float | None
    choices: Sequence[Any]
    record: Mapping[str, Any] | None


class SettledAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an answer for a line, also of another file that has the same title or id."""

    line: int | str
    file: str
    line_of_file: int
    written: str
    verdict: str
    explanation: str
    igdb_id: int | None
    name: str | None


def bring(data: bytes, name: str, options: ReadOptions) -> Brought:
    """Return a file that is to be imported, as its format reads it. Raises `UsageError` where it is of none."""
    return Brought(reading=recognise(data, name, options), digest=digest_of(data, options), name=name)


def import_files(
    runtime: Runtime, person_id: int, brought: Iterable[Brought], *, rehearse: bool = False
) -> Iterator[Imported]:
    """Take in files one after the other, each whole or not at all, and yield what came of each.

    With `rehearse` what would come of them, together; nothing is written. IGDB is asked for what the catalogue lacks.
    """
    with asking(runtime) as ask:
        if rehearse:
            yield from rehearse_readings(runtime.engine, list(brought), ask, person_id=person_id, now=utc_now())
            return
        for each in brought:
            yield import_reading(
                runtime.engine, each.reading, each.digest, each.name, ask, person_id=person_id, now=utc_now()
            )


def list_waiting(connection: Connection, person_id: int, format_: str | None = None) -> list[WaitingAnswer]:
    """Return the lines that wait for a person, of files and answers of all formats or of one, then those of lists."""
    every, listed = waiting_lines(connection, person_id), waiting_list_lines(connection, person_id)
    of_files = [_waiting(line) for line in every if format_ in {None, line.format}]
    return of_files + [_waiting_on_list(line) for line in listed if format_ is None]


def settle_lines(
    runtime: Runtime, person_id: int, now: datetime, lines: Sequence[str], game: str | None, *, own: bool = False
) -> list[SettledAnswer]:
    """Say which game lines mean: one of IGDB by title, number or address, else one that IGDB lacks (`own`), or none.

    The answer holds for that title, or for that shop's id, in whatever comes later. Raises `UnclearGame`, `UnknownLine`
    and `UsageError` for a line that waits no more.
    """
    ids, listed = line_numbers(lines)
    meant = answer_of(runtime, game, own=own)
    with runtime.engine.begin() as connection:
        settled = settle(connection, person_id, ids, meant, now, listed=listed)
        # An answer holds for files of that title too.
        resolving.apply_decisions(connection, person_id, now)
    return [_settled(each) for each in settled]


def undo_line(runtime: Runtime, person_id: int, now: datetime, line: str) -> list[WaitingAnswer]:
    """Take back the answer on a line: what it brought is removed, and it waits again, with all that it had settled.

    Raises `UnknownLine`, and `UsageError` for a line that nobody has settled.
    """
    ids, listed = line_numbers([line])
    # What was told of it is taken off the feeds, which a publish must not write meanwhile.
    with hold(runtime.engine, TURN), runtime.engine.begin() as connection:
        if listed:
            return [_waiting_on_list(each) for each in undo_on_list(connection, person_id, listed[0], now)]
        lines = undo(connection, person_id, ids[0], now)
        of_roms = [record_of(each) for each in lines if each.format == resolving.FORMAT]
        resolving.reopen(connection, person_id, of_roms, now)
        return [_waiting(each) for each in lines]


def answer_of(runtime: Runtime, game: str | None, *, own: bool) -> int | Said:
    """Return a person's answer: the entry of IGDB that they name, or without one whether IGDB lacks the game."""
    if game is not None:
        return entry_named(runtime, game)
    return "own" if own else "skip"


def entry_named(runtime: Runtime, written: str) -> int:
    """Return the entry of IGDB that a person names, which is stored from now on. Raises `UnclearGame`."""
    with asking(runtime) as ask:
        with runtime.engine.begin() as connection:
            ask.register(connection)
        finder = Finder(engine=runtime.engine, open_igdb=ask.open_igdb, clock=utc_now)
        finding = finder.find([read_name(written, number_is_id=True)])[0]
    if finding.igdb_id is None:
        may_be = f": {choices_in_words(finding.choices)}; say which by its number" if finding.choices else ""
        raise UnclearGame(f"{written!r} is no game for sure ({finding.why}){may_be}", finding.choices)
    return finding.igdb_id


@contextmanager
def asking(runtime: Runtime) -> Iterator[Asking]:
    """Give what asks IGDB for the games that the catalogue lacks."""
    with Client() as client:
        yield Asking(
            open_igdb=lambda: runtime.igdb(client),
            register=lambda connection: register(connection, runtime, utc_now()),
            clock=utc_now,
        )


def line_numbers(written: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the numbers of lines of files, and of lines of lists, which have an L before them."""
    of_files, of_lists = list[int](), list[int]()
    for each in written:
        number = each[1:] if each[:1] in {"L", "l"} else each
        if not (number.isascii() and number.isdigit() and len(number) < 20 and int(number) in _NUMBERS):
            raise UsageError(f"{each!r} is no number of a line; `lootwire library review` shows them")
        (of_files if number == each else of_lists).append(int(number))
    return of_files, of_lists


def _waiting(line: StoredLine) -> WaitingAnswer:
    waiting = line.waiting
    return WaitingAnswer(
        line=line.id,
        file=line.origin,
        line_of_file=waiting.line,
        written=waiting.written,
        verdict=waiting.verdict,
        explanation=waiting.explanation,
        score=None if waiting.score is None else round(waiting.score, 4),
        choices=waiting.choices,
        record=waiting.record,
    )


def _waiting_on_list(line: OpenLine) -> WaitingAnswer:
    return WaitingAnswer(
        line=f"L{line.id}",
        file=f"the list {line.list}",
        line_of_file=line.position,
        written=line.written,
        verdict="unknown" if line.score is None else "unsure",
        explanation=line.why,
        score=None if line.score is None else round(line.score, 4),
        choices=[],
        record=None,
    )


def _settled(settled: Settled) -> SettledAnswer:
    return SettledAnswer(
        line=f"L{settled.id}" if settled.is_listed else settled.id,
        file=settled.origin,
        line_of_file=settled.line.line,
        written=settled.line.written,
        verdict=settled.line.verdict,
        explanation=settled.line.explanation,
        igdb_id=settled.line.igdb_id,
        name=settled.line.name,
    )
