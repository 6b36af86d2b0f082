"""Measure how long it takes to publish every feed, and to publish after one change.

    uv run --frozen python bench/feeds.py [--games 1000] [--items 50] [--changes 20]

Everything goes through `feeds.publish.publish`, into a database and a folder that are thrown away afterwards. Each
change is a new event of one game, committed before the clock starts; the clock stops when the feeds it touches, the
page and the list of feeds are on disk.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where this file would hide the package of the same name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine, create_engine, insert

from feeds.catalog import mark
from feeds.publish import PublishSummary, publish
from models import (
    AllowedChannel,
    Base,
    Channel,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Event,
    Game,
    Organization,
    Source,
    TimeBasedDrop,
)
from models.details import BenefitLine, CampaignDetail, DropLine, detail_to_json
from models.names import name_key, public_id
from pipeline.embedded import ensure

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BASE_URL = "http://127.0.0.1:8420"
ORGANIZATIONS, CAMPAIGNS, CHANNELS, BATCH = 300, 130, 4000, 2000
PICTURE = "https://static-cdn.example/twitch-quests-assets/REWARD/01234567-89ab-cdef-0123-{:012x}.png"


def main() -> None:
    """Fill a database, publish it, then publish after each of some changes, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=1000, help="games, each with a feed of its own")
    parser.add_argument("--items", type=int, default=50, help="events of each game")
    parser.add_argument("--changes", type=int, default=20, help="single changes to measure")
    given = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="lootwire-bench-") as folder:
        engine = create_engine(ensure(Path(folder) / "data").database_url)
        Base.metadata.create_all(engine)
        games = _fill(engine, given.games, given.items)
        root = Path(folder) / "public"
        full, summary = _timed(engine, root)
        idle, _ = _timed(engine, root)
        singles = [_one_change(engine, root, games, number) for number in range(given.changes)]
        size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
        page = (root / "index.html").stat().st_size
        engine.dispose()
    _print(console, full, summary, idle, singles)
    console.print(
        f"{given.games} games of {given.items} items; {CAMPAIGNS} open campaigns; "
        f"{size / 1e6:.0f} MB on disk, the page has {page / 1e3:.0f} kB."
    )


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


def _print(
    console: Console,
    full: float,
    summary: PublishSummary,
    idle: float,
    singles: Sequence[tuple[float, PublishSummary]],
) -> None:
    median = statistics.median(seconds for seconds, _ in singles)
    table = Table("publish", "feeds", "files", "seconds", "ratio to full")
    table.add_row("full", str(summary.feeds), str(summary.written), f"{full:.2f}", "1")
    last = singles[-1][1]
    table.add_row(
        f"after one change (median of {len(singles)})",
        str(last.feeds),
        str(last.written),
        f"{median:.4f}",
        f"{full / median:.0f} times faster",
    )
    worst = max(seconds for seconds, _ in singles)
    table.add_row("after one change (slowest)", "", "", f"{worst:.4f}", f"{full / worst:.0f} times faster")
    table.add_row("nothing to do", "0", "0", f"{idle:.4f}", f"{full / idle:.0f} times faster")
    console.print(table)


def _fill(engine: Engine, games: int, items: int) -> list[dict[str, Any]]:
    with engine.begin() as connection:
        owners = _insert(
            connection,
            Organization,
            ({"service": "twitch", "external_id": str(n), **_named(f"Studio {n}")} for n in range(ORGANIZATIONS)),
        )
        ids = _insert(connection, Game, (_named(f"Game Number {n}") for n in range(games)))
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
        _fill_campaigns(connection, rows)
    events = (
        _event(game, number, key=f"{game['id']}-{number}", at=NOW - timedelta(minutes=number * games + place))
        for number in range(items)
        for place, game in enumerate(rows)
    )
    with engine.begin() as connection:
        mark(connection, _insert(connection, Event, events))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return rows


def _fill_campaigns(connection: Connection, games: Sequence[dict[str, Any]]) -> None:
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
            for n in range(CAMPAIGNS)
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
            for n in range(CHANNELS)
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
    main()
