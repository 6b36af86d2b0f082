"""Load the newest events of everything as lines."""

from datetime import datetime

from sqlalchemy import Connection, select

from feeds.catalog import SHOWN_OF_EVENT, as_item, page_of
from feeds.pages.changes import ChangesPage
from feeds.pages.news import Line, lines
from feeds.pages.news_rows import load_paths
from feeds.scopes import SHOWN
from models import Event

CHANGES_SHOWN = 200


def load_changes(connection: Connection, _now: datetime) -> ChangesPage:
    """Return what the page of changes shows, in two queries."""
    return ChangesPage(news=load_news(connection, most=CHANGES_SHOWN))


def load_news(connection: Connection, *, most: int, since: datetime | None = None) -> tuple[Line, ...]:
    """Return the newest events of everything, at most so many of those `since` then, the newest first."""
    statement = (
        select(*SHOWN_OF_EVENT, page_of(Event.channel_id).label("page"))
        .where(SHOWN["all"])
        .order_by(Event.occurred_at.desc(), Event.id.desc())
        .limit(most)
    )
    if since is not None:
        statement = statement.where(Event.occurred_at > since)
    items = [as_item(row) for row in connection.execute(statement).mappings()]
    return lines(items, load_paths(connection, [item.event_key for item in items]))
