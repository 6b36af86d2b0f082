"""Puts files where they are kept: originals by their bytes, pictures and transcripts beside them."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from pipeline.sound.extracting.workspaces import SOUNDS

_CHUNK = 2**20
# An ending becomes part of a path.
_LONGEST_ENDING = 8


def digest_of(path: Path, beat: Callable[[], None]) -> bytes:
    """Return the SHA-256 of a file; `beat` is called now and then, and what it raises ends this."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            beat()
    return digest.digest()


def place_of(folder: str, digest: bytes, ending: str) -> str:
    """Return where a file is kept, below the data directory: `sounds/originals/ab/<sha256>.m4a`."""
    clean = "".join(letter for letter in ending.lower() if letter.isascii() and (letter.isalnum() or letter in "-."))
    name = digest.hex()
    return f"{SOUNDS}/{folder}/{name[:2]}/{name}.{clean.strip('.')[: _LONGEST_ENDING * 3] or 'bin'}"


def keep_file(path: Path, data_dir: Path, place: str) -> None:
    """Have a file at its place too, whole or not at all; it stays where it is. Raises `OSError`, for a full disk say.

    The bytes are on the disk before the name is: a row that names it can rely on it.
    """
    target = data_dir / place
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = target.with_name(f".{target.name}.{os.getpid()}.{id(path)}")
    try:
        try:
            os.link(path, new)
        except OSError:
            # A file system without hard links.
            shutil.copyfile(path, new)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.chmod(0o600)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    descriptor = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_file(data_dir: Path, place: str) -> None:
    """Delete a kept file; one that is gone is gone. A place outside of the folder of sounds is left alone."""
    target = data_dir / place
    if ".." in Path(place).parts or not place.startswith(f"{SOUNDS}/"):
        return
    target.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        target.parent.rmdir()
