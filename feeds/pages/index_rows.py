"""Load what the first page shows, in a fixed number of queries."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, DateTime, Text, bindparam, func, literal, or_, select, true

from feeds.content import FeedLink, SourceHealth, SourceOff
from feeds.pages.card_rows import (
    CHANNEL_FEED,
    GAME_FEED,
    campaigns_where,
    load_campaigns,
    load_rewards,
    rewards_where,
    utc,
)
from feeds.pages.cards import CampaignCard, PageLink
from feeds.pages.changes_rows import load_news
from feeds.pages.index import LIVE_SHOWN, NEWS_SHOWN, RELEASES_SHOWN, LiveChannel, Site
from feeds.pages.release_rows import load_upcoming
from feeds.pages.releases import Release
from feeds.scopes import LISTED
from models import (
    AllowedChannel,
    Channel,
    DropCampaign,
    Feed,
    Game,
    Organization,
    RewardCampaign,
    Source,
    StreamSession,
    StreamSnapshot,
)
from models.words.addresses import page_channel_address

RECENTLY = timedelta(days=7)
TODAY = timedelta(days=1)
RELEASES_WITHIN = timedelta(days=60)
_NOW = bindparam("now", type_=DateTime(timezone=True))
_OPEN = (
    DropCampaign.ended_at.is_(None),
    DropCampaign.withdrawn_at.is_(None),
    or_(DropCampaign.end_at.is_(None), DropCampaign.end_at > _NOW),
)
_CAMPAIGNS = campaigns_where(*_OPEN)
_REWARDS = rewards_where(
    RewardCampaign.ended_at.is_(None), or_(RewardCampaign.end_at.is_(None), RewardCampaign.end_at > _NOW)
)
_NAMES_SOME = select(AllowedChannel.campaign_id).where(
    AllowedChannel.campaign_id == DropCampaign.id, AllowedChannel.last_seen_at.is_(None)
)
_NAMES_IT = _NAMES_SOME.where(AllowedChannel.channel_id == StreamSession.channel_id)
_COUNTS = (
    select(literal(1))
    .where(
        *_OPEN,
        DropCampaign.started_at.is_not(None),
        DropCampaign.service == literal("twitch", Text),
        DropCampaign.game_id == StreamSession.game_id,
        or_(_NAMES_IT.exists(), ~_NAMES_SOME.exists()),
    )
    .exists()
)
_VIEWERS = (
    select(StreamSnapshot.viewers)
    .where(StreamSnapshot.session_id == StreamSession.id)
    .order_by(StreamSnapshot.taken_at.desc())
    .limit(1)
    .correlate(StreamSession)
    .lateral("newest")
)
_LIVE = (
    select(
        *(Channel.login, Channel.display_name, Channel.service, Channel.external_id),
        CHANNEL_FEED.path,
        Game.name.label("game"),
        GAME_FEED.path.label("game_path"),
        _VIEWERS.c.viewers,
    )
    .join_from(StreamSession, Channel, Channel.id == StreamSession.channel_id)
    .join(Game, Game.id == StreamSession.game_id)
    .join(_VIEWERS, true(), isouter=True)
    .join(CHANNEL_FEED, (CHANNEL_FEED.scope == "channel") & (CHANNEL_FEED.channel_id == Channel.id), isouter=True)
    .join(GAME_FEED, (GAME_FEED.scope == "game") & (GAME_FEED.game_id == Game.id), isouter=True)
    .where(StreamSession.ended_at.is_(None), StreamSession.is_live_stream(), _COUNTS)
    .order_by(_VIEWERS.c.viewers.desc().nulls_last(), Channel.id)
)

_BEFORE = select(
    select(func.count())
    .select_from(DropCampaign)
    .where(DropCampaign.ended_at > bindparam("since", type_=DateTime(timezone=True)))
    .scalar_subquery(),
    or_(select(DropCampaign.id).exists(), select(RewardCampaign.id).exists()),
)


def load_site(connection: Connection, now: datetime, off: Sequence[SourceOff] = ()) -> Site:
    """Return what the page shows at `now`, with the sources that are `off`.

    A campaign whose end has passed is left out, judged or not.
    """
    cards = [loaded.card for loaded in load_campaigns(connection, _CAMPAIGNS, channels=0, now=now)]
    live = _load_live(connection, now)
    ended_recently, has_campaigns = connection.execute(_BEFORE, {"since": now - RECENTLY}).one()
    return Site(
        active=tuple(card for card in cards if _has_started(card, now)),
        upcoming=tuple(sorted((card for card in cards if not _has_started(card, now)), key=_start)),
        rewards=tuple(loaded.card for loaded in load_rewards(connection, _REWARDS, now=now)),
        live=tuple(live[:LIVE_SHOWN]),
        live_total=len(live),
        news=load_news(connection, "all", most=NEWS_SHOWN, since=now - TODAY),
        releases=tuple(_within(load_upcoming(connection, now), now))[:RELEASES_SHOWN],
        ended_recently=ended_recently,
        has_campaigns=has_campaigns,
        sources=load_health(connection),
        off=tuple(off),
        has_feed_of_everything=connection.scalar(select(Feed.id).where(Feed.scope == "all")) is not None,
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
            last_success_at=utc(row.last_success_at),
            failing_since=utc(row.failing_since),
        )
        for row in connection.execute(statement)
    )


def load_feed_links(connection: Connection) -> tuple[FeedLink, ...]:
    """Return every feed that lists show, by title."""
    statement = (
        select(Feed.scope, Feed.path, Feed.title, Organization.service)
        .join(Organization, Organization.id == Feed.organization_id, isouter=True)
        .where(Feed.scope.in_(LISTED), Feed.link_id.is_(None))
        .order_by(func.lower(Feed.title), Feed.id)
    )
    return tuple(
        FeedLink(scope=row.scope, path=row.path, title=row.title, service=row.service)
        for row in connection.execute(statement)
    )


def _has_started(card: CampaignCard, now: datetime) -> bool:
    return card.started_at is not None or (card.start_at is not None and card.start_at <= now)


def _within(releases: Sequence[Release], now: datetime) -> list[Release]:
    today = now.astimezone(UTC).date()
    last = today + RELEASES_WITHIN
    return [
        release
        for release in releases
        if release.when.last and today <= release.when.last <= last and not release.is_cancelled
    ]


def _load_live(connection: Connection, now: datetime) -> list[LiveChannel]:
    """Return the channels that are live in the category of a running campaign that counts there, most viewers first."""
    return [
        LiveChannel(
            name=row.display_name or row.login,
            path=row.path,
            url=page_channel_address(row.service, row.login),
            game=PageLink(name=row.game, path=row.game_path),
            viewers=row.viewers,
        )
        for row in connection.execute(_LIVE, {"now": now})
    ]


def _start(card: CampaignCard) -> datetime:
    return card.start_at or datetime.max.replace(tzinfo=UTC)
