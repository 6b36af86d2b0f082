"""What is on now: running campaigns and live channels, each of which stays on its feeds while it lasts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, SQLColumnExpression, literal, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from models import DropCampaign, Event, Feed, FeedItem, RewardCampaign, StreamSession
from models.events import EventKind


class OnNow(NamedTuple):
    """The newest event of each running campaign and of each live channel; without an order."""

    campaigns: Sequence[Any]
    streams: Sequence[Any]


# The newest item on a campaign's own feed, which is what feeds of services and games show of it too.
_NEWEST = (
    select(FeedItem.event_id)
    .where(FeedItem.feed_id == Feed.id)
    .order_by(FeedItem.occurred_at.desc(), FeedItem.event_id.desc())
    .limit(1)
    .correlate(Feed)
    .lateral("newest")
)
_SHOWN = (Event.id, Event.occurred_at, Event.service, Event.game_id, Event.organization_id)


def _of_campaigns(
    feed: SQLColumnExpression[int | None], campaign: type[DropCampaign] | type[RewardCampaign], scope: str
) -> Select[*tuple[Any, ...]]:
    return (
        select(*_SHOWN)
        .select_from(Feed)
        .join(campaign, campaign.id == feed)
        .join(_NEWEST, true())
        .join(Event, Event.id == _NEWEST.c.event_id)
        .where(Feed.scope == literal(scope))
    )


_CAMPAIGNS = _of_campaigns(Feed.campaign_id, DropCampaign, "campaign").where(
    DropCampaign.ended_at.is_(None), DropCampaign.withdrawn_at.is_(None), DropCampaign.started_at.is_not(None)
)
_REWARDS = _of_campaigns(Feed.reward_campaign_id, RewardCampaign, "reward_campaign").where(
    RewardCampaign.ended_at.is_(None)
)
_STREAMS = (
    select(Event.id, Event.occurred_at, Event.channel_id)
    .join(StreamSession, (StreamSession.channel_id == Event.channel_id) & StreamSession.ended_at.is_(None))
    .where(Event.kind == EventKind.STREAM_ONLINE)
    .order_by(Event.channel_id, Event.occurred_at.desc(), Event.id.desc())
    .ext(distinct_on(Event.channel_id))
)


def load_on_now(connection: Connection) -> OnNow:
    """Return what is on now; takes three queries."""
    drops, quests, live = (connection.execute(query).all() for query in (_CAMPAIGNS, _REWARDS, _STREAMS))
    return OnNow([*drops, *quests], live)


def older_on_now(feed: Any, newest: Sequence[int], on_now: OnNow) -> list[int]:
    """Return the events of what is on now that a feed with these newest events lacks, the newest first."""
    listed = set(newest)
    older = [row for row in _belonging(feed, on_now) if row.id not in listed]
    return [row.id for row in sorted(older, key=lambda row: (row.occurred_at, row.id), reverse=True)]


def _belonging(feed: Any, on_now: OnNow) -> Sequence[Any]:
    if feed.scope == "all":
        return [*on_now.campaigns, *on_now.streams]
    if feed.scope == "channel":
        return [row for row in on_now.streams if row.channel_id == feed.channel_id]
    name = {"service": "service", "game": "game_id", "organization": "organization_id"}.get(feed.scope)
    return [row for row in on_now.campaigns if getattr(row, name) == getattr(feed, name)] if name else []
