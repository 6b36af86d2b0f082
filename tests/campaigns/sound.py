"""What fetches sounds is killed again and again: the child that downloads, ffmpeg, the worker, and the whole host.

Files and streams in parts drip out of local servers; meanwhile the child that asks them, an ffmpeg, the worker with all
that it started, or everything at once with PostgreSQL dies by SIGKILL. In the end each sound was completed once, with
one event, the bytes that its server has, and a rendition that is whole; no workspace and no file without a row is left.
"""

import hashlib
import math
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from models import Event, Extraction, Rendition, Sound
from pipeline.database.connecting import connect, migrate
from pipeline.embedded import ensure
from pipeline.runtime.runtime import utc_now
from pipeline.sound.downloading.fetching import LOOPBACK_PORTS
from pipeline.sound.extracting import sweeping
from pipeline.sound.extracting.sweeping import sweep
from pipeline.sound.store.extractions import add_extraction
from tests.campaigns.campaign import Claim, Size, Trial, at_least, exactly, figure, none_of
from tests.campaigns.own_servers import own_servers
from tests.pipeline.sound.audio import make, speech
from tests.pipeline.sound.media_server import MediaServer, Reply
from tests.processes import command_line, descendants, kill
from tests.waiting import folder_of_processes, processes_with, wait_for

PARTS = ("child", "ffmpeg", "worker", "host")
SECONDS = 4.0
LIMIT = 900.0
# Each sound drips for some seconds, so that kills find it on its way.
DRIP = 0.03
PIECE = 512
_LEASES_END = text(
    "UPDATE extractions SET lease_until = now() - interval '1 second' WHERE state = 'processing'; "
    "UPDATE renditions SET lease_until = now() - interval '1 second' WHERE state = 'rendering'"
)
_PAUSES_END = text(
    "UPDATE extractions SET next_due_at = now() WHERE state = 'pending'; "
    "UPDATE renditions SET next_due_at = now() WHERE state = 'pending'; UPDATE sound_hosts SET until = NULL"
)


@dataclass(frozen=True, kw_only=True)
class Sounds(Size):
    """So many sounds are fetched from so many hosts, and so many kills fall meanwhile."""

    sounds: int
    hosts: int
    kills: int


SHORTENED = ("leases of what died", "pauses after a failure")
FULL = Sounds(shortens=SHORTENED, sounds=20, hosts=4, kills=60)
SHORT = Sounds(shortens=SHORTENED, sounds=2, hosts=2, kills=3)


@dataclass
class Fetching:
    """An installation's servers, its worker, and the local servers that it fetches from."""

    folder: Path
    engine: Engine
    servers: Sequence[MediaServer]
    worker: "subprocess.Popen[bytes] | None" = None
    served: dict[str, bytes] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Start the worker; it dies with this process, since its standard input ends."""
        ports = ",".join(str(server.port) for server in self.servers)
        with (self.folder / "worker.log").open("ab") as log:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "tests.campaigns._sound_worker", str(self.data_dir), "2"],
                stdin=subprocess.PIPE,
                stderr=log,
                env=os.environ | {LOOPBACK_PORTS: ports},
                start_new_session=True,
            )
        assert self.worker.stdin is not None
        self.worker.stdin.write(self.engine.url.render_as_string(hide_password=False).encode() + b"\n")
        self.worker.stdin.flush()

    def parts(self) -> Mapping[str, Sequence[int]]:
        """The processes of each part that live."""
        assert self.worker is not None
        below = descendants(self.worker.pid)
        children = [pid for pid, line in below.items() if "downloading.child" in line]
        ffmpegs = [pid for pid, line in below.items() if "ffmpeg" in line.partition(" ")[0]]
        hosts = [pid for pid in processes_with(self.folder / "servers") if pid != self.worker.pid]
        return {"child": children, "ffmpeg": ffmpegs, "worker": [self.worker.pid], "host": hosts}

    def strike(self, part: str) -> None:
        """Kill a part, and bring back what nothing else brings back."""
        pids = self.parts()[part]
        assert self.worker is not None
        if part in {"child", "ffmpeg"}:
            kill(*pids[:1])
            return
        left = set(descendants(self.worker.pid))
        kill(self.worker.pid, *(pids if part == "host" else ()))
        self.worker.wait()
        # What it started ends by itself: nothing but the kernel tells it so.
        wait_for(lambda: not any(command_line(pid) for pid in left), 30)
        if part == "host":
            self.engine.dispose()
            ensure(self.folder / "servers")
        self.run(_LEASES_END)
        self.start()

    def run(self, statement: Any) -> None:
        """Change rows, once the servers are there."""

        def is_done() -> bool:
            with suppress(SQLAlchemyError), self.engine.begin() as connection:
                connection.execute(statement)
                return True
            return False

        wait_for(is_done, 60)

    def count(self, state: str) -> int:
        """How many extractions are in a state; asked while the servers come back, too."""
        with self.engine.connect() as connection:
            query = select(func.count()).select_from(Extraction).where(Extraction.state == state)
            return connection.scalar(query) or 0

    def drip(self, seconds: float) -> None:
        """Send from now on with this pause between two pieces."""
        for server in self.servers:
            for reply in server.replies.values():
                reply.seconds = seconds


def run(size: Sounds, trial: Trial) -> Sequence[Claim]:
    """Kill what fetches while it fetches, let it end, and compare what is there with what was served."""
    with fetching(size, trial) as world:
        world.start()
        struck = _strike_all(size, trial, world)
        world.drip(0.0)
        wait_for(lambda: _settles(world, size.sounds), LIMIT, every=0.5)
        assert world.worker is not None
        world.worker.terminate()
        world.worker.wait(60)
        return _claims(size, world, struck)


@contextmanager
def fetching(size: Sounds, trial: Trial) -> Iterator[Fetching]:
    """Servers, sounds on them, and an extraction for each sound."""
    with ExitStack() as stack:
        folder = stack.enter_context(folder_of_processes())
        engine = connect(stack.enter_context(own_servers(folder / "servers")).database_url)
        stack.callback(engine.dispose)
        migrate(engine)
        servers = [stack.enter_context(MediaServer()) for _ in range(size.hosts)]
        world = Fetching(folder, engine, servers)
        world.data_dir.mkdir(mode=0o700)
        stack.callback(_end, world)
        for number in range(size.sounds):
            _serve(world, number, trial.folder)
        world.drip(DRIP)
        yield world


def _serve(world: Fetching, number: int, folder: Path) -> None:
    server = world.servers[number % len(world.servers)]
    if number % 4 == 3:
        parts = [
            make(
                folder / f"{number}-{part}.ts", speech(SECONDS / 4, seed=4 * number + part), "-b:a", "64k"
            ).read_bytes()
            for part in range(4)
        ]
        url, body = server.stream(f"/{number}/index.m3u8", parts, seconds=SECONDS / 4), b"".join(parts)
    else:
        body = make(folder / f"{number}.m4a", speech(SECONDS, seed=number + 1), "-b:a", "64k").read_bytes()
        url = server.put(f"/{number}.m4a", Reply(body=body, content_type="audio/mp4", piece=PIECE))
    for path in server.replies:
        server.replies[path].piece = PIECE
    world.served[url] = body
    with world.engine.begin() as connection:
        add_extraction(connection, url, now=utc_now())


def _end(world: Fetching) -> None:
    if world.worker is not None and world.worker.poll() is None:
        kill(world.worker.pid)
        world.worker.wait()


def _strike_all(size: Sounds, trial: Trial, world: Fetching) -> Counter[str]:
    """Let kills fall, each on a part that lives then, as long as there is something to fetch."""
    struck: Counter[str] = Counter()
    while struck.total() < size.kills:
        # So that kills find all stages: no more of them than sounds that are there, but for some that are on their way.
        share = size.sounds * struck.total() / size.kills - len(world.servers)
        wait_for(partial(_settles, world, math.floor(share)), LIMIT, every=0.5)
        part = trial.dice.choices(PARTS, weights=(4, 2, 3, 1))[0]
        began = time.monotonic()
        while not world.parts()[part] and time.monotonic() < began + 10:
            world.run(_PAUSES_END)
            time.sleep(0.1)
        # Not a wait for anything: it is to be at another point of its work each time.
        time.sleep(trial.dice.uniform(0, 1.5))
        if world.count("completed") >= size.sounds:
            break
        if world.parts()[part]:
            world.strike(part)
            struck[part] += 1
            if struck.total() % 10 == 0:
                trial.say(f"{struck.total()} kills, {world.count('completed')} sounds are there")
        world.run(_PAUSES_END)
    return struck


def _settles(world: Fetching, sounds: int) -> bool:
    world.run(_PAUSES_END)
    return world.count("completed") + world.count("failed") >= sounds


def _claims(size: Sounds, world: Fetching, struck: Counter[str]) -> Sequence[Claim]:
    with world.engine.connect() as connection:
        failed = connection.scalars(select(Extraction.error).where(Extraction.state == "failed")).all()
        rows = connection.execute(
            select(Extraction.url, Sound.sha256, Sound.original).join(Sound, Sound.id == Extraction.sound_id)
        ).all()
        ready = connection.scalar(select(func.count()).select_from(Event).where(Event.kind == "sound.ready")) or 0
        renditions = connection.execute(select(Rendition.path, Rendition.digest, Rendition.state)).all()
        sounds = connection.scalar(select(func.count()).select_from(Sound)) or 0
    wrong = [row.url for row in rows if _digest(world, row.original) != hashlib.sha256(world.served[row.url]).digest()]
    unlike = [row.url for row in rows if _digest(world, row.original) != row.sha256]
    torn = [row.path for row in renditions if row.state != "ready" or _digest(world, row.path) != row.digest]
    sweeping.ORPHAN_AFTER = timedelta(0)
    swept = sweep(world.engine, world.data_dir, utc_now())
    left = sorted(path.name for path in (world.data_dir / "sounds" / "work").iterdir())
    files = sum(path.is_file() for path in (world.data_dir / "sounds").rglob("*"))
    return [
        at_least("kills", struck.total(), size.kills),
        none_of("extractions that failed", failed),
        exactly("sounds", sounds, size.sounds),
        exactly("events that one is ready", ready, size.sounds),
        none_of("sounds with other bytes than their server has", wrong),
        none_of("sounds with other bytes than their row says", unlike),
        none_of("renditions that are not whole", torn),
        none_of("workspaces left after a sweep", left),
        exactly("files of sounds: originals, renditions, pictures", files, 3 * size.sounds),
        figure("workspaces that the sweep removed", swept.workspaces),
        figure("files without a row that the sweep removed", swept.orphans),
        *(figure(f"kills of a {part}", struck[part]) for part in PARTS),
    ]


def _digest(world: Fetching, place: str) -> bytes:
    return hashlib.sha256((world.data_dir / place).read_bytes()).digest()
