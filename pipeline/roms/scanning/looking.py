"""What a walk through a folder shows beside what is known: by directory, so that what is as it was costs little."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import Engine

from pipeline.roms.scanning.readers import ToRead
from pipeline.roms.scanning.walking import Directory, walk
from pipeline.roms.store import files as store
from pipeline.roms.store.files import KnownFile
from pipeline.roms.store.folders import Folder

# While PostgreSQL adds up what it knows, so many files are listed at most.
LISTED_AHEAD = 50_000
# New and changed files are kept in memory; what is beyond these another look finds.
MOST_AT_ONCE = 200_000


@dataclass
class Look:
    """What was seen so far.

    `gone` are known files that are not there, `again` absent ones that are there as they were. A look that `is_cut`
    left off new files, for there are more than a scan reads in a row. `directories` are all that have files, or had
    them when they were last seen; `changed` those of them that differ, and `empty` ones have nothing at all in them.
    """

    listed: int = 0
    present: int = 0
    gone: list[KnownFile] = field(default_factory=list)
    again: list[KnownFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    long_paths: dict[bytes, bytes] = field(default_factory=dict)
    directories: set[bytes] = field(default_factory=set)
    changed: set[bytes] = field(default_factory=set)
    empty: list[bytes] = field(default_factory=list)
    is_cut: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every directory could be listed."""
        return not self.problems


def look(engine: Engine, root: int, folder: Folder, seen: Look) -> Iterator[ToRead]:
    """Walk through a folder and give the files that are new, or differ from what is known; the rest is in `seen`."""
    with ThreadPoolExecutor(1, thread_name_prefix="digests") as executor:
        known = executor.submit(_load_known, engine, folder.id)
        left: dict[str, tuple[int, str]] | None = None
        for directory in _after(walk(root, folder.options), known):
            if left is None:
                left = _known(known, seen)
            if directory.problem is not None:
                seen.problems.append(directory.problem)
                continue
            if not directory.files:
                seen.empty += [directory.path] if directory.path else []
                continue
            seen.listed += len(directory.files)
            written = os.fsdecode(directory.path)
            count, digest = left.pop(store.escaped(directory.path), (0, ""))
            if count == len(directory.files) and digest == store.digest_of(written, directory.files):
                continue
            seen.directories.add(directory.path)
            seen.changed.add(directory.path)
            yield from _differing(engine, folder, directory, seen)
        if left is None:
            left = _known(known, seen)
    with engine.connect() as connection:
        for name in left:
            directory_path = store.unescaped(name)
            seen.changed.add(directory_path)
            known_files = store.load_directory(connection, folder.id, directory_path)
            seen.gone += [file for file in known_files if not file.is_absent]


def _known(known: Future[dict[str, tuple[int, str]]], seen: Look) -> dict[str, tuple[int, str]]:
    left = dict(known.result())
    seen.present = sum(count for count, _ in left.values())
    seen.directories.update(map(store.unescaped, left))
    return left


def _load_known(engine: Engine, folder_id: int) -> dict[str, tuple[int, str]]:
    with engine.connect() as connection:
        return store.load_digests(connection, folder_id)


def _after(directories: Iterator[Directory], known: Future[dict[str, tuple[int, str]]]) -> Iterator[Directory]:
    """Give directories once what is known is there, and list some ahead until then."""
    ahead: list[Directory] = []
    count = 0
    for directory in directories:
        ahead.append(directory)
        count += len(directory.files)
        if known.done() or count > LISTED_AHEAD:
            known.result()
            break
    yield from ahead
    yield from directories


def _differing(engine: Engine, folder: Folder, directory: Directory, seen: Look) -> Iterator[ToRead]:
    with engine.connect() as connection:
        known_files = store.load_directory(connection, folder.id, directory.path)
    known = {file.path: file for file in known_files}
    for name, size, mtime_ns, inode in directory.files:
        path = directory.path + os.fsencode(name)
        file = known.pop(path, None)
        if name in directory.long_paths:
            seen.long_paths[path] = directory.long_paths[name]
        if file is None:
            yield ToRead(None, path, size, mtime_ns, inode)
        elif (file.size, file.mtime_ns, file.inode) != (size, mtime_ns, inode):
            yield ToRead(file.id, path, size, mtime_ns, inode)
        elif file.is_absent:
            seen.again.append(file)
    seen.gone += [file for file in known.values() if not file.is_absent]
