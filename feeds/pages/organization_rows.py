"""Load what the pages of organizations show, in a fixed number of queries however many of them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, DateTime, bindparam, func, or_, select

from feeds.content import FeedContent
from feeds.pages.card_rows import GAME_FEED, Loaded, campaigns_where, load_campaigns, one_of_ids, utc
from feeds.pages.cards import Rhythm
from feeds.pages.news_rows import load_paths
from feeds.pages.organization import NEWS_SHOWN, OrganizationPage, OwnedGame
from models import DropCampaign, Feed, Game, Organization
from models.pictures import sized

_NOW = bindparam("now", type_=DateTime(timezone=True))
_OF_FEEDS = (
    select(Feed.id.label("feed_id"), Feed.path, Feed.organization_id, Organization)
    .join(Organization, Organization.id == Feed.organization_id)
    .where(one_of_ids(Feed.id))
)
_OPEN = campaigns_where(
    one_of_ids(DropCampaign.organization_id),
    DropCampaign.ended_at.is_(None),
    DropCampaign.withdrawn_at.is_(None),
    or_(DropCampaign.end_at.is_(None), DropCampaign.end_at > _NOW),
)
_BEGUN = func.coalesce(DropCampaign.start_at, DropCampaign.started_at, DropCampaign.first_seen_at)
_OVER = func.coalesce(DropCampaign.withdrawn_at, DropCampaign.end_at, DropCampaign.ended_at)
_IS_ON = (
    DropCampaign.started_at.is_not(None)
    & DropCampaign.ended_at.is_(None)
    & DropCampaign.withdrawn_at.is_(None)
    & or_(DropCampaign.end_at.is_(None), DropCampaign.end_at > _NOW)
)
_SUMS = (
    select(
        DropCampaign.organization_id,
        DropCampaign.game_id,
        func.count().label("campaigns"),
        func.min(_BEGUN).label("first_at"),
        func.max(_OVER).label("last_at"),
        func.bool_or(_IS_ON).label("is_on"),
    )
    .where(one_of_ids(DropCampaign.organization_id))
    .group_by(DropCampaign.organization_id, DropCampaign.game_id)
    .subquery("sums")
)
_GAMES = (
    select(_SUMS, Game.name, Game.box_art_url, GAME_FEED.path)
    .join(Game, Game.id == _SUMS.c.game_id, isouter=True)
    .join(GAME_FEED, (GAME_FEED.scope == "game") & (GAME_FEED.game_id == _SUMS.c.game_id), isouter=True)
    .order_by(_SUMS.c.is_on.desc(), _SUMS.c.last_at.desc().nulls_last(), Game.name, _SUMS.c.game_id)
)


def load_organizations(
    connection: Connection, feeds: Sequence[FeedContent], now: datetime
) -> dict[int, OrganizationPage]:
    """Return what the pages of these feeds of organizations show at `now`, by the ids of the feeds."""
    rows = connection.execute(_OF_FEEDS, {"ids": [feed.feed_id for feed in feeds]}).all()
    ids = [row.organization_id for row in rows]
    open_campaigns: dict[int | None, list[Loaded]] = defaultdict(list)
    for loaded in load_campaigns(connection, _OPEN, channels=0, ids=ids, now=now):
        open_campaigns[loaded.organization_id].append(loaded)
    games = _load_games(connection, ids, now)
    paths = load_paths(connection, [item.event_key for feed in feeds for item in feed.items[:NEWS_SHOWN]])
    keys = {feed.feed_id: [item.event_key for item in feed.items[:NEWS_SHOWN]] for feed in feeds}
    pages = {}
    for row in rows:
        owned, total = games.get(row.organization_id, ([], 0))
        firsts = [game.first_at for game in owned if game.first_at]
        lasts = [game.last_at for game in owned if game.last_at]
        pages[row.feed_id] = OrganizationPage(
            path=row.path,
            name=row.name,
            service=row.service,
            url=row.url,
            image_url=row.logo_url,
            games=tuple(owned),
            campaigns=tuple(loaded.card for loaded in open_campaigns.get(row.organization_id, ())),
            habit=Rhythm(campaigns=total, first_at=min(firsts, default=None), last_at=max(lasts, default=None)),
            paths={key: paths[key] for key in keys[row.feed_id] if key in paths},
        )
    return pages


def _load_games(
    connection: Connection, organization_ids: Sequence[int], now: datetime
) -> dict[int, tuple[list[OwnedGame], int]]:
    """Return the games of each organization, those that are on first and then the latest, and its campaigns' number."""
    games: dict[int, tuple[list[OwnedGame], int]] = {}
    for row in connection.execute(_GAMES, {"ids": organization_ids, "now": now}):
        owned, total = games.get(row.organization_id, ([], 0))
        if row.name is not None:
            owned.append(
                OwnedGame(
                    name=row.name,
                    path=row.path,
                    box_art_url=sized(row.box_art_url),
                    campaigns=row.campaigns,
                    first_at=utc(row.first_at),
                    last_at=utc(row.last_at),
                    is_on=row.is_on,
                )
            )
        games[row.organization_id] = (owned, total + row.campaigns)
    return games
