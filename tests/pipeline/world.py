"""A database that takes in snapshots one after the other, and what can be seen in it afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Text, func, literal_column, select, update

from models import (
    AllowedChannel,
    Base,
    Channel,
    Delivery,
    DropCampaign,
    Event,
    QuarantinedPayload,
    RewardCampaign,
    Sighting,
    Source,
    TimeBasedDrop,
)
from pipeline.drops.clock import advance
from pipeline.drops.sources.chzzk import ChzzkDrops
from pipeline.drops.sources.kick import KickDrops
from pipeline.drops.sources.mirror import TwitchDrops, TwitchRewards
from pipeline.ingest.fetching import register
from pipeline.ingest.snapshots import Context, ingest
from pipeline.ingest.source import Ingested, ListSource
from pipeline.ingest.turn import lock_source
from tests.pipeline.builders import NOON

NOWHERE = "http://127.0.0.1:9"
MINUTE = timedelta(minutes=1)
DROPS = TwitchDrops(NOWHERE)
REWARDS = TwitchRewards(NOWHERE)
KICK = KickDrops(NOWHERE, poll_every=MINUTE)
CHZZK = ChzzkDrops(NOWHERE, poll_every=MINUTE)
# What snapshots write to when something is new, and must leave alone when nothing is.
WRITTEN: Sequence[type[Base]] = (
    DropCampaign,
    TimeBasedDrop,
    Channel,
    AllowedChannel,
    RewardCampaign,
    Sighting,
    Event,
    Delivery,
)
SOURCES: Sequence[ListSource] = (DROPS, REWARDS, KICK, CHZZK)


def take_in(
    connection: Connection,
    payload: bytes,
    at: datetime,
    *,
    source: ListSource = DROPS,
    silent: bool | None = None,
    now: datetime | None = None,
) -> Ingested:
    """Ingest a payload as a fetch or an import does, in the caller's transaction; the first one is silent."""
    row = lock_source(connection, source.name)
    context = Context(
        connection=connection,
        adapter=source,
        source=row,
        payload=payload,
        taken_at=at,
        now=now or at,
        silent=row["last_snapshot_at"] is None if silent is None else silent,
        origin="a test",
    )
    ingested = ingest(context, source.split(payload))
    while ingested.is_part:
        ingested = ingest(context, source.split(payload))
    return ingested


@dataclass
class Ingesting:
    """A database in which it is noon until a snapshot is taken in `after` some time."""

    engine: Engine
    now: datetime = NOON
    results: list[Ingested] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.engine.begin() as connection:
            register(connection, SOURCES, self.now)
            # A source that is new is only watched for some days.
            connection.execute(update(Source).values(known_since=self.now - timedelta(days=30)))

    def later(self, **duration: float) -> datetime:
        self.now += timedelta(**duration)
        return self.now

    def ingest(
        self, payload: bytes, *, source: ListSource = DROPS, at: datetime | None = None, **after: float
    ) -> Ingested:
        """Take in a snapshot `after` the one before (hours=1, …), or one taken `at` another time."""
        self.later(**after)
        with self.engine.begin() as connection:
            result = take_in(connection, payload, at or self.now, source=source)
        self.results.append(result)
        return result

    def advance(self, **after: float) -> dict[str, int]:
        """Let the clock do its part."""
        return dict(advance(self.engine, self.later(**after)))

    def rows(self, model: type[Base], **wanted: Any) -> list[Any]:
        """Rows of a table by its primary key, all of them or those with these values."""
        table = model.__table__
        query = select(*table.c)
        for name, value in wanted.items():
            query = query.where(table.c[name] == value)
        with self.engine.connect() as connection:
            return list(connection.execute(query.order_by(*table.primary_key)))

    def count(self, model: type[Base]) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(model)) or 0

    def kinds(self, *families: str) -> list[str]:
        """The kinds of all events in the order of their recording, or of those families only."""
        kinds = [row.kind for row in self.rows(Event)]
        return [kind for kind in kinds if not families or kind.split(".")[0] in families]

    def events(self, kind: str) -> list[Any]:
        return self.rows(Event, kind=kind)

    def event(self, kind: str) -> Any:
        """The only event of a kind."""
        (event,) = self.events(kind)
        return event

    def campaign(self, key: str = "a") -> Any:
        (row,) = self.rows(DropCampaign, external_id=f"camp-{key}")
        return row

    def kick_campaign(self, key: str = "k") -> Any:
        (row,) = self.rows(DropCampaign, external_id=f"KICK{key}")
        return row

    def quest(self, key: str = "q") -> Any:
        (row,) = self.rows(RewardCampaign, external_id=f"quest-{key}")
        return row

    def state(self, key: str = "a") -> str:
        """`open`, `ended` or `withdrawn`."""
        row = self.campaign(key)
        return "ended" if row.ended_at else "withdrawn" if row.withdrawn_at else "open"

    def channels(self, key: str = "a") -> set[str]:
        """The logins of the channels that a campaign names now."""
        query = (
            select(Channel.login)
            .join(AllowedChannel, AllowedChannel.channel_id == Channel.id)
            .where(AllowedChannel.campaign_id == self.campaign(key).id, AllowedChannel.last_seen_at.is_(None))
        )
        with self.engine.connect() as connection:
            return set(connection.scalars(query))

    def drops(self, key: str = "a") -> dict[str, Any]:
        """The drops that a campaign has now, by external id."""
        rows = self.rows(TimeBasedDrop, campaign_id=self.campaign(key).id)
        return {row.external_id: row for row in rows if row.last_seen_at is None}

    def source(self, name: str = "twitch.drops") -> Any:
        (row,) = self.rows(Source, name=name)
        return row

    def set_source(self, name: str = "twitch.drops", **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(Source).where(Source.name == name).values(values))

    def quarantine(self) -> list[tuple[str, str]]:
        """Reason and detail of all that was kept aside."""
        return [(row.reason, row.detail) for row in self.rows(QuarantinedPayload)]

    def written(self) -> dict[str, set[tuple[Any, ...]]]:
        """Every row version of what snapshots write to: equal before and after where nothing was written."""
        with self.engine.connect() as connection:
            return {model.__tablename__: _versions(connection, model) for model in WRITTEN}


def _versions(connection: Connection, model: type[Base]) -> set[tuple[Any, ...]]:
    keys: list[Any] = [column.cast(Text) for column in model.__table__.primary_key]
    query = select(*[literal_column("xmin::text"), *keys]).select_from(model)
    return {tuple(row) for row in connection.execute(query)}
