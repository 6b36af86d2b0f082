"""Scan a folder: list it, read what is new or changed, and take in what that makes of the collection.

What was read is stored every few hundred files, so a scan may end anywhere, by a kill or when its time is over, and the
next one goes on: it finds the rest as new. What a scan says of files that came and went is one transaction at its end.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

import msgspec
from sqlalchemy import Engine

from models.errors import LootwireError
from models.locks import LockKey, row_key
from pipeline.database.lease import Lease, Slowness
from pipeline.roms.compare import Place, place_files
from pipeline.roms.records import FileReading
from pipeline.roms.scanning.ending import Ended, end_scan, match_roms, note_problem
from pipeline.roms.scanning.garbage import collect_young, collecting_by_hand
from pipeline.roms.scanning.looking import MOST_AT_ONCE, Look, look
from pipeline.roms.scanning.readers import Readers, ToRead
from pipeline.roms.scanning.walking import LONGEST_PATH, TOO_LONG, open_folder
from pipeline.roms.sets import directory_of
from pipeline.roms.store import files as store
from pipeline.roms.store.files import ReadFile
from pipeline.roms.store.folders import Folder, change_folder, load_folder, shown
from pipeline.roms.store.identification import needs_deep

READERS = 2
PATIENCE = timedelta(seconds=3)
STORED_AT_ONCE = 1_000
# Of archives with thousands of members.
CONTENTS_AT_ONCE = 20_000
_LOCK = "lootwire rom folder"

Outcome = Literal["ended", "unfinished", "suspect", "unreadable"]


class ScanReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a scan of a folder went.

    `outcome` is `ended`, `unfinished` where its time was over, `suspect` where so much is gone that nothing was
    believed, or `unreadable` where the folder could not be listed; then, and where a part of it could not be,
    `problem` says why. `listed` and `read` are files, `unread` those that could not be read. `added`, `missing`,
    `returned` and `moved` count ROMs, and files that are elsewhere now; `events` those that were appended.
    """

    folder_id: int
    outcome: Outcome
    problem: str | None = None
    listed: int = 0
    read: int = 0
    unread: int = 0
    moved: int = 0
    added: int = 0
    missing: int = 0
    returned: int = 0
    identified: int = 0
    events: Counter[str] = Counter()


class ScanBusy(LootwireError):
    """Another process scans the folder at this moment."""


def scan_folder(
    engine: Engine,
    folder_id: int,
    *,
    now: datetime,
    full: bool = False,
    accept: bool = False,
    within: timedelta | None = None,
    readers: int = READERS,
    patience: timedelta = PATIENCE,
    slow: Sequence[LockKey] = (),
    match: bool = True,
    on_read: Callable[[int], object] = lambda _: None,
) -> ScanReport:
    """Scan a folder, or go on with the scan that was interrupted; no file is opened but those that are new or changed.

    With `full` every file is read again. With `accept` a person says that what is gone is gone, however much it is.
    After the time that it is given by `within` it reads no further file and is `unfinished`. Files are read by so many
    processes as there are `readers`; `on_read` hears how many have been read so far. One of the `slow` locks is held
    meanwhile, if there are any. What is new is matched with games then, unless the caller will have that done.

    Raises `ScanBusy` where another process scans the folder, or no slow lock is free; `UsageError` where there is none.
    """
    with engine.connect() as connection:
        load_folder(connection, folder_id)
    terms = Slowness(slow, is_expected=bool(slow))
    with Lease(engine, [scan_lock(folder_id)], patience, terms) as lease:
        if not lease.held:
            raise ScanBusy("another process scans this folder, or scans enough others; try again in a minute")
        with lease.interrupting(), collecting_by_hand():
            scan = _Scan(
                engine, folder_id, now, accept=accept, readers=readers, within=within, match=match, on_read=on_read
            )
            return scan.run(full=full)


def scan_lock(folder_id: int) -> LockKey:
    """Return the lock that says that a folder is being scanned."""
    return row_key(_LOCK, folder_id)


class _Scan:
    """One scan of a folder, by the process that holds its lock."""

    def __init__(
        self,
        engine: Engine,
        folder_id: int,
        now: datetime,
        *,
        accept: bool,
        readers: int,
        within: timedelta | None,
        match: bool,
        on_read: Callable[[int], object],
    ) -> None:
        self._engine = engine
        self._id = folder_id
        self._now = now
        self._accept = accept
        self._processes = readers
        self._until = None if within is None else time.monotonic() + within.total_seconds()
        self._match = match
        self._on_read = on_read
        self._read = self._unread = self._moved = 0
        # Of files that could not be read, by their ids.
        self._errors: dict[int | None, str] = {}
        self._folder = self._begun_with = self._load()
        # What the last scan has not come to take in, and where, is not known; neither is it before the first one.
        self._is_fresh = self._folder.scans > 0 and self._folder.scan_started_at is None
        self._changed: set[bytes] = set()

    def run(self, *, full: bool) -> ScanReport:
        if full:
            self._is_fresh = False
            with self._engine.begin() as connection:
                store.forget_readings(connection, self._id)
                self._begin()
        try:
            root = open_folder(self._folder.path)
        except OSError as error:
            return self._doubt("unreadable", f"it cannot be opened: {error.strerror}")
        try:
            with Readers(root, self._processes) as readers:
                return self._round(root, readers)
        finally:
            os.close(root)

    def _round(self, root: int, readers: Readers) -> ScanReport:
        """Look, read and end; where there is more than one look may keep, look again."""
        while True:
            seen = Look()
            self._take_in(root, readers, seen)
            if seen.problems and not seen.listed and not seen.present:
                return self._doubt("unreadable", seen.problems[0])
            if self._is_over():
                return self._report("unfinished", seen)
            if not seen.is_cut:
                break
        self._read_deep(readers)
        if self._is_over():
            return self._report("unfinished", seen)
        changed = self._changed | seen.changed if self._is_fresh else None
        ended = end_scan(self._engine, self._begun_with, seen, self._now, changed=changed, accept=self._accept)
        if ended.is_suspect:
            return self._report("suspect", seen, ended)
        # In transactions of its own: where they come to nothing, the next scan matches what this one left.
        events = Counter[str]()
        if self._match:
            events = match_roms(self._engine, self._folder, self._now, is_over=self._is_over)
        return self._report("ended", seen, msgspec.structs.replace(ended, events=ended.events + events))

    def _take_in(self, root: int, readers: Readers, seen: Look) -> None:
        """Read what is new or changed, and store it."""
        differing = look(self._engine, root, self._folder, seen)
        if self._is_first():
            # There is nothing that could have been moved, so files are read while others are listed.
            self._read_all(readers, differing, seen)
            return
        targets = list(islice(differing, MOST_AT_ONCE))
        seen.is_cut = next(differing, None) is not None
        for _ in differing:
            # To its end: what is gone shows there.
            pass
        if targets:
            self._begin()
            targets = self._place(seen, targets)
        self._read_all(readers, [*targets, *self._unread_files(seen, targets)], seen)

    def _place(self, seen: Look, targets: list[ToRead]) -> list[ToRead]:
        """Give known files that were moved their new paths, by what their directories say; returns what is to read."""
        at = {target.path: target.id for target in targets if target.id is not None}
        with self._engine.begin() as connection:
            lost = {file.id: file for file in (*seen.gone, *store.load_absent(connection, self._id))}
            lost |= {file.id: file for file in store.load_files(connection, at.values())}
            for file in seen.again:
                lost.pop(file.id, None)
            stats = {target.path: (target.size, target.mtime_ns, target.inode) for target in targets}
            placing = place_files(
                [Place(file.id, file.path, (file.size, file.mtime_ns, file.inode)) for file in lost.values()],
                [Place(number, target.path, stats[target.path]) for number, target in enumerate(targets)],
                at,
            )
            store.move_files(connection, {**placing.displaced, **placing.moved})
            store.note_stats(connection, [(id_, *stats[path]) for id_, path in placing.moved.items()])
        self._moved += len(placing.moved)
        self._changed.update(directory_of(lost[id_].path) for id_ in (*placing.moved, *placing.displaced))
        vanished = [lost[id_] for id_, path in placing.displaced.items() if path not in placing.ids]
        seen.gone = [file for file in (*seen.gone, *vanished) if file.id not in placing.moved and not file.is_absent]
        return [target._replace(id=placing.ids[target.path]) for target in targets if target.path in placing.ids]

    def _unread_files(self, seen: Look, targets: Sequence[ToRead]) -> list[ToRead]:
        """Return the files that are there as they were, and that no scan has read yet."""
        with self._engine.connect() as connection:
            unread = store.load_unread(connection, self._id)
        others = {file.id for file in seen.gone} | {file.id for file in targets}
        again = {file.id for file in seen.again}
        self._errors = {file.id: file.error for file in unread if file.error is not None}
        return [
            ToRead(file.id, file.path, file.size, file.mtime_ns, file.inode)
            for file in unread
            if file.id not in others and (not file.is_absent or file.id in again) and not file.path.startswith(TOO_LONG)
        ]

    def _read_deep(self, readers: Readers) -> None:
        with self._engine.connect() as connection:
            ids = needs_deep(connection, self._id)
            files = store.load_files(connection, ids) if ids else []
        deep = [ToRead(file.id, file.path, file.size, file.mtime_ns, file.inode) for file in files]
        self._store(readers.read(deep, deep=True, is_over=self._is_over))

    def _read_all(self, readers: Readers, targets: Iterable[ToRead], seen: Look) -> None:
        aside: list[tuple[ToRead, FileReading]] = []

        def readable() -> Iterator[ToRead]:
            for target in targets:
                if target.path.startswith(TOO_LONG):
                    aside.append((target, _too_long(seen.long_paths[target.path])))
                else:
                    yield target

        self._store(readers.read(readable(), is_over=self._is_over))
        self._store(iter(aside))

    def _store(self, readings: Iterator[tuple[ToRead, FileReading]]) -> None:
        batch: list[ReadFile] = []
        contents = 0
        for target, reading in readings:
            if reading.error is not None and not reading.contents and self._errors.get(target.id) == reading.error:
                # It still cannot be read, as is written down already.
                continue
            batch.append(ReadFile(*target, reading))
            contents += len(reading.contents)
            if len(batch) == STORED_AT_ONCE or contents > CONTENTS_AT_ONCE:
                self._store_batch(batch)
                batch, contents = [], 0
        if batch:
            self._store_batch(batch)

    def _store_batch(self, batch: Sequence[ReadFile]) -> None:
        self._begin()
        with self._engine.begin() as connection:
            store.store_readings(connection, self._id, batch, self._now)
        collect_young()
        if self._is_fresh:
            self._changed.update(directory_of(file.path) for file in batch)
        self._read += len(batch)
        self._unread += sum(file.reading.error is not None for file in batch)
        self._on_read(self._read)

    def _begin(self) -> None:
        """Note that the scan goes on, before anything of it is stored."""
        if self._folder.scan_started_at is None:
            with self._engine.begin() as connection:
                change_folder(connection, self._id, scan_started_at=self._now)
            self._folder = self._load()

    def _load(self) -> Folder:
        with self._engine.connect() as connection:
            return load_folder(connection, self._id)

    def _is_first(self) -> bool:
        with self._engine.connect() as connection:
            return self._folder.scans == 0 and store.is_empty(connection, self._id)

    def _is_over(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until

    def _doubt(self, outcome: Outcome, problem: str) -> ScanReport:
        with self._engine.begin() as connection:
            events = note_problem(connection, self._folder, problem, self._now, is_suspect=True)
        return ScanReport(folder_id=self._id, outcome=outcome, problem=problem, events=events)

    def _report(self, outcome: Outcome, seen: Look, ended: Ended | None = None) -> ScanReport:
        report = ScanReport(
            folder_id=self._id, outcome=outcome, listed=seen.listed, read=self._read, unread=self._unread
        )
        if ended is None:
            return report
        return msgspec.structs.replace(
            report,
            problem=ended.problem,
            moved=self._moved + ended.moved,
            added=ended.added,
            missing=ended.missing,
            returned=ended.returned,
            identified=ended.identified,
            events=ended.events,
        )


def _too_long(path: bytes) -> FileReading:
    beginning = shown(path[:100])
    return FileReading(
        container="plain",
        contents=(),
        error=f"its path has {len(path):,} bytes, and none of more than {LONGEST_PATH:,} is looked into: {beginning}…",
    )
