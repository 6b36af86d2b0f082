"""Scans a folder of a person's own sounds: lists it, reads what is new or changed, notices what was moved or is gone.

Files are only ever read. What was read is stored a hundred files at a time, so a scan may end anywhere and the next one
goes on: it takes the rest for new.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import Connection, Engine

from models.errors import LootwireError
from models.locks import row_key
from pipeline.database.lease import Lease
from pipeline.sound.scanning.comparing import Comparison, KnownFile, Place, Target, compare
from pipeline.sound.scanning.reading import Hear, Reading, read_file
from pipeline.sound.scanning.walking import LONGEST_PATH, Listing, list_folder
from pipeline.sound.store import files as store
from pipeline.sound.store.folders import Folder, load_folder, note_scanned, shown

READERS = 2
STORED_AT_ONCE = 100
PATIENCE = timedelta(seconds=3)
_LOCK = "lootwire sound folder"

What = Literal["added", "moved", "changed", "missing", "returned", "duplicate", "unreadable"]
# What the caller does with sounds that have new bytes, in the transaction that stores them.
OnNew = Callable[[Connection, Sequence[int]], object]


class Remark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a scan says of a file: `other` is where it was, what it is a copy of, or why it could not be read."""

    what: What
    file: str
    other: str | None = None
    sound_id: int | None = None


class ScanReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a scan of a folder went: files that are in it, those that were read, and what is to be said of some.

    `problems` are the directories that could not be listed, of whose files nobody knows.
    """

    folder_id: int
    path: str
    listed: int
    read: int
    unchanged: int
    remarks: Sequence[Remark] = ()
    problems: Sequence[str] = ()

    def count(self, what: What) -> int:
        """Return of how many files the scan says that."""
        return sum(remark.what == what for remark in self.remarks)


class ScanBusy(LootwireError):
    """Another process scans the folder at this moment."""


class FolderGone(LootwireError):
    """The folder cannot be listed, so nothing in it is taken for missing."""


def scan_folder(
    engine: Engine,
    folder_id: int,
    *,
    now: datetime,
    open_ear: Callable[[], Hear],
    on_new: OnNew = lambda _connection, _ids: None,
    on_read: Callable[[int], object] = lambda _: None,
    full: bool = False,
) -> ScanReport:
    """Scan a folder; no file is opened but those that are new, changed, or could not be read the last time.

    With `full` every file is read. `open_ear` gives what hears what is in a file, and is called only where one is to be
    read; `on_new` gets the sounds that have new bytes, in the transaction that stores them; `on_read` how many files
    have been read so far. Raises `ScanBusy` where another process scans it, `FolderGone` where it cannot be listed,
    `UsageError` where there is no such folder.
    """
    with engine.connect() as connection:
        folder = load_folder(connection, folder_id)
    with Lease(engine, [row_key(_LOCK, folder_id)], PATIENCE) as lease:
        if not lease.held:
            raise ScanBusy(f"another process scans {folder.shown} just now; try again when that is done")
        with lease.interrupting():
            return _Scan(engine, folder, now, open_ear, on_new, on_read).run(full=full)


class _Scan:
    """A scan by the process that holds the folder's lock."""

    def __init__(
        self,
        engine: Engine,
        folder: Folder,
        now: datetime,
        open_ear: Callable[[], Hear],
        on_new: OnNew,
        on_read: Callable[[int], object],
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._now = now
        self._open_ear = open_ear
        self._on_new = on_new
        self._on_read = on_read
        self._remarks: list[Remark] = []
        self._read = 0

    def run(self, *, full: bool) -> ScanReport:
        try:
            listing = list_folder(self._folder.path)
        except OSError as error:
            raise FolderGone(
                f"{self._folder.shown} cannot be listed: {error.strerror}. Nothing in it is taken for missing"
            ) from error
        with self._engine.connect() as connection:
            known = [KnownFile(*file) for file in store.load_files(connection, self._folder.id)]
        listed = [Place(file.path, (file.size, file.mtime_ns, file.inode)) for file in listing.files]
        compared = compare(known, listed, listing.problems, full=full)
        self._move(compared)
        gone = {file.id: file.path for file in compared.gone}
        if compared.to_read:
            self._read_all(compared.to_read, gone)
        self._end(gone)
        return self._report(listing, compared)

    def _move(self, compared: Comparison) -> None:
        if not compared.moved and not compared.returned:
            return
        with self._engine.begin() as connection:
            store.move_files(connection, [(file.id, path) for file, path in compared.moved], self._now)
            store.note_returned(connection, [file.id for file in compared.returned], self._now)
        for file, path in compared.moved:
            self._say("moved", path, shown(file.path), file.sound_id)
        for file in compared.returned:
            self._say("returned", file.path, None, file.sound_id)

    def _read_all(self, targets: Sequence[Target], gone: dict[int, bytes]) -> None:
        hear = self._open_ear()
        root = os.open(self._folder.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with ThreadPoolExecutor(READERS, "sounds") as readers:
                for start in range(0, len(targets), STORED_AT_ONCE):
                    batch = targets[start : start + STORED_AT_ONCE]
                    read = readers.map(lambda target: read_file(root, self._folder.path, target, hear), batch)
                    self._store(list(read), gone)
        finally:
            os.close(root)

    def _store(self, readings: Sequence[Reading], gone: dict[int, bytes]) -> None:
        files = [_as_file(reading) for reading in readings]
        with self._engine.begin() as connection:
            taken = store.take_in(connection, self._folder, files, gone, self._now)
            new = [each.sound_id for each in taken if each.became in {"added", "changed"} and each.sound_id is not None]
            self._on_new(connection, list(dict.fromkeys(new)))
        for each in taken:
            if each.became != "same":
                self._say(each.became, each.path, each.other, each.sound_id)
        self._read += len(readings)
        self._on_read(self._read)

    def _end(self, gone: dict[int, bytes]) -> None:
        with self._engine.begin() as connection:
            for path in store.note_gone(connection, gone, self._now):
                self._remarks.append(Remark(what="missing", file=path))
            store.settle_missing(connection, None, self._now)
            note_scanned(connection, self._folder.id, self._now)

    def _say(self, what: What, path: bytes, other: str | None, sound_id: int | None) -> None:
        self._remarks.append(Remark(what=what, file=shown(path), other=other, sound_id=sound_id))

    def _report(self, listing: Listing, compared: Comparison) -> ScanReport:
        for path in listing.too_long:
            reason = f"its path has {len(path):,} bytes, and none of more than {LONGEST_PATH:,} is looked into"
            self._say("unreadable", path[:100], reason, None)
        return ScanReport(
            folder_id=self._folder.id,
            path=self._folder.shown,
            listed=len(listing.files) + len(listing.too_long),
            read=self._read,
            unchanged=compared.unchanged,
            remarks=self._remarks,
            problems=list(listing.problems.values()),
        )


def _as_file(reading: Reading) -> store.ReadFile:
    heard = reading.heard
    return store.ReadFile(
        id=reading.target.id,
        path=reading.target.path,
        stat=reading.target.stat,
        digest=reading.digest,
        title=title_of(reading.target.path),
        seconds=None if heard is None else heard.seconds,
        codec=None if heard is None else heard.codec,
        error=reading.error,
    )


def title_of(path: bytes) -> str:
    """Return what a sound is called by its file: the name without its ending, and with spaces for underscores."""
    name = shown(os.path.splitext(os.path.basename(path))[0])  # noqa: PTH119, PTH122 - a path of bytes
    return " ".join(name.replace("_", " ").split()) or shown(path)
