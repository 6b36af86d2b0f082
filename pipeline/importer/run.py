"""Import payloads: understand each, take it in, and sum up the results."""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from models.errors import LootwireError
from models.locks import share_session
from pipeline.errors import SourceChanged
from pipeline.events.append import NEWS_FOR
from pipeline.events.damping import IMPORTING
from pipeline.fetch.limits import check_values
from pipeline.importer.entries import Entry
from pipeline.importer.exported import import_export
from pipeline.importer.history import History
from pipeline.importer.limits import COUNTED_FROM
from pipeline.importer.payloads import Clock, Understood, lines_of, understand, understand_broken
from pipeline.importer.reading import Listing, read
from pipeline.importer.repair import Mender
from pipeline.importer.text import as_utf8
from pipeline.importer.times import TimeParser
from pipeline.ingest.fetching import register
from pipeline.ingest.quarantine import keep_aside
from pipeline.ingest.snapshots import Context, ingest
from pipeline.ingest.source import Ingested, ListSource
from pipeline.ingest.turn import Turn, lock_source, take_turn

# So much is taken in together: enough that the cost of a transaction hardly counts, and little enough that
# sources that are fetched meanwhile need not wait for long.
TOGETHER = 64
BYTES_TOGETHER = 8 * 2**20
# SQLSTATE classes that say "this value cannot be stored": cardinality, data, constraint, and a limit of the program.
_OF_THE_PAYLOAD = ("21", "22", "23", "54")


class SetAside(msgspec.Struct, frozen=True):
    """A payload, or an item of a payload, that was kept aside, and why."""

    path: str
    reason: str


class Summary(msgspec.Struct, kw_only=True):
    """What an import did. `records` counts the campaigns that were listed, `unchanged` those that brought no news.

    `taken_for` counts the files by what they are, in words; `believed` counts those that were taken in, by source;
    `late` counts snapshots no newer than what was stored, which only add. None of these is promised to programs.
    """

    files: int = 0
    snapshots: int = 0
    records: int = 0
    unchanged: int = 0
    events: Counter[str] = msgspec.field(default_factory=Counter)
    quarantined: list[SetAside] = msgspec.field(default_factory=list)
    seconds: float = 0.0
    taken_for: Counter[str] = msgspec.field(default_factory=Counter)
    believed: Counter[str] = msgspec.field(default_factory=Counter)
    late: int = 0

    def set_aside(self, path: str, reason: str) -> None:
        """Note that something was kept aside, and why."""
        self.quarantined.append(SetAside(path, reason))

    def promised(self) -> dict[str, Any]:
        """Return what programs may rely on (DESIGN, section 12)."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        del fields["taken_for"], fields["believed"], fields["late"]
        return fields


def import_paths(
    engine: Engine,
    sources: Sequence[ListSource],
    paths: Sequence[Path],
    *,
    parse_time: TimeParser,
    now: Callable[[], datetime],
    notify: bool = False,
    history: History | None = None,
    standard_input: Path | None = None,
) -> Generator[Summary, None, None]:
    """Import everything below the paths, oldest first; yields the running summary after each file, and at the end.

    Some megabytes of payloads share a transaction, and the summary counts what is committed. Interrupted at any point
    it can be run again: what was taken in is recognised. Events older than a day are silent unless `notify` is set.
    A git history comes after the paths. `standard_input` is the file that stands for the path `-`.
    """
    listing = Listing(paths, parse_time, standard_input)
    with ExitStack() as stack:
        connection = stack.enter_context(engine.connect())
        # The setting below must not stay behind in the pool.
        stack.callback(connection.invalidate)
        with connection.begin():
            share_session(connection, IMPORTING)
            register(connection, sources, now())
            # An import can be run again, so it need not wait for the disk at every one of thousands of snapshots.
            connection.execute(text("SET synchronous_commit = off"))
            imported_until = history.imported_until(connection) if history else None
        run = _Run(connection, sources, now, stack.enter_context(Mender()), notify=notify)
        for export in listing.exports:
            run.take_export(export.name, export.file)
            yield run.summary
        past = history.entries(imported_until) if history else iter(())
        try:
            for entry, payload in chain(read(listing.entries()), read(past)):
                run.take(entry, payload)
                yield run.summary
        except GeneratorExit:
            # A caller that stops early keeps what was read so far.
            run.take_waiting()
            raise
        run.take_waiting()
        yield run.summary
    with engine.begin() as durable:
        # This commit waits for the disk, and everything before it is then safe too.
        durable.execute(text("SELECT pg_current_xact_id()"))


class _Waiting(msgspec.Struct, frozen=True):
    """A payload that is understood and waits to be taken in with others."""

    entry: Entry
    understood: Understood
    taken_at: datetime
    now: datetime


class _Run:
    def __init__(
        self,
        connection: Connection,
        sources: Sequence[ListSource],
        now: Callable[[], datetime],
        mender: Mender,
        *,
        notify: bool,
    ) -> None:
        self.summary = Summary()
        self._connection = connection
        self._sources = sources
        self._now = now
        self._mender = mender
        self._notify = notify
        self._clock = Clock()
        self._waiting: list[_Waiting] = []

    def take(self, entry: Entry, payload: bytes | Exception) -> None:
        """Take in one file; a problem with it is noted and stops no other file."""
        self.summary.files += 1
        if isinstance(payload, Exception):
            self.summary.set_aside(entry.path, f"cannot be read: {payload}")
            return
        try:
            converted = as_utf8(payload)
            if len(converted) >= COUNTED_FROM:
                check_values(converted)
        except LootwireError as error:
            self._keep(entry, payload, self._sources[0], str(error))
            return
        self._take_text(entry, converted)

    def take_export(self, name: str, file: Path) -> None:
        """Take in an export of a whole catalogue, or say why not."""
        self.summary.files += 1
        try:
            with self._connection.begin():
                records = import_export(self._connection, file, self._now())
        except LootwireError as error:
            self.summary.set_aside(name, str(error))
        except DBAPIError as error:
            if not _is_of_the_payload(error):
                raise
            self.summary.set_aside(name, f"the database does not take it: {_first_line(error)}")
        else:
            self.summary.records += records
            self.summary.believed["export"] += 1

    def _take_text(self, entry: Entry, payload: bytes) -> None:
        try:
            understood = understand(payload, entry.path, self._sources)
        except SourceChanged as error:
            lines = list(lines_of(entry, payload))
            for line_entry, line in lines:
                self._take_text(line_entry, line)
            if not lines:
                self._take_broken(entry, payload, error)
        else:
            self._waiting.append(self._prepared(entry, understood))
            size = sum(len(prepared.understood.payload) for prepared in self._waiting)
            if len(self._waiting) >= TOGETHER or size >= BYTES_TOGETHER:
                self.take_waiting()

    def take_waiting(self) -> None:
        """Take in what waits, in one transaction; one by one where the database refuses a value."""
        waiting, self._waiting = self._waiting, []
        if waiting and self._take_together(waiting) is not None:
            for prepared in waiting:
                self._take_alone(prepared)

    def _take_broken(self, entry: Entry, payload: bytes, wrong: SourceChanged) -> None:
        try:
            understood = understand_broken(payload, entry.path, self._sources, self._mender, wrong)
        except SourceChanged as error:
            self._keep(entry, payload, self._sources[0], str(error))
            return
        self.take_waiting()
        if self._take_alone(self._prepared(entry, understood)):
            source = understood.parts[0][0]
            limit = "" if understood.whole else "; it ended nothing"
            self._keep(entry, payload, source, f"repaired: {wrong}{limit}", "repaired")

    def _prepared(self, entry: Entry, understood: Understood) -> _Waiting:
        now = self._now()
        return _Waiting(entry, understood, self._clock.taken_at(entry, understood, now), now)

    def _take_alone(self, prepared: _Waiting) -> bool:
        """Take in a payload; returns whether the database took it."""
        refused = self._take_together([prepared])
        if refused is not None:
            reason = f"the database does not take it: {_first_line(refused)}"
            self._keep(prepared.entry, prepared.understood.payload, prepared.understood.parts[0][0], reason)
        return refused is None

    def _take_together(self, waiting: Sequence[_Waiting]) -> DBAPIError | None:
        """Take in all or none, in one transaction; returns the database's error if it refused a value."""
        try:
            with self._connection.begin():
                turn = Turn(self._connection, take_turn(self._connection))
                taken = [self._ingest(prepared, turn) for prepared in waiting]
                turn.end()
        except DBAPIError as error:
            if not _is_of_the_payload(error):
                raise
            return error
        for prepared, ingested in zip(waiting, taken, strict=True):
            self._count(prepared.entry, prepared.understood, ingested)
        return None

    def _ingest(self, prepared: _Waiting, turn: Turn) -> list[Ingested]:
        """Take in every snapshot of a payload."""
        ingested = []
        for source, snapshot in prepared.understood.parts:
            if source.name not in turn:
                turn.add(lock_source(self._connection, source.name))
            row = turn.source(source.name)
            context = Context(
                connection=self._connection,
                adapter=source,
                source=row,
                payload=prepared.understood.payload,
                taken_at=prepared.taken_at,
                now=prepared.now,
                silent=row["last_snapshot_at"] is None
                or not (self._notify or prepared.taken_at > prepared.now - NEWS_FOR),
                origin=prepared.entry.path,
            )
            ingested.append(ingest(context, snapshot, turn))
        prepared.entry.settle(self._connection)
        return ingested

    def _keep(self, entry: Entry, payload: bytes, source: ListSource, reason: str, kind: str = "unreadable") -> None:
        self.take_waiting()
        self.summary.set_aside(entry.path, reason)
        now = self._now()
        with self._connection.begin():
            source_id = lock_source(self._connection, source.name)["id"]
            keep_aside(self._connection, source_id, payload, reason=kind, detail=reason, origin=entry.path, now=now)
            entry.settle(self._connection)

    def _count(self, entry: Entry, understood: Understood, ingested: Sequence[Ingested]) -> None:
        summary = self.summary
        summary.snapshots += 1
        summary.taken_for[understood.taken_for] += 1
        summary.late += any(part.outcome == "late" for part in ingested)
        for (source, _), part in zip(understood.parts, ingested, strict=True):
            if part.outcome != "quarantined":
                summary.believed[source.name] += 1
            summary.records += part.items
            summary.unchanged += part.items - part.changed - part.invalid
            summary.events += part.events
            summary.quarantined += [SetAside(entry.path, f"{reason}: {detail}") for reason, detail in part.quarantined]


def _is_of_the_payload(error: DBAPIError) -> bool:
    """Whether the database refused a value (another payload may do well), and is not merely away."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # Refused before it was sent: psycopg sends no NUL characters, and no object where a text belongs.
        return isinstance(error.orig, psycopg.DataError | psycopg.ProgrammingError)
    return str(state).startswith(_OF_THE_PAYLOAD)


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
