"""Lists a folder by stat alone: nothing is opened but directories, and no link is followed."""

import errno
import fnmatch
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence

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


# A file as its directory lists it: its name, as `os.fsdecode` gives it, its size, its time of change in nanoseconds,
# and its inode as a signed number. A plain tuple: a hundred thousand are made in a second.
Listed = tuple[str, int, int, int]


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """A directory with its files, by their names as bytes; its path is empty or ends with a slash.

    Of one that could not be listed `problem` says why, and how many files it has nobody knows. One without files has
    nothing at all in it.
    """

    path: bytes
    files: Sequence[Listed] = ()
    problem: str | None = None
    # Of files whose paths are too long their real ones, by the names that stand for them.
    long_paths: dict[str, bytes] = {}


Matches = Callable[[str], object]


def walk(root: int, options: FolderOptions) -> Iterator[Directory]:
    """List a folder, given by an open descriptor, directory by directory; of those without a file the empty ones alone.

    Files whose paths are too long to be stored come last, under names that stand for them.
    """
    rules = _Rules(options)
    waiting, too_long = [b""], dict[str, tuple[Listed, bytes]]()
    longest = os.pathconf(root, "PC_PATH_MAX")
    while waiting:
        path = waiting.pop()
        try:
            files, directories, is_empty = _listed(root, path, rules)
        except OSError as error:
            if not path or error.errno not in _GONE:
                yield Directory(path=path, problem=f"{shown(path) or 'it'} cannot be listed: {error.strerror}")
            continue
        for name in sorted(directories, reverse=True):
            below = path + os.fsencode(name) + b"/"
            if len(below) < longest:
                waiting.append(below)
            else:
                stand_in = _stand_in(below)
                too_long[stand_in] = ((stand_in, 0, 0, 0), below)
        # Names have 255 bytes at most.
        if len(path) + 255 > LONGEST_PATH:
            files = _set_aside(path, files, too_long)
        if files or is_empty:
            yield Directory(path=path, files=files)
    if too_long:
        ordered = [too_long[name][0] for name in sorted(too_long)]
        yield Directory(path=TOO_LONG, files=ordered, long_paths={name: path for name, (_, path) in too_long.items()})


def open_folder(path: bytes) -> int:
    """Open a folder's directory for `walk`; raises `OSError` where it is gone."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _listed(root: int, path: bytes, rules: "_Rules") -> tuple[list[Listed], list[str], bool]:
    files: list[Listed] = []
    directories: list[str] = []
    is_empty = True
    descriptor = os.open(path or b".", _DIRECTORY, dir_fd=root)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                is_empty = False
                if entry.is_file(follow_symlinks=False):
                    try:
                        stat = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    files.append((entry.name, stat.st_size, stat.st_mtime_ns, stat.st_ino))
                elif entry.is_dir(follow_symlinks=False):
                    directories.append(entry.name)
    finally:
        os.close(descriptor)
    files, directories = rules.leave_off(os.fsdecode(path), files, directories)
    if files and max([file[3] for file in files]) >= 2**63:
        files = [
            (name, size, mtime_ns, inode - 2**64 if inode >= 2**63 else inode) for name, size, mtime_ns, inode in files
        ]
    # As PostgreSQL sorts bytes; where there are none but of ASCII, characters sort the same.
    if "".join([file[0] for file in files]).isascii():
        files.sort()
    else:
        files.sort(key=lambda file: os.fsencode(file[0]))
    return files, directories, is_empty


def _set_aside(path: bytes, files: list[Listed], too_long: dict[str, tuple[Listed, bytes]]) -> list[Listed]:
    kept = []
    for file in files:
        whole = path + os.fsencode(file[0])
        if len(whole) <= LONGEST_PATH:
            kept.append(file)
        else:
            stand_in = _stand_in(whole)
            too_long[stand_in] = ((stand_in, *file[1:]), whole)
    return kept


def _stand_in(path: bytes) -> str:
    return hashlib.sha256(path).hexdigest()


class _Rules:
    """Which files of a directory are looked at, and which directories."""

    def __init__(self, options: FolderOptions) -> None:
        self._endings = tuple(f".{extension.lower().lstrip('.')}" for extension in options.extensions)
        self._never = _pattern(NEVER + tuple(each for each in options.ignore if "/" not in each))
        with_paths = [each for each in options.ignore if "/" in each]
        self._paths = _pattern(with_paths) if with_paths else None

    def leave_off(self, path: str, files: list[Listed], directories: list[str]) -> tuple[list[Listed], list[str]]:
        never, paths = self._never, self._paths
        if self._endings:
            files = [file for file in files if file[0].lower().endswith(self._endings)]
        files = [file for file in files if not never(file[0])]
        directories = [name for name in directories if not never(name)]
        if paths is not None:
            files = [file for file in files if not paths(f"{path}{file[0]}")]
            directories = [each for each in directories if not paths(f"{path}{each}") and not paths(f"{path}{each}/")]
        return files, directories


def _pattern(patterns: Sequence[str]) -> Matches:
    """Return what says whether one of the shell's patterns fits the whole of a name."""
    return re.compile("|".join(fnmatch.translate(each) for each in patterns), re.IGNORECASE).match
