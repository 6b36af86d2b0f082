"""Load campaigns and rewards as pages show them, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    any_,
    bindparam,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.orm import aliased

from feeds.pages.cards import CampaignCard, ChannelLink, RewardCard, RewardLine
from models import (
    AllowedChannel,
    Channel,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Feed,
    Game,
    Organization,
    Reward,
    RewardCampaign,
    TimeBasedDrop,
)
from models.details import BenefitLine, DropLine
from models.pictures import sized

CHANNELS_SHOWN = 8
GAME_FEED, OWNER_FEED, OWN_FEED, CHANNEL_FEED = (aliased(Feed, name=name) for name in ("gf", "of", "cf", "hf"))


def one_of_ids(column: ColumnElement[int] | Any) -> ColumnElement[bool]:
    """Return the condition that a column is one of the `ids` that a statement is given when it runs."""
    matches: ColumnElement[bool] = column == any_(bindparam("ids", type_=ARRAY(BigInteger)))
    return matches


_LINES = (
    select(Reward)
    .where(one_of_ids(Reward.reward_campaign_id), Reward.last_seen_at.is_(None))
    .order_by(Reward.required_minutes.asc().nulls_last(), Reward.id)
)
_DROPS = (
    select(
        TimeBasedDrop.id,
        TimeBasedDrop.campaign_id,
        TimeBasedDrop.name,
        TimeBasedDrop.required_minutes,
        TimeBasedDrop.required_subs,
        TimeBasedDrop.required_turbo_subs,
        DropBenefit.id.label("benefit_id"),
        DropBenefit.name.label("benefit"),
        DropBenefit.image_url,
    )
    .join(
        DropBenefitEdge,
        (DropBenefitEdge.drop_id == TimeBasedDrop.id) & DropBenefitEdge.last_seen_at.is_(None),
        isouter=True,
    )
    .join(DropBenefit, DropBenefit.id == DropBenefitEdge.benefit_id, isouter=True)
    .where(one_of_ids(TimeBasedDrop.campaign_id), TimeBasedDrop.last_seen_at.is_(None))
    .order_by(
        TimeBasedDrop.required_minutes.asc().nulls_last(),
        TimeBasedDrop.required_subs.asc().nulls_last(),
        TimeBasedDrop.id,
        DropBenefit.id,
    )
)
_TOTALS = (
    select(AllowedChannel.campaign_id, func.count().label("total"))
    .where(one_of_ids(AllowedChannel.campaign_id), AllowedChannel.last_seen_at.is_(None))
    .group_by(AllowedChannel.campaign_id)
)
# By channel id, the order of the primary key: to sort thousands by name would cost more than it is worth.
_FIRST = (
    select(AllowedChannel.channel_id)
    .where(AllowedChannel.campaign_id == DropCampaign.id, AllowedChannel.last_seen_at.is_(None))
    .order_by(AllowedChannel.channel_id)
    .limit(bindparam("most", type_=Integer))
    .correlate(DropCampaign)
    .lateral("first")
)
_FIRST_CHANNELS = (
    select(
        DropCampaign.id.label("campaign_id"),
        Channel.login,
        Channel.external_id,
        Channel.display_name,
        CHANNEL_FEED.path,
    )
    .join_from(DropCampaign, _FIRST, true())
    .join(Channel, Channel.id == _FIRST.c.channel_id)
    .join(CHANNEL_FEED, (CHANNEL_FEED.scope == "channel") & (CHANNEL_FEED.channel_id == Channel.id), isouter=True)
    .where(one_of_ids(DropCampaign.id))
    .order_by(DropCampaign.id, Channel.id)
)


class Loaded(NamedTuple):
    """A campaign with the ids by which pages group it."""

    id: int
    game_id: int | None
    organization_id: int | None
    card: CampaignCard


class LoadedReward(NamedTuple):
    """A reward campaign with the ids by which pages group it."""

    id: int
    game_id: int | None
    card: RewardCard


def campaigns_where(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Return the statement that `load_campaigns` reads campaigns of a condition with.

    It is built once for each kind of page: to build it costs more than to run it.
    """
    return (
        select(
            DropCampaign,
            Game.name.label("game"),
            Game.box_art_url,
            Organization.name.label("organization"),
            GAME_FEED.path.label("game_path"),
            OWNER_FEED.path.label("organization_path"),
            OWN_FEED.path.label("path"),
        )
        .join(Game, Game.id == DropCampaign.game_id, isouter=True)
        .join(Organization, Organization.id == DropCampaign.organization_id, isouter=True)
        .join(GAME_FEED, (GAME_FEED.scope == "game") & (GAME_FEED.game_id == DropCampaign.game_id), isouter=True)
        .join(
            OWNER_FEED,
            (OWNER_FEED.scope == "organization") & (OWNER_FEED.organization_id == DropCampaign.organization_id),
            isouter=True,
        )
        .join(OWN_FEED, (OWN_FEED.scope == "campaign") & (OWN_FEED.campaign_id == DropCampaign.id), isouter=True)
        .where(*where)
        .order_by(DropCampaign.end_at.asc().nulls_last(), DropCampaign.id)
    )


def rewards_where(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Return the statement that `load_rewards` reads reward campaigns of a condition with, built once as others are."""
    return (
        select(
            RewardCampaign,
            Game.name.label("game"),
            GAME_FEED.path.label("game_path"),
            OWN_FEED.path.label("path"),
        )
        .join(Game, Game.id == RewardCampaign.game_id, isouter=True)
        .join(GAME_FEED, (GAME_FEED.scope == "game") & (GAME_FEED.game_id == RewardCampaign.game_id), isouter=True)
        .join(
            OWN_FEED,
            (OWN_FEED.scope == "reward_campaign") & (OWN_FEED.reward_campaign_id == RewardCampaign.id),
            isouter=True,
        )
        .where(*where)
        .order_by(RewardCampaign.end_at.asc().nulls_last(), RewardCampaign.id)
    )


def load_campaigns(
    connection: Connection, statement: Select[*tuple[Any, ...]], channels: int = CHANNELS_SHOWN, **parameters: Any
) -> list[Loaded]:
    """Return the campaigns of a statement by their end, each with its drops and its first few channels."""
    # Columns, not objects: a connection gives rows, and there is no session to keep objects in.
    rows = connection.execute(statement, parameters).all()
    ids = [row.id for row in rows]
    drops = _load_drops(connection, ids)
    totals, named = _load_channels(connection, ids, channels)
    return [
        Loaded(
            row.id,
            row.game_id,
            row.organization_id,
            CampaignCard(
                service=row.service,
                name=row.name,
                path=row.path,
                game=row.game,
                game_path=row.game_path,
                organization=row.organization,
                organization_path=row.organization_path,
                box_art_url=sized(row.box_art_url),
                image_url=row.image_url,
                details_url=row.details_url,
                account_link_url=row.account_link_url,
                description=row.description,
                start_at=utc(row.start_at),
                end_at=utc(row.end_at),
                first_seen_at=utc(row.first_seen_at),
                started_at=utc(row.started_at),
                ended_at=utc(row.ended_at),
                withdrawn_at=utc(row.withdrawn_at),
                drops=tuple(drops.get(row.id, ())),
                channels_total=totals.get(row.id, 0),
                channels=tuple(named.get(row.id, ())),
            ),
        )
        for row in rows
    ]


def load_rewards(connection: Connection, statement: Select[*tuple[Any, ...]], **parameters: Any) -> list[LoadedReward]:
    """Return the reward campaigns of a statement by their end, each with what it gives."""
    rows = connection.execute(statement, parameters).all()
    rewards: dict[int, list[RewardLine]] = defaultdict(list)
    for line in connection.execute(_LINES, {"ids": [row.id for row in rows]}) if rows else ():
        rewards[line.reward_campaign_id].append(
            RewardLine(
                name=line.name,
                image_url=line.image_url,
                required_minutes=line.required_minutes,
                required_subs=line.required_subs,
                required_turbo_subs=line.required_turbo_subs,
                earnable_until=utc(line.earnable_until),
            )
        )
    return [
        LoadedReward(
            row.id,
            row.game_id,
            RewardCard(
                service=row.service,
                name=row.name,
                path=row.path,
                brand=row.brand,
                summary=row.summary,
                instructions=row.instructions,
                game=row.game,
                game_path=row.game_path,
                image_url=row.image_url,
                url=row.external_url or row.about_url,
                required_minutes=row.required_minutes,
                required_subs=row.required_subs,
                required_turbo_subs=row.required_turbo_subs,
                start_at=utc(row.start_at),
                end_at=utc(row.end_at),
                ended_at=utc(row.ended_at),
                first_seen_at=utc(row.first_seen_at),
                rewards=tuple(rewards[row.id]),
            ),
        )
        for row in rows
    ]


def _load_drops(connection: Connection, campaign_ids: Sequence[int]) -> Mapping[int, list[DropLine]]:
    by_drop: dict[int, list[Any]] = {}
    for row in connection.execute(_DROPS, {"ids": campaign_ids}) if campaign_ids else ():
        by_drop.setdefault(row.id, []).append(row)
    drops: dict[int, list[DropLine]] = defaultdict(list)
    for rows in by_drop.values():
        first = rows[0]
        drops[first.campaign_id].append(
            DropLine(
                name=first.name,
                required_minutes=first.required_minutes,
                required_subs=first.required_subs,
                required_turbo_subs=first.required_turbo_subs,
                benefits=tuple(
                    BenefitLine(name=row.benefit, image_url=row.image_url) for row in rows if row.benefit_id is not None
                ),
            )
        )
    return drops


def _load_channels(
    connection: Connection, campaign_ids: Sequence[int], most: int
) -> tuple[dict[int, int], Mapping[int, list[ChannelLink]]]:
    """Return how many channels each campaign names, and the first few where any are shown: it may name thousands."""
    if not campaign_ids:
        return {}, {}
    totals = {row.campaign_id: row.total for row in connection.execute(_TOTALS, {"ids": campaign_ids})}
    if not most or not totals:
        return totals, {}
    channels: dict[int, list[ChannelLink]] = defaultdict(list)
    for row in connection.execute(_FIRST_CHANNELS, {"ids": list(totals), "most": most}):
        channels[row.campaign_id].append(
            ChannelLink(login=row.login, external_id=row.external_id, display_name=row.display_name, path=row.path)
        )
    return totals, channels


def among(column: ColumnElement[int] | Any, ids: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition that a column is one of these ids."""
    # One array parameter: a list of thousands of ids would be as many parameters, and a new statement each time.
    matches: ColumnElement[bool] = column == any_(literal(list(ids), ARRAY(BigInteger)))
    return matches


def utc(at: datetime | None) -> datetime | None:
    """Return a time in UTC."""
    return None if at is None else at.astimezone(UTC)
