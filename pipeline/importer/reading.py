"""Walk files, folders and archives, and yield their payloads oldest first, two in memory at most."""

import heapq
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from models.errors import LootwireError
from pipeline.importer.archives import DAMAGED, Archive, archive_entries, archive_kind, look_through, start_of
from pipeline.importer.entries import Entry, Key, modified, problem
from pipeline.importer.limits import limited
from pipeline.importer.streams import decompressed
from pipeline.importer.times import TimeParser
from pipeline.importer.walking import Candidate, find_files, open_file

# Each archive that is open at once keeps its decompressor's dictionary; further ones are unpacked to disk.
STREAMS_AT_ONCE = 2
# What our own exports begin with (`lootwire export`).
EXPORT_MARK = b'{"lootwire":"export"'
Opened = Generator[Entry, None, None]
Ordered = tuple[Key, Callable[[bool], Opened]]


class Listing:
    """The files below some paths: payloads in time order, and exports of whole catalogues, which are imported first.

    Raises `LootwireError` for a path that does not exist; an entry raises any other problem when it is read.
    """

    def __init__(self, paths: Sequence[Path], parse_time: TimeParser, standard_input: Path | None = None) -> None:
        self.exports: list[Candidate] = []
        self._parse_time = parse_time
        self._files: list[Entry] = []
        self._archives: list[Archive] = []
        for candidate in find_files(paths, standard_input):
            self._add(candidate)

    def entries(self) -> Iterator[Entry]:
        """Yield every payload in time order; those whose names tell no time come last, by name.

        An entry must be read before the next one is asked for.
        """
        files = sorted(self._files, key=lambda entry: entry.key)
        listed: list[Ordered] = [(files[0].key, lambda _: (entry for entry in files))] if files else []
        listed += [(archive.first, self._opener(archive)) for archive in self._archives]
        return _merged(listed)

    def _add(self, candidate: Candidate) -> None:
        if candidate.problem is not None:
            self._files.append(problem(candidate.name, candidate.problem))
            return
        try:
            start, raw_start = start_of(candidate.file)
        except DAMAGED as error:
            self._files.append(problem(candidate.name, error))
            return
        if start.startswith(EXPORT_MARK):
            self.exports.append(candidate)
        elif (kind := archive_kind(start, raw_start)) is None:
            self._files.append(_file_entry(candidate, self._parse_time))
        else:
            looked = look_through(candidate.name, candidate.file, kind, self._parse_time)
            if isinstance(looked, Archive):
                self._archives.append(looked)
            else:
                self._files.append(looked)

    def _opener(self, archive: Archive) -> Callable[[bool], Opened]:
        return lambda spool: archive_entries(archive, self._parse_time, spool=spool)


def read(listed: Iterator[Entry]) -> Iterator[tuple[Entry, bytes | Exception]]:
    """Yield entries with their payloads, or with the error; one payload is in memory at a time.

    Reading ahead in a thread was measured and is slower: it fights for the interpreter with the storing.
    """
    for entry in listed:
        try:
            payload: bytes | Exception = entry.read()
        except (*DAMAGED, LootwireError) as error:
            payload = error
        yield entry, payload


def _merged(listed: Sequence[Ordered]) -> Iterator[Entry]:
    """Merge sorted entries; each archive is opened only when its first member's turn has come."""
    waiting = sorted(enumerate(listed), key=lambda pair: pair[1][0], reverse=True)
    heap: list[tuple[Key, int, Entry, Opened]] = []
    with ExitStack() as stack:
        while waiting or heap:
            while waiting and (not heap or waiting[-1][1][0] <= heap[0][0]):
                number, (_, opener) = waiting.pop()
                opened = opener(len(heap) >= STREAMS_AT_ONCE)
                stack.enter_context(closing(opened))
                _push(heap, number, opened)
            if heap:
                _, number, entry, opened = heapq.heappop(heap)
                yield entry
                _push(heap, number, opened)


def _push(heap: list[tuple[Key, int, Entry, Opened]], number: int, opened: Opened) -> None:
    entry = next(opened, None)
    if entry is not None:
        heapq.heappush(heap, (entry.key, number, entry, opened))


def _file_entry(candidate: Candidate, parse_time: TimeParser) -> Entry:
    def read() -> bytes:
        with open_file(candidate.file) as file, decompressed(file) as stream:
            return limited(stream)

    modified_at = modified(candidate.file.lstat().st_mtime)
    return Entry(path=candidate.name, moment=parse_time(candidate.file.name), modified_at=modified_at, read=read)
