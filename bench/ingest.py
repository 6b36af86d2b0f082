"""One real snapshot into the database, beside what people write by hand.

    uv run --frozen python bench/ingest.py [SNAPSHOT NEXT_SNAPSHOT]

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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import orjson
from sqlalchemy import Engine, Table, insert, select, text
from sqlalchemy.orm import Session

from bench.databases import Server, throw_away_server
from models import (
    AllowedChannel,
    Base,
    Channel,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Game,
    GameExternalId,
    Organization,
    Subscription,
    Target,
    TimeBasedDrop,
)
from models.names import name_key, public_id
from pipeline.drops.sources.mirror import TwitchDrops
from pipeline.ingest.fetching import register
from pipeline.ingest.snapshots import Context, ingest
from pipeline.ingest.source import Ingested
from pipeline.ingest.turn import lock_source

SEQUENCE = Path("../shared/recordings/sunkwi/sequence")
SNAPSHOT, NEXT = SEQUENCE / "14_2026-08-21T173616.json.gz", SEQUENCE / "15_2026-08-21T180206.json.gz"
SOURCE = TwitchDrops("http://mirror.invalid")
T0 = datetime(2026, 8, 21, 17, 36, tzinfo=UTC)
ROUNDS = 5


def read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def take_in(engine: Engine, payload: bytes, at: datetime) -> Ingested:
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


def prepared(server: Server) -> Engine:
    """Return a database with the source, and with a subscription to everything so that the fan-out has work."""
    engine = server.database()
    with engine.begin() as connection:
        register(connection, [SOURCE], T0)
        target = insert(Target).values(name="t", url_encrypted=b"", label="t", created_at=T0).returning(Target.id)
        connection.execute(insert(Subscription).values(target_id=connection.scalar(target), created_at=T0))
    return engine


def ours(server: Server, first: bytes, second: bytes) -> tuple[float, float, float, Ingested]:
    engine = prepared(server)
    take_in(prepared(server), first, T0)  # statements are compiled once in a worker's life, not once per snapshot
    empty = timed(lambda: take_in(engine, first, T0))
    unchanged = statistics.median(
        timed(lambda minutes=minutes: take_in(engine, first, T0 + timedelta(minutes=minutes)))
        for minutes in range(1, 12)
    )
    results: list[Ingested] = []
    changed = timed(lambda: results.append(take_in(engine, second, T0 + timedelta(minutes=26))))
    return empty, unchanged, changed, results[0]


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

    def _campaign(self, told: dict[str, Any], group: dict[str, Any]) -> None:
        owner, game = told["owner"], told["game"] or {"id": group["gameId"], "displayName": group["gameDisplayName"]}
        organization_id = None
        if owner:
            key = {"service": "twitch", "external_id": owner["id"]}
            values = {"name": owner["name"], "name_key": name_key(owner["name"])}
            new = {"public_id": public_id("twitch", owner["id"])}
            organization_id = self._save(Organization, key, values, new).id
        row = self._save(
            DropCampaign,
            {"service": "twitch", "external_id": told["id"]},
            {
                "name": told["name"],
                "description": told["description"] or None,
                "details_url": told["detailsURL"] or None,
                "account_link_url": told["accountLinkURL"] or None,
                "image_url": told["imageURL"] or None,
                "start_at": datetime.fromisoformat(told["startAt"]),
                "end_at": datetime.fromisoformat(told["endAt"]),
                "organization_id": organization_id,
                "game_id": self._game(game, group),
            },
            {"first_seen_at": T0},
        )
        for drop in told["timeBasedDrops"]:
            self._drop(drop, row.id)
        for channel in told["allow"].get("channels") or []:
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

    def _drop(self, told: dict[str, Any], campaign_id: int) -> None:
        values = {
            "name": told["name"],
            "required_minutes": told["requiredMinutesWatched"],
            "required_subs": told["requiredSubs"],
            "start_at": datetime.fromisoformat(told["startAt"]),
            "end_at": datetime.fromisoformat(told["endAt"]),
        }
        key = {"campaign_id": campaign_id, "external_id": told["id"]}
        drop_id = self._save(TimeBasedDrop, key, values, {"first_seen_at": T0}).id
        for edge in told["benefitEdges"] or []:
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


def by_hand(server: Server, first: bytes, second: bytes) -> tuple[float, float, float]:
    engine = server.database()
    seconds = []
    for payload in (first, first, second):
        with Session(engine) as session:
            seconds.append(timed(lambda: ByHand(session).take_in(payload)))  # noqa: B023 - called at once
    return seconds[0], seconds[1], seconds[2]


def bare_copy(server: Server, first: bytes) -> float:
    """(b): COPY the rows that ours makes, and nothing else, into the same tables of an empty database."""
    engine = prepared(server)
    take_in(engine, first, T0)
    names = (
        *("organizations", "games", "game_external_ids", "channels", "drop_campaigns", "time_based_drops"),
        *("drop_benefits", "drop_benefit_edges", "allowed_channels", "sightings", "events"),
    )
    tables: list[Table] = [Base.metadata.tables[name] for name in names]
    with engine.connect() as connection:
        rows = {table.name: connection.execute(select(table)).all() for table in tables}
    target = prepared(server)
    with target.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None

        def copy() -> None:
            with driver.cursor() as cursor:
                for table in tables:
                    with cursor.copy(f"COPY {table.name} FROM STDIN") as out:
                        for row in rows[table.name]:
                            out.write_row([_plain(value) for value in row])
            driver.commit()

        return timed(copy)


def _plain(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict) else value


def main() -> int:
    paths = [Path(argument) for argument in sys.argv[1:3]] or [SNAPSHOT, NEXT]
    first, second = map(read, paths)
    with throw_away_server() as server:
        mine = [ours(server, first, second) for _ in range(ROUNDS)]
        copies = [bare_copy(server, first) for _ in range(ROUNDS)]
        hand_empty, hand_unchanged, hand_changed = by_hand(server, first, second)
        with prepared(server).connect() as connection:
            version = connection.scalar(text("SHOW server_version"))
    empty, unchanged, changed = (statistics.median(row[i] for row in mine) for i in range(3))
    copied = statistics.median(copies)
    result = mine[0][3]
    print(f"{paths[0].name} then {paths[1].name}; PostgreSQL {version}; median of {ROUNDS}")
    print(f"the next one: {result.changed} campaigns differ, {result.events.total()} events")
    print("                  ours       by hand (a)     COPY (b)")
    print(f"empty      {empty * 1e3:8.1f} ms {hand_empty * 1e3:12.0f} ms {copied * 1e3:9.1f} ms")
    print(f"unchanged  {unchanged * 1e3:8.1f} ms {hand_unchanged * 1e3:12.0f} ms")
    print(f"changed    {changed * 1e3:8.1f} ms {hand_changed * 1e3:12.0f} ms")
    ratios = {
        "unchanged, times faster than (a)": (hand_unchanged / unchanged, 500, True),
        "changed, times faster than (a)": (hand_changed / changed, 100, True),
        "empty, times (b)": (empty / copied, 10, False),
    }
    for name, (ratio, goal, more) in ratios.items():
        print(f"{name:36} {ratio:7.1f}   goal: at {'least' if more else 'most'} {goal}")
    return 0 if all((ratio >= goal) is more or ratio == goal for ratio, goal, more in ratios.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
