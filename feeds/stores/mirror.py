"""Keep a bucket like the published folder: what changed is uploaded, what is gone is removed, and removed last."""

import hashlib
import os
import stat
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from feeds.serving import SOUND_TYPES
from feeds.stores.bucket import Bucket, headers_of
from feeds.stores.manifest import Copy, Manifest
from feeds.write import PRIVATE, Folders, place_of

_UPLOADS_AT_ONCE = 8
_NOTED_TOGETHER = 100
# A larger file goes up alone and in parts: several at once would be more than the memory has.
LARGE = 8 * 1024 * 1024
_READ_AT_ONCE = 1024 * 1024
# Pages and lists point at everything else, and feeds at sounds.
_LAST = (".html", ".opml", ".html.gz", ".html.zst")
_SOUNDS = tuple(SOUND_TYPES)


class Mirrored(msgspec.Struct, kw_only=True):
    """What a run did; `left` counts the files that it had no time for."""

    uploaded: int = 0
    removed: int = 0
    left: int = 0


def mirror(root: Path, bucket: Bucket, manifest: Manifest, *, within: timedelta) -> Mirrored:
    """Upload what changed since the last run, then remove what is gone, for as long as `within`.

    May be killed anywhere and run again; not by two at once. Hidden files and links are left out. A bucket may hold
    other files too: only what was uploaded is removed, and whatever lies below `private/`. Raises BucketError.
    """
    until = time.monotonic() + within.total_seconds()
    if not manifest.is_of(bucket.url):
        # Private addresses that were given up since must not stay readable for want of a manifest.
        manifest.begin(bucket.url, bucket.list(PRIVATE))
    known, there = manifest.load(), dict(published(root))
    summary = Mirrored()
    changed = sorted(
        (path for path, seen in there.items() if not _is_known(known.get(path), seen)),
        key=lambda path: (path.endswith(_LAST), not path.endswith(_SOUNDS), path),
    )
    with _Uploads(bucket, manifest) as uploads, Folders(root) as folders:
        for number, path in enumerate(changed):
            if time.monotonic() > until:
                summary.left = len(changed) - number
                break
            if (file := _read(folders, root, path)) is None:
                continue
            copy, data = file
            before = known.get(path)
            if before is not None and before.digest == copy.digest:
                uploads.note(path, copy)
            elif data is not None:
                uploads.put(path, data, copy)
                summary.uploaded += 1
            elif _put_large(folders, root, path, bucket):
                uploads.note(path, copy)
                summary.uploaded += 1
    if not summary.left:
        gone = sorted(known.keys() - there.keys())
        summary.removed, summary.left = _remove(bucket, manifest, gone, until)
    return summary


def published(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the path below a folder, and what is known, of each file in it that is neither hidden nor a link."""
    waiting = [("", root)]
    while waiting:
        above, folder = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except FileNotFoundError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append((f"{above}{entry.name}/", Path(entry.path)))
            elif entry.is_file(follow_symlinks=False):
                try:
                    yield f"{above}{entry.name}", entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue


def _is_known(copy: Copy | None, seen: os.stat_result) -> bool:
    return copy is not None and (copy.size, copy.changed_ns) == (seen.st_size, seen.st_mtime_ns)


def _read(folders: Folders, root: Path, path: str) -> tuple[Copy, bytes | None] | None:
    """Return a file as it is now, or None where it is gone or was replaced by something else.

    What a large one holds is not kept.
    """
    file = _open(folders, root, path)
    if file is None:
        return None
    with file:
        status = os.fstat(file.fileno())
        digest, size, data = _new_digest(path), 0, b""
        while part := file.read(_READ_AT_ONCE):
            digest.update(part)
            size += len(part)
            data = data + part if size <= LARGE else b""
    return Copy(size, status.st_mtime_ns, digest.digest()), data if size <= LARGE else None


def _put_large(folders: Folders, root: Path, path: str, bucket: Bucket) -> bool:
    """Upload a large file, and nothing else meanwhile; returns whether it was still there."""
    file = _open(folders, root, path)
    if file is None:
        return False
    with file:
        bucket.put_file(path, file)
    return True


def _open(folders: Folders, root: Path, path: str) -> BinaryIO | None:
    """Open a file for reading; None where it is gone or was replaced by something else."""
    place = place_of(root, path)
    if folders.is_full:
        folders.close()
    try:
        folder = folders.find(place.folders)
        if folder is None:
            return None
        descriptor = os.open(place.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def _new_digest(path: str) -> "hashlib.blake2b":
    """Begin a digest of what is uploaded: the bytes, and the headers, which may change with our version."""
    return hashlib.blake2b(repr(headers_of(path)).encode(), digest_size=16)


def _remove(bucket: Bucket, manifest: Manifest, gone: list[str], until: float) -> tuple[int, int]:
    for number, path in enumerate(gone):
        if time.monotonic() > until:
            return number, len(gone) - number
        bucket.remove(path)
        manifest.forget([path])
    return len(gone), 0


class _Uploads:
    """Uploads several files at once, and writes down in the manifest what has arrived."""

    def __init__(self, bucket: Bucket, manifest: Manifest) -> None:
        self._bucket = bucket
        self._manifest = manifest
        self._pool = ThreadPoolExecutor(_UPLOADS_AT_ONCE, "lootwire-uploads")
        self._under_way = deque[tuple[str, Copy, Future[None]]]()
        self._arrived: list[tuple[str, Copy]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            while self._under_way:
                self._wait()
        finally:
            # After a refusal the others are not tried, and those under way come to their end.
            self._pool.shutdown(cancel_futures=True)
            self._arrived += [(path, copy) for path, copy, upload in self._under_way if _has_arrived(upload)]
            self._keep()

    def put(self, path: str, data: bytes, copy: Copy) -> None:
        """Upload a file when there is room; raises BucketError of an earlier one."""
        while len(self._under_way) >= 2 * _UPLOADS_AT_ONCE:
            self._wait()
        self._under_way.append((path, copy, self._pool.submit(self._bucket.put, path, data)))

    def note(self, path: str, copy: Copy) -> None:
        """Write down what has arrived, in not too many steps."""
        self._arrived.append((path, copy))
        if len(self._arrived) >= _NOTED_TOGETHER:
            self._keep()

    def _wait(self) -> None:
        path, copy, upload = self._under_way.popleft()
        upload.result()
        self.note(path, copy)

    def _keep(self) -> None:
        arrived: Mapping[str, Copy] = dict(self._arrived)
        self._arrived.clear()
        self._manifest.note(arrived.items())


def _has_arrived(upload: Future[None]) -> bool:
    return not upload.cancelled() and upload.exception() is None
