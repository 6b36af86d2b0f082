"""Render the page of items of a feed: what somebody sees who opens a feed's address in a browser. Pure."""

from datetime import datetime

import msgspec

from feeds.content import FeedContent
from feeds.formats import formats_of
from feeds.looks import HOUSE, Look
from feeds.pages.cards import PageLink
from feeds.pages.news import by_day, lines
from feeds.sanitise import one_line
from feeds.scopes import PERSONAL, SCOPES


class ItemsPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a feed's items shows beside them: the pages that they lead to, and one that says more."""

    paths: dict[str, str] = {}
    more: PageLink | None = None


def render_items(page: ItemsPage, feed: FeedContent, now: datetime, *, stamp: str = "", look: Look = HOUSE) -> bytes:  # noqa: ARG001
    """Return the page of a feed's items; the same values always give the same bytes."""
    title = one_line(feed.title, 120) or feed.path
    news = lines(feed.items, page.paths)
    return look.render(
        "items.html.j2",
        stamp=stamp,
        root="../" * feed.path.count("/"),
        path=feed.path,
        title=title,
        text=one_line(SCOPES[feed.scope].description.format(title=title)),
        is_personal=feed.scope in PERSONAL,
        days=by_day(news),
        total=len(news),
        has_more=bool(feed.archives),
        more=page.more,
        formats=formats_of(feed.scope),
        feed_path=feed.path,
        feed_title=title,
    )
