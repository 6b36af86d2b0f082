"""A folder that is watched: a file that is put into `inbox/` in the data directory is imported, then moved.

A file that was taken in goes to `processed/<source>/<date>/`, any other to `quarantine/<reason>/<date>/`; none is
deleted. A worker that dies between the import and the move leaves the file: importing it again changes nothing.
"""

import errno
import fcntl
import math
import os
import shutil
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from models.due import CLOCK_TOLERANCE
from models.errors import LootwireError
from models.names import slug
from models.privacy import PRIVATE_FILE
from pipeline.importer.entries import Key
from pipeline.importer.reading import Listing
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from pipeline.importer.walking import Candidate, find_files
from pipeline.ingest.source import ListSource

INBOX, PROCESSED, QUARANTINE = "inbox", "processed", "quarantine"
# Endings of files that a program is still writing.
UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", "~")
# A file counts as whole if it was not written, renamed or given other rights for so long.
QUIET_FOR = timedelta(seconds=5)
MIXED = "mixed"


class Looked(msgspec.Struct, kw_only=True):
    """The result of a look into the inbox. `waiting` counts the files that are not whole yet, or had no turn."""

    processed: int = 0
    quarantined: int = 0
    waiting: int = 0
    events: Counter[str] = msgspec.field(default_factory=Counter)


class Moved(msgspec.Struct, frozen=True):
    """How many files have been taken out of the inbox."""

    processed: int
    quarantined: int


def left(data_dir: Path, before: datetime) -> int:
    """Return how many files wait in the inbox that were put there before a moment and that no program writes to."""
    inbox = data_dir / INBOX
    if not inbox.is_dir():
        return 0
    waiting = (candidate for candidate in _candidates(inbox) if _changed_at(candidate.file) <= before.timestamp())
    return sum(1 for candidate in waiting if candidate.problem is not None or not _is_being_written(candidate.file))


def moved_since(data_dir: Path, at: datetime) -> Moved:
    """Return how many files have left the inbox since a moment, by where they went."""
    return Moved(_arrived(data_dir / PROCESSED, at), _arrived(data_dir / QUARANTINE, at))


def _arrived(folder: Path, at: datetime) -> int:
    days = (day for day in folder.glob("*/*") if day.name >= f"{at:%Y-%m-%d}")
    return sum(1 for day in days for file in day.iterdir() if _changed_at(file) >= at.timestamp())


def look_into(
    engine: Engine,
    sources: Sequence[ListSource],
    data_dir: Path,
    now: Callable[[], datetime],
    *,
    within: timedelta = timedelta(days=1),
    quiet_for: timedelta = QUIET_FOR,
) -> Looked:
    """Import the files in the inbox that are whole, oldest first, and move them aside.

    A file is whole if it was left alone for `quiet_for`. One look at a time in a data directory: a second one does
    nothing. After `within` the rest waits for the next look. Raises `LootwireError` where files cannot be moved.
    """
    looked = Looked()
    inbox = data_dir / INBOX
    try:
        inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(inbox) as alone:
            if alone:
                whole = _whole_files(inbox, quiet_for, looked)
                deadline = time.monotonic() + within.total_seconds()
                _work_through(
                    whole, looked, lambda file: _import(engine, sources, file, now, deadline), data_dir, now()
                )
    except OSError as error:
        raise LootwireError(f"the inbox {inbox} cannot be worked through: {error}") from error
    return looked


def _work_through(
    whole: Sequence[Candidate],
    looked: Looked,
    take: Callable[[Candidate], Summary | None],
    data_dir: Path,
    now: datetime,
) -> None:
    for candidate in whole:
        summary = take(candidate)
        if summary is None:
            looked.waiting += 1
            continue
        looked.events += summary.events
        folder = _folder_for(summary) / f"{now:%Y-%m-%d}"
        _move(candidate.file, data_dir / folder)
        if folder.parts[0] == PROCESSED:
            looked.processed += 1
        else:
            looked.quarantined += 1
    _remove_empty_folders(data_dir / INBOX)


def _import(
    engine: Engine, sources: Sequence[ListSource], candidate: Candidate, now: Callable[[], datetime], deadline: float
) -> Summary | None:
    """Import one file; None if it could not be ended in time."""
    summary = Summary()
    if candidate.problem is not None:
        summary.set_aside(candidate.name, candidate.problem)
        return summary
    if time.monotonic() > deadline:
        return None
    with closing(import_paths(engine, sources, [candidate.file], parse_time=time_parser(), now=now)) as steps:
        for summary in steps:  # noqa: B007 - the last one counts
            if time.monotonic() > deadline:
                return None
    return summary


@contextmanager
def _alone(inbox: Path) -> Iterator[bool]:
    """Give whether no other process works on this inbox; the kernel frees the lock also when the worker is killed."""
    descriptor = os.open(inbox, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def _whole_files(inbox: Path, quiet_for: timedelta, looked: Looked) -> list[Candidate]:
    """Return the files that no program writes to any more, in the order of the payloads in them."""
    whole = []
    for candidate in _candidates(inbox):
        if candidate.problem is None and not _is_whole(candidate.file, quiet_for):
            looked.waiting += 1
        else:
            whole.append(candidate)
    return sorted(whole, key=_first_key)


def _candidates(inbox: Path) -> Iterator[Candidate]:
    """Yield the files in the inbox, except those that are hidden or named as unfinished."""
    for candidate in find_files([inbox]):
        names = candidate.file.relative_to(inbox).parts
        if names and not any(name.startswith(".") or name.lower().endswith(UNFINISHED) for name in names):
            yield candidate


def _is_whole(file: Path, quiet_for: timedelta) -> bool:
    age = time.time() - _changed_at(file)
    # A file of the future is as quiet as one of long ago: the clock was set back since.
    is_quiet = age >= quiet_for.total_seconds() or age < -CLOCK_TOLERANCE.total_seconds()
    return is_quiet and not _is_being_written(file)


def _changed_at(file: Path) -> float:
    """Return when a file was last changed in any way, in seconds; never for one that is gone.

    Unlike the time of the last write, which copying programs set as they like, no program can set this one.
    """
    try:
        return file.lstat().st_ctime
    except FileNotFoundError:
        return math.inf


def _is_being_written(file: Path) -> bool:
    """Whether a program has a file open for writing, as far as the system tells, or has just removed it."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        # Linux gives a read lease only while no program has the file open for writing.
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        # Other errors mean that this file system, or this user, has no leases.
        return error.errno == errno.EAGAIN
    finally:
        os.close(descriptor)
    return False


def _first_key(candidate: Candidate) -> tuple[bool, Key | None]:
    if candidate.problem is not None:
        return True, None
    entry = next(Listing([candidate.file], time_parser()).entries(), None)
    return (True, None) if entry is None else (False, entry.key)


def _folder_for(summary: Summary) -> Path:
    if summary.believed:
        return Path(PROCESSED) / (next(iter(summary.believed)) if len(summary.believed) == 1 else MIXED)
    reasons = [aside.reason.partition(":")[0] for aside in summary.quarantined]
    return Path(QUARANTINE) / (slug(reasons[0]) if reasons else "nothing-in-it")


def _move(file: Path, folder: Path) -> None:
    """Move a file into a folder under a name that is free there; at every moment one of the two has it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in _names(folder, file.name):
        try:
            os.link(file, path, follow_symlinks=False)
        except FileExistsError:
            continue
        except OSError as error:
            if path.exists():
                continue
            # Another file system, as where the inbox is mounted into a container, or one without links.
            _copy(file, path) if error.errno == errno.EXDEV else file.rename(path)
        _make_private(path)
        break
    _sync(folder)
    _sync(folder.parent)
    file.unlink(missing_ok=True)
    _sync(file.parent)


def _make_private(path: Path) -> None:
    """Close a file to other users; one that is not ours, as in a shared inbox, stays as its owner wants it."""
    status = path.lstat()
    if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
        path.chmod(PRIVATE_FILE)


def _names(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    stem, dot, ending = name.partition(".")
    for number in range(2, 1_000_000):
        yield folder / f"{stem}-{number}{dot}{ending}"


def _copy(file: Path, path: Path) -> None:
    unfinished = path.with_name(f".{path.name}.part")
    shutil.copy2(file, unfinished, follow_symlinks=False)
    if not unfinished.is_symlink():
        with unfinished.open("rb") as copied:
            os.fsync(copied.fileno())
    unfinished.rename(path)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_empty_folders(inbox: Path) -> None:
    """Take away the folders whose files have all been moved; those that still hold anything stay."""
    for folder in sorted((path for path in inbox.rglob("*") if path.is_dir() and not path.is_symlink()), reverse=True):
        try:
            folder.rmdir()
        except OSError:
            continue
