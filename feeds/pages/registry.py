"""Which pages there are: one for each feed by its scope, and those of the site; a row each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from feeds.content import FeedContent, Scope, SourceOff
from feeds.looks import Look
from feeds.pages.campaign import render_campaign
from feeds.pages.campaign_rows import load_campaign_pages
from feeds.pages.changes import render_changes
from feeds.pages.changes_rows import load_changes
from feeds.pages.collection import render_collection
from feeds.pages.feed_list import FeedList, render_feed_list, render_search
from feeds.pages.game import render_game
from feeds.pages.game_list import render_list
from feeds.pages.game_rows import load_games
from feeds.pages.index import render_index
from feeds.pages.index_rows import load_feed_links, load_health, load_site
from feeds.pages.items import render_items
from feeds.pages.items_rows import load_items_pages
from feeds.pages.journal import render_journal
from feeds.pages.library_rows import load_collections, load_journals, load_lists
from feeds.pages.organization import render_organization
from feeds.pages.organization_rows import load_organizations
from feeds.pages.release_rows import load_releases_page
from feeds.pages.releases import render_releases
from feeds.pages.rewards import render_index_of_rewards, render_rewards
from feeds.pages.rewards_rows import load_rewards_page, newest_ids
from feeds.pages.rom_rows import load_collected
from feeds.pages.roms import render_platforms, render_roms
from feeds.pages.year import render_years
from feeds.scopes import LISTED, PODCASTS, SCOPES
from models import Feed

# Files that pages need, below the published folder.
ASSETS_OF_PAGES = ("style.css", "channel.css", "page.js", "favicon.svg", "feed.css", "feed.xsl")


@dataclass(frozen=True)
class FeedPage:
    """A kind of page that lies beside a feed.

    `load` takes a fixed number of queries for any number of feeds and returns what each page shows by the feed's id;
    `render` is pure. `render_beside` returns further pages that lie beside it, by their paths.
    """

    load: Callable[[Connection, Sequence[FeedContent], datetime], Mapping[int, Any]]
    render: Callable[..., bytes]
    render_beside: Callable[..., Mapping[str, bytes]] | None = None


@dataclass(frozen=True)
class Site:
    """What the pages of the site need beside the database."""

    base_url: str
    now: datetime
    look: Look
    off: Sequence[SourceOff] = ()


@dataclass(frozen=True)
class SitePage:
    """A page of the site, at `path`, with files that are written together with it.

    `state` says in a word what it shows: it is written where that is another than it was, and `is_news` where any feed
    was written. `load` returns what `render` makes files of, by their paths.
    """

    path: str
    state: Callable[[Connection, Site], str]
    load: Callable[[Connection, Site], Any]
    render: Callable[[Any, Site, str], Mapping[str, bytes]]
    is_news: bool = False


_ITEMS = FeedPage(load_items_pages, render_items)
# Scopes of which a page of the site stands at the path of the feed.
_OF_SITE: frozenset[Scope] = frozenset({"releases", "rewards"})
# The page of a channel has a state of its own (`feeds.pages.channel_rows`), for it moves without events.
_MOVING: frozenset[Scope] = frozenset({"channel"})
_OWN: Mapping[Scope, FeedPage] = {
    "game": FeedPage(load_games, render_game),
    "organization": FeedPage(load_organizations, render_organization),
    "campaign": FeedPage(load_campaign_pages, render_campaign),
    "reward_campaign": FeedPage(load_campaign_pages, render_campaign),
    "library": FeedPage(load_collections, render_collection),
    "journal": FeedPage(load_journals, render_journal, render_years),
    "roms": FeedPage(load_collected, render_roms, render_platforms),
    "list": FeedPage(load_lists, render_list),
}
PAGES: Mapping[Scope, FeedPage] = {
    scope: _OWN.get(scope, _ITEMS) for scope in SCOPES if scope not in _OF_SITE | _MOVING | PODCASTS
}


def load_feed_pages(
    connection: Connection, feeds: Sequence[FeedContent], now: datetime
) -> dict[int, tuple[FeedPage, Any]]:
    """Return what the pages beside these feeds show, by the ids of the feeds; those without a page are left out."""
    kinds: dict[FeedPage, list[FeedContent]] = {}
    for feed in feeds:
        if feed.scope in PAGES and feed.archive is None:
            kinds.setdefault(PAGES[feed.scope], []).append(feed)
    return {
        feed_id: (kind, page)
        for kind, of_kind in kinds.items()
        for feed_id, page in kind.load(connection, of_kind, now).items()
    }


def _hour(site: Site) -> str:
    # Pages say how long something lasts.
    return f"{site.now.astimezone(UTC):%Y%m%d%H}"


def _day(site: Site) -> str:
    return f"{site.now.astimezone(UTC):%Y%m%d}"


def _index_state(connection: Connection, site: Site) -> str:
    sources = load_health(connection)
    health = [(source.name, source.failing_since is not None, source.last_success_at is None) for source in sources]
    return f"{health!r} {site.off!r} {_hour(site)}"


def _total_of(connection: Connection, scope: Scope) -> str:
    return str(connection.scalar(select(func.max(Feed.total)).where(Feed.scope == scope)))


def _feeds_state(connection: Connection, _site: Site) -> str:
    return str(connection.scalar(select(func.count()).where(Feed.scope.in_(LISTED), Feed.link_id.is_(None))))


SITE_PAGES: Sequence[SitePage] = (
    SitePage(
        "index.html",
        _index_state,
        lambda connection, site: load_site(connection, site.now, site.off),
        lambda page, site, stamp: {
            "index.html": render_index(page, site.base_url, site.now, stamp=stamp, look=site.look)
        },
        is_news=True,
    ),
    SitePage(
        "changes.html",
        lambda connection, _site: _total_of(connection, "all"),
        lambda connection, site: load_changes(connection, site.now),
        lambda page, site, stamp: {"changes.html": render_changes(page, site.now, stamp=stamp, look=site.look)},
    ),
    SitePage(
        "releases.html",
        lambda connection, site: _total_of(connection, "releases") + _day(site),
        lambda connection, site: load_releases_page(connection, site.now),
        lambda page, site, stamp: {"releases.html": render_releases(page, site.now, stamp=stamp, look=site.look)},
    ),
    SitePage(
        "rewards.html",
        lambda connection, site: newest_ids(connection) + _day(site),
        lambda connection, site: load_rewards_page(connection, site.now),
        lambda page, site, stamp: {
            "rewards-index.json": render_index_of_rewards(page),
            "rewards.html": render_rewards(page, site.now, stamp=stamp, look=site.look),
        },
    ),
    SitePage(
        "feeds.html",
        _feeds_state,
        lambda connection, _site: FeedList(feeds=load_feed_links(connection)),
        lambda page, site, stamp: {
            "search.json": render_search(page),
            "feeds.html": render_feed_list(page, site.base_url, site.now, stamp=stamp, look=site.look),
        },
    ),
)
