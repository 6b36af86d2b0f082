"""Channels, streams and what polls saw of them, as rows made with few words."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert

from models import (
    AllowedChannel,
    Base,
    Channel,
    DropCampaign,
    Follow,
    Game,
    GameExternalId,
    StreamSegment,
    StreamSession,
    StreamSnapshot,
)
from models.names import name_key, public_id

# A Friday.
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Channels:
    """A database to put channels into; it is noon."""

    engine: Engine
    now: datetime = NOON
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def add(self, table: type[Base], **columns: Any) -> int:
        with self.engine.begin() as connection:
            return int(connection.execute(insert(table).values(**columns).returning(table.__table__.c.id)).scalar_one())

    def channel(self, login: str = "lanternwake", *, follow: bool = True, since: datetime | None = None) -> int:
        """A channel, followed for a year unless told otherwise."""
        channel_id = self.add(
            Channel,
            service="twitch",
            external_id=str(1000 + next(self._numbers)),
            login=login,
            display_name=login.title(),
            first_seen_at=self.now,
        )
        if follow:
            self.follow("channel", channel_id=channel_id, since=since)
        return channel_id

    def follow(self, kind: str, *, since: datetime | None = None, **columns: Any) -> int:
        return self.add(Follow, kind=kind, created_at=since or self.now - timedelta(days=365), **columns)

    def game(self, name: str = "Gloomtide") -> int:
        key = public_id("twitch", name)
        game_id = self.add(Game, name=name, name_key=name_key(name), public_id=key)
        with self.engine.begin() as connection:
            connection.execute(insert(GameExternalId).values(service="twitch", external_id=key, game_id=game_id))
        return game_id

    def campaign(self, channel_ids: Sequence[int], **columns: Any) -> int:
        """A campaign that names these channels; it started an hour ago and ends tomorrow, unless told otherwise."""
        key = f"campaign-{next(self._numbers)}"
        given = {
            "service": "twitch",
            "start_at": self.now - timedelta(hours=1),
            "end_at": self.now + timedelta(days=1),
            **columns,
        }
        first_seen_at = self.now - timedelta(days=2)
        campaign_id = self.add(DropCampaign, external_id=key, name=key, first_seen_at=first_seen_at, **given)
        rows = [
            {"campaign_id": campaign_id, "channel_id": channel_id, "first_seen_at": self.now - timedelta(days=2)}
            for channel_id in channel_ids
        ]
        with self.engine.begin() as connection:
            connection.execute(insert(AllowedChannel), rows)
        return campaign_id

    def stream(
        self,
        channel_id: int,
        start: datetime,
        minutes: float | None = 60,
        *,
        story_id: int | None = None,
        games: Sequence[tuple[float, int | None]] = (),
        viewers: Sequence[tuple[float, int | None]] = (),
        **columns: Any,
    ) -> int:
        """A stream of so many minutes, or one that is live; games and viewers by the minute after its start."""
        end = start + timedelta(minutes=minutes) if minutes is not None else None
        last_game = {"game_id": games[-1][1]} if games else {}
        seen = {"last_seen_at": end or self.now, "first_seen_at": start, "ended_at": end, "title": "A quiet evening"}
        session_id = self.add(
            StreamSession,
            channel_id=channel_id,
            stream_id=f"stream-{next(self._numbers)}",
            story_id=story_id,
            started_at=start,
            **seen | last_game | columns,
        )
        segments = [
            {"session_id": session_id, "started_at": start + timedelta(minutes=after), "title": "", "game_id": game_id}
            for after, game_id in games
        ]
        snapshots = [
            {
                "session_id": session_id,
                "taken_at": start + timedelta(minutes=after),
                "viewers": count,
                "game_id": next((game_id for begin, game_id in reversed(games) if begin <= after), None),
            }
            for after, count in viewers
        ]
        with self.engine.begin() as connection:
            if segments:
                connection.execute(insert(StreamSegment), segments)
            if snapshots:
                connection.execute(insert(StreamSnapshot), snapshots)
        return session_id
