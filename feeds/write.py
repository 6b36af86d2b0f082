"""Write files so that a reader sees a whole old or a whole new version, whatever happens in between."""

import contextlib
import errno
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from models.errors import LootwireError

FILE_MODE = 0o644
FOLDER_MODE = 0o755
_PREFIX = ".lootwire-"
_SUFFIX = ".tmp"
# Pictures are copied by another program at any time (pipeline/programs/pictures.py): what is young there may be its
# work.
PICTURES = "pictures"
_YOUNG_SECONDS = 3600
_HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}


class PublishError(LootwireError):
    """A published file cannot be written; the text names it and says why. What was there before is still whole."""


class FolderUnusable(PublishError):
    """No other file will fare better: the disk is full, read-only or broken."""


def write_file(root: Path, relative_path: str, data: bytes) -> bool:
    """Write a file below `root` and return True, or leave it untouched and return False where it has these bytes.

    The folders on the way are made. Raises PublishError where the path leads out of `root` or the file cannot be
    written: the disk is full, or permission is missing.
    """
    path = _below(root, relative_path)
    try:
        if _has(path, data):
            return False
        make_folders(path.parent)
        _replace(path, data)
    except OSError as error:
        problem = FolderUnusable if error.errno in _HOPELESS else PublishError
        raise problem(f"Cannot write {path}: {error.strerror or error}") from error
    return True


def make_folders(folder: Path) -> None:
    """Make a folder, and those that it lies in, open to the web server's eyes whatever the umask."""
    missing = list(itertools.takewhile(lambda at: not at.exists(), (folder, *folder.parents)))
    for at in reversed(missing):
        at.mkdir(exist_ok=True)
        at.chmod(FOLDER_MODE)
    # It fails for a file of that name.
    folder.mkdir(exist_ok=True)


def sweep(root: Path) -> int:
    """Remove the temporary files that a killed run left in `root` and return how many; call it when no other runs."""
    swept = 0
    try:
        for path in _temporary_files(root):
            path.unlink(missing_ok=True)
            swept += 1
    except OSError as error:
        raise PublishError(f"Cannot clean up {root}: {error.strerror or error}") from error
    return swept


def _below(root: Path, relative_path: str) -> Path:
    parts = PurePosixPath(relative_path).parts
    if not parts or relative_path.startswith("/") or ".." in parts or "\0" in relative_path:
        raise PublishError(f"Refused to write {relative_path!r}: it is no path below {root}")
    path = root.joinpath(*parts)
    try:
        real_folder, real_root = path.parent.resolve(), root.resolve()
    except (OSError, RuntimeError) as error:
        raise PublishError(f"Cannot write {path}: {error}") from error
    if not real_folder.is_relative_to(real_root):
        # A symbolic link on the way leads elsewhere.
        raise PublishError(f"Refused to write {path}: it leads to {real_folder}, out of {real_root}")
    return path


def _has(path: Path, data: bytes) -> bool:
    try:
        return not path.is_symlink() and path.stat().st_size == len(data) and path.read_bytes() == data
    except (FileNotFoundError, NotADirectoryError):
        return False


def _replace(path: Path, data: bytes) -> None:
    # In the same folder, since a rename is atomic within one file system only.
    descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(descriptor, FILE_MODE)
            # Before the rename: else a power cut may leave the new name with no content.
            os.fsync(descriptor)
        os.rename(name, path)  # noqa: PTH104 - Path.replace also replaces, but says less of what happens
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108 - a name, not a path
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary_files(root: Path) -> Iterator[Path]:
    if not root.exists():
        return
    for folder in (root, *(entry for entry in root.iterdir() if entry.is_dir() and not entry.is_symlink())):
        temporary = folder.glob(f"{_PREFIX}*{_SUFFIX}")
        yield from filter(_is_old, temporary) if folder == root / PICTURES else temporary


def _is_old(path: Path) -> bool:
    try:
        return abs(time.time() - path.stat().st_mtime) > _YOUNG_SECONDS
    except FileNotFoundError:
        return False
