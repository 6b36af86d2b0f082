"""Reads a file of a folder: its SHA-256, and what ffmpeg says is in it. Nothing but that is ever done to it."""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from models.errors import LootwireError
from pipeline.sound.scanning.comparing import Target

# No link is followed, and nothing that is no file is waited for.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Heard(NamedTuple):
    """What is in a file: its length in seconds, where its head says that, and its codec as ffmpeg calls it."""

    seconds: float | None
    codec: str | None


# Returns what is in the file at a path; raises `Unreadable` where that is no sound.
Hear = Callable[[Path], Heard]


class Unreadable(LootwireError):
    """A file could not be read; its text says why, in a sentence for people."""


class Reading(NamedTuple):
    """A file that was read: its digest and what is in it, or else why not."""

    target: Target
    digest: bytes | None
    heard: Heard | None
    error: str | None


def read_file(root: int, folder: bytes, target: Target, hear: Hear) -> Reading:
    """Read a file of a folder that is open as `root`; one that changes meanwhile is left to the next look."""
    try:
        digest = _digest(root, target)
        return Reading(target, digest, hear(Path(os.fsdecode(os.path.join(folder, target.path)))), None)  # noqa: PTH118
    except Unreadable as error:
        return Reading(target, None, None, str(error))
    except OSError as error:
        return Reading(target, None, None, error.strerror or type(error).__name__)


def _digest(root: int, target: Target) -> bytes:
    with os.fdopen(os.open(target.path, _FLAGS, dir_fd=root), "rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise Unreadable("it is no file any more")
        if not before.st_size:
            raise Unreadable("it is empty")
        digest = hashlib.file_digest(file, "sha256").digest()
        after = os.fstat(file.fileno())
    if (after.st_size, after.st_mtime_ns) != (target.stat[0], target.stat[1]):
        raise Unreadable("it changes while it is read; the next scan reads it again")
    return digest
