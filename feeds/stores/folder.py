"""The published folder as a store: many small files in a short time, each whole, and none lost once it is settled."""

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from feeds.stores.packing import ENDINGS, Packing, packed, packings_of
from feeds.write import (
    Draft,
    Folders,
    FolderUnusable,
    Place,
    PublishError,
    blamed_on,
    discard,
    place_of,
    problem_with,
    read_published,
    size_of_published,
    take_name,
)

# The disk takes most of the time of a small file, and takes several at once.
_THREADS = 4
_MOST_UNDER_WAY = 64
_STAMP = re.compile(rb"<!-- lootwire ([0-9a-f]{16}) -->")
_STAMP_WITHIN = 512


class FolderStore:
    """Writes files below one folder; a context manager, which waits for what is under way.

    A file is on the disk (fsync) before it takes its name. That it has the name is on the disk when `finish` has
    returned, which syncs each folder once: a power cut before that can lose a rename, and the reader of the old file
    loses nothing. With `packings` a file that is worth it gets a packed one beside it, of the same time of change, in
    place before the file itself; `remove_unwanted` removes what was packed otherwise before.
    """

    def __init__(self, root: Path, *, packings: Collection[Packing] = ()) -> None:
        self._root = root
        self._packings = packings
        self._folders = Folders(root)
        self._changed: set[tuple[str, ...]] = set()
        self._under_way: dict[str, Future[None]] = {}
        self._failed: dict[str, PublishError] = {}
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._pool is not None:
                self._pool.shutdown()
            # Also where the run failed: what has its name by now must keep it.
            with contextlib.suppress(OSError):
                self._sync_folders()
        finally:
            self._folders.close()

    def write(self, path: str, data: bytes) -> bool:
        """Write a file and return True, or leave it untouched and return False where it has these bytes.

        Its folders are made. Raises PublishError at once where the path is wrong or the disk takes no more bytes; what
        fails later is known to `finish`, and raised here where it is hopeless.
        """
        place = place_of(self._root, path)
        self._wait_for(path)
        self._make_room()
        with blamed_on(self._root / path):
            folder = self._folders.at(place.folders)
            wanted = packings_of(place.name, len(data), self._packings)
            if len(wanted) < len(self._packings):
                # It may have been larger before.
                self._remove_packed(folder, place.name, self._packings)
            is_new = read_published(folder, place.name, len(data)) != data
            if not is_new and (not wanted or self._has_packed(folder, place.name, wanted)):
                return False
            self._changed.add(place.folders)
            draft = self._folders.draft(place, data)
        self._under_way[path] = self._threads().submit(self._complete, folder, place, draft, data, wanted)
        return is_new

    def place(self, path: str, source: Path, size: int) -> bool:
        """Have a large file, of a size in bytes, under a path, and return True; False where one of this size is there.

        It is a hard link where both lie on one file system, and else a copy, so the disk should be one: what is removed
        here stays whole there, and the other way round. Both have the time of change of the source. It is on the disk,
        and in place, when this returns. Raises PublishError, and SourceMissing where the source is not a file of this
        size.
        """
        place = place_of(self._root, path)
        self._wait_for(path)
        self._make_room()
        with blamed_on(self._root / path):
            folder = self._folders.at(place.folders)
            if size_of_published(folder, place.name) == size:
                return False
            self._changed.add(place.folders)
            draft = self._folders.draft_of(place, source, size)
            try:
                os.fsync(draft.descriptor)
                take_name(draft, folder, place.name)
            except BaseException:
                discard(draft)
                raise
        return True

    def remove(self, path: str) -> bool:
        """Remove a file and what is packed of it, and return whether it was there; raises PublishError.

        A folder within another that is empty then is removed too.
        """
        place = place_of(self._root, path)
        self._wait_for(path)
        self._make_room()
        with blamed_on(self._root / path):
            folder = self._folders.find(place.folders)
            if folder is None:
                return False
            self._remove_packed(folder, place.name, ENDINGS)
            is_removed = _unlink(folder, place.name)
            self._changed.add(place.folders)
            if is_removed and len(place.folders) > 1:
                self._remove_empty(place.folders)
        return is_removed

    def remove_unwanted(self) -> int:
        """Remove what is packed in a way that is not wanted any more, also of files that nobody writes now.

        Returns how many files that were. What has no file beside it that it could be packed of is somebody else's.
        """
        removed = 0
        for above, _, names in os.walk(self._root):
            there = set(names)
            unwanted = [
                name
                for packing, ending in ENDINGS.items()
                for name in names
                if packing not in self._packings and name.endswith(ending) and name.removesuffix(ending) in there
            ]
            for name in unwanted:
                path = Path(above, name)
                place = place_of(self._root, path.relative_to(self._root).as_posix())
                with blamed_on(path):
                    folder = self._folders.find(place.folders)
                    removed += folder is not None and _unlink(folder, name)
                self._changed.add(place.folders)
                self._make_room()
        return removed

    def stamp_of(self, path: str) -> str | None:
        """Return the stamp that a file carries near its beginning, or None where it is missing or has none."""
        place = place_of(self._root, path)
        self._wait_for(path)
        self._make_room()
        try:
            folder = self._folders.find(place.folders)
            beginning = None if folder is None else read_published(folder, place.name, up_to=_STAMP_WITHIN)
        except OSError:
            return None
        stamp = _STAMP.search(beginning) if beginning else None
        return stamp[1].decode() if stamp else None

    def finish(self) -> Mapping[str, PublishError]:
        """Wait until all is on the disk, and return what could not be written since the last call, by path.

        Raises FolderUnusable where no file can be written.
        """
        for path in list(self._under_way):
            self._wait_for(path)
        with blamed_on(self._root):
            self._sync_folders()
        failed, self._failed = self._failed, {}
        for problem in failed.values():
            if isinstance(problem, FolderUnusable):
                raise problem
        return failed

    def _threads(self) -> ThreadPoolExecutor:
        # Not before there is something to write: most runs write nothing.
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, "lootwire-files")
        return self._pool

    def _complete(self, folder: int, place: Place, draft: Draft, data: bytes, packings: Collection[Packing]) -> None:
        """Bring a draft and what is packed of it to the disk, and give them their names, the file's own last.

        In between a reader gets one or the other version, and each is whole.
        """
        drafts: list[tuple[Draft, str]] = []
        try:
            changed_at = os.fstat(draft.descriptor).st_mtime_ns
            for packing in packings:
                beside = self._folders.draft(place, packed(packing, data))
                drafts.append((beside, place.name + ENDINGS[packing]))
                os.utime(beside.descriptor, ns=(changed_at, changed_at))
            drafts.append((draft, place.name))
            for each, _ in drafts:
                os.fsync(each.descriptor)
            while drafts:
                take_name(drafts[0][0], folder, drafts[0][1])
                del drafts[0]
        except BaseException:
            for each in {id(each): each for each in (draft, *(each for each, _ in drafts))}.values():
                discard(each)
            raise

    def _wait_for(self, path: str) -> None:
        """Wait until a file has its name, and note where it got none."""
        under_way = self._under_way.pop(path, None)
        if under_way is None:
            return
        try:
            under_way.result()
        except OSError as error:
            self._failed[path] = problem_with(self._root / path, error)

    def _make_room(self) -> None:
        """Wait for the oldest where much is under way; raises FolderUnusable where one of them met a full disk, say."""
        while len(self._under_way) >= _MOST_UNDER_WAY:
            self._wait_for(next(iter(self._under_way)))
        if self._folders.is_full:
            self._failed |= self.finish()
            self._folders.close()
        for problem in self._failed.values():
            if isinstance(problem, FolderUnusable):
                raise problem

    def _sync_folders(self) -> None:
        while self._changed:
            folders = self._changed.pop()
            if (handle := self._folders.find(folders)) is not None:
                os.fsync(handle)

    def _has_packed(self, folder: int, name: str, packings: Collection[Packing]) -> bool:
        changed_at = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns
        try:
            beside = [
                os.stat(name + ENDINGS[packing], dir_fd=folder, follow_symlinks=False).st_mtime_ns
                for packing in packings
            ]
        except FileNotFoundError:
            return False
        return all(each == changed_at for each in beside)

    def _remove_packed(self, folder: int, name: str, packings: Iterable[Packing]) -> None:
        for packing in packings:
            _unlink(folder, name + ENDINGS[packing])

    def _remove_empty(self, folders: tuple[str, ...]) -> None:
        parent = self._folders.find(folders[:-1])
        if parent is None:
            return
        with contextlib.suppress(OSError):
            os.rmdir(folders[-1], dir_fd=parent)
            self._folders.forget(folders)
            self._changed.add(folders[:-1])


def _unlink(folder: int, name: str) -> bool:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True
