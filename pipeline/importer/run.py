"""Import payloads: recognise each, find out when it was taken, take it in, and sum up what came of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine, text

from pipeline.errors import InvalidItem, LootwireError, SourceChanged
from pipeline.fetching import register
from pipeline.importer.reading import DAMAGED, Entry, entries, read_ahead
from pipeline.importer.recognise import recognise, told_time
from pipeline.importer.times import TimeParser
from pipeline.ingest import Context, Ingested, ingest, lock_source
from pipeline.records import Snapshot
from pipeline.sources.base import DropSource
from pipeline.store.quarantine import keep_aside

# Of an older event nobody wants a message: importing two years of history must not send thousands.
NEWS_FOR = timedelta(hours=24)


class SetAside(msgspec.Struct, frozen=True):
    """A payload, or an item of one, that was kept aside and why."""

    path: str
    reason: str


class Summary(msgspec.Struct, kw_only=True):
    """What an import did. `records` counts the campaigns that were listed, `unchanged` those that brought no news."""

    files: int = 0
    snapshots: int = 0
    records: int = 0
    unchanged: int = 0
    events: Counter[str] = msgspec.field(default_factory=Counter)
    quarantined: list[SetAside] = msgspec.field(default_factory=list)
    seconds: float = 0.0


def import_paths(
    engine: Engine,
    sources: Sequence[DropSource],
    paths: Sequence[Path],
    *,
    parse_time: TimeParser,
    now: Callable[[], datetime],
    notify: bool = False,
) -> Iterator[Summary]:
    """Import everything below the paths, oldest first, a transaction each; yields the running summary after each file.

    Interrupted at any point it can be run again: what was taken in is recognised. Events older than a day notify
    nobody unless `notify` is set.
    """
    with engine.connect() as connection:
        with connection.begin():
            register(connection, sources, now())
            # An import can be run again, so it need not wait for the disk at every one of thousands of snapshots.
            connection.execute(text("SET synchronous_commit = off"))
        run = _Run(connection, sources, now, notify=notify)
        try:
            for entry, payload in read_ahead(entries(paths, parse_time)):
                run.take(entry, payload)
                yield run.summary
        except DAMAGED as error:
            raise LootwireError(f"cannot go on reading: {error}") from error
        finally:
            # The setting above must not stay behind in the pool.
            connection.invalidate()
    with engine.begin() as durable:
        # This commit waits for the disk, and everything before it is then safe too.
        durable.execute(text("SELECT pg_current_xact_id()"))


class _Run:
    def __init__(
        self, connection: Connection, sources: Sequence[DropSource], now: Callable[[], datetime], *, notify: bool
    ) -> None:
        self.summary = Summary()
        self._connection = connection
        self._sources = sources
        self._now = now
        self._notify = notify
        self._last_guess: datetime | None = None

    def take(self, entry: Entry, payload: bytes | Exception) -> None:
        """Take in one payload; whatever is wrong with it, the next one is taken in too."""
        self.summary.files += 1
        if isinstance(payload, Exception):
            self.summary.quarantined.append(SetAside(entry.path, f"cannot be read: {payload}"))
            return
        source = None
        try:
            source = recognise(payload, entry.path, self._sources)
            snapshot = source.split(payload)
            taken_at = self._taken_at(entry, payload, source, snapshot)
            ingested = self._ingest(entry, payload, source, snapshot, taken_at)
        except SourceChanged as error:
            self._keep(entry, payload, source or self._sources[0], str(error))
            return
        self._count(entry, ingested)

    def _ingest(
        self, entry: Entry, payload: bytes, source: DropSource, snapshot: Snapshot, taken_at: datetime
    ) -> Ingested:
        now = self._now()
        with self._connection.begin():
            row = lock_source(self._connection, source.name)
            first = row["last_snapshot_at"] is None
            context = Context(
                connection=self._connection,
                adapter=source,
                source=row,
                payload=payload,
                taken_at=taken_at,
                now=now,
                silent=first or not (self._notify or taken_at > now - NEWS_FOR),
                origin=entry.path,
            )
            return ingest(context, snapshot)

    def _keep(self, entry: Entry, payload: bytes, source: DropSource, reason: str) -> None:
        self.summary.quarantined.append(SetAside(entry.path, reason))
        now = self._now()
        with self._connection.begin():
            source_id = lock_source(self._connection, source.name)["id"]
            keep_aside(
                self._connection,
                source_id,
                payload,
                reason="unreadable",
                detail=reason,
                origin=entry.path,
                now=now,
            )

    def _count(self, entry: Entry, ingested: Ingested) -> None:
        summary = self.summary
        summary.snapshots += 1
        summary.records += ingested.items
        summary.unchanged += ingested.items - ingested.changed - ingested.invalid
        summary.events += ingested.events
        summary.quarantined += [SetAside(entry.path, f"{reason}: {detail}") for reason, detail in ingested.quarantined]

    def _taken_at(self, entry: Entry, payload: bytes, source: DropSource, snapshot: Snapshot) -> datetime:
        """Return when a payload was taken: told by its name, by itself, or else by the newest start that it lists.

        A file's own time is often that of a copy; a running campaign proves that the payload is not older than its
        start. Payloads without any of these follow the one before.
        """
        moment = entry.moment
        if moment is not None and moment.earliest == moment.latest:
            return moment.earliest
        if (told := told_time(payload)) is not None:
            return told
        newest = _newest_start(source, snapshot, entry.modified_at)
        if moment is not None:
            return min(max(newest or moment.earliest, moment.earliest), moment.latest)
        guess = newest or self._last_guess or entry.modified_at
        if self._last_guess is not None:
            guess = max(guess, self._last_guess + timedelta(seconds=1))
        self._last_guess = guess
        return guess


def _newest_start(source: DropSource, snapshot: Snapshot, latest: datetime) -> datetime | None:
    starts = []
    for item in snapshot.items:
        try:
            record = source.parse(item)
        except InvalidItem:
            continue
        upcoming = getattr(record, "status", None) == "upcoming"
        if record.start_at is not None and record.start_at <= latest and not upcoming:
            starts.append(record.start_at)
    return max(starts, default=None)
