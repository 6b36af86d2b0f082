"""How long a full mirror of IGDB takes, against a local one that enforces the limit of 4 requests a second.

    uv run --frozen python bench/igdb_mirror.py [GAMES] [LATENCY] [--tiny]

The local IGDB runs in a process of its own; each answer takes LATENCY seconds (1 by default) at least, as the real
one's do. The best that the limit allows is a page of 500 games every quarter of a second. Goal: at most 1.3 times that.
"""

import gc
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.databases import Servers
from bench.igdb_documents import document
from bench.results import Result, as_long
from bench.running import Size, run_alone
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import connect_redis
from pipeline.games.mirror.full_pass import Mirroring
from pipeline.games.take_in import append_nothing
from pipeline.services.igdb.client import Igdb, open_igdb
from pipeline.services.twitch.app_token import AppToken
from tests.igdb import LocalIgdb

DISTINCT = 7000
PAGE, CLIENT_ID = 500, "abc123def456ghi789jkl012mno345"
SERVE = "serve"


@dataclass(frozen=True)
class Catalogue(Size):
    """How many games IGDB has, and how many seconds it takes to answer."""

    games: int
    latency: float


FULL, TINY = Catalogue(300_000, 1.0), Catalogue(2 * PAGE, 0.05)


class Documents(Mapping[int, dict[str, Any]]):
    """Made-up games: some thousand, which come again and again under other ids."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._made = [document(nth + 1) for nth in range(min(count, DISTINCT))]

    def __getitem__(self, key: int) -> dict[str, Any]:
        return self._made[key % len(self._made)] | {"id": key}

    def __iter__(self) -> Iterator[int]:
        return iter(range(1, self._count + 1))

    def __len__(self) -> int:
        return self._count


class FixedToken:
    """The one token that the local IGDB takes."""

    def current(self, client: Client) -> AppToken:  # noqa: ARG002
        return AppToken(CLIENT_ID, "made-up")

    def renew(self, client: Client, refused: AppToken) -> AppToken:  # noqa: ARG002
        raise AssertionError("nobody refuses this token")


def serve(count: int, latency: float) -> None:
    documents = Documents(count)
    # Else what arrives waits for what is being answered, or for the garbage to be collected, and is counted late.
    sys.setswitchinterval(0.0005)
    gc.freeze()
    with LocalIgdb(documents, accepts=["made-up"], client_id=CLIENT_ID) as igdb:
        igdb.latency = latency
        print(igdb.url, flush=True)
        sys.stdin.read()
        refused = sum(request.status != 200 for request in igdb.requests)
        print(f"{len(igdb.requests)} requests, {refused} refused, {igdb.limits.peak} open at most", flush=True)


def measure(servers: Servers, count: int, url: str) -> list[Result]:
    engine, results = servers.database(), []
    with connect_redis(servers.redis_url()) as redis:

        def opened(client: Client) -> Igdb:
            return open_igdb(client, redis, FixedToken(), url, CLIENT_ID, lambda: datetime.now(UTC))

        mirroring = Mirroring(
            engine=engine, open_igdb=opened, clock=lambda: datetime.now(UTC), append_news=append_nothing
        )
        best = count / PAGE / 4
        for nth, added in (("empty database", count), ("unchanged", 0)):
            began, stored, done = time.monotonic(), 0, 0
            for step in mirroring.run():
                stored, done = stored + step.taken.added, step.done
                if done % 20_000 < PAGE:
                    print(f"  {done:,} of {step.total:,}, {time.monotonic() - began:.0f} s", flush=True)
            assert (done, stored) == (count, added), (nth, done, stored)
            seconds = time.monotonic() - began
            results.append(as_long(f"igdb mirror: {nth}", seconds, best, "what the limit allows", most=1.3))
    return results


def run(servers: Servers, size: Catalogue) -> list[Result]:
    command = [sys.executable, "-m", "bench.igdb_mirror", str(size.games), str(size.latency), SERVE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            results = measure(servers, size.games, server.stdout.readline().strip())
        finally:
            print(server.communicate("")[0].strip())
    return results


if __name__ == "__main__":
    if sys.argv[3:] == [SERVE]:
        serve(int(sys.argv[1]), float(sys.argv[2]))
    else:
        sys.exit(run_alone(run, FULL, TINY))
