"""Import what a file says: ask IGDB for what the catalogue lacks, then take it in at once, or rehearse that."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version

import msgspec
from sqlalchemy import Connection, Engine

from pipeline.games.store.decisions import OF_CONTENT, load_decisions
from pipeline.ingest.turn import take_turn
from pipeline.library.importing.asking import Asked, Asking
from pipeline.library.records import Reading, ReadOptions
from pipeline.library.resolving import answer_on
from pipeline.library.store.imports import close_import, find_import, is_finished, knows_format, open_import
from pipeline.library.take_in import Line, Taken, take_in

_AGAIN = "the same file as before"


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a file, or would: how it was taken, each line, and sentences on what a person should know.

    `is_known` where the very same file was taken in whole before, so that nothing was compared.
    """

    name: str
    format: str
    taken_for: str
    lines: Sequence[Line]
    counts: dict[str, int]
    lists: Sequence[str]
    notes: Sequence[str]
    is_known: bool
    is_rehearsed: bool


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read; `digest` is `digest_of` it."""

    reading: Reading
    digest: bytes
    name: str


def import_reading(
    engine: Engine,
    reading: Reading,
    digest: bytes,
    name: str,
    asking: Asking,
    *,
    person_id: int,
    now: datetime,
    rehearse: bool = False,
) -> Imported:
    """Take in what a file of this name says (`digest_of` it) and return what came of each line.

    It is one transaction: a kill leaves all of it or nothing. With `rehearse` the same is done and undone again, so
    that nothing of it stays. The same file again changes nothing.
    """
    with engine.connect() as connection:
        if (again := _known(connection, reading, digest, name, person_id, is_rehearsed=rehearse)) is not None:
            return again
    asked = asking.ask(engine, reading.records, person_id)
    with engine.connect() as connection, connection.begin() as transaction:
        take_turn(connection)
        asking.keep(connection, asked)
        taken = _take(connection, reading, digest, name, person_id, now)
        if rehearse:
            transaction.rollback()
    return _imported(reading, name, taken, asked, is_rehearsed=rehearse)


def rehearse_readings(
    engine: Engine, brought: Sequence[Brought], asking: Asking, *, person_id: int, now: datetime
) -> list[Imported]:
    """Return what `import_reading` would say of files that are taken in one after the other; nothing of it stays."""
    asked: list[Asked] = []
    for each in brought:
        with engine.connect() as connection:
            is_known = (
                _known(connection, each.reading, each.digest, each.name, person_id, is_rehearsed=True) is not None
            )
        asked.append(Asked() if is_known else asking.ask(engine, each.reading.records, person_id, after=asked))
    done = []
    with engine.connect() as connection, connection.begin() as transaction:
        take_turn(connection)
        for each, answered in zip(brought, asked, strict=True):
            imported = _known(connection, each.reading, each.digest, each.name, person_id, is_rehearsed=True)
            if imported is None:
                asking.keep(connection, answered)
                taken = _take(connection, each.reading, each.digest, each.name, person_id, now)
                imported = _imported(each.reading, each.name, taken, answered, is_rehearsed=True)
            done.append(imported)
        transaction.rollback()
    return done


def digest_of(data: bytes, options: ReadOptions) -> bytes:
    """Return the digest of a file as it is to be read: of its content first, then of the program that reads it."""
    content = hashlib.blake2b(msgspec.json.encode(options, order="deterministic") + data, digest_size=OF_CONTENT)
    program = hashlib.blake2b(version("lootwire").encode(), digest_size=8)
    return content.digest() + program.digest()


def _take(connection: Connection, reading: Reading, digest: bytes, name: str, person_id: int, now: datetime) -> Taken:
    import_id = open_import(connection, person_id=person_id, format_=reading.format, name=name, digest=digest, now=now)
    taken = take_in(
        connection,
        reading,
        person_id=person_id,
        import_id=import_id,
        source_id=None,
        now=now,
        # What a person had before they brought it here is no news.
        silent=not knows_format(connection, person_id, reading.format, but=import_id),
    )
    is_same = is_finished(connection, import_id) and not taken.is_changed
    close_import(connection, import_id, digest=digest, counts=None if is_same else taken.counts, now=now)
    return taken


def _known(
    connection: Connection, reading: Reading, digest: bytes, name: str, person_id: int, *, is_rehearsed: bool
) -> Imported | None:
    """Return what comes of a file that was taken in before, where neither it nor a person's answers can say more."""
    known = find_import(connection, person_id, digest)
    if known is None or not known.is_whole:
        return None
    decisions = load_decisions(connection, person_id)
    lines = []
    for record in reading.records:
        answer = answer_on(record, decisions)
        why = record.no_game or ("you said to skip it" if answer is not None and answer.verdict == "skip" else None)
        verdict = Line(line=record.line, written=record.written, verdict="same", explanation=_AGAIN)
        lines.append(verdict if why is None else msgspec.structs.replace(verdict, verdict="no_game", explanation=why))
    taken = Taken(lines=tuple(lines))
    return msgspec.structs.replace(_imported(reading, name, taken, Asked(), is_rehearsed=is_rehearsed), is_known=True)


def _imported(reading: Reading, name: str, taken: Taken, asked: Asked, *, is_rehearsed: bool) -> Imported:
    notes = list(reading.notes)
    if asked.problem is not None:
        notes.append(
            f"IGDB could not be asked ({asked.problem}): games that the catalogue lacks wait as unknown; "
            "import the file again later"
        )
    return Imported(
        name=name,
        format=reading.format,
        taken_for=reading.taken_for,
        lines=taken.lines,
        counts=taken.counts,
        lists=[each.name for each in reading.lists],
        notes=notes,
        is_known=False,
        is_rehearsed=is_rehearsed,
    )
