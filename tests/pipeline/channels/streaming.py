"""A database in which channels are followed and observed, and its rows afterwards."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, literal_column, select
from sqlalchemy.dialects.postgresql import insert as upsert

from models import Base, Channel, Event, Follow, Source, StreamSegment, StreamSession, StreamSnapshot
from pipeline.catalogue.records import ChannelRecord
from pipeline.catalogue.storing import store_channels, store_games
from pipeline.channels import clock
from pipeline.channels.streams.observations import Observation
from pipeline.channels.take_in import take_in
from tests.pipeline.channels.observations import ANN, FLAP, NOON, at, channel, game


@dataclass
class Streaming:
    """Channels are followed since noon of the day before; times are minutes after noon."""

    engine: Engine
    source_id: int = 0

    def __post_init__(self) -> None:
        with self.engine.begin() as connection:
            source = {"name": "twitch.streams", "service": "twitch", "next_due_at": NOON}
            connection.execute(upsert(Source).values(source).on_conflict_do_nothing())
            self.source_id = connection.scalar(select(Source.id).where(Source.name == source["name"])) or 0

    def follow(self, *keys: str, since: float = -1440) -> None:
        self.follow_all([(key, channel(key).login) for key in keys], at(since))

    def follow_all(self, users: Sequence[tuple[str, str]], since: datetime) -> None:
        """Follow channels by id and login."""
        records = [ChannelRecord(external_id=key, login=login) for key, login in users]
        with self.engine.begin() as connection:
            ids = store_channels(connection, "twitch", records, since)
            rows = [{"kind": "channel", "channel_id": row_id, "created_at": since} for row_id in ids.values()]
            connection.execute(insert(Follow), rows)

    def follow_category(self, key: str, since: float = -1440, top: int = 20) -> None:
        record = game(key)
        assert record is not None
        with self.engine.begin() as connection:
            (game_id,) = store_games(connection, "twitch", [record]).values()
            follow = {"kind": "category", "game_id": game_id, "top": top, "created_at": at(since)}
            connection.execute(insert(Follow), follow)

    def unfollow(self, key: str = ANN) -> None:
        with self.engine.begin() as connection:
            ids = select(Channel.id).where(Channel.external_id == key)
            connection.execute(Follow.__table__.delete().where(Follow.channel_id.in_(ids)))  # type: ignore[attr-defined]

    def hear(self, *observations: Observation, now: float | None = None) -> Counter[str]:
        """Take in observations, at the time of the last one or so many minutes after noon."""
        moment = max(observation.at for observation in observations) if now is None else at(now)
        with self.engine.begin() as connection:
            return self.hear_in(connection, *observations, now=moment)

    def hear_in(self, connection: Connection, *observations: Observation, now: datetime) -> Counter[str]:
        return take_in(connection, observations, now, source_id=self.source_id, flap=FLAP)

    def tick(self, minutes: float) -> Counter[str]:
        """Let the clock do its part."""
        return clock.advance(self.engine, at(minutes), FLAP)

    def rows(self, model: type[Base], **wanted: Any) -> list[Any]:
        table = model.__table__
        query = select(*table.c)
        for name, value in wanted.items():
            query = query.where(table.c[name] == value)
        with self.engine.connect() as connection:
            return list(connection.execute(query.order_by(*table.primary_key)))

    def count(self, model: type[Base]) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(model)) or 0

    def session(self, stream_id: str = "s1") -> Any:
        (row,) = self.rows(StreamSession, stream_id=stream_id)
        return row

    def minutes(self, stream_id: str = "s1") -> tuple[float, float | None]:
        """When a stream began and ended, in minutes after noon."""
        row = self.session(stream_id)
        return minutes(row.started_at), minutes(row.ended_at)

    def segments(self, stream_id: str = "s1") -> list[tuple[float | None, str | None, int | None]]:
        rows = self.rows(StreamSegment, session_id=self.session(stream_id).id)
        return [(minutes(row.started_at), row.title, row.game_id) for row in rows]

    def viewers(self, stream_id: str = "s1") -> list[int | None]:
        return [row.viewers for row in self.rows(StreamSnapshot, session_id=self.session(stream_id).id)]

    def events(self, kind: str | None = None) -> list[Any]:
        return self.rows(Event) if kind is None else self.rows(Event, kind=kind)

    def kinds(self) -> list[str]:
        return [row.kind for row in self.events()]

    def event(self, kind: str) -> Any:
        (row,) = self.events(kind)
        return row


def minutes(moment: datetime | None) -> Any:
    return None if moment is None else (moment - NOON) / timedelta(minutes=1)


def versions(connection: Connection, models: Iterable[type[Base]]) -> dict[str, set[tuple[Any, ...]]]:
    """Every row version: equal before and after where nothing was written."""
    return {
        model.__tablename__: {
            tuple(row)
            for row in connection.execute(
                select(literal_column("xmin::text"), *model.__table__.primary_key).select_from(model)
            )
        }
        for model in models
    }
