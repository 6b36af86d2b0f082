"""The embedded PostgreSQL: its cluster is made once, whole or not at all, and started for the host."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from models.privacy import PRIVATE_FILE
from pipeline.embedded import children
from pipeline.embedded.binaries import POSTGRES_MAJOR, copy_postgres_programs, postgres_programs
from pipeline.embedded.identity import Identity, postgres_identity
from pipeline.embedded.layout import EmbeddedError, Layout, Sockets, make_private, wait_until

# Crash recovery reads at most `max_wal_size`, so even a slow disk is done long before this.
START_SECONDS = 300

SETTINGS = {
    # A socket that only its owner can open is the whole of access control, but for a PostgreSQL of `nobody`.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    # What is committed stays, power cut or not.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # A small machine beside everything else that runs on it.
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "256MB",
    "jit": "off",
    "io_method": "sync",
    "autovacuum": "on",
    # Each look forks a process for each database, and hardly anything is ever deleted.
    "autovacuum_naptime": "5min",
    # No replica, no archive.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Checkpoints would be all that a healthy year has to say.
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "cluster_name": "lootwire",
}

# Also of a cluster that was made to trust whoever reaches its socket.
ACCESS_BY_PASSWORD = "local all all scram-sha-256\n"  # noqa: S105 - the name of a way
# It would be in /dev/shm, where all processes of its user can read it.
SHARED_MEMORY_IN_CLUSTER = ("-c", "dynamic_shared_memory_type=mmap")
PSQL_OPTIONS = ("-p", "5432", "-U", "lootwire", "-d", "postgres", "-qX", "-v", "ON_ERROR_STOP=1")
CREATE_DATABASE = r"""
SELECT 'CREATE DATABASE lootwire' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'lootwire') \gexec
"""


def start(layout: Layout, sockets: Sockets, lock: int) -> subprocess.Popen[bytes]:
    """Start PostgreSQL, with a new cluster if there is none, and return it when it accepts connections."""
    identity = postgres_identity()
    programs = _reachable_programs(layout, identity)
    _prepare_folders(layout, sockets, identity)
    if not layout.cluster.exists():
        _create_cluster(layout, programs, identity, lock)
    _check_version(layout.cluster)
    _clear_leftovers(layout)
    if identity.becomes_other_user:
        _demand_password(layout, programs, identity, lock)
    process = _launch(layout, sockets, programs, identity, lock)
    children.run(
        [programs / "psql", "-h", sockets.postgres_folder, *PSQL_OPTIONS],
        lock=lock,
        identity=identity,
        text=CREATE_DATABASE,
        env={"PGPASSWORD": layout.password()},
    )
    return process


def stop_leftover(layout: Layout) -> None:
    """Ask a PostgreSQL that has lost its host to stop."""
    pid = _living_postmaster(layout.cluster)
    if pid is not None:
        os.kill(pid, signal.SIGINT)


def _reachable_programs(layout: Layout, identity: Identity) -> Path:
    programs = postgres_programs()
    if not identity.becomes_other_user:
        layout.close_to_others()
        return programs
    identity.let_through(layout.data_dir)
    if not identity.can_run(layout.data_dir):
        raise EmbeddedError(
            f"PostgreSQL will not run as root, and user id {identity.uid} cannot reach {layout.data_dir}. Run Lootwire "
            "as an ordinary user, or set LOOTWIRE_DATA_DIR to a directory outside private ones, such as "
            "/var/lib/lootwire."
        )
    if identity.can_run(programs / "postgres"):
        return programs
    return copy_postgres_programs(programs, layout.data_dir)


def _prepare_folders(layout: Layout, sockets: Sockets, identity: Identity) -> None:
    make_private(sockets.folder)
    # A killed server's socket and its lock file, with a process id that may be another's by now.
    shutil.rmtree(sockets.postgres_folder, ignore_errors=True)
    sockets.postgres_folder.mkdir(mode=0o700)
    identity.adopt(layout.cluster)
    identity.adopt(sockets.postgres_folder)
    if identity.becomes_other_user:
        identity.let_through(sockets.folder)


def _create_cluster(layout: Layout, programs: Path, identity: Identity, lock: int) -> None:
    draft = layout.cluster.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    identity.adopt(draft)
    initdb: list[str | Path] = [programs / "initdb", "-D", draft, "-U", "lootwire", "-E", "UTF8", "--no-instructions"]
    trust = ["--auth-local=trust", "--auth-host=reject"]
    # The builtin provider sorts alike on every machine, whatever its C library.
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    children.run([*initdb, *trust, *locale], lock=lock, identity=identity)
    # Renamed when complete: an initdb that was killed never counts.
    draft.rename(layout.cluster)
    _sync_folder(layout.data_dir)


def _demand_password(layout: Layout, programs: Path, identity: Identity, lock: int) -> None:
    """Have PostgreSQL want a password from everybody; a cluster that wanted none before is changed.

    For one that runs as `nobody`, a user that other programs have as well. Killed anywhere, it begins anew.
    """
    access = layout.cluster / "pg_hba.conf"
    if layout.password_file.exists() and access.read_text() == ACCESS_BY_PASSWORD:
        return
    password = secrets.token_urlsafe(32)
    _write_private(layout.password_file, password)
    # A single process that nobody can connect to. Its errors must not quote the statement.
    single: list[str | Path] = ["--single", "-D", layout.cluster, "-c", "log_min_error_statement=panic", "postgres"]
    statement = f"ALTER ROLE lootwire PASSWORD '{password}'\n"
    children.run([programs / "postgres", *single], lock=lock, identity=identity, text=statement)
    _write_private(access, ACCESS_BY_PASSWORD, identity)


def _write_private(path: Path, text: str, owner: Identity | None = None) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "w") as file:
        file.write(text)
        file.flush()
        if owner is not None:
            os.fchown(file.fileno(), owner.uid, owner.gid)
        os.fsync(file.fileno())
    draft.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Without this a power cut could undo the rename and leave later commits in a draft.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_version(cluster: Path) -> None:
    try:
        major = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedError(
            f"{cluster} is not a PostgreSQL data directory. Move it away, or set LOOTWIRE_DATA_DIR to another one."
        ) from None
    if major != POSTGRES_MAJOR:
        raise EmbeddedError(
            f"{cluster} was made by PostgreSQL {major}; this Lootwire brings PostgreSQL {POSTGRES_MAJOR}. Export with "
            "the Lootwire that made it and import here, or move the directory away to begin anew."
        )


def _clear_leftovers(layout: Layout) -> None:
    """Remove what a killed PostgreSQL left, which would keep a new one from starting.

    Called while we hold `servers.lock`, so none of ours is alive. A process id in `postmaster.pid` may by now
    belong to any process, above all in containers, and PostgreSQL would take it for a living server.
    """
    pid = _living_postmaster(layout.cluster)
    if pid is not None:
        raise EmbeddedError(f"Another PostgreSQL (process {pid}) runs on {layout.cluster}; stop it first.")
    (layout.cluster / "postmaster.pid").unlink(missing_ok=True)


def _living_postmaster(cluster: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int((cluster / "postmaster.pid").read_text().split()[0])
        if str(cluster) in _command_line(pid):
            return pid
    return None


def _command_line(pid: int) -> str:
    if Path("/proc/self").exists():
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout


def _launch(layout: Layout, sockets: Sockets, programs: Path, identity: Identity, lock: int) -> subprocess.Popen[bytes]:
    argv: list[str | Path] = [programs / "postgres", "-D", layout.cluster, "-k", sockets.postgres_folder]
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    if identity.becomes_other_user:
        settings += SHARED_MEMORY_IN_CLUSTER
    # SIGINT is a fast shutdown: it ends sessions, writes a checkpoint and leaves nothing to recover.
    process = children.start(
        [*argv, *settings], log=layout.postgres_log, lock=lock, dies_by=signal.SIGINT, identity=identity
    )
    wait_until(lambda: _is_ready(layout.cluster) or process.poll() is not None, START_SECONDS)
    if process.poll() is not None or not _is_ready(layout.cluster):
        process.kill()
        raise EmbeddedError(
            f"PostgreSQL did not start in {layout.cluster}. The end of {layout.postgres_log}:\n"
            f"{children.tail(layout.postgres_log)}"
        )
    return process


def _is_ready(cluster: Path) -> bool:
    # The eighth line of the file is the state that the postmaster writes.
    with contextlib.suppress(OSError):
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        return len(lines) >= 8 and lines[7].strip() == "ready"
    return False
