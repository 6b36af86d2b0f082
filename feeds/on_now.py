"""What is on now: running campaigns and live channels, each of which stays on its feeds while it lasts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, SQLColumnExpression, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from feeds.scopes import SHOWN
from models import DropCampaign, Event, RewardCampaign, StreamSession
from models.events import EventKind


class OnNow(NamedTuple):
    """The newest event of each running campaign and of each live channel; without an order."""

    campaigns: Sequence[RowMapping]
    streams: Sequence[RowMapping]


def load_on_now(
    connection: Connection,
    feeds: Sequence[Any],
    columns: Sequence[SQLColumnExpression[Any]],
    page: SQLColumnExpression[Any],
) -> OnNow:
    """Return what is on now of these feeds' subjects, with these columns of its events; takes three queries."""
    if not feeds:
        return OnNow([], [])
    shown = (*columns, Event.game_id, Event.organization_id, page.label("page"))
    campaigns = (
        select(*shown)
        .join(DropCampaign, DropCampaign.id == Event.campaign_id)
        .where(
            DropCampaign.ended_at.is_(None), DropCampaign.withdrawn_at.is_(None), DropCampaign.started_at.is_not(None)
        )
    )
    rewards = (
        select(*shown)
        .join(RewardCampaign, RewardCampaign.id == Event.reward_campaign_id)
        .where(RewardCampaign.ended_at.is_(None))
    )
    streams = (
        select(*shown)
        .join(StreamSession, (StreamSession.channel_id == Event.channel_id) & StreamSession.ended_at.is_(None))
        .where(Event.kind == EventKind.STREAM_ONLINE)
    )
    queries = (
        # What feeds of services show of a campaign, all other feeds of it show too.
        _newest(campaigns.where(SHOWN["service"]), Event.campaign_id, feeds),
        _newest(rewards.where(SHOWN["service"]), Event.reward_campaign_id, feeds),
        _newest(streams.where(SHOWN["all"]), Event.channel_id, feeds),
    )
    drops, quests, live = (connection.execute(query).mappings().all() for query in queries)
    return OnNow([*drops, *quests], live)


def with_what_is_on(feed: Any, newest: Sequence[RowMapping], on_now: OnNow) -> list[RowMapping]:
    """Return the newest events of a feed, and those of what is on now that are older, the newest first."""
    listed = {row["id"] for row in newest}
    older = [row for row in _belonging(feed, on_now) if row["id"] not in listed]
    return [*newest, *sorted(older, key=lambda row: (row["occurred_at"], row["id"]), reverse=True)]


def _newest(query: Select[Any], subject: SQLColumnExpression[int | None], feeds: Sequence[Any]) -> Select[Any]:
    """Return the newest row of each subject; unless one of the feeds is that of everything, only of theirs."""
    if all(feed.scope != "all" for feed in feeds):
        subjects = ("service", "game_id", "organization_id", "channel_id")
        theirs = {name: {getattr(feed, name) for feed in feeds} - {None} for name in subjects}
        query = query.where(or_(*[getattr(Event, name).in_(values) for name, values in theirs.items()]))
    return query.order_by(subject, Event.occurred_at.desc(), Event.id.desc()).ext(distinct_on(subject))


def _belonging(feed: Any, on_now: OnNow) -> Sequence[RowMapping]:
    if feed.scope == "all":
        return [*on_now.campaigns, *on_now.streams]
    if feed.scope == "channel":
        return [row for row in on_now.streams if row["channel_id"] == feed.channel_id]
    name = {"service": "service", "game": "game_id", "organization": "organization_id"}.get(feed.scope)
    return [row for row in on_now.campaigns if row[name] == getattr(feed, name)] if name else []
