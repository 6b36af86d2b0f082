"""The HTTP API: what a request costs beside its bare query, FastAPI over the same query, and what checking a key takes.

    uv run --frozen python bench/api.py [--requests 400] [--tiny]

A page of 50 events by cursor is asked in-process, through all that a request goes through but the socket, and CPU is
counted, that of all threads. Beside it stand the same query with msgspec alone, and a FastAPI with pydantic over the
same query, which `uv run --with fastapi` brings; without it that line is left out. Then valid, forged and revoked keys
are checked. At last the program that serves (`pipeline.web`) is asked 200 times a second while another process
publishes as the worker does.

Goals: 50 events at most 2 times the bare query and msgspec, and 0.4 of FastAPI; a 304 at most half of its 200; key,
scope and rate in 150 µs beside what Redis takes to answer; 99 of 100 requests within 50 ms.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
from pydantic import SecretStr
from sqlalchemy import Engine, text

from bench import feeds as site
from bench import serving
from bench._asking import ROUNDS, Asker, measure
from bench.databases import Servers
from bench.results import Result, as_long, bounded, percentile, spoken
from bench.running import Size, keep_pace, run_alone
from models.people import OWNER_ID
from pipeline.events.listing import EventFilter, Viewer, list_events
from pipeline.fetch.limiter import Buckets
from pipeline.people.keys import _compose
from pipeline.people.records import SCOPES
from pipeline.people.store.keys import add_key, revoke_key
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings
from pipeline.web.api.address import PREFIX
from pipeline.web.api.application import Entry
from pipeline.web.api.callers import Callers
from pipeline.web.api.messages import Asked
from pipeline.web.api.problems import RequestProblem
from pipeline.web.api.rates import MOST_AHEAD, Policy, Rates
from pipeline.web.api.routes.all_routes import OPERATIONS
from tests.processes import free_port

EVENTS = f"{PREFIX}/events"
PAGE = 50
MOST_OF_BARE, MOST_OF_FASTAPI, MOST_OF_ITS_200 = 2.0, 0.4, 0.5
CHECK_US = 150.0
MOST_MS = 50.0
# So that nothing is refused.
PLENTY = Policy(per_minute=1_000_000, at_once=100_000)
EVENTS_LIST = next(operation for operation in OPERATIONS if operation.name == "events.list_events")


@dataclass(frozen=True)
class Load(Size):
    """How many requests a round has, how many keys are checked, how long and how often a second others ask."""

    requests: int = field(kw_only=True)
    keys: int = field(kw_only=True)
    seconds: float = field(kw_only=True)
    rate: int = field(kw_only=True)
    connections: int = field(kw_only=True)
    fastapi: bool = field(kw_only=True)


FULL = Load(requests=400, keys=2_000, seconds=20.0, rate=200, connections=20, fastapi=True)
TINY = Load(requests=3, keys=5, seconds=0.5, rate=20, connections=2, fastapi=False)


def run(servers: Servers, size: Load) -> list[Result]:
    url = servers.database_url()
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        settings = Settings(
            data_dir=Path(folder) / "data",
            api_requests_per_minute=PLENTY.per_minute,
            api_burst=PLENTY.at_once,
            database_url=SecretStr(url),
        )
        runtime = Runtime(settings=settings, database_url=url, redis_url=servers.redis_url())
        try:
            engine = runtime.engine
            site._fill(engine, site.Site(games=20, items=10, changes=0, campaigns=5, channels=5))  # noqa: SLF001
            with engine.begin() as connection:
                connection.execute(text("ANALYZE"))
                key = add_key(connection, OWNER_ID, "bench", SCOPES, utc_now()).key
            return [
                *asyncio.run(_requests(runtime, key, size, url)),
                *_checks(runtime, key, size),
                _steady(runtime, key, size, Path(folder)),
            ]
        finally:
            runtime.reading_engine.dispose()
            runtime.engine.dispose()


async def _requests(runtime: Runtime, key: str, size: Load, url: str) -> list[Result]:
    asker = Asker(Entry(runtime), {"host": "localhost", "authorization": f"Bearer {key}"})
    _, _, first = await asker.get(EVENTS, "limit=20")
    cursor = msgspec.json.decode(first)["next"]
    query = f"limit={PAGE}&cursor={cursor}"
    status, headers, body = await asker.get(EVENTS, query)
    after = msgspec.json.decode(first)["items"][-1]["id"]
    assert (status, len(msgspec.json.decode(body)["items"])) == (200, PAGE), body
    bare = _least(lambda: _bare(runtime.engine, after), size.requests)
    ours = await measure(asker, EVENTS, query, size.requests)
    unchanged = await measure(asker, EVENTS, query, size.requests, status=304, if_none_match=headers["etag"])
    results = [
        as_long("api: CPU of 50 events", ours, bare, "bare query and msgspec", most=MOST_OF_BARE),
        as_long("api: CPU of a 304", unchanged, ours, "its 200", most=MOST_OF_ITS_200),
    ]
    theirs = _fastapi(url, after, size.requests) if size.fastapi else None
    if theirs is None:
        print("FastAPI is not there (uv run --with fastapi), so it is not measured")
        return results
    return [*results, as_long("api: CPU of 50 events", ours, theirs, "FastAPI, pydantic", most=MOST_OF_FASTAPI)]


def _bare(engine: Engine, after: int) -> bytes:
    with engine.begin() as connection:
        rows = list_events(connection, EventFilter(), viewer=Viewer(person_id=OWNER_ID), after=after, limit=PAGE + 1)
        return msgspec.json.encode(rows[:PAGE])


def _fastapi(url: str, after: int, requests: int) -> float | None:
    program = Path(__file__).parent / "_fastapi_events.py"
    command = ["uv", "run", "--frozen", "--with", "fastapi", "python", str(program), url, str(requests), str(after)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr[-500:])
        return None
    return float(done.stdout.split()[-1])


def _checks(runtime: Runtime, key: str, size: Load) -> list[Result]:
    """Check keys as each request has its own checked, in the transaction of what it reads."""
    rates = Rates(runtime.redis_url, PLENTY)
    callers = Callers(rates)
    engine, now = runtime.engine, utc_now()

    def check(sent: str) -> None:
        asked = Asked(
            method="GET", target=EVENTS, path={}, query=(), headers={"authorization": f"Bearer {sent}"}, client="::1"
        )
        whole = callers.read_key(asked, {})
        with runtime.reading_engine.connect() as connection:
            callers.find(connection, whole, EVENTS_LIST, asked, now)
            connection.exec_driver_sql("SELECT 1")

    def nothing() -> None:
        with runtime.reading_engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    buckets = Buckets(rates._buckets._redis)  # noqa: SLF001 - the same connection
    redis = _least(lambda: buckets.draw("bench", per_second=1e5, size=100_000), size.keys)
    checked = _least(lambda: check(key), size.keys) - _least(nothing, size.keys) - redis / MOST_AHEAD
    with engine.begin() as connection:
        revoked = add_key(connection, OWNER_ID, "revoked", SCOPES, now)
        revoke_key(connection, revoked.public_id, now)
    forged = _compose(key.split("_")[1], os.urandom(32))
    keys = {"valid": key, "forged": forged.key, "revoked": revoked.key}
    medians = {name: _median(check, each, size.keys, rates) for name, each in keys.items()}
    beside = "medians: " + ", ".join(f"{name} {spoken(seconds)}" for name, seconds in medians.items())
    return [bounded("api: CPU of key, scope and rate", 1e6 * checked, "µs", most=CHECK_US, beside=beside)]


def _median(check: Callable[[str], None], key: str, times: int, rates: Rates) -> float:
    taken = []
    for _ in range(times):
        rates._refused.clear()  # noqa: SLF001 - each is looked up
        began = time.perf_counter()
        with suppress(RequestProblem):
            check(key)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _least(call: Callable[[], object], times: int) -> float:
    """Return the seconds of CPU that a call takes: of several rounds the middle one."""
    rounds = []
    for _ in range(ROUNDS + 1):
        began = time.process_time()
        for _ in range(times):
            call()
        rounds.append((time.process_time() - began) / times)
    return statistics.median(rounds[1:])


def _steady(runtime: Runtime, key: str, size: Load, folder: Path) -> Result:
    """Ask the program itself at a steady rate, while another publishes."""
    with _serving(runtime, folder) as port, serving._publishing(runtime.engine, folder / "public", "steady"):  # noqa: SLF001
        seconds = asyncio.run(_ask_all(port, key, size))
    p50, p99 = (1000 * percentile(seconds, percent) for percent in (50, 99))
    return bounded(f"api: p99 at {size.rate}/s while publishing", p99, "ms", most=MOST_MS, beside=f"p50 {p50:.1f} ms")


@contextmanager
def _serving(runtime: Runtime, folder: Path) -> Iterator[int]:
    port = free_port()
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "LOOTWIRE_DATA_DIR": str(folder / "data"),
        "LOOTWIRE_PUBLISH_DIR": str(folder / "public"),
        "LOOTWIRE_HTTP_PORT": str(port),
        "LOOTWIRE_RECEIVER_PORT": "0",
        "LOOTWIRE_API_REQUESTS_PER_MINUTE": str(PLENTY.per_minute),
        "LOOTWIRE_API_BURST": str(PLENTY.at_once),
        "DATABASE_URL": runtime.database_url,
        "REDIS_URL": runtime.redis_url,
    }
    with subprocess.Popen([sys.executable, "-m", "pipeline.web"], env=environment, cwd=folder) as process:
        try:
            asyncio.run(serving._until_it_answers(port))  # noqa: SLF001
            yield port
        finally:
            process.send_signal(signal.SIGTERM)


async def _ask_all(port: int, key: str, size: Load) -> list[float]:
    """Return the seconds of each request, from the moment at which it was due."""
    due: asyncio.Queue[float | None] = asyncio.Queue()
    seconds: list[float] = []
    # The first opens the database.
    due.put_nowait(time.perf_counter())
    due.put_nowait(None)
    await _read(port, key, due, [])
    readers = [asyncio.create_task(_read(port, key, due, seconds)) for _ in range(size.connections)]
    await keep_pace(due, readers, rate=size.rate, seconds=size.seconds)
    return seconds


async def _read(port: int, key: str, due: "asyncio.Queue[float | None]", seconds: list[float]) -> None:
    incoming, outgoing = await asyncio.open_connection(serving.HOST, port)
    asked = f"GET {EVENTS}?limit={PAGE} HTTP/1.1\r\nHost: {serving.HOST}\r\nAuthorization: Bearer {key}\r\n\r\n"
    while (at := await due.get()) is not None:
        outgoing.write(asked.encode())
        head = (await incoming.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        assert head.startswith("http/1.1 200 "), head
        length = next(line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("content-length"))
        await incoming.readexactly(int(length))
        seconds.append(time.perf_counter() - at)
    outgoing.close()
    with suppress(OSError):
        await outgoing.wait_closed()


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
