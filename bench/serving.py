"""Serve the published folder to readers while it is being published, beside nginx with the same files.

    uv run --frozen python bench/serving.py [--seconds 20] [--rate 200] [--tiny]

A folder of feeds and pages is published, and the program that serves it (`pipeline.web`) has one core,
readers and publishing the others. Readers ask at a steady rate, over connections that are kept alive: nine times of ten
with the ETag of what they have, and otherwise for the whole file, a third of it packed. Each answer is timed from the
moment at which its request was due, so that a server that stands still is charged for all that waited meanwhile. All
the time another process publishes events, one after the other. Then nginx, with one worker on the same core, gets the
same requests with the same publishing beside it; without nginx it is Starlette's own StaticFiles, under uvicorn.

Goal: 200 requests a second, of which 99 of 100 take at most 20 ms.
"""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Engine

from bench import feeds as site
from bench.databases import Servers
from bench.results import Result, bounded, percentile, spoken
from bench.running import Size, keep_pace, run_alone
from feeds.publish import publish
from tests.processes import free_port

HOST = "127.0.0.1"
MOST_MS = 20.0
WHOLE, PACKED = 0.1, 0.33
STARTS_WITHIN = 60.0
# Publishes an event of some game and then another, until it is ended.
PUBLISHING = textwrap.dedent("""
    import sys, itertools
    from datetime import timedelta
    from pathlib import Path
    from sqlalchemy import create_engine, insert, select
    from bench.feeds import BASE_URL, NOW, _event
    from feeds.publish import publish
    from feeds.take_in import mark
    from models import Event, Game

    engine, root, run = create_engine(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    with engine.connect() as connection:
        games = connection.execute(select(Game.id, Game.name)).all()
    print("began", flush=True)
    for number in itertools.count():
        game = games[number % len(games)]
        known = {"id": game.id, "name": game.name, "organization_id": None, "organization": "Studio"}
        at = NOW + timedelta(seconds=number + 1)
        with engine.begin() as connection:
            row = _event(known, number, key=f"{run}-{number}", at=at)
            mark(connection, [connection.execute(insert(Event).returning(Event.id), row).scalar_one()])
        publish(engine, root, BASE_URL, at, packings=("gzip", "zstd"))
        print(number, flush=True)
""")
STATIC_FILES = textwrap.dedent("""
    import sys, uvicorn
    from starlette.staticfiles import StaticFiles

    uvicorn.run(StaticFiles(directory=sys.argv[1], html=True), port=int(sys.argv[2]), log_level="warning")
""")


@dataclass(frozen=True)
class Load(Size):
    """How many games the folder has, how long readers ask, how often a second, and over how many connections."""

    games: int = field(kw_only=True)
    seconds: float = field(kw_only=True)
    rate: int = field(kw_only=True)
    connections: int = field(kw_only=True)


FULL = Load(games=200, seconds=20.0, rate=200, connections=50)
TINY = Load(games=5, seconds=1.0, rate=50, connections=5)


@dataclass
class Answers:
    """The seconds that each answer took, and how many there were of each status."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    published: int = 0
    cpu: float = 0.0

    def described(self) -> str:
        p50, p99 = (1000 * percentile(self.seconds, percent) for percent in (50, 99))
        return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, {spoken(self.cpu / len(self.seconds))} of CPU a request"


def run(servers: Servers, size: Load) -> list[Result]:
    engine = servers.database()
    site._fill(engine, site.Site(games=size.games, items=10, changes=0, campaigns=10, channels=60))  # noqa: SLF001
    # Whoever serves may be another user, as nginx's workers are.
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        Path(folder).chmod(0o755)
        root = Path(folder) / "public"
        publish(engine, root, site.BASE_URL, site.NOW, packings=("gzip", "zstd"))
        paths = [str(path.relative_to(root)) for path in root.rglob("*") if path.suffix in {".xml", ".html"}]
        ours = _measured(engine, root, paths, size, "ours")
        rival = "nginx" if shutil.which("nginx") else "StaticFiles"
        theirs = _measured(engine, root, paths, size, rival)
    for name, answers in (("ours", ours), (rival, theirs)):
        asked = round(size.rate * size.seconds)
        assert sum(answers.statuses.values()) == len(answers.seconds) == asked, answers.statuses
        assert set(answers.statuses) == {200, 304}, answers.statuses
        print(
            f"{name}: {dict(answers.statuses)}, {answers.published} events published meanwhile; {answers.described()}"
        )
    p99 = 1000 * percentile(ours.seconds, 99)
    beside = f"{rival}: {theirs.described()}"
    return [
        bounded(f"serving: p99 at {size.rate}/s while publishing", p99, "ms", most=MOST_MS, beside=beside),
        bounded("serving: CPU of a request", 1000 * ours.cpu / len(ours.seconds), "ms", beside=beside),
    ]


def _measured(engine: Engine, root: Path, paths: list[str], size: Load, server: str) -> Answers:
    cores = os.sched_getaffinity(0)
    own = max(cores)
    with _serving(root, server, own) as (port, pid):
        # Readers and the publishing have the others, as far as there are any.
        os.sched_setaffinity(0, cores - {own} or cores)
        try:
            with _publishing(engine, root, server) as published:
                before = _cpu(pid)
                answers = asyncio.run(_ask_all(port, paths, size))
                answers.cpu = _cpu(pid) - before
        finally:
            os.sched_setaffinity(0, cores)
    answers.published = len(published)
    return answers


async def _ask_all(port: int, paths: list[str], size: Load) -> Answers:
    answers, dice = Answers(), random.Random(7)
    due: asyncio.Queue[float | None] = asyncio.Queue()
    etags: dict[tuple[str, bool], str] = {}
    readers = [asyncio.create_task(_read(port, paths, due, etags, answers, dice)) for _ in range(size.connections)]
    await keep_pace(due, readers, rate=size.rate, seconds=size.seconds)
    return answers


async def _read(
    port: int,
    paths: list[str],
    due: "asyncio.Queue[float | None]",
    etags: dict[tuple[str, bool], str],
    answers: Answers,
    dice: random.Random,
) -> None:
    """Be a reader: ask when it is time to, over one connection."""
    incoming, outgoing = await asyncio.open_connection(HOST, port)
    while (at := await due.get()) is not None:
        key = path, is_packed = dice.choice(paths), dice.random() < PACKED
        etag = "" if dice.random() < WHOLE else etags.get(key, "")
        headers = {"Host": HOST, "If-None-Match": etag, "Accept-Encoding": "gzip" if is_packed else ""}
        lines = [f"GET /{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value)]
        outgoing.write("\r\n".join([*lines, "", ""]).encode())
        head = (await incoming.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.partition(": ")[::2] for line in head.split("\r\n")[1:])
        status = int(head.split(" ", 2)[1])
        if status != 304:
            await incoming.readexactly(int(fields["content-length"]))
        answers.seconds.append(time.perf_counter() - at)
        answers.statuses[status] += 1
        etags[key] = fields.get("etag", "")
    outgoing.close()
    with suppress(OSError):
        await outgoing.wait_closed()


@contextmanager
def _serving(root: Path, server: str, core: int) -> Iterator[tuple[int, int]]:
    """Run a server on one core, and give its port and the process that works."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        data, environment = Path(folder) / "data", os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        if server == "nginx":
            command = ["nginx", "-c", str(_configured(Path(folder), root, port))]
        elif server == "ours":
            command = [sys.executable, "-m", "pipeline.web"]
            environment |= {
                "LOOTWIRE_DATA_DIR": str(data),
                "LOOTWIRE_PUBLISH_DIR": str(root),
                "LOOTWIRE_HTTP_PORT": str(port),
                "LOOTWIRE_RECEIVER_PORT": "0",
            }
        else:
            command = [sys.executable, "-c", STATIC_FILES, str(root), str(port)]
        with subprocess.Popen(["taskset", "--cpu-list", str(core), *command], env=environment) as process:
            try:
                asyncio.run(_until_it_answers(port))
                yield port, _worker(process.pid)
            finally:
                process.send_signal(signal.SIGTERM)


def _configured(folder: Path, root: Path, port: int) -> Path:
    """Write a configuration as docs/publishing.md has it."""
    path = folder / "nginx.conf"
    path.write_text(f"""
        daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;
        events {{ worker_connections 512; }}
        http {{
            access_log off; keepalive_requests 100000; client_body_temp_path {folder};
            server {{ listen {HOST}:{port}; root {root}; gzip_static on; }}
        }}
    """)
    return path


async def _until_it_answers(port: int) -> None:
    async with asyncio.timeout(STARTS_WITHIN):
        while True:
            with suppress(OSError):
                _, outgoing = await asyncio.open_connection(HOST, port)
                outgoing.close()
                return
            await asyncio.sleep(0.05)


def _worker(pid: int) -> int:
    """Return the process that serves: nginx forks one."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else pid


def _cpu(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _publishing(engine: Engine, root: Path, run: str) -> Iterator[list[str]]:
    """Have another process publish one event after the other; gives the lines that it printed, once it is ended."""
    url = engine.url.render_as_string(hide_password=False)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", PUBLISHING, url, str(root), run]
    published: list[str] = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        try:
            yield published
        finally:
            assert process.poll() is None, "the publishing ended too early"
            process.kill()
            published += process.stdout.read().splitlines()


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
