"""Load what the web page and the list of feeds show, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    any_,
    func,
    literal,
    or_,
    select,
    true,
)

from feeds.content import CampaignCard, ChannelLink, FeedLink, RewardCard, RewardLine, Site, SourceHealth, SourceOff
from feeds.scopes import LISTED
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
    Source,
    TimeBasedDrop,
)
from models.details import BenefitLine, DropLine
from models.pictures import sized

CHANNELS_SHOWN = 8
RECENTLY = timedelta(days=7)


def load_site(connection: Connection, now: datetime, off: Sequence[SourceOff] = ()) -> Site:
    """Return what the page shows at `now`, with the sources that are `off`.

    A campaign whose end has passed is left out, judged or not.
    """
    cards = _load_campaigns(connection, now)
    return Site(
        active=tuple(card for started, card in cards if started),
        upcoming=tuple(sorted((card for started, card in cards if not started), key=_start)),
        rewards=tuple(_load_rewards(connection, now)),
        ended_recently=_count_ended(connection, now),
        sources=load_health(connection),
        off=tuple(off),
        feeds=load_feed_links(connection),
    )


def load_health(connection: Connection) -> tuple[SourceHealth, ...]:
    """Return how each source that is switched on does, by name."""
    statement = (
        select(Source.name, Source.service, Source.last_success_at, Source.failing_since)
        .where(Source.enabled)
        .order_by(Source.name)
    )
    return tuple(
        SourceHealth(
            name=row.name,
            service=row.service,
            last_success_at=_utc(row.last_success_at),
            failing_since=_utc(row.failing_since),
        )
        for row in connection.execute(statement)
    )


def load_feed_links(connection: Connection) -> tuple[FeedLink, ...]:
    """Return every feed that lists show, by title."""
    statement = (
        select(Feed.scope, Feed.path, Feed.title, Organization.service)
        .join(Organization, Organization.id == Feed.organization_id, isouter=True)
        .where(Feed.scope.in_(LISTED))
        .order_by(func.lower(Feed.title), Feed.id)
    )
    return tuple(
        FeedLink(scope=row.scope, path=row.path, title=row.title, service=row.service)
        for row in connection.execute(statement)
    )


def _load_campaigns(connection: Connection, now: datetime) -> list[tuple[bool, CampaignCard]]:
    """Return open campaigns by their end, each with whether it has started."""
    statement = (
        select(
            DropCampaign,
            Game.name.label("game"),
            Game.box_art_url,
            Organization.name.label("organization"),
            Feed.path.label("feed_path"),
        )
        .join(Game, Game.id == DropCampaign.game_id, isouter=True)
        .join(Organization, Organization.id == DropCampaign.organization_id, isouter=True)
        .join(Feed, (Feed.scope == "game") & (Feed.game_id == DropCampaign.game_id), isouter=True)
        .where(
            DropCampaign.ended_at.is_(None),
            DropCampaign.withdrawn_at.is_(None),
            or_(DropCampaign.end_at.is_(None), DropCampaign.end_at > now),
        )
        .order_by(DropCampaign.end_at.asc().nulls_last(), DropCampaign.id)
    )
    # Columns, not objects: a connection gives rows, and there is no session to keep objects in.
    rows = connection.execute(statement).all()
    ids = [row.id for row in rows]
    drops = _load_drops(connection, ids)
    totals, channels = _load_channels(connection, ids)
    return [
        (
            row.started_at is not None or (row.start_at is not None and row.start_at <= now),
            CampaignCard(
                service=row.service,
                name=row.name,
                game=row.game,
                feed_path=row.feed_path,
                organization=row.organization,
                box_art_url=sized(row.box_art_url),
                image_url=row.image_url,
                details_url=row.details_url,
                account_link_url=row.account_link_url,
                start_at=_utc(row.start_at),
                end_at=_utc(row.end_at),
                drops=tuple(drops[row.id]),
                channels_total=totals.get(row.id, 0),
                channels=tuple(channels[row.id]),
            ),
        )
        for row in rows
    ]


def _load_drops(connection: Connection, campaign_ids: Sequence[int]) -> dict[int, list[DropLine]]:
    statement = (
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
        .where(_among(TimeBasedDrop.campaign_id, campaign_ids), TimeBasedDrop.last_seen_at.is_(None))
        .order_by(
            TimeBasedDrop.required_minutes.asc().nulls_last(),
            TimeBasedDrop.required_subs.asc().nulls_last(),
            TimeBasedDrop.id,
            DropBenefit.id,
        )
    )
    by_drop: dict[int, list[Any]] = {}
    for row in connection.execute(statement):
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
    connection: Connection, campaign_ids: Sequence[int]
) -> tuple[dict[int, int], dict[int, list[ChannelLink]]]:
    """Return how many channels each campaign names, and the first few: a campaign may name thousands."""
    listed = _among(AllowedChannel.campaign_id, campaign_ids) & AllowedChannel.last_seen_at.is_(None)
    counts = (
        select(AllowedChannel.campaign_id, func.count().label("total"))
        .where(listed)
        .group_by(AllowedChannel.campaign_id)
    )
    totals = {row.campaign_id: row.total for row in connection.execute(counts)}
    # By channel id, the order of the primary key: to sort thousands by name would cost more than it is worth.
    first = (
        select(AllowedChannel.channel_id)
        .where(AllowedChannel.campaign_id == DropCampaign.id, AllowedChannel.last_seen_at.is_(None))
        .order_by(AllowedChannel.channel_id)
        .limit(CHANNELS_SHOWN)
        .correlate(DropCampaign)
        .lateral("first")
    )
    statement = (
        select(DropCampaign.id.label("campaign_id"), Channel.login, Channel.external_id, Channel.display_name)
        .join_from(DropCampaign, first, true())
        .join(Channel, Channel.id == first.c.channel_id)
        .where(_among(DropCampaign.id, list(totals)))
        .order_by(DropCampaign.id, Channel.id)
    )
    channels: dict[int, list[ChannelLink]] = defaultdict(list)
    for row in connection.execute(statement):
        channels[row.campaign_id].append(
            ChannelLink(login=row.login, external_id=row.external_id, display_name=row.display_name)
        )
    return totals, channels


def _load_rewards(connection: Connection, now: datetime) -> list[RewardCard]:
    statement = (
        select(RewardCampaign, Game.name.label("game"))
        .join(Game, Game.id == RewardCampaign.game_id, isouter=True)
        .where(RewardCampaign.ended_at.is_(None), or_(RewardCampaign.end_at.is_(None), RewardCampaign.end_at > now))
        .order_by(RewardCampaign.end_at.asc().nulls_last(), RewardCampaign.id)
    )
    rows = connection.execute(statement).all()
    lines = select(Reward).where(
        _among(Reward.reward_campaign_id, [row.id for row in rows]), Reward.last_seen_at.is_(None)
    )
    rewards: dict[int, list[RewardLine]] = defaultdict(list)
    for line in connection.execute(lines.order_by(Reward.required_minutes.asc().nulls_last(), Reward.id)):
        rewards[line.reward_campaign_id].append(
            RewardLine(
                name=line.name,
                image_url=line.image_url,
                required_minutes=line.required_minutes,
                required_subs=line.required_subs,
                required_turbo_subs=line.required_turbo_subs,
            )
        )
    return [
        RewardCard(
            service=row.service,
            name=row.name,
            brand=row.brand,
            summary=row.summary,
            game=row.game,
            image_url=row.image_url,
            url=row.external_url or row.about_url,
            required_minutes=row.required_minutes,
            required_subs=row.required_subs,
            required_turbo_subs=row.required_turbo_subs,
            start_at=_utc(row.start_at),
            end_at=_utc(row.end_at),
            rewards=tuple(rewards[row.id]),
        )
        for row in rows
    ]


def _count_ended(connection: Connection, now: datetime) -> int:
    statement = select(func.count()).select_from(DropCampaign).where(DropCampaign.ended_at > now - RECENTLY)
    return connection.execute(statement).scalar_one()


def _start(card: CampaignCard) -> datetime:
    return card.start_at or datetime.max.replace(tzinfo=UTC)


def _among(column: ColumnElement[int] | Any, ids: Sequence[int]) -> ColumnElement[bool]:
    matches: ColumnElement[bool] = column == any_(literal(list(ids), ARRAY(BigInteger)))
    return matches


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)
