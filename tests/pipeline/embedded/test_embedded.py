"""The embedded servers, with real processes and real kills."""

import json
import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from pipeline.embedded import EmbeddedError, Servers, broker_url, ensure, healthy
from tests.processes import kill
from tests.waiting import folder_of_processes, processes_with, wait_for

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc"),
]

USER = """
import sys
from pathlib import Path
from pipeline.embedded import EmbeddedError, ensure
try:
    servers = ensure(Path(sys.argv[1]))
except EmbeddedError as error:
    sys.exit(str(error))
print(servers.database_url, servers.redis_url, flush=True)
sys.stdin.read()
"""
KEEP_SEVEN = "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 7 AS number"


def impatient() -> dict[str, str]:
    return os.environ | {"LOOTWIRE_EMBEDDED_LINGER": "0.1"}


class User:
    """A process that uses the servers of a data directory until it is killed or left."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=impatient(),
        )

    def servers(self) -> Servers:
        assert self.process.stdout is not None
        return Servers(*self.process.stdout.readline().split())

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


@pytest.fixture
def new_dir() -> Iterator[Path]:
    """A place for a data directory that does not exist yet."""
    with folder_of_processes() as folder:
        yield folder / "data"


@pytest.fixture(scope="module")
def one_for_all() -> Iterator[Path]:
    with folder_of_processes() as folder:
        yield folder / "data"


@pytest.fixture
def data_dir(one_for_all: Path) -> Iterator[Path]:
    """A data directory that outlives the kills of all these tests, as a real one must; each finds it at rest."""
    yield one_for_all
    wait_for(lambda: not processes_with(one_for_all))


def query(servers: Servers, statement: str) -> list[tuple[object, ...]]:
    address = servers.database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres/postmaster.pid").read_text().split()[0])


def host(data_dir: Path) -> int:
    return int(json.loads((data_dir / "servers.json").read_text())["host_pid"])


def valkey(data_dir: Path) -> int:
    return commands_with("valkey-server", data_dir)[0]


def commands_with(program: str, data_dir: Path) -> list[int]:
    return [pid for pid, command in processes_with(data_dir).items() if program in command]


def test_both_servers_answer_at_the_addresses_that_are_returned(new_dir: Path) -> None:
    with User(new_dir) as user:
        servers = user.servers()
        assert query(servers, "SELECT current_user, current_database()") == [("lootwire", "lootwire")]
        assert query(servers, "SHOW fsync") == query(servers, "SHOW synchronous_commit") == [("on",)]
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.ping()
        assert healthy(new_dir)
        assert stat.S_IMODE(new_dir.stat().st_mode) & 0o066 == 0


def test_databases_can_be_made_from_a_template(data_dir: Path) -> None:
    with User(data_dir) as user:
        servers = user.servers()
        query(servers, "CREATE DATABASE template_of_a_test")
        query(servers, "CREATE DATABASE a_test TEMPLATE template_of_a_test STRATEGY file_copy")


def test_processes_that_start_at_once_get_the_same_servers(new_dir: Path) -> None:
    users = [User(new_dir) for _ in range(6)]
    try:
        assert len({user.servers() for user in users}) == 1
        assert len(commands_with("valkey-server", new_dir)) == 1
        wait_for(lambda: len(commands_with("embedded.host", new_dir)) == 1)
    finally:
        for user in users:
            user.kill()


def test_killing_one_of_two_users_leaves_the_servers_alone(data_dir: Path) -> None:
    with User(data_dir) as staying:
        servers = staying.servers()
        with User(data_dir) as leaving:
            leaving.servers()
        pid = postmaster(data_dir)
        query(servers, "SELECT pg_sleep(1)")  # several times the linger
        assert postmaster(data_dir) == pid


def test_killing_the_last_user_stops_both_servers(data_dir: Path) -> None:
    with User(data_dir) as user:
        user.servers()
        user.kill()
        wait_for(lambda: not processes_with(data_dir))
    assert not (data_dir / "postgres/postmaster.pid").exists()
    assert not healthy(data_dir)


@pytest.mark.parametrize("victim", [host, postmaster, valkey])
def test_a_killed_server_or_host_comes_back_with_what_was_committed(
    data_dir: Path, victim: Callable[[Path], int]
) -> None:
    with User(data_dir) as first:
        query(first.servers(), KEEP_SEVEN)
        killed_host = host(data_dir)
        kill(victim(data_dir))
        wait_for(lambda: not healthy(data_dir))
        with User(data_dir) as second:
            assert query(second.servers(), "SELECT number FROM kept") == [(7,)]
            assert host(data_dir) != killed_host
            assert len(commands_with("valkey-server", data_dir)) == 1


def test_killing_everything_at_once_loses_nothing_that_was_committed(data_dir: Path) -> None:
    with User(data_dir) as user:
        query(user.servers(), KEEP_SEVEN)
        kill(*processes_with(data_dir))
    with User(data_dir) as user:
        assert query(user.servers(), "SELECT number FROM kept") == [(7,)]


def test_an_initdb_that_was_killed_never_counts(new_dir: Path) -> None:
    with User(new_dir):
        wait_for((new_dir / "postgres.new/PG_VERSION").exists)
        kill(*processes_with(new_dir))
    assert not (new_dir / "postgres").exists()
    with User(new_dir) as user:
        assert query(user.servers(), "SELECT 1") == [(1,)]


@pytest.mark.parametrize("name", ["long" * 30, "with space, comma and ü%#?"])
def test_a_path_that_no_socket_could_have_works(new_dir: Path, name: str) -> None:
    with User(new_dir / name) as user:
        servers = user.servers()
        assert query(servers, "SELECT 1") == [(1,)]
        sockets = Path(servers.redis_url.removeprefix("unix://").partition("?")[0]).parent
        assert not sockets.is_relative_to(new_dir)
    wait_for(lambda: not sockets.exists())


def test_a_process_number_that_somebody_else_has_now_does_not_keep_postgres_from_starting(data_dir: Path) -> None:
    with User(data_dir) as user:
        user.servers()
    wait_for(lambda: not processes_with(data_dir))
    pid_file = data_dir / "postgres/postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{data_dir}/postgres\n1\n5432\n\n\n")
    with User(data_dir) as user:
        assert query(user.servers(), "SELECT 1") == [(1,)]


def test_a_cluster_of_another_postgresql_is_refused_by_its_name(new_dir: Path) -> None:
    cluster = new_dir / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match=rf"{cluster} was made by PostgreSQL 17.* brings PostgreSQL 18"):
        ensure(new_dir)


def test_a_data_directory_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match=r"file/data cannot be used: .*LOOTWIRE_DATA_DIR"):
        ensure(tmp_path / "file/data")


def test_a_directory_that_all_users_share_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(EmbeddedError, match="shared by all users"):
        ensure(tmp_path)


def test_asking_for_health_starts_and_makes_nothing(tmp_path: Path) -> None:
    assert not healthy(tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_log_that_has_grown_long_is_moved_aside(data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    log = data_dir / "postgres.log"
    log.write_bytes(b"a line\n" * 1_000_000)
    with User(data_dir) as user:
        user.servers()
        assert log.stat().st_size < 100_000
        assert (data_dir / "postgres.log.1").stat().st_size == 7_000_000


def test_programs_that_a_user_starts_do_not_keep_the_servers_alive(data_dir: Path) -> None:
    code = USER.replace("sys.stdin.read()", "import subprocess; subprocess.Popen(['sleep', '60'], close_fds=False)")
    started = subprocess.Popen(
        [sys.executable, "-c", code, str(data_dir)],
        stdout=subprocess.DEVNULL,
        env=impatient(),
        start_new_session=True,
    )
    try:
        assert started.wait(60) == 0
        wait_for(lambda: not processes_with(data_dir))
    finally:
        os.killpg(started.pid, signal.SIGKILL)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user to run PostgreSQL")
def test_root_without_user_namespaces_runs_postgres_as_nobody(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOTWIRE_NO_USERNS", "1")
    with User(data_dir) as user:
        query(user.servers(), KEEP_SEVEN)
        assert Path(f"/proc/{postmaster(data_dir)}").stat().st_uid != 0
    wait_for(lambda: not processes_with(data_dir))
    # The same cluster must serve root again where namespaces are allowed, and the other way round.
    monkeypatch.delenv("LOOTWIRE_NO_USERNS")
    with User(data_dir) as user:
        assert query(user.servers(), "SELECT number FROM kept") == [(7,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user to run PostgreSQL")
def test_without_user_namespaces_another_process_of_nobody_gets_nothing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOTWIRE_NO_USERNS", "1")
    with User(data_dir) as user:
        servers = user.servers()
        url = servers.database_url
        query(servers, KEEP_SEVEN)
        server = Path(f"/proc/{postmaster(data_dir)}")
        for path in (data_dir, data_dir / "postgres" / "PG_VERSION", data_dir / "run" / "pg", server / "environ"):
            assert not as_nobody(f"os.listdir({str(path)!r})" if path.is_dir() else f"open({str(path)!r})")
        without_password = url.replace("postgresql+psycopg", "postgresql").replace(password_in(url), "")
        socket = str(data_dir / "run" / "pg" / ".s.PGSQL.5432")
        assert not as_nobody(f"socket.socket(socket.AF_UNIX).connect({socket!r})")
        assert as_nobody("socket.socket(socket.AF_UNIX)")
        # Nor root's own, nor one that is let through: each needs the password as well.
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(without_password)
        assert query(servers, "SHOW dynamic_shared_memory_type") == [("mmap",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user to run PostgreSQL")
def test_a_cluster_of_nobody_that_trusted_everybody_wants_a_password_from_now_on(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOTWIRE_NO_USERNS", "1")
    with User(data_dir) as user:
        query(user.servers(), KEEP_SEVEN)
    wait_for(lambda: not processes_with(data_dir))
    # As the versions before made and left it.
    nobody = pwd.getpwnam("nobody")
    (data_dir / "postgres" / "pg_hba.conf").write_text("local all all trust\n")
    (data_dir / "postgres.password").unlink()
    (data_dir / "postgres.log").chmod(0o644)
    data_dir.chmod(0o711)
    for path in [*(data_dir / "postgres").rglob("*"), data_dir / "postgres"]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    with User(data_dir) as user:
        servers = user.servers()
        assert query(servers, "SELECT number FROM kept") == [(7,)]
        assert password_in(servers.database_url)
        assert not as_nobody(f"os.listdir({str(data_dir / 'postgres')!r})")
        assert open_to_others(data_dir) == []


def password_in(url: str) -> str:
    return urlsplit(url).password or ""


def as_nobody(code: str) -> bool:
    """Whether some code runs without an error as another process of nobody, from outside."""
    nobody = pwd.getpwnam("nobody")
    # The interpreter itself may lie where nobody cannot go.
    become = f"import os, socket; os.setgroups([]); os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid})"
    command = [sys.executable, "-c", f"{become}; {code}"]
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0


def open_to_others(data_dir: Path) -> list[str]:
    """Return the files and sockets below a folder whose modes would let others in, links aside."""
    paths = [path for path in data_dir.rglob("*") if not path.is_symlink()]
    return [str(path) for path in paths if path.lstat().st_mode & 0o077 and not path.is_dir()]


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_all_that_the_servers_write_is_private_under_any_umask(data_dir: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        user = User(data_dir)
    finally:
        os.umask(before)
    with user:
        query(user.servers(), KEEP_SEVEN)
        assert open_to_others(data_dir) == []
        assert [str(path) for path in data_dir.rglob("*") if path.is_dir() and path.stat().st_mode & 0o077] == []
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_a_redis_address_is_turned_into_the_form_that_celery_wants() -> None:
    assert broker_url("unix:///a/b.sock?db=0") == "redis+socket:///a/b.sock?virtual_host=0"
    assert broker_url("redis://localhost:6379/1") == "redis://localhost:6379/1"


def test_an_announcement_that_outlived_its_servers_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "servers.json").write_text(json.dumps({"host_pid": 1, "sockets": str(tmp_path / "run")}))
    (tmp_path / "host.lock").touch()
    assert not healthy(tmp_path)
