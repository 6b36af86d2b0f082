"""Rows that the tests of feeds publish, made with few words."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select, update

from feeds.catalog import ITEMS_PER_FEED, create_first, load_feeds, marked_ids
from feeds.content import FeedContent
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
from models.details import EventDetail, detail_to_json, detail_type
from models.names import name_key, public_id

# The feeds that a campaign is on beside those of everything and its subjects; and where it is the first of these.
OF_CAMPAIGNS = {"without-subscriptions"}
OF_FIRST_CAMPAIGNS = {*OF_CAMPAIGNS, "games-first-seen", "organizations-first-seen"}
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BASE_URL = "http://127.0.0.1:8420"


@dataclass
class Publishing:
    """A database in which it is noon until a test moves the clock, and the folder that it is published to."""

    engine: Engine
    root: Path
    now: datetime = NOON
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def add(self, table: type[Base], **columns: Any) -> int:
        """Insert a row and return its id."""
        with self.engine.begin() as connection:
            return int(connection.execute(insert(table).values(**columns).returning(table.__table__.c.id)).scalar_one())

    def game(self, name: str = "Gloomtide", **columns: Any) -> int:
        return self.add(Game, name=name, name_key=name_key(name), public_id=public_id("twitch", name), **columns)

    def organization(self, name: str = "Tidewarden") -> int:
        return self.add(
            Organization,
            service="twitch",
            external_id=name,
            name=name,
            name_key=name_key(name),
            public_id=public_id("twitch", name),
        )

    def channel(self, login: str = "captbrine", display_name: str | None = None) -> int:
        return self.add(
            Channel,
            service="twitch",
            external_id=f"id-{login}",
            login=login,
            display_name=display_name,
            first_seen_at=self.now,
        )

    def event(
        self,
        title: str = "New drops on Twitch",
        *,
        kind: str = "campaign.added",
        service: str | None = "twitch",
        game_id: int | None = None,
        organization_id: int | None = None,
        channel_id: int | None = None,
        campaign_id: int | None = None,
        reward_campaign_id: int | None = None,
        at: datetime | None = None,
        key: str | None = None,
        detail: EventDetail | None = None,
        marked: bool = True,
    ) -> int:
        """Append an event and mark it in the same transaction; returns its id."""
        with self.engine.begin() as connection:
            event_id = connection.execute(
                insert(Event)
                .values(
                    kind=kind,
                    event_key=key or f"{kind}/{next(self._numbers)}",
                    occurred_at=at or self.now,
                    recorded_at=self.now,
                    title=title,
                    service=service,
                    game_id=game_id,
                    organization_id=organization_id,
                    channel_id=channel_id,
                    campaign_id=campaign_id,
                    reward_campaign_id=reward_campaign_id,
                    silent=False,
                    detail=detail_to_json(detail or detail_type(kind)(name="Winter Trawl")),
                )
                .returning(Event.id)
            ).scalar_one()
            if marked:
                mark(connection, [event_id])
        return int(event_id)

    def campaign(self, name: str = "Winter Trawl", *, service: str = "twitch", **columns: Any) -> int:
        """A campaign that started an hour ago and ends tomorrow, unless the columns say otherwise."""
        values = {
            "start_at": self.now - timedelta(hours=1),
            "started_at": self.now - timedelta(hours=1),
            "end_at": self.now + timedelta(days=1),
            **columns,
        }
        number = f"campaign-{next(self._numbers)}"
        return self.add(DropCampaign, service=service, external_id=number, name=name, first_seen_at=self.now, **values)

    def drop(self, campaign_id: int, benefit: str = "Lantern", minutes: int = 30, image_url: str | None = None) -> int:
        number = str(next(self._numbers))
        drop_id = self.add(
            TimeBasedDrop,
            campaign_id=campaign_id,
            external_id=number,
            required_minutes=minutes,
            first_seen_at=self.now,
        )
        benefit_id = self.add(DropBenefit, service="twitch", external_id=number, name=benefit, image_url=image_url)
        with self.engine.begin() as connection:
            connection.execute(insert(DropBenefitEdge).values(drop_id=drop_id, benefit_id=benefit_id))
        return drop_id

    def allow(self, campaign_id: int, logins: list[str]) -> None:
        with self.engine.begin() as connection:
            rows = [
                {"service": "twitch", "external_id": f"id-{login}", "login": login, "first_seen_at": self.now}
                for login in logins
            ]
            ids = connection.execute(insert(Channel).returning(Channel.id), rows).scalars().all()
            connection.execute(
                insert(AllowedChannel),
                [{"campaign_id": campaign_id, "channel_id": id_, "first_seen_at": self.now} for id_ in ids],
            )

    def source(self, name: str = "twitch-mirror", **columns: Any) -> int:
        return self.add(Source, name=name, service="twitch", next_due_at=self.now, **columns)

    def fail_source(self, name: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(Source).where(Source.name == name).values(failing_since=self.now))

    def publish(self) -> PublishSummary:
        return publish(self.engine, self.root, BASE_URL, self.now)

    def take_in(self) -> None:
        """Put new events on their feeds, as a publish does before it writes."""
        with self.engine.begin() as connection:
            create_first(connection)
        take_in_all(self.engine)

    def versions(self) -> dict[str, tuple[int, int]]:
        """Version and written version of each feed by path, once new events are taken in."""
        self.take_in()
        with self.engine.connect() as connection:
            rows = connection.execute(select(Feed.path, Feed.version, Feed.written_version)).all()
        return {row.path: (row.version, row.written_version) for row in rows}

    def feeds(self, *, items: int = ITEMS_PER_FEED) -> dict[str, FeedContent]:
        """Every marked feed by path, once new events are taken in."""
        self.take_in()
        with self.engine.connect() as connection:
            return {feed.path: feed for feed in load_feeds(connection, marked_ids(connection), items=items)}

    def titles(self, *, items: int = ITEMS_PER_FEED) -> dict[str, list[str]]:
        """The titles on every marked feed by path."""
        return {path: [item.title for item in feed.items] for path, feed in self.feeds(items=items).items()}

    def marked(self) -> set[str]:
        return {path for path, (version, written) in self.versions().items() if version != written}

    def files(self) -> dict[str, bytes]:
        """Everything that is published, by path."""
        paths = sorted(path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in paths}

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")
