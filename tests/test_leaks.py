"""No secret gets out, after a run in which everything fails and the other side repeats all that it hears.

One secret of each kind is planted: in a target's address, an application's and a user's sign-in, the addresses of the
database and the broker, and the secret of webhooks. Then every log, file, feed, export, row and key is looked through.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg import sql

from pipeline import embedded
from pipeline.demo import history
from pipeline.demo.local import serving
from pipeline.demo.services import DemoServices
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings
from pipeline.services.twitch.account import sign_in
from pipeline.services.twitch.sign_in import Tokens, Viewer
from tests.processes import kill
from tests.waiting import folder_of_processes, processes_with

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="ends processes by /proc"),
]

SECRETS = {
    "password of a target": "planted-target-password",
    "path of a target": "planted-target-path",
    "header of a target": "planted-target-header",
    "secret of the application": "planted-client-secret",
    "token of the application": "planted-app-token",
    "token of the user": "planted-user-token",
    "token that renews it": "planted-refresh-token",
    "password of the database": "planted-database-password",
    "password of the broker": "planted-broker-password",
    "secret of webhooks": "planted-webhook-secret",
}
# Where each secret lives: who may read these may have it.
KEPT_IN = {"eventsub.secret"}
COMMANDS = (
    *(["targets", "test", "hook"], ["publish"], ["status"], ["sources"], ["sources", "--json"]),
    *(["targets", "--json"], ["deliveries", "--json"], ["events", "--json"], ["why", "1"], ["quarantine", "--json"]),
    *(["doctor"], ["doctor", "--json"], ["feeds", "--json"]),
)


class Repeating(BaseHTTPRequestHandler):
    """A service that refuses each request and repeats all of it, but for one that signs an application in."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/token") and b"client_credentials" in body:
            self._send(200, json.dumps({"access_token": SECRETS["token of the application"], "expires_in": 5000}))
            return
        heard = f"{self.command} {self.path} {self.headers} {body.decode(errors='replace')}"
        self._send(401 if "users" in self.path else 500, json.dumps({"error": heard, "message": heard}))

    do_GET = do_POST = do_DELETE = do_PUT = _answer  # noqa: N815 - the names that http.server calls

    def _send(self, status: int, text: str) -> None:
        self.send_response(status, "planted " + text[:40].encode("ascii", "replace").decode().replace("\n", " "))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_of_processes() as place:
        yield place
        # These servers are this process's own, which goes on.
        for pid in processes_with(place):
            with suppress(ProcessLookupError):
                kill(pid)


def test_no_secret_gets_out_when_everything_fails(folder: Path) -> None:
    servers = embedded.ensure(folder / "servers")
    socket = servers.redis_url.removeprefix("unix://").partition("?")[0]
    with psycopg.connect(servers.database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE ROLE planted LOGIN SUPERUSER PASSWORD 'planted-database-password'")
    with redis.Redis.from_url(servers.redis_url) as broker:
        broker.config_set("requirepass", SECRETS["password of the broker"])
    data = folder / "data"
    with serving(Repeating) as address:
        variables = {
            **{name: f"{address}{path}" for name, path in DemoServices(utc_now()).addresses.items()},
            "LOOTWIRE_EVENTSUB_URL": address.replace("http", "ws", 1),
            "LOOTWIRE_DATA_DIR": str(data),
            "DATABASE_URL": servers.database_url.replace(
                "lootwire@", f"planted:{SECRETS['password of the database']}@"
            ),
            "REDIS_URL": f"unix://:{SECRETS['password of the broker']}@{socket}?db=0",
            "LOOTWIRE_LOG_LEVEL": "DEBUG",
            "TWITCH_CLIENT_ID": "aclientid",
            "TWITCH_CLIENT_SECRET": SECRETS["secret of the application"],
            "LOOTWIRE_EVENTSUB_CALLBACK_URL": "https://planted.example/eventsub",
        }
        data.mkdir(mode=0o700)
        (data / "eventsub.secret").write_text(SECRETS["secret of webhooks"])
        (data / "eventsub.secret").chmod(0o600)
        output = run_everything(variables, folder, address)
    # Not in vain: each was refused, and messages were tried.
    for sign in (
        "exit code of targets test 1",
        "exit code of once 3",
        "exit code of export --output 0",
        "answered 500",
    ):
        assert sign in output, output
    places = {"output": output.encode(), **files_below(data), **rows(servers.database_url)}
    assert b"HTTP 500" in places["table deliveries"]
    places |= keys(socket, SECRETS["password of the broker"])
    leaks = [
        (kind, place) for kind, secret in SECRETS.items() for place, held in places.items() if secret.encode() in held
    ]
    assert leaks == []
    assert open_to_others(data) == []


def run_everything(variables: dict[str, str], folder: Path, address: str) -> str:
    """Sign in, add a target, import something to tell, run a cycle, and call what shows or writes anything."""
    host = address.removeprefix("http://")
    target = (
        f"json://user:{SECRETS['password of a target']}@{host}/{SECRETS['path of a target']}"
        f"?+X-Key={SECRETS['header of a target']}"
    )
    taken_at = utc_now() - timedelta(hours=1)
    kept = folder / f"{taken_at:%Y-%m-%dT%H%M%SZ}_drops.json"
    kept.write_text(json.dumps(history.mirror_drops(utc_now(), 0, address)))
    output = lootwire(
        variables,
        ["targets", "add", "hook", target, "--private"],
        ["subscriptions", "add", "--to", "hook"],
        ["import", "--notify", str(kept)],
    )
    sign_in_at(variables)
    return output + lootwire(variables, ["once"], *COMMANDS, ["export", "--output", str(folder / "data" / "all.jsonl")])


def lootwire(variables: dict[str, str], *commands: list[str]) -> str:
    """Run commands one after the other in one process, which is told a umask that would open all to everybody."""
    code = """
import json, os, sys
os.umask(0)
from pipeline import cli
sys.argv[1:], commands = ["--version"], json.loads(sys.argv[1])
try:
    cli.main()
except SystemExit:
    pass
for command in commands:
    print("exit code of", *command[:2], cli.run(command), flush=True)
"""
    environment = {"PATH": os.environ["PATH"], "COLUMNS": "1000", **variables}
    run = subprocess.run(
        [sys.executable, "-P", "-c", code, json.dumps(commands)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout + run.stderr


def sign_in_at(variables: dict[str, str]) -> None:
    settings = Settings(data_dir=Path(variables["LOOTWIRE_DATA_DIR"]))
    runtime = Runtime(settings=settings, database_url=variables["DATABASE_URL"], redis_url=variables["REDIS_URL"])
    tokens = Tokens(SECRETS["token of the user"], SECRETS["token that renews it"])
    sign_in(runtime.engine, runtime.vault, tokens, Viewer("aclientid", "lamplighter", "424242", 5000), utc_now())
    runtime.engine.dispose()


def files_below(data: Path) -> dict[str, bytes]:
    files = [path for path in data.rglob("*") if path.is_file() and path.name not in KEPT_IN]
    return {str(path): path.read_bytes() for path in files}


def rows(database_url: str) -> dict[str, bytes]:
    """Return each table as text."""
    leaks = {}
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(name))
            leaks[f"table {name}"] = "\n".join(text for (text,) in connection.execute(query)).encode()
    return leaks


def keys(socket: str, password: str) -> dict[str, bytes]:
    """Return each key of the broker as it is kept."""
    with redis.Redis(unix_socket_path=socket, password=password) as broker:
        return {f"key {key!r}": key + (broker.dump(key) or b"") for key in broker.scan_iter()}


def open_to_others(data: Path) -> list[str]:
    """Return what of a data directory other users may read or write, but for what is published."""
    paths = [path for path in (data, *data.rglob("*")) if data / "public" not in (path, *path.parents)]
    return [str(path) for path in paths if path.lstat().st_mode & 0o077]
