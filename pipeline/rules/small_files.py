"""Reads files that people name in their rules: regular ones, and no more of them than makes sense."""

import os
import stat
from pathlib import Path

from models.errors import LootwireError

# A secret is a line; the largest file of rules that we have seen has some 100 kB.
LARGEST_SECRET = 64 * 1024
LARGEST_RULES = 4 * 1024 * 1024


class UnreadableFileError(LootwireError):
    """A file cannot be read; the text says why, and does not name it."""


def read_bytes(path: Path, most: int) -> bytes:
    """Return what a regular file holds; raises UnreadableFileError where there is none, or more than `most` bytes.

    A pipe or a device is refused: the one waits for a writer, the other may never end.
    """
    try:
        # Without O_NONBLOCK the mere opening of a pipe waits for a writer.
        descriptor = os.open(path.expanduser(), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            content = _read_regular(descriptor, most + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnreadableFileError(error.strerror or str(error)) from error
    except (ValueError, RuntimeError) as error:
        # A NUL in the name, or the home of a user who is none.
        raise UnreadableFileError("there can be no file of that name") from error
    if len(content) > most:
        raise UnreadableFileError(f"it has more than {most // 1024} kB")
    return content


def _read_regular(descriptor: int, most: int) -> bytes:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise UnreadableFileError("it is no regular file")
    with open(descriptor, "rb", closefd=False) as opened:
        return opened.read(most)


def read_text(path: Path, most: int) -> str:
    """Return the text of a regular file in UTF-8, without a byte order mark; raises UnreadableFileError."""
    try:
        return read_bytes(path, most).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError("it is no text file in UTF-8") from None
