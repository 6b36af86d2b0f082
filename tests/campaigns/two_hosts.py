"""Two hosts with a beat each share a PostgreSQL and a Redis for a day: no source is asked by both, and nothing grows.

The paces of all sources are sixty times as fast as in real life, so that a day takes 24 minutes. To the sources of the
program come made-up ones, which both hosts fetch whenever they are due. After a first part, in which campaigns appear,
the world stands still: what grows from then on would grow for ever.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import Engine, text

from pipeline.embedded import Servers
from pipeline.fetch.limiter import connect_redis
from tests.campaigns.campaign import Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.campaigns.own_servers import own_servers
from tests.campaigns.trouble import PATIENCE, World, world
from tests.paths import CHECKOUT
from tests.waiting import wait_for

SPEED = 60
# The paces of pipeline/runtime/settings.py, each divided by the speed.
PACES = {
    "LOOTWIRE_DROPS_MIRROR_POLL_SECONDS": "1",
    "LOOTWIRE_KICK_POLL_SECONDS": "15",
    "LOOTWIRE_CHZZK_POLL_SECONDS": "30",
    "LOOTWIRE_STREAMS_POLL_SECONDS": "5",
    "LOOTWIRE_STREAMS_IN_CAMPAIGNS_POLL_SECONDS": "1",
    "LOOTWIRE_BADGES_POLL_SECONDS": "60",
}
# As many as an installation has with an application at Twitch, and without a sign-in, a mirror of IGDB or a callback.
SOURCES = 10
# The part in which campaigns appear and caches fill.
WARM = 0.25
_FOREVER = timedelta(days=30)
# Between two looks a message or a socket comes and goes.
LEEWAY = 20
OVERLAPS = """
WITH runs AS (SELECT source_id, started_at, started_at + seconds * interval '1 second' AS ended_at FROM fetch_runs)
SELECT s.name, a.started_at, b.started_at FROM runs a
JOIN runs b ON b.source_id = a.source_id AND b.started_at > a.started_at AND b.started_at < a.ended_at
JOIN sources s ON s.id = a.source_id
"""
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
# A row for each fetch, for thirty days (pipeline/programs/pruning.py).
GROWS = {"fetch_runs"}
# A row for each program that shows itself, the first time that it does, and two for each service whose clock is not
# ours: here that of all of them goes at sixty times the pace.
MOST_ROWS = {"heartbeats": 10 + 2 * 20}


@dataclass(frozen=True, kw_only=True)
class Hosts(Size):
    """So many simulated hours, with so many made-up sources; `growth` is the most by which memory may grow, in percent.

    Seconds are no time to judge memory by, so a short form gives a figure of it.
    """

    hours: float
    made_up: int
    changes: int
    growth: float | None
    look_each: float


_SHORTENS = (f"the paces of sources (by {SPEED})",)
FULL = Hosts(shortens=_SHORTENS, hours=24, made_up=10, changes=1000, growth=10, look_each=5)
SHORT = Hosts(shortens=_SHORTENS, hours=0.2, made_up=10, changes=50, growth=None, look_each=1)


@dataclass(frozen=True)
class Look:
    """What there is at a moment: memory in MB (proportional set size), open files, keys in Redis, rows by table."""

    at: float
    memory: float
    files: int
    keys: int
    rows: dict[str, int]


def run(size: Hosts, trial: Trial) -> Sequence[Claim]:
    """Let the hours pass, and look at both hosts again and again."""
    seconds = size.hours * 3600 / SPEED
    with (
        own_servers(trial.folder / "servers") as servers,
        world(trial, is_hurried=False, pace=1, servers=servers, hosts=2, environment=PACES) as shared,
        _made_up(size, shared),
    ):
        looks = _live(size, trial, shared, servers, seconds)
        claims = shared.claims(may_repeat=0)
        fetches = shared.ask(_fetches) or {}
        overlaps = shared.ask(_overlaps) or []
        # Each worker sends ticks, too.
        beats = sum("worker" in installation.parts() for installation in shared.installations)
        kind = shared.network.kind
    asked_at_once = shared.services.asked_at_once
    share = max(1, len(looks) // 10)
    early, late = looks[:share], looks[-share:]
    return [
        *claims,
        none_of("fetches of a source that overlap", overlaps),
        none_of("requests for a source that overlap", asked_at_once),
        at_least("sources that were fetched", len(fetches), SOURCES + size.made_up),
        at_least("beats", beats, 2),
        _growth("memory has grown by", early, late, size.growth),
        at_most("open files have grown by", _most(late, "files") - _most(early, "files"), LEEWAY),
        at_most("keys in Redis have grown by", _most(late, "keys") - _most(early, "keys"), LEEWAY),
        none_of("tables that have grown while nothing happened", _grown(early, late)),
        figure("simulated hours", size.hours),
        figure("fetches", sum(fetches.values())),
        figure("memory of both hosts at the end", late[-1].memory, "MB"),
        figure("keys in Redis at the end", late[-1].keys),
        figure("open files at the end", late[-1].files),
        Claim("the hosts are", kind),
    ]


def _live(size: Hosts, trial: Trial, shared: World, servers: Servers, seconds: float) -> list[Look]:
    """Let campaigns appear at first, and then nothing happen; returns what there was while nothing happened."""
    wait_for(lambda: len(shared.ask(_fetches) or {}) >= SOURCES + size.made_up, PATIENCE)
    parts = 10
    for _ in range(parts):
        shared.services.announce(size.changes // parts, lasting=_FOREVER)
        time.sleep(WARM * seconds / parts)
    shared.settle()
    began, looks = time.monotonic(), list[Look]()
    while (now := time.monotonic() - began) < (1 - WARM) * seconds or len(looks) < 2:
        looks.append(_look(now, shared, servers))
        if len(looks) % 60 == 0:
            trial.say(f"{now * SPEED / 3600:.1f} h: {looks[-1].memory:.0f} MB, {looks[-1].keys} keys")
        time.sleep(size.look_each)
    return looks


@contextmanager
def _made_up(size: Hosts, shared: World) -> Iterator[None]:
    """A process on each host that fetches the made-up sources."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number, host in enumerate(shared.network.hosts):
            arguments = [host.servers.database_url, shared.services.base_url, str(size.made_up), str(number)]
            command = [*host.within, sys.executable, "-m", "tests.campaigns.extra_sources", *arguments]
            running.append(subprocess.Popen(command, cwd=CHECKOUT))
        yield
        assert all(process.poll() is None for process in running), "the made-up sources' process has ended"
    finally:
        for process in running:
            process.kill()
            process.wait()


def _look(at: float, shared: World, servers: Servers) -> Look:
    pids = [pid for installation in shared.installations for pid in (installation.pid, *installation.processes())]
    with connect_redis(servers.redis_url) as redis:
        keys: int = redis.dbsize()
    rows = shared.ask(_rows)
    assert rows is not None
    return Look(at, sum(map(_memory, pids)), sum(map(_files, pids)), keys, rows)


def _memory(pid: int) -> float:
    """Return the memory of a process in MB, with its share of what it has in common with others."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0  # it has ended meanwhile
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _files(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


def _rows(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        names = connection.scalars(text(TABLES)).all()
        counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in names)  # noqa: S608 - our tables
        return dict(row.tuple() for row in connection.execute(text(counts)))


def _fetches(engine: Engine) -> dict[str, int]:
    query = text("SELECT s.name, count(*) FROM fetch_runs r JOIN sources s ON s.id = r.source_id GROUP BY s.name")
    with engine.connect() as connection:
        return dict(row.tuple() for row in connection.execute(query))


def _overlaps(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [f"{name} at {first} and {second}" for name, first, second in connection.execute(text(OVERLAPS))]


def _growth(name: str, early: Sequence[Look], late: Sequence[Look], bound: float | None) -> Claim:
    before, after = (median(look.memory for look in looks) for looks in (early, late))
    percent = 100 * (after - before) / before
    return figure(name, percent, "%") if bound is None else at_most(name, percent, bound, "%")


def _most(looks: Sequence[Look], field: str) -> int:
    return max(int(getattr(look, field)) for look in looks)


def _grown(early: Sequence[Look], late: Sequence[Look]) -> list[str]:
    before, after = early[-1].rows, late[-1].rows
    return [
        f"{table}: {before[table]}, then {count}"
        for table, count in after.items()
        if count > max(before[table], MOST_ROWS.get(table, 0)) and table not in GROWS
    ]
