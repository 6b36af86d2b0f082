"""Where published files go: one object takes them, whatever lies behind it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from feeds.write import PublishError


class Store(Protocol):
    """Takes published files by their paths, such as `games/rust-1a2b3c4d.rss.xml`.

    What was written or removed may be under way until `finish` has returned: only then may it be settled. A store
    belongs to one thread of one process; a process that is forked makes its own.
    """

    def write(self, path: str, data: bytes) -> bool:
        """Write a file and return True, or leave it untouched and return False where it has these bytes.

        Raises PublishError where it cannot be written, and its subclass FolderUnusable where no other can either.
        """
        ...

    def place(self, path: str, source: Path, size: int) -> bool:
        """Have a large file, of a size in bytes, under a path, and return True; False where one of this size is there.

        Its path names its bytes: what lies there with the same size is the same. Raises PublishError, and its subclass
        SourceMissing where the file is not there or has another size.
        """
        ...

    def remove(self, path: str) -> bool:
        """Remove a file with all that belongs to it, and return whether it was there; raises PublishError."""
        ...

    def stamp_of(self, path: str) -> str | None:
        """Return the stamp that a file carries near its beginning, or None where it is missing or has none."""
        ...

    def finish(self) -> Mapping[str, PublishError]:
        """Wait until all is safe, and return what could not be written since the last call, by path.

        Raises FolderUnusable where no file can be written.
        """
        ...
