"""Read and write the files of front ends: whole or not at all, never through a link, never over somebody's change.

The new bytes are brought to the disk beside the old ones and take their place by a rename; what is there keeps its
mode.
"""

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from models.errors import LootwireError, UsageError
from pipeline.roms.exports.markup import MOST_BYTES

FILE_MODE = 0o644
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DRAFTED = ".lootwire"
_DRAFT_NAME = re.compile(r"\.[0-9a-f]{16}\.lootwire")
_OLD_SECONDS = 3600
_DRAFT = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Existing(msgspec.Struct, frozen=True):
    """What a path has: its bytes, None where there is no file, and by what a change is known."""

    data: bytes | None
    mark: tuple[int, int, int, int] | None = None


def read_existing(path: Path) -> Existing:
    """Return what is to be merged with; raises `LootwireError` for a link, a folder, and what cannot be read."""
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return Existing(None)
    except OSError as error:
        raise _problem(path, "read", error) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"cannot write {path}: it is no plain file")
        if status.st_size > MOST_BYTES:
            raise UsageError(f"cannot write {path}: it is larger than {MOST_BYTES // 2**20} MiB")
        with open(descriptor, "rb", closefd=False) as file:
            return Existing(file.read(MOST_BYTES + 1), _mark(status))
    except OSError as error:
        raise _problem(path, "read", error) from error
    finally:
        os.close(descriptor)


def write(path: Path, data: bytes, existing: Existing) -> None:
    """Write a file in place of what was read; raises `LootwireError`, and leaves all as it was then.

    Refuses where another program has changed the file since it was read. On the disk when it returns.
    """
    with _blamed_on(path), _folder(path) as folder:
        _sweep(folder)
        draft = f".{secrets.token_hex(8)}{_DRAFTED}"
        descriptor = os.open(draft, _DRAFT, 0o600, dir_fd=folder)
        try:
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fchmod(descriptor, _mode_of(folder, path.name))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            _check_unchanged(folder, path, existing)
            os.rename(draft, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(draft, dir_fd=folder)
            raise
        os.fsync(folder)


def link_of(path: Path) -> bytes | None:
    """Return where a link leads, None for what is none; raises `FileNotFoundError` where there is nothing."""
    if not stat.S_ISLNK(path.lstat().st_mode):
        return None
    # As bytes and as it is: a Path would tidy it up.
    return os.readlink(os.fsencode(path))  # noqa: PTH115


def put_link(path: Path, target: bytes) -> None:
    """Make a link, also in place of another one; raises `LootwireError`."""
    with _blamed_on(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _folder(path) as folder:
            draft = os.fsencode(f".{secrets.token_hex(8)}{_DRAFTED}")
            os.symlink(target, draft, dir_fd=folder)
            try:
                os.rename(draft, os.fsencode(path.name), src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(draft, dir_fd=folder)
                raise


def remove_link(path: Path) -> None:
    """Remove a link of ours; raises `LootwireError`."""
    with _blamed_on(path):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[int]:
    handle = os.open(path.parent, _FOLDER)
    try:
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def _blamed_on(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _problem(path, "write", error) from error


def _problem(path: Path, verb: str, error: OSError) -> LootwireError:
    if error.errno == errno.ELOOP and path.is_symlink():
        return UsageError(f"cannot write {path}: it is a link; name the file that it leads to")
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return UsageError(f"cannot write {path}: there is no folder {path.parent}")
    return LootwireError(f"cannot {verb} {path}: {error.strerror or error}")


def _mode_of(folder: int, name: str) -> int:
    try:
        return stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return FILE_MODE


def _sweep(folder: int) -> None:
    """Remove drafts that a killed run left; one that is young is of a run that goes on."""
    for name in os.listdir(folder):
        if name.endswith(_DRAFTED) and _DRAFT_NAME.fullmatch(name):
            with contextlib.suppress(OSError):
                if time.time() - os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime > _OLD_SECONDS:
                    os.unlink(name, dir_fd=folder)


def _check_unchanged(folder: int, path: Path, existing: Existing) -> None:
    if _mark_of(folder, path.name) != existing.mark:
        raise LootwireError(f"did not write {path}: another program changed it meanwhile; export again")


def _mark_of(folder: int, name: str) -> tuple[int, int, int, int] | None:
    try:
        return _mark(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None


def _mark(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
