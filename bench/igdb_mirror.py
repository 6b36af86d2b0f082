"""How long a full mirror of IGDB takes, against a local one that enforces the limit of 4 requests a second.

uv run --frozen python -m bench.igdb_mirror [GAMES] [LATENCY]

The local IGDB runs in a process of its own; each answer takes LATENCY
seconds (1 by default) at least, as the real one's do. The best that the limit allows is a page of 500 games every
quarter of a second.
"""

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.igdb_documents import document
from pipeline import embedded
from pipeline.database.connecting import connect, migrate
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import connect_redis
from pipeline.games.mirror.full_pass import Mirroring
from pipeline.games.take_in import append_nothing
from pipeline.services.igdb.client import Igdb, open_igdb
from pipeline.services.twitch.app_token import AppToken
from tests.igdb import LocalIgdb

DISTINCT = 7000
GAMES, LATENCY, CLIENT_ID = 300_000, 1.0, "abc123def456ghi789jkl012mno345"


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
        refused = sum(asked.status != 200 for asked in igdb.requests)
        print(f"{len(igdb.requests)} requests, {refused} refused, {igdb.limits.peak} open at most", flush=True)


def measure(count: int, url: str) -> None:
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        servers = embedded.ensure(Path(folder) / "data")
        redis, engine = connect_redis(servers.redis_url), connect(servers.database_url)
        migrate(engine)

        def opened(client: Client) -> Igdb:
            return open_igdb(client, redis, FixedToken(), url, CLIENT_ID, lambda: datetime.now(UTC))

        mirroring = Mirroring(
            engine=engine, open_igdb=opened, clock=lambda: datetime.now(UTC), append_news=append_nothing
        )
        for nth in ("empty database", "nothing changed"):
            began = time.monotonic()
            for step in mirroring.run():
                if step.done % 20_000 < 500:
                    print(f"  {step.done:,} of {step.total:,}, {time.monotonic() - began:.0f} s", flush=True)
            seconds, best = time.monotonic() - began, count / 500 / 4
            print(f"{nth}: {seconds:.1f} s, {seconds / best:.2f} times the {best:.0f} s of the limit", flush=True)
        engine.dispose()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else GAMES
    latency = float(sys.argv[2]) if len(sys.argv) > 2 else LATENCY
    if sys.argv[3:] == ["serve"]:
        serve(count, latency)
        return
    command = [sys.executable, "-m", "bench.igdb_mirror", str(count), str(latency), "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        measure(count, server.stdout.readline().strip())
        print(server.communicate("")[0].strip())


if __name__ == "__main__":
    main()
