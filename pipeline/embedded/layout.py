"""Where the embedded servers keep their files, and how a process sees that others use them.

Three locks, all dropped by the kernel however their holder ends:

- `users.lock`, shared: each process that uses the servers. A host that can take it exclusively knows that none is left.
- `host.lock`, exclusive: the host, the one process that starts and stops the servers.
- `servers.lock`, inherited by the servers themselves, so it is free only when the last backend has gone.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from models.errors import LootwireError

# sockaddr_un holds 104 bytes on macOS and 108 on Linux, with the final NUL.
SOCKET_PATH_LIMIT = 100
LOW_DISK_BYTES = 128 * 1024 * 1024
NO_DISK_BYTES = 1024 * 1024
NOTHING_FITS_BYTES = 64 * 1024

_SAFE_IN_URLS = re.compile(r"[A-Za-z0-9/._-]+")


class EmbeddedError(LootwireError):
    """The embedded servers cannot be used; the text says what a person can do about it."""


class Servers(NamedTuple):
    """The addresses of a running PostgreSQL and Valkey, as SQLAlchemy and redis-py want them."""

    database_url: str
    redis_url: str


class Sockets(NamedTuple):
    """The folder that holds both servers' sockets."""

    folder: Path

    @property
    def postgres_folder(self) -> Path:
        return self.folder / "pg"

    @property
    def postgres(self) -> Path:
        return self.postgres_folder / ".s.PGSQL.5432"

    @property
    def valkey(self) -> Path:
        return self.folder / "valkey.sock"

    def servers(self, password: str = "") -> Servers:
        account = f"lootwire:{password}" if password else "lootwire"
        # The port is given because libpq would otherwise take it from the caller's PGPORT.
        return Servers(
            database_url=f"postgresql+psycopg://{account}@/lootwire?host={self.postgres_folder}&port=5432",
            redis_url=f"unix://{self.valkey}?db=0",
        )

    def exist(self) -> bool:
        return self.postgres.is_socket() and self.valkey.is_socket()

    def answer(self) -> bool:
        return answers(self.valkey, b"PING\r\n", b"+PONG") and answers(self.postgres)


class Layout(NamedTuple):
    """The files of the embedded servers under one data directory."""

    data_dir: Path

    @classmethod
    def of(cls, data_dir: Path) -> "Layout":
        """Return the layout of a data directory; two spellings of one path give the same one."""
        return cls(data_dir.expanduser().resolve())

    @property
    def cluster(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def valkey_dir(self) -> Path:
        return self.data_dir / "valkey"

    @property
    def published(self) -> Path:
        return self.data_dir / "servers.json"

    @property
    def users_lock(self) -> Path:
        return self.data_dir / "users.lock"

    @property
    def host_lock(self) -> Path:
        return self.data_dir / "host.lock"

    @property
    def servers_lock(self) -> Path:
        return self.data_dir / "servers.lock"

    @property
    def postgres_log(self) -> Path:
        return self.data_dir / "postgres.log"

    @property
    def valkey_log(self) -> Path:
        return self.data_dir / "valkey.log"

    @property
    def host_log(self) -> Path:
        return self.data_dir / "host.log"

    @property
    def password_file(self) -> Path:
        return self.data_dir / "postgres.password"

    def password(self) -> str:
        """Return the password that PostgreSQL wants, or nothing where it wants none."""
        try:
            return self.password_file.read_text().strip()
        except FileNotFoundError:
            return ""

    def prepare(self) -> None:
        """Create the data directory, closed to other users, or raise EmbeddedError."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = self.data_dir.stat().st_mode
            if mode & stat.S_ISVTX:
                raise EmbeddedError(
                    f"{self.data_dir} is shared by all users; set LOOTWIRE_DATA_DIR to a directory of its own."
                )
            # Through that of root one group may pass: that of a PostgreSQL that runs as another user.
            self.close_to_others(but_for=0o010 if os.geteuid() == 0 else 0)
        except OSError as error:
            raise self.unusable(error) from error

    def close_to_others(self, *, but_for: int = 0) -> None:
        """Close the data directory to other users; of what they may, the bits `but_for` may stay."""
        status = self.data_dir.stat()
        # A folder of another user's, such as a cluster's volume, has rules of its own for entering.
        if status.st_uid == os.geteuid() and status.st_mode & 0o777 & ~(0o700 | but_for):
            self.data_dir.chmod(0o700 | status.st_mode & but_for)

    def unusable(self, error: OSError) -> EmbeddedError:
        """Return an EmbeddedError that names the data directory and the system's error."""
        return EmbeddedError(
            f"The data directory {self.data_dir} cannot be used: {error.strerror or error} "
            f"({error.filename or self.data_dir}). Set LOOTWIRE_DATA_DIR to a directory that this user may "
            "write to."
        )

    def disk_note(self) -> str:
        """Return a sentence about a nearly full disk, or nothing where there is room."""
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self.data_dir).free
            if free < LOW_DISK_BYTES:
                return f"Only {free // 1024**2} MB are free on its disk: make room."
        return ""

    def is_disk_full(self, least: int = NO_DISK_BYTES) -> bool:
        """Whether less than so many bytes are free on the data directory's disk.

        What nobody can write to (a read-only disk, `/proc`) has none free either, and no room to make.
        """
        with contextlib.suppress(OSError):
            place = next(at for at in (self.data_dir, *self.data_dir.parents) if at.exists())
            disk = os.statvfs(place)
            is_writable = disk.f_blocks and not disk.f_flag & os.ST_RDONLY
            return bool(is_writable and disk.f_bavail * disk.f_frsize < least)
        return False

    def full_disk(self) -> str:
        """Return a line that says that the servers cannot start for lack of room."""
        return f"The disk of the data directory {self.data_dir} is full, and its servers cannot start: make room first."

    def publish(self, sockets: Sockets) -> None:
        """Write, in one step, where the running servers are."""
        draft = self.published.with_suffix(".tmp")
        draft.write_text(json.dumps({"host_pid": os.getpid(), "sockets": str(sockets.folder)}))
        draft.replace(self.published)

    def published_sockets(self) -> Sockets | None:
        """Return the sockets of the servers that a host has announced, living or not."""
        try:
            return Sockets(Path(json.loads(self.published.read_bytes())["sockets"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def sockets(self) -> Sockets:
        """Choose the folder for the sockets: under the data directory, or a short one where that cannot be.

        A path must fit into a socket address, and it becomes part of URLs, where libpq splits at commas.
        """
        near = Sockets(self.data_dir / "run")
        if len(os.fsencode(near.postgres)) <= SOCKET_PATH_LIMIT and _SAFE_IN_URLS.fullmatch(str(near.folder)):
            return near
        digest = sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        return Sockets(_short_temporary() / f"lootwire-{os.geteuid()}-{digest}")


def _short_temporary() -> Path:
    chosen = tempfile.gettempdir()
    return Path(chosen if len(chosen) < 56 and _SAFE_IN_URLS.fullmatch(chosen) else "/tmp")  # noqa: S108


def make_private(folder: Path) -> None:
    """Create a folder for this user alone, and refuse one that belongs to another user."""
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise EmbeddedError(
            f"{folder} belongs to user id {status.st_uid}. Run Lootwire as that user, or remove the folder."
        )
    folder.chmod(0o700)


def open_lock(path: Path) -> int:
    """Open a lock file; the descriptor is close-on-exec, so no other program keeps the lock."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def try_lock(descriptor: int, kind: int) -> bool:
    """Take a lock of a kind (`fcntl.LOCK_SH` or `LOCK_EX`) if that is possible right now."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether a process holds a lock file exclusively."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def answers(path: Path, question: bytes = b"", expected: bytes = b"") -> bool:
    """Whether a server listens on a socket and, where a question is given, replies as expected."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        connection.connect(str(path))
        connection.sendall(question)
        return not expected or connection.recv(64).startswith(expected)
    return False


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Wait until a condition holds, at most so many seconds; return whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
