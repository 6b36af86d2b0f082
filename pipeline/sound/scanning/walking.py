"""Lists the sounds of a folder by stat alone: nothing is opened but directories, and no link is followed."""

import os
from typing import NamedTuple

import msgspec

from pipeline.sound.store.folders import shown

ENDINGS = (
    *(b".aac", b".aif", b".aifc", b".aiff", b".amr", b".au", b".caf", b".flac", b".m4a", b".m4b", b".mka", b".mp2"),
    *(b".mp3", b".oga", b".ogg", b".opus", b".spx", b".w64", b".wav", b".wave", b".weba", b".wma", b".wv"),
)
# An index of PostgreSQL holds no entry of over 2,704 bytes.
LONGEST_PATH = 2000
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Listed(NamedTuple):
    """A file by its path in the folder; what is the same in all four is taken for the same file."""

    path: bytes
    size: int
    mtime_ns: int
    # As a signed number, since some file systems use all 64 bits.
    inode: int


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a folder, and the directories of it that could not be listed, each with why; they end with a slash.

    `too_long` are paths that no row can hold.
    """

    files: list[Listed]
    problems: dict[bytes, str]
    too_long: list[bytes]


def list_folder(path: bytes) -> Listing:
    """List the sounds in a folder and its folders, by their endings; what begins with a dot is left off.

    Raises `OSError` where the folder itself cannot be listed: then nobody knows what is in it.
    """
    root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    listing = Listing(files=[], problems={}, too_long=[])
    try:
        waiting = [b""]
        while waiting:
            directory = waiting.pop()
            try:
                waiting += _list_one(root, directory, listing)
            except FileNotFoundError:
                if not directory:
                    raise
            except OSError as error:
                if not directory:
                    raise
                listing.problems[directory] = f"{shown(directory)} cannot be listed: {error.strerror}"
    finally:
        os.close(root)
    listing.files.sort()
    return listing


def _list_one(root: int, directory: bytes, listing: Listing) -> list[bytes]:
    """Add a directory's files to the listing; returns the directories in it."""
    below = []
    descriptor = os.open(directory or b".", _DIRECTORY, dir_fd=root)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if name.startswith(b"."):
                    continue
                path = directory + name
                if entry.is_dir(follow_symlinks=False):
                    below.append(path + b"/")
                elif name.lower().endswith(ENDINGS) and entry.is_file(follow_symlinks=False):
                    if len(path) > LONGEST_PATH:
                        listing.too_long.append(path)
                    else:
                        _add(entry, path, listing)
    finally:
        os.close(descriptor)
    return below


def _add(entry: "os.DirEntry[str]", path: bytes, listing: Listing) -> None:
    try:
        stat = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        # It went while its directory was listed.
        return
    inode = stat.st_ino - 2**64 if stat.st_ino >= 2**63 else stat.st_ino
    listing.files.append(Listed(path, stat.st_size, stat.st_mtime_ns, inode))
