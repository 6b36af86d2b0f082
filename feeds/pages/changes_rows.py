"""Load the newest events of everything as lines."""

from datetime import datetime

from sqlalchemy import Connection, select

from feeds.catalog import load_items
from feeds.pages.changes import ChangesPage
from feeds.pages.news import Line, lines
from feeds.pages.news_rows import load_paths
from models import Feed, FeedItem

CHANGES_SHOWN = 200


def load_changes(connection: Connection, _now: datetime) -> ChangesPage:
    """Return what the page of changes shows."""
    return ChangesPage(news=load_news(connection, "all", most=CHANGES_SHOWN))


def load_news(connection: Connection, path: str, *, most: int, since: datetime | None = None) -> tuple[Line, ...]:
    """Return the newest events of the feed at this path, at most so many of those `since` then, the newest first.

    Takes four queries.
    """
    statement = (
        select(FeedItem.event_id)
        .join(Feed, Feed.id == FeedItem.feed_id)
        .where(Feed.path == path)
        .order_by(FeedItem.occurred_at.desc(), FeedItem.event_id.desc())
        .limit(most)
    )
    if since is not None:
        statement = statement.where(FeedItem.occurred_at > since)
    ids = list(connection.scalars(statement))
    items = load_items(connection, ids)
    return lines(
        [items[event_id] for event_id in ids], load_paths(connection, [item.event_key for item in items.values()])
    )
