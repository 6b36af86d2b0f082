"""Lists a folder by stat alone: nothing is opened but directories, and no link is followed."""

import errno
import fnmatch
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from pipeline.roms.store.folders import FolderOptions, shown

# An index of PostgreSQL takes no key of more than 2,704 bytes, and no ROM needs so long a path.
LONGEST_PATH = 2_000
# The directory, so to speak, of files whose paths are longer; no real one has such a name.
TOO_LONG = b"\0too long/"
# What systems and front ends keep beside ROMs; our own exports are among it.
NEVER = (
    *(".*", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", "Thumbs.db", "desktop.ini"),
    *("gamelist.xml*", "metadata.pegasus.txt", "systeminfo.txt"),
)
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
# It went away between being listed and being opened, or is a link by now: another scan sees what it is.
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class Listed(NamedTuple):
    """A file as its directory lists it: its name, as `os.fsdecode` gives it, and its inode as a signed number."""

    name: str
    size: int
    mtime_ns: int
    inode: int


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """A directory with its files, by their names as bytes; its path is empty or ends with a slash.

    Of one that could not be listed `problem` says why, and how many files it has nobody knows.
    """

    path: bytes
    files: Sequence[Listed] = ()
    problem: str | None = None
    # Of files whose paths are too long their real ones, by the names that stand for them.
    long_paths: dict[str, bytes] = {}


Wanted = Callable[[str, str], bool]


def walk(root: int, options: FolderOptions) -> Iterator[Directory]:
    """List a folder, given by an open descriptor, directory by directory; those without a file are left off.

    Files that are too long to be stored come last, under names that stand for them.
    """
    is_wanted, is_entered = _wanted(options)
    waiting, too_long = [b""], dict[str, tuple[Listed, bytes]]()
    while waiting:
        path = waiting.pop()
        written = os.fsdecode(path)
        try:
            files, directories = _listed(root, path, written, is_wanted, is_entered)
        except OSError as error:
            if path and error.errno in _GONE:
                continue
            yield Directory(path=path, problem=f"{shown(path) or 'it'} cannot be listed: {error.strerror}")
            continue
        for name in sorted(directories, reverse=True):
            below = path + os.fsencode(name) + b"/"
            if len(below) < os.pathconf(root, "PC_PATH_MAX"):
                waiting.append(below)
            else:
                stand_in = _stand_in(below)
                too_long[stand_in] = (Listed(stand_in, 0, 0, 0), below)
        if len(path) + 4 * max((len(file.name) for file in files), default=0) > LONGEST_PATH:
            files = _set_aside(path, files, too_long)
        if files:
            yield Directory(path=path, files=files)
    if too_long:
        ordered = [too_long[name][0] for name in sorted(too_long)]
        yield Directory(path=TOO_LONG, files=ordered, long_paths={name: path for name, (_, path) in too_long.items()})


def open_folder(path: bytes) -> int:
    """Open a folder's directory for `walk`; raises `OSError` where it is gone."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _listed(
    root: int, path: bytes, written: str, is_wanted: Wanted, is_entered: Wanted
) -> tuple[list[Listed], list[str]]:
    files: list[Listed] = []
    directories: list[str] = []
    descriptor = os.open(path or b".", _DIRECTORY, dir_fd=root)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    if is_wanted(entry.name, written):
                        try:
                            stat = entry.stat(follow_symlinks=False)
                        except FileNotFoundError:
                            continue
                        files.append(Listed(entry.name, stat.st_size, stat.st_mtime_ns, stat.st_ino))
                elif entry.is_dir(follow_symlinks=False) and is_entered(entry.name, written):
                    directories.append(entry.name)
    finally:
        os.close(descriptor)
    if any(file.inode >= 2**63 for file in files):
        files = [file._replace(inode=file.inode - 2**64 if file.inode >= 2**63 else file.inode) for file in files]
    # As PostgreSQL sorts the bytes; of characters alone that is the same.
    if all(file.name.isascii() for file in files):
        files.sort()
    else:
        files.sort(key=lambda file: os.fsencode(file.name))
    return files, directories


def _set_aside(path: bytes, files: list[Listed], too_long: dict[str, tuple[Listed, bytes]]) -> list[Listed]:
    kept = []
    for file in files:
        whole = path + os.fsencode(file.name)
        if len(whole) <= LONGEST_PATH:
            kept.append(file)
        else:
            stand_in = _stand_in(whole)
            too_long[stand_in] = (file._replace(name=stand_in), whole)
    return kept


def _stand_in(path: bytes) -> str:
    return hashlib.sha256(path).hexdigest()


def _wanted(options: FolderOptions) -> tuple[Wanted, Wanted]:
    """Return whether a file of a name in a directory is wanted, and whether a directory is looked into."""
    # A set of endings is asked first: for most names it is the whole answer.
    endings = tuple(f".{extension.lower().lstrip('.')}" for extension in options.extensions)
    names = _pattern(NEVER + tuple(each for each in options.ignore if "/" not in each))
    paths = _pattern([each for each in options.ignore if "/" in each]) if "/" in "".join(options.ignore) else None

    def is_entered(name: str, within: str) -> bool:
        if names(name) is not None:
            return False
        return paths is None or (paths(f"{within}{name}") is None and paths(f"{within}{name}/") is None)

    def is_wanted(name: str, within: str) -> bool:
        if endings and not name.lower().endswith(endings):
            return False
        return names(name) is None and (paths is None or paths(f"{within}{name}") is None)

    return is_wanted, is_entered


def _pattern(patterns: Sequence[str]) -> Callable[[str], re.Match[str] | None]:
    return re.compile("|".join(fnmatch.translate(each) for each in patterns), re.IGNORECASE).match
