"""Publish every feed, beside bare feedgen with the same items, and publish after one change.

    uv run --frozen python bench/feeds.py [--games 1000] [--items 50] [--changes 20] [--tiny]

Everything goes through `feeds.publish.publish`, into a database and a folder that are thrown away afterwards. The
events are taken in before, and their time is told apart: that happens once for each event, whatever is rendered later.
Pages of older items are told apart too. Each change is a new event of one game, committed before the clock starts; the
clock stops when the feeds it touches and all pages are on disk. Feedgen, the library that people write feeds with, is
given the same feeds with their texts ready, and writes RSS and Atom. Goals: everything, in all formats and with all
pages, in at most 1.5 times that; after one change at least 300 times faster; nothing new in at most 30 ms.
"""

import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where this file would hide the package of the same name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feedgen.feed import FeedGenerator
from sqlalchemy import Connection, Engine, insert, update

from bench.databases import Servers
from bench.results import Result, as_long, faster
from bench.running import Size, run_alone
from feeds.catalog import load_feeds, marked_ids
from feeds.content import FeedContent
from feeds.item import Entry, render_entry
from feeds.publish import PublishSummary, publish, take_in_all
from feeds.take_in import mark
from models import (
    AllowedChannel,
    Base,
    Channel,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Event,
    Feed,
    Game,
    Organization,
    Source,
    TimeBasedDrop,
)
from models.details import BenefitLine, CampaignDetail, DropLine, detail_to_json
from models.names import name_key, public_id

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BASE_URL = "http://127.0.0.1:8420"
ORGANIZATIONS, BATCH = 300, 2000
PICTURE = "https://static-cdn.example/twitch-quests-assets/REWARD/01234567-89ab-cdef-0123-{:012x}.png"


@dataclass(frozen=True)
class Site(Size):
    """Games with a feed each, the events of each game, and how many single changes are measured."""

    games: int = field(kw_only=True)
    items: int = field(kw_only=True)
    changes: int = field(kw_only=True)
    campaigns: int = field(kw_only=True)
    channels: int = field(kw_only=True)


FULL = Site(games=1000, items=50, changes=20, campaigns=130, channels=4000)
TINY = Site(games=12, items=5, changes=2, campaigns=6, channels=60)


def run(servers: Servers, size: Site) -> list[Result]:
    engine = servers.database()
    games = _fill(engine, size)
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        root = Path(folder) / "public"
        full, summary = _timed(engine, root)
        archiving, archives = _until_quiet(engine, root)
        idle, nothing = min((_timed(engine, root) for _ in range(5)), key=lambda timed: timed[0])
        singles = [_one_change(engine, root, games, number) for number in range(size.changes)]
        files = [path for path in root.rglob("*") if path.is_file()]
        megabytes, page = sum(path.stat().st_size for path in files) / 1e6, (root / "index.html").stat().st_size
    written = summary.feeds
    # Of the service, of everything, of games and organizations first seen, and without subscriptions.
    assert written == size.games + min(size.games, ORGANIZATIONS) + 5, "a feed for each, and five"
    documents = [
        path for path in files if path.name.endswith((".rss.xml", ".atom.xml")) and ".archive-" not in path.name
    ]
    assert len(documents) == 2 * written
    assert nothing.feeds == nothing.written == 0, nothing
    # Of its game, its organization, its service, everything, and without subscriptions.
    assert all(single.feeds == 5 for _, single in singles), singles
    times = [seconds for seconds, _ in singles]
    median = statistics.median(times)
    print(f"{written} feeds, {size.campaigns} open campaigns; {megabytes:.0f} MB, the page has {page / 1e3:.0f} kB")
    print(f"after one change {singles[-1][1].written} files, the slowest in {max(times):.3f} s")
    print(f"{archives} pages of older items in {archiving:.1f} s; nothing to do takes {idle * 1000:.0f} ms")
    print(f"most memory of a process: {_peak_megabytes():.0f} MB")
    bare = _bare_feedgen(engine)
    return [
        as_long("feeds: everything", full, bare, "bare feedgen, RSS and Atom of the same items", most=1.5),
        faster("feeds: after one change", median, full, "everything again", least=300),
        faster("feeds: nothing to do", idle, full, "everything again"),
    ]


def _until_quiet(engine: Engine, root: Path) -> tuple[float, int]:
    """Publish until all pages of older items are there; returns the seconds and how many there are."""
    total, archives = 0.0, 0
    while True:
        seconds, summary = _timed(engine, root)
        total, archives = total + seconds, archives + summary.archives
        if not summary.archives:
            return total, archives


def _peak_megabytes() -> float:
    """Return the most memory that this process or one of its helpers had."""
    used = (resource.getrusage(each).ru_maxrss for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(used) / 1024


def _bare_feedgen(engine: Engine) -> float:
    """Return the seconds in which feedgen makes both documents of every feed; loading and texts are not counted."""
    with engine.begin() as connection:
        connection.execute(update(Feed).values(version=Feed.version + 1))
    seconds, entries = 0.0, dict[str, Entry]()
    with engine.connect() as connection:
        ids = marked_ids(connection)
    for start in range(0, len(ids), 100):
        with engine.connect() as connection:
            batch = load_feeds(connection, ids[start : start + 100])
        for feed in batch:
            for item in feed.items:
                if item.event_key not in entries:
                    entries[item.event_key] = render_entry(item)
            listed = [entries[item.event_key] for item in feed.items]
            began = time.perf_counter()
            assert _documents(feed, listed)
            seconds += time.perf_counter() - began
    return seconds


def _documents(feed: FeedContent, entries: Sequence[Entry]) -> bytes:
    document = FeedGenerator()
    document.id(f"{BASE_URL}/{feed.path}")
    document.title(feed.title)
    document.description(feed.title)
    document.link(href=BASE_URL)
    document.author(name="Lootwire")
    for entry in entries:
        built = document.add_entry(order="append")
        built.id(entry.guid)
        built.title(entry.title)
        built.summary(entry.summary)
        built.content(entry.content, type="html")
        built.published(entry.at)
        built.updated(entry.at)
        built.link(href=entry.url or BASE_URL)
        built.category([{"term": term, "scheme": scheme} for term, scheme in entry.categories])
    return bytes(document.rss_str()) + bytes(document.atom_str())


def _timed(engine: Engine, root: Path, now: datetime = NOW) -> tuple[float, PublishSummary]:
    start = time.perf_counter()
    summary = publish(engine, root, BASE_URL, now)
    seconds = time.perf_counter() - start
    assert not summary.failures, summary.failures
    return seconds, summary


def _one_change(
    engine: Engine, root: Path, games: Sequence[dict[str, Any]], number: int
) -> tuple[float, PublishSummary]:
    game = random.Random(number).choice(games)
    row = _event(game, number, key=f"change-{number}", at=NOW + timedelta(seconds=number))
    with engine.begin() as connection:
        mark(connection, [connection.execute(insert(Event).returning(Event.id), row).scalar_one()])
    # A minute later each time, so that the page tells another time and has to be written too.
    return _timed(engine, root, NOW + timedelta(minutes=number + 1))


def _fill(engine: Engine, size: Site) -> list[dict[str, Any]]:
    with engine.begin() as connection:
        owners = _insert(
            connection,
            Organization,
            ({"service": "twitch", "external_id": str(n), **_named(f"Studio {n}")} for n in range(ORGANIZATIONS)),
        )
        ids = _insert(connection, Game, (_named(f"Game Number {n}") for n in range(size.games)))
        rows = [
            {
                "id": id_,
                "name": f"Game Number {n}",
                "organization_id": owners[n % len(owners)],
                "organization": f"Studio {n % len(owners)}",
            }
            for n, id_ in enumerate(ids)
        ]
        _insert(
            connection,
            Source,
            ({"name": name, "service": name, "next_due_at": NOW} for name in ("twitch", "kick", "chzzk")),
        )
        _fill_campaigns(connection, rows, size)
    events = (
        _event(game, number, key=f"{game['id']}-{number}", at=NOW - timedelta(minutes=number * size.games + place))
        for number in range(size.items)
        for place, game in enumerate(rows)
    )
    with engine.begin() as connection:
        mark(connection, _insert(connection, Event, events))
    began = time.perf_counter()
    total = take_in_all(engine)
    seconds = time.perf_counter() - began
    print(f"{total} events taken in in {seconds:.1f} s, {1e6 * seconds / total:.0f} µs each")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return rows


def _fill_campaigns(connection: Connection, games: Sequence[dict[str, Any]], size: Site) -> None:
    campaigns = _insert(
        connection,
        DropCampaign,
        (
            {
                "service": "twitch",
                "external_id": f"c{n}",
                "name": f"Season {n} Kick-off",
                "details_url": "https://example.com/details",
                "account_link_url": "https://example.com/link",
                "start_at": NOW,
                "started_at": NOW,
                "end_at": NOW + timedelta(hours=3 * n + 2),
                "game_id": games[n % len(games)]["id"],
                "organization_id": games[n % len(games)]["organization_id"],
                "first_seen_at": NOW,
            }
            for n in range(size.campaigns)
        ),
    )
    drops = _insert(
        connection,
        TimeBasedDrop,
        (
            {"campaign_id": campaign, "external_id": f"d{n}", "required_minutes": 60 * (n + 1), "first_seen_at": NOW}
            for campaign in campaigns
            for n in range(4)
        ),
    )
    benefits = _insert(
        connection,
        DropBenefit,
        (
            {"service": "twitch", "external_id": str(n), "name": f"Item {n}", "image_url": PICTURE.format(n)}
            for n in range(len(drops))
        ),
    )
    connection.execute(
        insert(DropBenefitEdge), [{"drop_id": d, "benefit_id": b} for d, b in zip(drops, benefits, strict=True)]
    )
    channels = _insert(
        connection,
        Channel,
        (
            {"service": "twitch", "external_id": str(n), "login": f"streamer_{n}", "first_seen_at": NOW}
            for n in range(size.channels)
        ),
    )
    # One campaign with all channels, and half of the others with a few.
    pairs = [(campaigns[0], channel) for channel in channels]
    pairs += [(campaign, channel) for campaign in campaigns[1::2] for channel in channels[:25]]
    connection.execute(
        insert(AllowedChannel),
        [{"campaign_id": campaign, "channel_id": channel, "first_seen_at": NOW} for campaign, channel in pairs],
    )


def _event(game: dict[str, Any], number: int, *, key: str, at: datetime) -> dict[str, Any]:
    drops = tuple(
        DropLine(
            required_minutes=60 * (n + 1),
            benefits=(BenefitLine(name=f"Item {n} of {number}", image_url=PICTURE.format(n)),),
        )
        for n in range(4)
    )
    detail = CampaignDetail(
        name=f"Season {number} Kick-off",
        url="https://example.com/details",
        account_link_url="https://example.com/link",
        box_art_url=PICTURE.format(number),
        game=game["name"],
        organization=game["organization"],
        description="Watch any channel in the category and earn what hangs on the wire. " * 4,
        start_at=at,
        end_at=at + timedelta(days=7),
        drops=drops,
        channels_total=25,
        channels=tuple(f"streamer_{n}" for n in range(12)),
    )
    return {
        "kind": "campaign.added",
        "event_key": key,
        "occurred_at": at,
        "recorded_at": at,
        "title": f"New drops on Twitch – {game['name']}: Season {number} Kick-off",
        "service": "twitch",
        "silent": True,
        "game_id": game["id"],
        "organization_id": game["organization_id"],
        "detail": detail_to_json(detail),
    }


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "name_key": name_key(name), "public_id": public_id("bench", name)}


def _insert(connection: Connection, table: type[Base], rows: Iterator[dict[str, Any]]) -> list[int]:
    ids: list[int] = []
    rest = list(rows)
    while rest:
        batch, rest = rest[:BATCH], rest[BATCH:]
        statement = insert(table).returning(table.__table__.c.id, sort_by_parameter_order=True)
        ids += connection.execute(statement, batch).scalars()
    return ids


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
