"""Load every item that was ever on offer."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select

from feeds.pages.card_rows import GAME_FEED, OWN_FEED, utc
from feeds.pages.cards import PageLink
from feeds.pages.rewards import ITEMS_SHOWN, Offer, Offered, RewardsPage, by_last_offer, in_few_words
from models import (
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Feed,
    Game,
    Reward,
    RewardCampaign,
    TimeBasedDrop,
)
from models.names import name_key

_HAS_FEED = select(exists().where(Feed.scope == "rewards", Feed.total > 0)).scalar_subquery()


def load_rewards_page(connection: Connection, now: datetime) -> RewardsPage:
    """Return what the page of rewards shows at `now`, in three queries: two read every item there ever was."""
    rows = [*connection.execute(_drops()), *connection.execute(_rewards())]
    items = by_last_offer(_items(row for row in rows if row.begin and row.begin <= now))
    games, few_words = in_few_words(items)
    has_feed = bool(connection.scalar(select(_HAS_FEED)))
    return RewardsPage(items=tuple(items[:ITEMS_SHOWN]), games=games, all_items=few_words, has_feed=has_feed)


def newest_ids(connection: Connection) -> str:
    """Return what is another where there is a campaign, or a feed, that was not there before; reads ends of indexes.

    By the services' own ids, which an imported export has too.
    """
    newest = [
        select(table.external_id).order_by(table.id.desc()).limit(1).scalar_subquery()
        for table in (DropCampaign, RewardCampaign)
    ]
    return repr(tuple(connection.execute(select(*newest, _HAS_FEED)).one()))


def _drops() -> Select[*tuple[Any, ...]]:
    begin = func.coalesce(DropCampaign.start_at, DropCampaign.started_at, DropCampaign.first_seen_at)
    return (
        select(
            DropBenefit.name,
            DropBenefit.image_url,
            DropCampaign.service,
            DropCampaign.id.label("campaign_id"),
            DropCampaign.name.label("campaign"),
            begin.label("begin"),
            func.coalesce(DropCampaign.withdrawn_at, DropCampaign.end_at, DropCampaign.ended_at).label("end"),
            Game.name.label("game"),
            Game.id.label("game_id"),
            GAME_FEED.path.label("game_path"),
            OWN_FEED.path,
        )
        .join_from(DropBenefitEdge, DropBenefit, DropBenefit.id == DropBenefitEdge.benefit_id)
        .join(TimeBasedDrop, TimeBasedDrop.id == DropBenefitEdge.drop_id)
        .join(DropCampaign, DropCampaign.id == TimeBasedDrop.campaign_id)
        .join(Game, Game.id == DropCampaign.game_id, isouter=True)
        .join(GAME_FEED, (GAME_FEED.scope == "game") & (GAME_FEED.game_id == Game.id), isouter=True)
        .join(OWN_FEED, (OWN_FEED.scope == "campaign") & (OWN_FEED.campaign_id == DropCampaign.id), isouter=True)
        .where(DropBenefit.name.is_not(None))
        .order_by(begin, DropCampaign.id, DropBenefit.id)
    )


def _rewards() -> Select[*tuple[Any, ...]]:
    begin = func.coalesce(RewardCampaign.start_at, RewardCampaign.first_seen_at)
    return (
        select(
            Reward.name,
            Reward.image_url,
            RewardCampaign.service,
            (-RewardCampaign.id).label("campaign_id"),
            RewardCampaign.name.label("campaign"),
            begin.label("begin"),
            func.coalesce(RewardCampaign.end_at, RewardCampaign.ended_at).label("end"),
            func.coalesce(Game.name, RewardCampaign.brand).label("game"),
            Game.id.label("game_id"),
            GAME_FEED.path.label("game_path"),
            OWN_FEED.path,
        )
        .join(RewardCampaign, RewardCampaign.id == Reward.reward_campaign_id)
        .join(Game, Game.id == RewardCampaign.game_id, isouter=True)
        .join(GAME_FEED, (GAME_FEED.scope == "game") & (GAME_FEED.game_id == Game.id), isouter=True)
        .join(
            OWN_FEED,
            (OWN_FEED.scope == "reward_campaign") & (OWN_FEED.reward_campaign_id == RewardCampaign.id),
            isouter=True,
        )
        .order_by(begin, RewardCampaign.id, Reward.id)
    )


def _items(rows: Iterable[Any]) -> Iterator[Offered]:
    """Yield items by their names within a service and a game: the services give the same item new ids."""
    groups: dict[tuple[str, int | str | None, str], dict[int, Any]] = {}
    for row in rows:
        groups.setdefault((row.service, row.game_id or row.game, name_key(row.name)), {})[row.campaign_id] = row
    for offers in groups.values():
        ordered = sorted(offers.values(), key=lambda row: (row.begin, row.campaign_id))
        newest = ordered[-1]
        yield Offered(
            name=newest.name,
            service=newest.service,
            game=PageLink(name=newest.game, path=newest.game_path) if newest.game else None,
            image_url=newest.image_url,
            offers=tuple(
                Offer(campaign=PageLink(name=row.campaign, path=row.path), begin=row.begin, end=utc(row.end))
                for row in ordered
            ),
        )
