"""The manifest of a mirror: which file it has, and the digest of its bytes and headers.

It lies in the data directory, readable by its owner alone, and not in the published folder, since it names private
files too. It holds what the mirror is known to have, so that a kill costs at most the same upload again.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from models.errors import LootwireError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mirrors (url TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, changed_ns INTEGER NOT NULL, digest BLOB NOT NULL
) WITHOUT ROWID;
"""


class ManifestError(LootwireError):
    """The manifest cannot be read or written; the text names it."""


class Copy(msgspec.Struct, frozen=True):
    """A file as the mirror has it: its size, when it changed, and the digest of its bytes and headers."""

    size: int
    changed_ns: int
    digest: bytes


class Manifest:
    """The manifest in a file, for the mirror at an address; of another mirror's it knows nothing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def load(self) -> Mapping[str, Copy]:
        """Return all that the mirror has."""
        rows = self._connection.execute("SELECT path, size, changed_ns, digest FROM files")
        return {path: Copy(size, changed_ns, digest) for path, size, changed_ns, digest in rows}

    def note(self, copies: Iterable[tuple[str, Copy]]) -> None:
        """Write down what the mirror has now."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)",
                ((path, copy.size, copy.changed_ns, copy.digest) for path, copy in copies),
            )

    def forget(self, paths: Iterable[str]) -> None:
        """Write down what the mirror has no more."""
        with self._connection:
            self._connection.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in paths))

    def is_of(self, url: str) -> bool:
        """Whether it tells of the mirror at this address; a new manifest tells of none."""
        return self._connection.execute("SELECT url FROM mirrors").fetchall() == [(url,)]

    def begin(self, url: str, paths: Iterable[str]) -> None:
        """Begin anew, for the mirror at this address, which has these files; nothing is known of their bytes."""
        with self._connection:
            self._connection.execute("DELETE FROM mirrors")
            self._connection.execute("DELETE FROM files")
            self._connection.executemany("INSERT INTO files VALUES (?, -1, 0, x'')", ((path,) for path in paths))
            self._connection.execute("INSERT INTO mirrors VALUES (?)", (url,))


@contextmanager
def open_manifest(path: Path) -> Iterator[Manifest]:
    """Open a manifest, which is made if need be; one that is damaged is begun anew. Raises ManifestError."""
    try:
        connection = _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise ManifestError(f"cannot open {path}: {error}") from error
        path.unlink(missing_ok=True)
        connection = _connect(path)
    try:
        yield Manifest(connection)
    except sqlite3.Error as error:
        raise ManifestError(f"cannot use {path}: {error}") from error
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=30)
    try:
        # What a power cut takes of it is uploaded again.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection
