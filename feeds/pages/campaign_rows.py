"""Load what the pages of campaigns show, in a fixed number of queries however many of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, or_, select

from feeds.content import FeedContent
from feeds.pages.campaign import CampaignPage
from feeds.pages.card_rows import (
    OWN_FEED,
    among,
    campaigns_where,
    load_campaigns,
    load_rewards,
    one_of_ids,
    rewards_where,
)
from feeds.pages.cards import PageLink
from models import DropCampaign, Feed, RewardCampaign

CHANNELS_SHOWN = 300
SIBLINGS_SHOWN = 10
_CAMPAIGNS = campaigns_where(one_of_ids(DropCampaign.id))
_REWARDS = rewards_where(one_of_ids(RewardCampaign.id))


def load_campaign_pages(connection: Connection, feeds: Sequence[FeedContent], now: datetime) -> dict[int, CampaignPage]:
    """Return what the pages of these feeds of campaigns show at `now`, by the ids of the feeds."""
    rows = connection.execute(
        select(Feed.id, Feed.path, Feed.campaign_id, Feed.reward_campaign_id).where(
            among(Feed.id, [feed.feed_id for feed in feeds])
        )
    ).all()
    drops = {
        loaded.id: loaded
        for loaded in load_campaigns(
            connection,
            _CAMPAIGNS,
            channels=CHANNELS_SHOWN,
            ids=[row.campaign_id for row in rows if row.campaign_id is not None],
        )
    }
    rewards = {
        loaded.id: loaded
        for loaded in load_rewards(
            connection, _REWARDS, ids=[row.reward_campaign_id for row in rows if row.reward_campaign_id is not None]
        )
    }
    siblings = _load_siblings(connection, [loaded.game_id for loaded in drops.values() if loaded.game_id], now)
    pages = {}
    for row in rows:
        campaign, quest = drops.get(row.campaign_id), rewards.get(row.reward_campaign_id)
        if campaign is None and quest is None:
            continue
        others = siblings.get(campaign.game_id or 0, []) if campaign else []
        pages[row.id] = CampaignPage(
            path=row.path,
            drops=campaign.card if campaign else None,
            rewards=quest.card if quest else None,
            siblings=tuple(link for link in others if link.path != row.path)[:SIBLINGS_SHOWN],
        )
    return pages


def _load_siblings(connection: Connection, game_ids: Sequence[int], now: datetime) -> Mapping[int, list[PageLink]]:
    """Return the open campaigns of games by their end, as links."""
    statement = (
        select(DropCampaign.game_id, DropCampaign.name, OWN_FEED.path)
        .join(OWN_FEED, (OWN_FEED.scope == "campaign") & (OWN_FEED.campaign_id == DropCampaign.id))
        .where(
            among(DropCampaign.game_id, sorted(set(game_ids))),
            DropCampaign.ended_at.is_(None),
            DropCampaign.withdrawn_at.is_(None),
            or_(DropCampaign.end_at.is_(None), DropCampaign.end_at > now),
        )
        .order_by(DropCampaign.end_at.asc().nulls_last(), DropCampaign.id)
    )
    siblings: dict[int, list[PageLink]] = {}
    for row in connection.execute(statement):
        siblings.setdefault(row.game_id, []).append(PageLink(name=row.name, path=row.path))
    return siblings
