"""Load what the pages of games show, in a fixed number of queries however many games."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, select

from feeds.content import FeedContent
from feeds.pages.card_rows import (
    CHANNEL_FEED,
    among,
    campaigns_where,
    load_campaigns,
    load_rewards,
    one_of_ids,
    rewards_where,
)
from feeds.pages.cards import ChannelLink, PageLink
from feeds.pages.game import NEWS_SHOWN, Facts, GamePage, Move
from feeds.pages.news_rows import load_paths
from feeds.pages.release_rows import load_releases
from feeds.public import IS_PUBLIC_EVENT
from models import (
    Channel,
    DropCampaign,
    Event,
    Feed,
    Game,
    GameExternalId,
    GameMetadata,
    RewardCampaign,
    StreamSession,
)
from models.details import ReleaseDetail, detail_from_json
from models.periods import in_words
from models.pictures import cover_url, sized
from models.words import kind_label
from models.words.releases import feed_difference

CHANNELS_SHOWN = 12
PLAYED_WITHIN = timedelta(days=30)
MOVES_SHOWN = 12
_CHANGES = ("release.announced", "release.precised", "release.moved", "release.cancelled", "release.out")

_OF_FEEDS = (
    select(Feed.id.label("feed_id"), Feed.path, Feed.game_id, Game.name, Game.box_art_url)
    .join(Game, Game.id == Feed.game_id)
    .where(one_of_ids(Feed.id))
)
_CAMPAIGNS = campaigns_where(one_of_ids(DropCampaign.game_id))
_REWARDS = rewards_where(one_of_ids(RewardCampaign.game_id))


def load_games(connection: Connection, feeds: Sequence[FeedContent], now: datetime) -> dict[int, GamePage]:
    """Return what the pages of these feeds of games show at `now`, by the ids of the feeds."""
    rows = connection.execute(_OF_FEEDS, {"ids": [feed.feed_id for feed in feeds]}).all()
    ids = [row.game_id for row in rows]
    campaigns = _grouped(load_campaigns(connection, _CAMPAIGNS, channels=0, ids=ids))
    rewards = _grouped(load_rewards(connection, _REWARDS, ids=ids))
    entries = _load_entries(connection, ids)
    releases = load_releases(connection, {row.igdb_id: row.game_id for row in entries.values()}) if entries else {}
    moves = _load_moves(connection, ids)
    channels = load_channels(connection, ids, now - PLAYED_WITHIN)
    services = _load_services(connection, ids)
    paths = load_paths(connection, [item.event_key for feed in feeds for item in feed.items[:NEWS_SHOWN]])
    keys = {feed.feed_id: [item.event_key for item in feed.items[:NEWS_SHOWN]] for feed in feeds}
    pages = {}
    for row in rows:
        cards = tuple(loaded.card for loaded in campaigns.get(row.game_id, ()))
        entry = entries.get(row.game_id)
        owners = {
            card.organization: PageLink(name=card.organization, path=card.organization_path)
            for card in cards
            if card.organization
        }
        pages[row.feed_id] = GamePage(
            path=row.path,
            name=row.name,
            box_art_url=sized(row.box_art_url) or (cover_url(entry.cover_id) if entry else None),
            services=tuple(sorted({card.service for card in cards} | services.get(row.game_id, set()))),
            organizations=tuple(owners.values()),
            campaigns=cards,
            rewards=tuple(loaded.card for loaded in rewards.get(row.game_id, ())),
            releases=tuple(releases.get(row.game_id, ())),
            moves=tuple(moves.get(row.game_id, ())),
            facts=_facts(entry) if entry else None,
            channels=tuple(channels.get(row.game_id, ())),
            paths={key: path for key in keys[row.feed_id] if (path := paths.get(key)) and path != row.path},
        )
    return pages


def _grouped(loaded: Sequence[Any]) -> Mapping[int, list[Any]]:
    groups: dict[int, list[Any]] = defaultdict(list)
    for each in loaded:
        groups[each.game_id].append(each)
    return groups


def _load_entries(connection: Connection, game_ids: Sequence[int]) -> dict[int, Any]:
    """Return the entry of IGDB that each game is: the game itself before its editions and expansions."""
    wanted = ("igdb_id", "game_id", "url", "summary", "cover_id", "rating", "rating_count", "genres", "modes")
    columns = [getattr(GameMetadata, name) for name in (*wanted, "platforms", "companies", "franchises")]
    is_part = case(
        (GameMetadata.version_parent_igdb_id.is_not(None) | GameMetadata.parent_igdb_id.is_not(None), 1), else_=0
    )
    statement = (
        select(*columns)
        .where(among(GameMetadata.game_id, game_ids), GameMetadata.removed_at.is_(None))
        .order_by(is_part.desc(), GameMetadata.igdb_id.desc())
    )
    # The last of each game stays: no part of another, and the oldest number.
    return {row.game_id: row for row in connection.execute(statement)}


def _facts(row: Any) -> Facts:
    return Facts(
        url=row.url,
        summary=row.summary,
        rating=row.rating,
        rating_count=row.rating_count,
        genres=tuple(row.genres),
        modes=tuple(row.modes),
        platforms=tuple(row.platforms),
        companies=tuple(row.companies),
        franchises=tuple(row.franchises),
    )


def _load_moves(connection: Connection, game_ids: Sequence[int]) -> Mapping[int, list[Move]]:
    newest = (
        select(
            *(Event.id, Event.game_id, Event.kind, Event.occurred_at, Event.detail),
            func.row_number()
            .over(partition_by=Event.game_id, order_by=(Event.occurred_at.desc(), Event.id.desc()))
            .label("number"),
        )
        .where(among(Event.game_id, game_ids), Event.kind.in_(_CHANGES), IS_PUBLIC_EVENT)
        .subquery("newest")
    )
    statement = (
        select(newest).where(newest.c.number <= MOVES_SHOWN).order_by(newest.c.occurred_at.desc(), newest.c.id.desc())
    )
    moves: dict[int, list[Move]] = defaultdict(list)
    for row in connection.execute(statement):
        detail = detail_from_json(row.kind, row.detail)
        if isinstance(detail, ReleaseDetail):
            moves[row.game_id].append(
                Move(
                    at=row.occurred_at.astimezone(UTC),
                    label=kind_label(row.kind),
                    when=in_words(detail.when),
                    before=in_words(detail.when_before),
                    difference=feed_difference(detail),
                    places=", ".join(detail.platforms),
                )
            )
    return moves


def load_channels(connection: Connection, game_ids: Sequence[int], since: datetime) -> Mapping[int, list[ChannelLink]]:
    """Return the channels with a page that played each game lately, the latest first."""
    played = (
        select(StreamSession.game_id, StreamSession.channel_id, func.max(StreamSession.last_seen_at).label("last_at"))
        .where(among(StreamSession.game_id, game_ids), StreamSession.last_seen_at > since)
        .group_by(StreamSession.game_id, StreamSession.channel_id)
        .subquery("played")
    )
    statement = (
        select(played.c.game_id, Channel.login, Channel.external_id, Channel.display_name, CHANNEL_FEED.path)
        .join(Channel, Channel.id == played.c.channel_id)
        .join(CHANNEL_FEED, (CHANNEL_FEED.scope == "channel") & (CHANNEL_FEED.channel_id == Channel.id))
        .order_by(played.c.last_at.desc(), Channel.id)
    )
    channels: dict[int, list[ChannelLink]] = defaultdict(list)
    for row in connection.execute(statement):
        if len(channels[row.game_id]) < CHANNELS_SHOWN:
            channels[row.game_id].append(
                ChannelLink(login=row.login, external_id=row.external_id, display_name=row.display_name, path=row.path)
            )
    return channels


def _load_services(connection: Connection, game_ids: Collection[int]) -> Mapping[int, set[str]]:
    """Return the services that list each game; IGDB is none to watch on."""
    services: dict[int, set[str]] = defaultdict(set)
    statement = select(GameExternalId.game_id, GameExternalId.service).where(
        among(GameExternalId.game_id, list(game_ids)), GameExternalId.service != "igdb"
    )
    for row in connection.execute(statement):
        services[row.game_id].add(row.service)
    return services
