"""Load what the pages of feeds' items show beside the items, in two queries."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from feeds.content import FeedContent
from feeds.pages.card_rows import GAME_FEED, one_of_ids
from feeds.pages.cards import PageLink
from feeds.pages.items import ItemsPage
from feeds.pages.news_rows import load_paths
from models import Feed

# Feeds of a part of a game's news lead to the page of the game.
_MORE = (
    select(Feed.id, GAME_FEED.title, GAME_FEED.path)
    .join(GAME_FEED, (GAME_FEED.scope == "game") & (GAME_FEED.game_id == Feed.game_id))
    .where(one_of_ids(Feed.id))
)


def load_items_pages(connection: Connection, feeds: Sequence[FeedContent], _now: datetime) -> dict[int, ItemsPage]:
    """Return what the pages of these feeds show beside their items, by the ids of the feeds."""
    paths = load_paths(connection, [item.event_key for feed in feeds for item in feed.items])
    more = {
        row.id: PageLink(name=row.title, path=row.path)
        for row in connection.execute(_MORE, {"ids": [feed.feed_id for feed in feeds]})
    }
    return {
        feed.feed_id: ItemsPage(
            paths={item.event_key: paths[item.event_key] for item in feed.items if item.event_key in paths},
            more=more.get(feed.feed_id),
        )
        for feed in feeds
    }
