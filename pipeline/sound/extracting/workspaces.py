"""The folder of an extraction, in which a killed download goes on, and where its sound lies once it is there.

One process works in it at a time: it holds the lock of the file `lock`, which the kernel gives back with the process.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from models.errors import LootwireError
from pipeline.sound.downloading import Downloaded

SOUNDS = "sounds"
WORK = "work"
_LOCK = "lock"
_NOTE = "downloaded.json"
_ENCODER = msgspec.json.Encoder(enc_hook=os.fspath)


class WorkspaceBusy(LootwireError):
    """Another process still works in the folder: its lease is over, and it has not noticed yet."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a download brought, for the stages after it; files by their names in the workspace."""

    name: str
    extension: str
    subtitles: tuple[tuple[str, str, str], ...] = ()
    thumbnail: str | None = None


def workspace_of(data_dir: Path, extraction_id: int) -> Path:
    """Return the folder of an extraction; it may not be there."""
    return data_dir / SOUNDS / WORK / str(extraction_id)


@contextmanager
def working_in(folder: Path) -> Iterator[Path]:
    """Have a workspace to oneself for the length of a `with` block; raises `WorkspaceBusy`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkspaceBusy(f"another process works in {folder}") from None
        yield folder
    finally:
        os.close(descriptor)


def note_download(folder: Path, downloaded: Downloaded) -> None:
    """Write down what a download brought, whole or not at all."""
    note = Note(
        name=downloaded.path.name,
        extension=downloaded.extension,
        subtitles=tuple((each.path.name, each.language, each.format) for each in downloaded.subtitles),
        thumbnail=None if downloaded.thumbnail is None else downloaded.thumbnail.name,
    )
    new = folder / f"{_NOTE}.new"
    with new.open("wb") as file:
        file.write(_ENCODER.encode(note))
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / _NOTE)


def noted_download(folder: Path) -> Note | None:
    """Return what a download brought; None where nothing was written down, or its sound is gone."""
    try:
        note = msgspec.json.decode((folder / _NOTE).read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError):
        return None
    return note if (folder / note.name).is_file() else None


def remove_workspace(folder: Path) -> bool:
    """Delete a workspace with all in it; False where another process works in it, or it cannot be deleted."""
    if not folder.is_dir():
        return True
    try:
        with working_in(folder):
            shutil.rmtree(folder)
    except (WorkspaceBusy, OSError):
        return False
    return True


def bytes_in(folder: Path) -> int:
    """Return how many bytes the files of a folder take, also while others write there."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(path) / name).lstat().st_size
    return total
