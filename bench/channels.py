"""Measure statistics of channels, who is watched, and channels' pages, on a million snapshots of streams.

    uv run --frozen python bench/channels.py [--channels 200] [--explain] [--tiny]

One channel was followed for five years, the others for the time that makes the million full. Everything runs on a
database that is thrown away afterwards; each time is the best of five, with warm caches. The totals of five years are
computed in Python too, from the same rows, as people do who keep their polls in a table.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

# A script's own folder comes first on the path, where its files would hide packages of the same names.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine, event, func, select, text

from bench.databases import Servers
from bench.results import Result, faster
from bench.running import Size, run_alone
from feeds.pages.channel_rows import ensure_feeds, load_moving, load_pages
from feeds.publish import publish
from models import Channel, Feed, StreamSession, StreamSnapshot
from models.statistics import (
    EVER,
    load_categories,
    load_hours,
    load_recap,
    load_stories,
    load_top,
    load_totals,
)
from pipeline.channels.following.watched import watched
from pipeline.channels.listing.watching import list_watched

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
# Streams last five hours and are polled each five minutes.
SNAPSHOTS_OF_ONE = 60
console = Console(width=100)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Followed(Size):
    """Channels, all snapshots, streams of the one of five years; channels of campaigns; those that are live."""

    channels: int = field(kw_only=True)
    snapshots: int = field(kw_only=True)
    veteran: int = field(kw_only=True)
    named: int = field(kw_only=True)
    live: int = field(kw_only=True)
    explain: bool = field(kw_only=True, default=False)


FULL = Followed(channels=200, snapshots=1_000_000, veteran=1_500, named=5_000, live=300)
TINY = Followed(channels=10, snapshots=6_000, veteran=40, named=20, live=5)

FILL = """
INSERT INTO games (name, name_key, public_id) SELECT 'Game ' || n, 'game' || n, n FROM generate_series(1, 40) n;
INSERT INTO channels (service, external_id, login, first_seen_at)
    SELECT 'twitch', n, 'channel' || n, :now FROM generate_series(1, :channels) n;
INSERT INTO stream_sessions (channel_id, stream_id, started_at, first_seen_at, last_seen_at, ended_at, told_at)
    SELECT c, c || '/' || n, at, at, at + '5 h', at + '5 h', at + '6 h'
    FROM generate_series(1, :channels) c,
         generate_series(1, CASE WHEN c = 1 THEN CAST(:veteran AS int) ELSE CAST(:streams AS int) END) n,
         LATERAL (SELECT :now - '6 h'::interval - n * '29 h'::interval + c * '7 min'::interval AS at) times;
INSERT INTO stream_segments (session_id, started_at, title, game_id)
    SELECT id, started_at + part * '100 min'::interval, '', 1 + (id + part) % 40
    FROM stream_sessions, generate_series(0, 2) part;
INSERT INTO stream_snapshots (session_id, taken_at, viewers, game_id)
    SELECT id, started_at + m * '1 min'::interval, 100 + (id * m) % 9000, 1 + (id + m / 100) % 40
    FROM stream_sessions, generate_series(0, 299, 5) m;
INSERT INTO follows (kind, channel_id, created_at) SELECT 'channel', id, :now - '5 y'::interval FROM channels;
"""
CAMPAIGNS = """
INSERT INTO channels (service, external_id, login, first_seen_at)
    SELECT 'twitch', 'named' || n, 'named' || n, :now FROM generate_series(1, CAST(:named AS int)) n;
INSERT INTO drop_campaigns (service, external_id, name, start_at, end_at, first_seen_at)
    SELECT 'twitch', 'campaign' || n, 'Campaign', :now - '1 d'::interval, :now + '1 d'::interval, :now
    FROM generate_series(1, 10) n;
INSERT INTO allowed_channels (campaign_id, channel_id, first_seen_at)
    SELECT d.id, c.id, :now FROM drop_campaigns d, channels c WHERE c.login LIKE 'named%';
INSERT INTO follows (kind, created_at) VALUES ('drops', :now - '2 d'::interval);
"""
GO_LIVE = """
INSERT INTO stream_sessions (channel_id, stream_id, started_at, first_seen_at, last_seen_at)
    SELECT id, 'live' || id, :now - '3 h'::interval, :now, :now FROM channels ORDER BY id LIMIT CAST(:live AS int);
INSERT INTO stream_snapshots (session_id, taken_at, viewers)
    SELECT id, started_at + m * '5 min'::interval, 50 * m FROM stream_sessions, generate_series(0, 36) m
    WHERE ended_at IS NULL;
"""


def run(servers: Servers, size: Followed) -> list[Result]:
    engine = servers.database()
    table = Table("what", "milliseconds", "rows")
    with engine.begin() as connection:
        _fill(connection, size)
    plans = _measure_statistics(engine, table)
    with engine.begin() as connection:
        _run(connection, CAMPAIGNS, named=size.named)
        connection.execute(text("ANALYZE"))
    with engine.connect() as connection:
        _row(table, f"watched, {size.named:,} channels in 10 campaigns each", lambda: watched(connection, NOW))
        _row(table, "lootwire channels list, of them all", lambda: list_watched(connection, NOW))
        totals = _measure_totals(connection)
    published = _measure_pages(engine, table, size.live)
    console.print(table)
    if size.explain:
        for name, plan in plans.items():
            console.print(f"\n{name}\n{plan}", markup=False, highlight=False)
    return [totals, *published]


def _measure_totals(connection: Connection) -> Result:
    """Return what five years of one channel take by query, and from all rows in Python; both must say the same."""
    ours, seconds = _best(lambda: load_totals(connection, [1], EVER, NOW)[1])
    (streams, on_air, peak), by_hand = _best(lambda: _totals_by_hand(connection, 1))
    assert (ours.streams, ours.seconds, ours.peak_viewers) == (streams, on_air, peak), ours
    return faster("channels: totals of 5 years", seconds, by_hand, "Python over the same rows")


def _totals_by_hand(connection: Connection, channel_id: int) -> tuple[int, int, int]:
    sessions = connection.execute(
        select(StreamSession.started_at, StreamSession.ended_at).where(StreamSession.channel_id == channel_id)
    ).all()
    polls = connection.scalars(
        select(StreamSnapshot.viewers)
        .join(StreamSession, StreamSession.id == StreamSnapshot.session_id)
        .where(StreamSession.channel_id == channel_id)
    ).all()
    seconds = sum((ended_at - started_at).total_seconds() for started_at, ended_at in sessions if ended_at)
    return len(sessions), int(seconds), max(viewers or 0 for viewers in polls)


def _fill(connection: Connection, size: Followed) -> None:
    began = time.perf_counter()
    others = (size.snapshots // SNAPSHOTS_OF_ONE - size.veteran) // (size.channels - 1)
    _run(connection, FILL, channels=size.channels, streams=others, veteran=size.veteran)
    connection.execute(text("ANALYZE"))
    streams, snapshots = (
        connection.scalar(select(func.count()).select_from(of)) for of in (StreamSession, StreamSnapshot)
    )
    assert streams == size.veteran + others * (size.channels - 1)
    console.print(f"{streams:,} streams, {snapshots:,} snapshots, in {time.perf_counter() - began:.0f} s")


def _run(connection: Connection, statements: str, **values: Any) -> None:
    for statement in filter(str.strip, statements.split(";\n")):
        wanted = {name: value for name, value in ({"now": NOW} | values).items() if f":{name}" in statement}
        connection.execute(text(statement), wanted)


def _measure_statistics(engine: Engine, table: Table) -> dict[str, str]:
    month, veteran, some = NOW - timedelta(days=30), [1], list(range(1, 51))
    plans: dict[str, str] = {}
    with engine.connect() as connection:
        newest = connection.scalar(text("SELECT max(id) FROM stream_sessions WHERE channel_id = 2"))
        tasks: dict[str, Callable[[], Any]] = {
            "recap of a stream": lambda: load_recap(connection, int(newest or 0)),
            "totals of a channel, 30 days": lambda: load_totals(connection, veteran, month, NOW),
            "totals of a channel, 5 years": lambda: load_totals(connection, veteran, EVER, NOW),
            "categories of a channel, 30 days": lambda: load_categories(connection, veteran, month, NOW),
            "categories of a channel, 5 years": lambda: load_categories(connection, veteran, EVER, NOW),
            "hours of a channel, 90 days": lambda: load_hours(connection, veteran, NOW - timedelta(days=90), NOW),
            "hours of a channel, 5 years": lambda: load_hours(connection, veteran, EVER, NOW, zone="Europe/Berlin"),
            "last 10 streams of 50 channels": lambda: load_stories(connection, some, 10),
            "top by hours, 30 days": lambda: load_top(connection, month, NOW),
            "top by hours, everything": lambda: load_top(connection, EVER, NOW),
        }
        for name, run in tasks.items():
            _row(table, name, run)
            plans[name] = _plan(connection, run)
    return plans


def _measure_pages(engine: Engine, table: Table, live: int) -> list[Result]:
    with engine.begin() as connection:
        _run(connection, GO_LIVE, live=live)
        ids = list(connection.scalars(select(Channel.id).order_by(Channel.id).limit(live)))
        ensure_feeds(connection, ids)
        feeds = list(connection.scalars(select(Feed.id).order_by(Feed.id)))
    with engine.connect() as connection:
        _row(table, f"which of {live} live pages may be behind", lambda: load_moving(connection))
        _row(table, "what 50 pages show", lambda: load_pages(connection, feeds[:50], NOW))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        first = publish(engine, Path(folder), "https://drops.example", NOW)
        everything = time.perf_counter() - began
        # Pages of items lie beside the feeds that are of no channel.
        assert first.pages >= live, first
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE stream_sessions SET last_seen_at = last_seen_at + '5 min' WHERE ended_at IS NULL")
            )
        # A run takes some of them; the next one comes within seconds.
        times, pages = list[float](), list[int]()
        while not pages or pages[-1]:
            began = time.perf_counter()
            pages.append(publish(engine, Path(folder), "https://drops.example", NOW).pages)
            times.append(time.perf_counter() - began)
        table.add_row(
            f"publish after a poll, {len(pages) - 1} runs", f"{1000 * max(times):,.0f} at most", f"{sum(pages)} pages"
        )
        table.add_row("publish with nothing new", f"{1000 * times[-1]:,.0f}", "")
    assert sum(pages) == live, "each live channel's page is written once after a poll"
    what = f"all {live} pages and their feeds"
    return [
        faster("channels: pages after a poll", sum(times[:-1]), everything, what),
        faster("channels: pages, nothing new", times[-1], everything, what),
    ]


def _row(table: Table, name: str, run: Callable[[], Any]) -> None:
    answer, seconds = _best(run)
    size = len(answer) if isinstance(answer, list | dict) else 1
    table.add_row(name, f"{1000 * seconds:,.1f}", f"{size:,}")


def _best(run: Callable[[], Answer]) -> tuple[Answer, float]:
    """Return what was answered, and the fewest seconds of five times."""
    times: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        answer = run()
        times.append(time.perf_counter() - began)
    return answer, min(times)


def _plan(connection: Connection, run: Callable[[], Any]) -> str:
    """Return the plan of the slowest statement that something runs."""
    plans: list[list[str]] = []

    def explained(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF) {statement}", parameters)
        plans.append([row[0] for row in cursor.fetchall()])

    event.listen(connection, "before_cursor_execute", explained)
    try:
        run()
    finally:
        event.remove(connection, "before_cursor_execute", explained)
    slowest = max(plans, key=lambda plan: float(plan[-1].split()[2]))
    return "\n".join(slowest)


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
