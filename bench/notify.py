"""Sending what is due, as the worker does it, beside bare Apprise.

    uv run --frozen python bench/notify.py [TARGETS] [MESSAGES] [--tiny]

Targets of a local server, each with an event that is due. A sender with 1, 4 and 16 lanes claims, renders, sends and
settles some of them; then 16 threads send as many messages of the same text through Apprise, each thread with the
service of its target, and no database, no rendering and no lane. The server is a process of its own that answers at
once. Measured is the processor time of the sender and of the processes of its lanes for a message, less what Apprise
alone takes for it, and how many messages there are in a second. Then a claim and its settling alone, beside a hundredth
and a tenth of the targets, with every second target held by a digest. Goals: 3 ms of the worker's processor a message;
80 % of what bare Apprise sends in the same time; a claim that does not grow with the targets.
"""

import asyncio
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Engine, text

from bench.databases import Servers
from bench.results import Result, as_long, bounded
from bench.running import Size, run_alone
from models.details import CampaignDetail
from models.vault import Vault
from notifiers import apprise_urls, due, match, outbox
from notifiers.deliver import Sender
from notifiers.render import render_message
from notifiers.view import EventText

T0 = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW = T0 + timedelta(seconds=5)
LANES = (1, 4, 16)
DIGEST = '{"digest": {"every": "week"}}'
PRIVATE = '{"private": true}'


@dataclass(frozen=True)
class Crowd(Size):
    """How many targets have something due, and how many messages each way of sending is measured by."""

    targets: int
    messages: int


FULL, TINY = Crowd(100_000, 600), Crowd(200, 20)


@dataclass(frozen=True)
class Spent:
    """The seconds of a processor and of a clock."""

    processor: float
    seconds: float


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await _head(reader):
        length = next(int(line[15:]) for line in head if line.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
    writer.close()


async def _head(reader: asyncio.StreamReader) -> list[bytes]:
    lines: list[bytes] = []
    while (line := (await reader.readline()).strip()) or not lines:
        if not line:
            return []
        lines.append(line)
    return lines


def serve(pipe: Pipe) -> None:
    """Take every message, and tell the port."""

    async def run() -> None:
        server = await asyncio.start_server(_answer, "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)

    asyncio.run(run())


@contextmanager
def sink() -> Iterator[str]:
    """Run the server in a process of its own; gives the Apprise URL of it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs,))
    server.start()
    try:
        yield f"json://127.0.0.1:{ours.recv()}/hook"
    finally:
        ours.send(None)
        server.join(10)


def fill(engine: Engine, vault: Vault, url: str, targets: int, *, settings: str = PRIVATE) -> None:
    """Add targets that want everything, with one event that is due; every second one has these settings."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO targets (name, url_encrypted, label, created_at, settings) "
                "SELECT 't' || i, :url, '', :at, "
                "CASE WHEN i % 2 = 0 THEN CAST(:settings AS jsonb) ELSE CAST(:private AS jsonb) END "
                "FROM generate_series(1, :count) i"
            ),
            {"url": vault.encrypt(url), "at": T0, "count": targets, "settings": settings, "private": PRIVATE},
        )
        wished = "SELECT id, name, true, created_at FROM targets"
        connection.execute(text(f"INSERT INTO subscriptions (target_id, name, is_exact, created_at) {wished}"))
        connection.execute(text("INSERT INTO subscription_keys SELECT '*||', id FROM subscriptions"))
        columns = "kind, event_key, occurred_at, recorded_at, title, service, silent, detail"
        row = (
            """'campaign.added', 'k' || i, :at, :at, 'New drops: Campaign ' || i, 'twitch', false, '{"name": "Hats"}'"""
        )
        made = text(f"INSERT INTO events ({columns}) SELECT {row} FROM generate_series(1, 1) i RETURNING id")  # noqa: S608
        match.fan_out(connection, list(connection.scalars(made, {"at": T0})), T0)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    with engine.begin() as connection:
        due.gather(connection, NOW, 2 * targets)


def processor_seconds() -> float:
    """Return the processor time of this process and of those that it has ended."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def send(engine: Engine, vault: Vault, lanes: int, messages: int) -> Spent:
    """Return the processor seconds and the seconds of so many messages, once lanes are there."""
    sender = Sender(engine, vault, lambda: NOW, lanes=lanes)
    sender.send_due(limit=2 * lanes)
    sender.finish()
    sender = Sender(engine, vault, lambda: NOW, lanes=lanes)
    used, began = processor_seconds(), time.perf_counter()
    sent = sender.send_due(limit=messages).sent
    # What is under way at the end is of the same run.
    sent += sender.finish().sent
    seconds = time.perf_counter() - began
    assert sent == messages
    return Spent(processor_seconds() - used, seconds)


def send_bare(url: str, messages: int, threads: int) -> Spent:
    """Return the processor seconds and the seconds of so many messages through Apprise alone."""
    event = EventText(
        kind="campaign.added",
        title="New drops: Campaign 1",
        occurred_at=T0,
        service="twitch",
        detail=CampaignDetail(name="Hats"),
    )
    message = render_message([event], apprise_urls.open_url(url).limits)
    apprise = apprise_urls.load()
    services = threading.local()

    def send_alone(_: int) -> bool:
        if not hasattr(services, "apprise"):
            services.apprise = apprise.Apprise()
            services.apprise.add(url)
        return bool(services.apprise.notify(title=message.title, body=message.text))

    with ThreadPoolExecutor(threads) as pool:
        assert all(pool.map(send_alone, range(2 * threads)))
        used, began = processor_seconds(), time.perf_counter()
        assert all(pool.map(send_alone, range(messages)))
        seconds = time.perf_counter() - began
    return Spent(processor_seconds() - used, seconds)


def claim_and_settle(engine: Engine, messages: int) -> tuple[float, float]:
    """Return the seconds and the processor seconds of claiming and settling one message, where half of all is held."""
    count, used, began = 0, time.process_time(), time.perf_counter()
    while count < messages:
        with engine.begin() as connection:
            claimed = outbox.claim(connection, NOW, limit=4)
        for message in claimed:
            with engine.begin() as connection:
                assert outbox.settle_sent(connection, message, NOW) == 1
        assert claimed
        count += len(claimed)
    return (time.perf_counter() - began) / count, (time.process_time() - used) / count


def run(servers: Servers, size: Crowd) -> list[Result]:
    """Send in lanes, then barely, then claim beside ever more targets."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder, sink() as url:
        vault = Vault.open(Path(folder) / "key")
        engine = servers.database()
        fill(engine, vault, url, size.targets)
        ours = {lanes: send(engine, vault, lanes, size.messages) for lanes in LANES}
        bare = send_bare(url, size.messages, LANES[-1])
    of_bare = 1000 * bare.processor / size.messages
    for lanes, sent in ours.items():
        each = 1000 * sent.processor / size.messages
        name = f"{size.messages:,} messages of {size.targets:,} that are due, senders: {lanes}"
        beside = f"{each:.1f} ms with Apprise's own {of_bare:.1f} ms; {size.messages / sent.seconds:,.0f} a second"
        results.append(bounded(name, each - of_bare, "ms of processor each", most=3, beside=beside))
    share = 100 * bare.seconds / ours[LANES[-1]].seconds
    beside = f"{size.messages / bare.seconds:,.0f} a second by {LANES[-1]} threads of bare Apprise"
    results.append(bounded(f"senders: {LANES[-1]}, of what bare Apprise sends", share, "%", least=80, beside=beside))
    return [*results, *_claims(servers, vault, size)]


def _claims(servers: Servers, vault: Vault, size: Crowd) -> list[Result]:
    results: list[Result] = []
    fewest = 0.0
    for share in (100, 10, 1):
        engine = servers.database()
        targets = max(size.targets // share, 20)
        fill(engine, vault, "json://127.0.0.1:9/x", targets, settings=DIGEST)
        messages = min(targets // 2, size.messages // 4)
        seconds, used = claim_and_settle(engine, messages)
        fewest = fewest or seconds
        name = f"claim and settle one of {targets:,}, half of them held ({1000 * used:.1f} ms of processor)"
        results.append(as_long(name, seconds, fewest, "with the fewest", most=2))
    return results


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
