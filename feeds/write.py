"""Write files so that a reader sees a whole old or a whole new version, whatever happens in between.

Every file is first a draft in a hidden folder of its own (`.lootwire-drafts`), is brought to the disk there, and then
takes its name by a rename. Folders are walked by handles, and a link among them is an error and never followed: whoever
may write into the published folder can lead nothing out of it. The published folder itself may be a link, for where it
leads is the operator's choice.
"""

import contextlib
import errno
import itertools
import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

import msgspec

from models.errors import LootwireError

FILE_MODE = 0o644
FOLDER_MODE = 0o755
# Names below it are secrets, and whoever may not list it has to know them.
PRIVATE = "private"
PRIVATE_MODE = 0o711
# Pictures are copied by another program at any time (pipeline/programs/pictures.py): a young draft of one may be its
# work.
PICTURES = "pictures"
DRAFTS = ".lootwire-drafts"
_DRAFTS_MODE = 0o700
_YOUNG_SECONDS = 3600
_HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
# Of two disks, of file systems that know no links, and of files that are somebody else's or have too many already.
_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}
_COPIED_AT_ONCE = 1024 * 1024
# Of folders, at once; a site has some ten, and one for each private address.
_MOST_HANDLES = 64
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_DRAFT = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PUBLISHED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class PublishError(LootwireError):
    """A published file cannot be written; the text names it and says why. What was there before is still whole."""


class FolderUnusable(PublishError):
    """No other file will fare better: the disk is full, read-only or broken."""


class LinkedFolder(PublishError):
    """A link has the place of a folder, and nothing below it can be written; `path` is that of the folder."""

    def __init__(self, path: Path, root: Path) -> None:
        super().__init__(
            f"Refused to write below {path}: it is a link, which may lead out of {root}; put a folder in its place"
        )
        self.path = path.relative_to(root).as_posix()


class SourceMissing(PublishError):
    """What was to be published is not there, or is another by now."""


class Place(msgspec.Struct, frozen=True):
    """Where a file lies below the published folder: the names of its folders, and its own."""

    folders: tuple[str, ...]
    name: str


class Draft(msgspec.Struct, frozen=True):
    """A file that is written and has no name yet that a reader knows; `descriptor` is open until it has."""

    descriptor: int
    drafts: int
    name: str


def write_file(root: Path, relative_path: str, data: bytes) -> bool:
    """Write a file below `root` and return True, or leave it untouched and return False where it has these bytes.

    The folders on the way are made. It is on the disk when this returns. Raises PublishError where the path leads out
    of `root` or the file cannot be written: the disk is full, or permission is missing.
    """
    place = place_of(root, relative_path)
    with blamed_on(root / relative_path), Folders(root) as folders:
        folder = folders.at(place.folders)
        if read_published(folder, place.name, len(data)) == data:
            return False
        draft = folders.draft(place, data)
        try:
            os.fsync(draft.descriptor)
            take_name(draft, folder, place.name)
        except BaseException:
            discard(draft)
            raise
        os.fsync(folder)
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
    """Remove the drafts that a killed run left in `root` and return how many; call it when no other runs."""
    swept = 0
    try:
        for path in _left_drafts(root):
            path.unlink(missing_ok=True)
            swept += 1
        _remove_drafts_folder(root)
    except OSError as error:
        raise PublishError(f"Cannot clean up {root}: {error.strerror or error}") from error
    return swept


def place_of(root: Path, relative_path: str) -> Place:
    """Return where a path leads; raises PublishError where that is nowhere below `root`."""
    parts = PurePosixPath(relative_path).parts
    if not parts or relative_path.startswith("/") or ".." in parts or "\0" in relative_path:
        raise PublishError(f"Refused to write {relative_path!r}: it is no path below {root}")
    return Place(parts[:-1], parts[-1])


@contextlib.contextmanager
def blamed_on(path: Path) -> Iterator[None]:
    """Raise what goes wrong with a file as a PublishError that names it."""
    try:
        yield
    except OSError as error:
        raise problem_with(path, error) from error


def problem_with(path: Path, error: OSError) -> PublishError:
    """Return an error of the system as one that names the file, and says whether others will fare better."""
    problem = FolderUnusable if error.errno in _HOPELESS else PublishError
    return problem(f"Cannot write {path}: {error.strerror or error}")


class Folders:
    """Handles of the published folder and the folders in it, opened as they are needed; a context manager.

    Only `draft` may be called by several threads.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._handles: dict[tuple[str, ...], int] = {}
        # The newest is in use; the others were removed by another program, and drafts may still be in them.
        self._drafts: list[int] = []
        self._drafting = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all handles; the next use opens them again."""
        while self._handles:
            os.close(self._handles.popitem()[1])
        has_drafted = bool(self._drafts)
        while self._drafts:
            os.close(self._drafts.pop())
        if has_drafted:
            with contextlib.suppress(OSError):
                _remove_drafts_folder(self._root)

    @property
    def is_full(self) -> bool:
        """Whether so many handles are open that they should be closed before more are opened."""
        return len(self._handles) >= _MOST_HANDLES

    def at(self, folders: tuple[str, ...]) -> int:
        """Return a handle of a folder, which is made if need be; raises PublishError for a link, and OSError."""
        if (handle := self._handles.get(folders)) is not None:
            return handle
        if not folders:
            make_folders(self._root)
            handle = os.open(self._root, _FOLDER)
        else:
            parent = self.at(folders[:-1])
            try:
                handle = self._enter(parent, folders)
            except FileNotFoundError:
                # Another program may make it at the same time.
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folders[-1], dir_fd=parent)
                handle = self._enter(parent, folders)
                os.fchmod(handle, PRIVATE_MODE if folders == (PRIVATE,) else FOLDER_MODE)
        self._handles[folders] = handle
        return handle

    def find(self, folders: tuple[str, ...]) -> int | None:
        """Return a handle of a folder, or None where it is missing."""
        if (handle := self._handles.get(folders)) is not None:
            return handle
        try:
            if not folders:
                handle = os.open(self._root, _FOLDER)
            else:
                parent = self.find(folders[:-1])
                if parent is None:
                    return None
                handle = self._enter(parent, folders)
        except (FileNotFoundError, NotADirectoryError):
            return None
        self._handles[folders] = handle
        return handle

    def forget(self, folders: tuple[str, ...]) -> None:
        """Close the handle of a folder that is removed."""
        if (handle := self._handles.pop(folders, None)) is not None:
            os.close(handle)

    def draft(self, place: Place, data: bytes) -> Draft:
        """Write bytes into a draft for a place; raises OSError, and leaves nothing then."""
        with self._drafting:
            draft = self._open_draft(place)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(draft.descriptor, view) :]
            os.fchmod(draft.descriptor, FILE_MODE)
        except BaseException:
            discard(draft)
            raise
        return draft

    def draft_of(self, place: Place, source: Path, size: int) -> Draft:
        """Make a file that lies elsewhere a draft for a place, as a link to it or as a copy; raises OSError.

        Raises SourceMissing where the source is not a plain file of this size.
        """
        try:
            descriptor = os.open(source, _PUBLISHED)
        except OSError as error:
            raise SourceMissing(f"Cannot read {source}: {error.strerror or error}") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size != size:
                raise SourceMissing(f"Cannot publish {source}: it is no file of {size} bytes")
            with self._drafting:
                linked = self._link(source, status)
            if linked is not None:
                draft = Draft(os.dup(descriptor), *linked)
                try:
                    # The folder that it lies in beside is closed to others.
                    os.fchmod(descriptor, FILE_MODE)
                except BaseException:
                    discard(draft)
                    raise
                return draft
            with self._drafting:
                draft = self._open_draft(place)
            try:
                _copy(descriptor, draft.descriptor)
                os.fchmod(draft.descriptor, FILE_MODE)
                os.utime(draft.descriptor, ns=(status.st_mtime_ns, status.st_mtime_ns))
            except BaseException:
                discard(draft)
                raise
            return draft
        finally:
            os.close(descriptor)

    def _link(self, source: Path, status: os.stat_result) -> tuple[int, str] | None:
        """Return the folder of drafts and the name of a link to this very file; None where there can be none."""
        name = f"{secrets.token_hex(8)}.tmp"
        while True:
            drafts = self._drafts[-1] if self._drafts else self._open_drafts()
            try:
                os.link(source, name, dst_dir_fd=drafts, follow_symlinks=False)
            except FileNotFoundError:
                # Another program removes the folder of drafts whenever that is empty.
                self._open_drafts()
                if not source.exists():
                    return None
                continue
            except OSError as error:
                if error.errno in _NO_LINKS:
                    return None
                raise
            made = os.stat(name, dir_fd=drafts, follow_symlinks=False)
            if (made.st_dev, made.st_ino) == (status.st_dev, status.st_ino):
                return drafts, name
            # Another file has the name by now, which may be a link to anywhere.
            os.unlink(name, dir_fd=drafts)
            return None

    def _enter(self, parent: int, folders: tuple[str, ...]) -> int:
        name = folders[-1]
        try:
            return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
        except NotADirectoryError:
            if stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                raise LinkedFolder(self._root.joinpath(*folders), self._root) from None
            raise

    def _open_draft(self, place: Place) -> Draft:
        owner = f"{PICTURES}-" if place.folders[:1] == (PICTURES,) else ""
        name = f"{owner}{secrets.token_hex(8)}.tmp"
        while True:
            # Another program removes the folder of drafts whenever that is empty.
            with contextlib.suppress(FileNotFoundError):
                drafts = self._drafts[-1] if self._drafts else self._open_drafts()
                return Draft(os.open(name, _DRAFT, 0o600, dir_fd=drafts), drafts, name)
            with contextlib.suppress(FileNotFoundError):
                self._open_drafts()

    def _open_drafts(self) -> int:
        root = self.at(())
        with contextlib.suppress(FileExistsError):
            os.mkdir(DRAFTS, _DRAFTS_MODE, dir_fd=root)
        self._drafts.append(os.open(DRAFTS, _FOLDER | os.O_NOFOLLOW, dir_fd=root))
        return self._drafts[-1]


def take_name(draft: Draft, folder: int, name: str) -> None:
    """Give a draft that is on the disk its name, in place of what has it; the rename itself may not be on the disk."""
    os.rename(draft.name, name, src_dir_fd=draft.drafts, dst_dir_fd=folder)
    # It is on the disk: an error of the closing says nothing.
    with contextlib.suppress(OSError):
        os.close(draft.descriptor)


def discard(draft: Draft) -> None:
    """Remove a draft that became no file."""
    with contextlib.suppress(OSError):
        os.unlink(draft.name, dir_fd=draft.drafts)
    with contextlib.suppress(OSError):
        os.close(draft.descriptor)


def read_published(folder: int, name: str, size: int | None = None, *, up_to: int = -1) -> bytes | None:
    """Return what a plain file holds, or its beginning; None where there is none, or none of this size."""
    try:
        descriptor = os.open(name, _PUBLISHED, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            return None
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (size is not None and status.st_size != size):
            return None
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.read(up_to)
    finally:
        os.close(descriptor)


def size_of_published(folder: int, name: str) -> int | None:
    """Return the size of a plain file in bytes; None where there is none."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _copy(source: int, target: int) -> None:
    with open(source, "rb", buffering=0, closefd=False) as read, open(target, "wb", closefd=False) as write:
        shutil.copyfileobj(read, write, _COPIED_AT_ONCE)


def _left_drafts(root: Path) -> Iterator[Path]:
    folder = root / DRAFTS
    if folder.is_dir() and not folder.is_symlink():
        for path in folder.iterdir():
            if not path.name.startswith(PICTURES) or _is_old(path):
                yield path


def _remove_drafts_folder(root: Path) -> None:
    try:
        (root / DRAFTS).rmdir()
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            raise


def _is_old(path: Path) -> bool:
    try:
        return abs(time.time() - path.stat().st_mtime) > _YOUNG_SECONDS
    except FileNotFoundError:
        return False
