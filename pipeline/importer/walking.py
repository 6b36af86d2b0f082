"""Find the files below some paths, without leaving the folders that were given."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from models.errors import LootwireError, UsageError
from pipeline.importer.limits import MAX_DEPTH, MAX_ENTRIES, MAX_SPOOLED, Readable

STANDARD_INPUT = Path("-")
_CHUNK = 2**20


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A file to read, under the name that a person knows it by; `problem` says why it is not read."""

    name: str
    file: Path
    problem: str | None = None


def find_files(paths: Sequence[Path], standard_input: Path | None = None) -> Iterator[Candidate]:
    """Yield the files that were given and those in the folders that were given, by name.

    `standard_input` is the file that stands for the path `-`.
    Raises `UsageError` for a path that does not exist, or that is neither file nor folder.
    """
    for path in paths:
        if path == STANDARD_INPUT and standard_input is not None:
            yield Candidate(name=str(path), file=standard_input)
        elif path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            # A link that a person names is followed; one that lies in a folder may lead anywhere.
            yield Candidate(name=shown(path), file=path.resolve())
        elif path.exists():
            raise UsageError(f"{shown(path)}: neither a file nor a folder; `lootwire import -` reads from a pipe")
        else:
            raise UsageError(f"{shown(path)}: no such file or folder")


def open_file(path: Path) -> IO[bytes]:
    """Open a regular file for reading; raises `OSError` for anything else that may have taken its place."""
    # Without O_NONBLOCK the mere opening of a pipe waits for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return os.fdopen(descriptor, "rb")


def spool(stream: Readable, path: Path) -> Path:
    """Write a stream to a file and return it; raises `LootwireError` for one that does not end."""
    size = 0
    with path.open("wb") as file:
        while data := stream.read(_CHUNK):
            size += len(data)
            if size > MAX_SPOOLED:
                raise LootwireError(f"standard input: more than {MAX_SPOOLED // 2**30} GiB")
            file.write(data)
    return path


def shown(name: str | os.PathLike[str]) -> str:
    """Return a name as it can be printed, sent as JSON and stored, whatever bytes it is made of."""
    text = os.fsencode(os.fspath(name)).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _walk(folder: Path) -> Iterator[Candidate]:
    waiting = [(folder, 0)]
    count = 0
    while waiting:
        current, depth = waiting.pop()
        try:
            with os.scandir(current) as listed:
                inside = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            yield _unread(current, f"cannot be read: {error.strerror or error}")
            continue
        folders = []
        for entry in inside:
            count += 1
            if count > MAX_ENTRIES:
                yield _unread(folder, f"more than {MAX_ENTRIES:,} files: the rest was not looked at")
                return
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False) and _closed(entry.name, depth) is None:
                folders.append((path, depth + 1))
            else:
                yield Candidate(name=shown(path), file=path, problem=_problem(entry, depth))
        waiting += reversed(folders)


def _unread(path: Path, problem: str) -> Candidate:
    return Candidate(name=shown(path), file=path, problem=problem)


def _closed(name: str, depth: int) -> str | None:
    """Return why a folder is not searched; None if it is."""
    if name == ".git":
        return "a git repository: `lootwire import --git` reads its history"
    return f"more than {MAX_DEPTH} folders deep" if depth >= MAX_DEPTH else None


def _problem(entry: "os.DirEntry[str]", depth: int) -> str | None:
    if entry.is_symlink():
        return "a link: links in folders are not followed"
    if entry.is_dir(follow_symlinks=False):
        return _closed(entry.name, depth)
    return None if entry.is_file(follow_symlinks=False) else "not a file: a pipe, a socket or a device"
