"""One real snapshot into the database, beside what people write by hand.

    uv run --frozen python bench/ingest.py [SNAPSHOT NEXT_SNAPSHOT] [--tiny]

Ours, from raw bytes to the commit (decoding included), into an empty database, again unchanged, and then the next
snapshot, which differs, with its events and their fan-out to a subscription; beside (a) the per-row
select-then-save with the SQLAlchemy ORM that most trackers do, on the same tables, and (b) a bare COPY of the rows
that ours makes. Goals: unchanged at least 500 and changed at least 100 times faster than (a); empty at most 10
times (b).
"""

import gzip
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import orjson
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from bench.databases import Servers, bare_copy
from bench.recordings import RECORDINGS, existing
from bench.results import Result, as_long, faster
from bench.running import Size, run_alone
from bench.snapshots import snapshot
from models import (
    AllowedChannel,
    Base,
    Channel,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Event,
    Game,
    GameExternalId,
    Organization,
    Target,
    TimeBasedDrop,
)
from models.names import name_key, public_id
from notifiers.subscriptions import add_subscription
from pipeline.drops.sources.mirror import TwitchDrops
from pipeline.ingest.fetching import register
from pipeline.ingest.snapshots import Context, ingest
from pipeline.ingest.source import Ingested
from pipeline.ingest.turn import lock_source

SOURCE = TwitchDrops("http://mirror.invalid")
T0 = datetime(2026, 8, 21, 17, 36, tzinfo=UTC)
SEQUENCE = RECORDINGS / "sunkwi" / "sequence"


@dataclass(frozen=True)
class Snapshots(Size):
    """A snapshot and the one after it, or else two made-up ones of so many campaigns; how often they are taken in."""

    snapshot: Path | None
    next_snapshot: Path | None
    rounds: int = field(kw_only=True)
    campaigns: int = field(default=0, kw_only=True)


FULL = Snapshots(SEQUENCE / "14_2026-08-21T173616.json.gz", SEQUENCE / "15_2026-08-21T180206.json.gz", rounds=5)
TINY = Snapshots(None, None, rounds=1, campaigns=10)


def read_both(size: Snapshots) -> tuple[bytes, bytes]:
    if size.snapshot is None or size.next_snapshot is None:
        return snapshot(size.campaigns), snapshot(size.campaigns, revision=1)
    return read(existing(size.snapshot)), read(existing(size.next_snapshot))


def read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def take_in(engine: Engine, payload: bytes, at: datetime) -> Ingested:
    while (ingested := take_part(engine, payload, at)).is_part:
        pass
    return ingested


def take_part(engine: Engine, payload: bytes, at: datetime) -> Ingested:
    with engine.begin() as connection:
        row = lock_source(connection, SOURCE.name)
        context = Context(
            connection=connection,
            adapter=SOURCE,
            source=row,
            payload=payload,
            taken_at=at,
            now=at,
            silent=row["last_snapshot_at"] is None,
            origin="bench",
        )
        return ingest(context, SOURCE.split(payload))


def prepared(servers: Servers) -> Engine:
    """Return a database with the source, and with a subscription to everything so that the fan-out has work."""
    engine = servers.database()
    with engine.begin() as connection:
        register(connection, [SOURCE], T0)
        connection.execute(insert(Target).values(name="t", url_encrypted=b"", label="t", created_at=T0))
        add_subscription(connection, "t", T0)
    return engine


@dataclass(frozen=True)
class Ours:
    """What our three runs took in seconds, what came of the last one, and where."""

    empty: float
    unchanged: float
    changed: float
    result: Ingested
    engine: Engine


def ours(servers: Servers, first: bytes, second: bytes) -> Ours:
    engine = prepared(servers)
    take_in(prepared(servers), first, T0)  # statements are compiled once in a worker's life, not once per snapshot
    empty = timed(lambda: take_in(engine, first, T0))
    unchanged = statistics.median(
        timed(partial(take_in, engine, first, T0 + timedelta(minutes=minutes))) for minutes in range(1, 12)
    )
    before = count_events(engine)
    results: list[Ingested] = []
    changed = timed(lambda: results.append(take_in(engine, second, T0 + timedelta(minutes=26))))
    assert results[0].changed, "the next snapshot differs"
    assert count_events(engine) == before + results[0].events.total()
    return Ours(empty, unchanged, changed, results[0], engine)


def count_events(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Event)) or 0


class ByHand:
    """(a): select each row, save it if it is missing or differs, as hand-written importers do."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take_in(self, payload: bytes) -> None:
        for group in orjson.loads(payload):
            for campaign in group["rewards"]:
                self._campaign(campaign, group)
        self._session.commit()

    def _save(self, model: type[Base], key: dict[str, Any], values: dict[str, Any], new: dict[str, Any]) -> Any:
        row = self._session.scalars(select(model).filter_by(**key)).one_or_none()
        if row is None:
            row = model(**key, **values, **new)
            self._session.add(row)
            self._session.flush()
            return row
        for name, value in values.items():
            if value is not None and getattr(row, name) != value:
                setattr(row, name, value)
        return row

    def _campaign(self, campaign: dict[str, Any], group: dict[str, Any]) -> None:
        owner, game = (
            campaign["owner"],
            campaign["game"] or {"id": group["gameId"], "displayName": group["gameDisplayName"]},
        )
        organization_id = None
        if owner:
            key = {"service": "twitch", "external_id": owner["id"]}
            values = {"name": owner["name"], "name_key": name_key(owner["name"])}
            new = {"public_id": public_id("twitch", owner["id"])}
            organization_id = self._save(Organization, key, values, new).id
        row = self._save(
            DropCampaign,
            {"service": "twitch", "external_id": campaign["id"]},
            {
                "name": campaign["name"],
                "description": campaign["description"] or None,
                "details_url": campaign["detailsURL"] or None,
                "account_link_url": campaign["accountLinkURL"] or None,
                "image_url": campaign["imageURL"] or None,
                "start_at": datetime.fromisoformat(campaign["startAt"]),
                "end_at": datetime.fromisoformat(campaign["endAt"]),
                "organization_id": organization_id,
                "game_id": self._game(game, group),
            },
            {"first_seen_at": T0},
        )
        for drop in campaign["timeBasedDrops"]:
            self._drop(drop, row.id)
        for channel in campaign["allow"].get("channels") or []:
            key = {"service": "twitch", "external_id": channel["id"]}
            values = {"login": channel["name"], "display_name": channel["displayName"]}
            channel_id = self._save(Channel, key, values, {"first_seen_at": T0}).id
            self._save(AllowedChannel, {"campaign_id": row.id, "channel_id": channel_id}, {}, {"first_seen_at": T0})

    def _game(self, game: dict[str, Any], group: dict[str, Any]) -> int:
        link = self._session.scalars(
            select(GameExternalId).filter_by(service="twitch", external_id=game["id"])
        ).one_or_none()
        if link is not None:
            return link.game_id
        name = game["displayName"]
        row = Game(
            name=name,
            name_key=name_key(name),
            public_id=public_id("twitch", game["id"]),
            box_art_url=group["gameBoxArtURL"],
        )
        self._session.add(row)
        self._session.flush()
        self._session.add(GameExternalId(service="twitch", external_id=game["id"], game_id=row.id))
        self._session.flush()
        return row.id

    def _drop(self, drop: dict[str, Any], campaign_id: int) -> None:
        values = {
            "name": drop["name"],
            "required_minutes": drop["requiredMinutesWatched"],
            "required_subs": drop["requiredSubs"],
            "start_at": datetime.fromisoformat(drop["startAt"]),
            "end_at": datetime.fromisoformat(drop["endAt"]),
        }
        key = {"campaign_id": campaign_id, "external_id": drop["id"]}
        drop_id = self._save(TimeBasedDrop, key, values, {"first_seen_at": T0}).id
        for edge in drop["benefitEdges"] or []:
            benefit = edge["benefit"]
            key = {"service": "twitch", "external_id": benefit["id"]}
            values = {
                "name": benefit["name"],
                "image_url": benefit["imageAssetURL"],
                "distribution_type": benefit.get("distributionType"),
                "is_ios_available": benefit["isIosAvailable"],
                "created_at": datetime.fromisoformat(benefit["createdAt"]),
            }
            benefit_id = self._save(DropBenefit, key, values, {}).id
            key = {"drop_id": drop_id, "benefit_id": benefit_id}
            self._save(DropBenefitEdge, key, {"entitlement_limit": edge["entitlementLimit"]}, {})


def by_hand(servers: Servers, first: bytes, second: bytes) -> tuple[Engine, list[float]]:
    engine = servers.database()
    seconds = []
    for payload in (first, first, second):
        with Session(engine) as session:
            seconds.append(timed(partial(ByHand(session).take_in, payload)))
    return engine, seconds


def copy_only(servers: Servers, first: bytes) -> float:
    """(b): COPY the rows that ours makes, and nothing else, into the same tables of an empty database."""
    engine = prepared(servers)
    take_in(engine, first, T0)
    names = (
        *("organizations", "games", "game_external_ids", "channels", "drop_campaigns", "time_based_drops"),
        *("drop_benefits", "drop_benefit_edges", "allowed_channels", "sightings", "events"),
    )
    return bare_copy(engine, prepared(servers), [Base.metadata.tables[name] for name in names])


def check_same(our_engine: Engine, their_engine: Engine) -> None:
    """Fail unless both wrote as many campaigns, drops and channels: else the comparison means nothing."""
    for model in (DropCampaign, TimeBasedDrop, DropBenefit, AllowedChannel):
        count = select(func.count()).select_from(model)
        with our_engine.connect() as ours, their_engine.connect() as theirs:
            assert ours.scalar(count) == theirs.scalar(count), model


def run(servers: Servers, size: Snapshots) -> list[Result]:
    first, second = read_both(size)
    runs = [ours(servers, first, second) for _ in range(size.rounds)]
    copied = statistics.median(copy_only(servers, first) for _ in range(size.rounds))
    hand_engine, (hand_empty, hand_unchanged, hand_changed) = by_hand(servers, first, second)
    check_same(runs[0].engine, hand_engine)
    result = runs[0].result
    print(f"the next snapshot: {result.changed} campaigns differ, {result.events.total()} events")
    print(f"ours and COPY: median of {size.rounds}")
    empty, unchanged, changed = (
        statistics.median(getattr(times, name) for times in runs) for name in ("empty", "unchanged", "changed")
    )
    hand = "a select and a save for each row (ORM)"
    return [
        as_long("ingest: empty database", empty, copied, "bare COPY of the same rows", most=10),
        faster("ingest: empty database", empty, hand_empty, hand),
        faster("ingest: unchanged", unchanged, hand_unchanged, hand, least=500),
        faster("ingest: changed", changed, hand_changed, hand, least=100),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
