"""Import payloads: understand each, take it in, and sum up what came of it."""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from pipeline.errors import LootwireError, SourceChanged
from pipeline.fetching import register
from pipeline.importer.entries import Entry
from pipeline.importer.exported import import_export
from pipeline.importer.history import History
from pipeline.importer.limits import check_values
from pipeline.importer.payloads import Clock, Understood, lines_of, understand, understand_broken
from pipeline.importer.reading import Listing, read
from pipeline.importer.repair import Mender
from pipeline.importer.text import as_utf8
from pipeline.importer.times import TimeParser
from pipeline.ingest import Context, Ingested, ingest, lock_source
from pipeline.sources.base import DropSource
from pipeline.store.events import NEWS_FOR
from pipeline.store.quarantine import keep_aside

# SQLSTATE classes that say "this value cannot be stored": cardinality, data, constraint, and a limit of the program.
_OF_THE_PAYLOAD = ("21", "22", "23", "54")


class SetAside(msgspec.Struct, frozen=True):
    """A payload, or an item of one, that was kept aside and why."""

    path: str
    reason: str


class Summary(msgspec.Struct, kw_only=True):
    """What an import did. `records` counts the campaigns that were listed, `unchanged` those that brought no news.

    `taken_for` counts in words what the files were, `believed` by their sources those that were; neither is among what
    programs are promised.
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

    def set_aside(self, path: str, reason: str) -> None:
        """Note that something was kept aside, and why."""
        self.quarantined.append(SetAside(path, reason))

    def promised(self) -> dict[str, Any]:
        """Return what programs may rely on (DESIGN, section 12)."""
        told = {name: getattr(self, name) for name in self.__struct_fields__}
        del told["taken_for"], told["believed"]
        return told


def import_paths(
    engine: Engine,
    sources: Sequence[DropSource],
    paths: Sequence[Path],
    *,
    parse_time: TimeParser,
    now: Callable[[], datetime],
    notify: bool = False,
    history: History | None = None,
    standard_input: Path | None = None,
) -> Generator[Summary, None, None]:
    """Import everything below the paths, oldest first, a transaction each; yields the running summary after each file.

    Interrupted at any point it can be run again: what was taken in is recognised. Events older than a day notify
    nobody unless `notify` is set. A git history comes after the paths. `standard_input` is the file that holds what
    came for the path `-`.
    """
    listing = Listing(paths, parse_time, standard_input)
    with ExitStack() as stack:
        connection = stack.enter_context(engine.connect())
        # The setting below must not stay behind in the pool.
        stack.callback(connection.invalidate)
        with connection.begin():
            register(connection, sources, now())
            # An import can be run again, so it need not wait for the disk at every one of thousands of snapshots.
            connection.execute(text("SET synchronous_commit = off"))
            imported_until = history.imported_until(connection) if history else None
        run = _Run(connection, sources, now, stack.enter_context(Mender()), notify=notify)
        for export in listing.exports:
            run.take_export(export.name, export.file)
            yield run.summary
        for entry, payload in read(listing.entries()):
            run.take(entry, payload)
            yield run.summary
        for entry, payload in read(history.entries(imported_until)) if history else ():
            run.take(entry, payload)
            yield run.summary
    with engine.begin() as durable:
        # This commit waits for the disk, and everything before it is then safe too.
        durable.execute(text("SELECT pg_current_xact_id()"))


class _Run:
    def __init__(
        self,
        connection: Connection,
        sources: Sequence[DropSource],
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

    def take(self, entry: Entry, payload: bytes | Exception) -> None:
        """Take in one file; whatever is wrong with it, the next one is taken in too."""
        self.summary.files += 1
        if isinstance(payload, Exception):
            self.summary.set_aside(entry.path, f"cannot be read: {payload}")
            return
        try:
            told = as_utf8(payload)
            check_values(told)
        except LootwireError as error:
            self._keep(entry, payload, self._sources[0], str(error))
            return
        self._take_text(entry, told)

    def take_export(self, name: str, file: Path) -> None:
        """Take in an export of a whole catalogue, or say why not."""
        self.summary.files += 1
        try:
            with self._connection.begin():
                records = import_export(self._connection, file)
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
            self._take_understood(entry, understood)

    def _take_broken(self, entry: Entry, payload: bytes, wrong: SourceChanged) -> None:
        try:
            understood = understand_broken(payload, entry.path, self._sources, self._mender, wrong)
        except SourceChanged as error:
            self._keep(entry, payload, self._sources[0], str(error))
            return
        if self._take_understood(entry, understood):
            source = understood.parts[0][0]
            self._keep(entry, payload, source, f"repaired: {wrong}; it ended nothing", "repaired")

    def _take_understood(self, entry: Entry, understood: Understood) -> bool:
        """Take in a payload; returns whether the database took it."""
        try:
            ingested = self._ingest(entry, understood)
        except DBAPIError as error:
            if not _is_of_the_payload(error):
                raise
            source = understood.parts[0][0]
            self._keep(entry, understood.payload, source, f"the database does not take it: {_first_line(error)}")
            return False
        self._count(entry, understood, ingested)
        return True

    def _ingest(self, entry: Entry, understood: Understood) -> list[Ingested]:
        """Take in all that a payload tells, in one transaction."""
        now = self._now()
        taken_at = self._clock.taken_at(entry, understood, now)
        ingested = []
        with self._connection.begin():
            for source, snapshot in understood.parts:
                row = lock_source(self._connection, source.name)
                first = row["last_snapshot_at"] is None
                context = Context(
                    connection=self._connection,
                    adapter=source,
                    source=row,
                    payload=understood.payload,
                    taken_at=taken_at,
                    now=now,
                    silent=first or not (self._notify or taken_at > now - NEWS_FOR),
                    origin=entry.path,
                )
                ingested.append(ingest(context, snapshot))
            entry.settle(self._connection)
        return ingested

    def _keep(self, entry: Entry, payload: bytes, source: DropSource, reason: str, kind: str = "unreadable") -> None:
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
        for (source, _), part in zip(understood.parts, ingested, strict=True):
            if part.outcome != "quarantined":
                summary.believed[source.name] += 1
            summary.records += part.items
            summary.unchanged += part.items - part.changed - part.invalid
            summary.events += part.events
            summary.quarantined += [SetAside(entry.path, f"{reason}: {told}") for reason, told in part.quarantined]


def _is_of_the_payload(error: DBAPIError) -> bool:
    """Whether a value was refused, rather than the database being away; then another payload may do well."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # Refused before it was sent: psycopg does not send NUL characters.
        return isinstance(error.orig, psycopg.DataError)
    return str(state).startswith(_OF_THE_PAYLOAD)


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
