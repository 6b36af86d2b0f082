"""Render `feeds.html`, the catalogue of all feeds, and `search.json`, the index of all pages. Pure."""

import json
from collections.abc import Sequence
from datetime import datetime

import msgspec

from feeds.content import FeedLink, Scope
from feeds.formats import FORMATS, Format, formats_of, list_title
from feeds.looks import HOUSE, Look
from feeds.sanitise import one_line
from feeds.scopes import GROUPS, SCOPES
from models.names import slug

# More than these are found by their names, and are all in the OPML file.
FEEDS_SHOWN = 1500
# With the words that a search shows beside the name.
SEARCHED: tuple[tuple[Scope, str], ...] = (
    ("game", "Game"),
    ("organization", "Organization"),
    ("channel", "Channel"),
)


class FeedList(msgspec.Struct, frozen=True, kw_only=True):
    """Every feed that lists show, by title."""

    feeds: tuple[FeedLink, ...] = ()


class _Feed(msgspec.Struct, frozen=True):
    title: str
    path: str
    text: str
    formats: Sequence[Format]
    has_calendar: bool


class _Group(msgspec.Struct, frozen=True):
    title: str
    key: str
    feeds: Sequence[_Feed]
    total: int
    is_described: bool


def render_feed_list(page: FeedList, base_url: str, now: datetime, *, stamp: str = "", look: Look = HOUSE) -> bytes:  # noqa: ARG001
    """Return `feeds.html`; `base_url` is shown as the place to subscribe at."""
    return look.render(
        "feeds.html.j2",
        stamp=stamp,
        root="",
        path="feeds",
        base_url=base_url.rstrip("/"),
        groups=_groups(page.feeds),
        total=len(page.feeds),
        choices=FORMATS,
        formats=formats_of("all"),
        feed_path="all",
        feed_title="Lootwire: everything",
    )


def render_search(page: FeedList) -> bytes:
    """Return `search.json`: names, each with its public id, or its whole file name where that is not made of both."""
    groups = []
    for scope, what in SEARCHED:
        of_scope = [feed for feed in page.feeds if feed.scope == scope]
        folder = f"{of_scope[0].path.rpartition('/')[0]}/" if of_scope else ""
        groups.append({"what": what, "folder": folder, "pages": [_page(feed) for feed in of_scope]})
    return json.dumps({"groups": groups}, ensure_ascii=False, separators=(",", ":")).encode()


def _page(feed: FeedLink) -> tuple[str, str]:
    name, tail = list_title(feed), feed.path.rpartition("/")[2]
    public_id = tail.rpartition("-")[2]
    is_made_of_both = len(public_id) == 8 and tail == "-".join(part for part in (slug(name), public_id) if part)
    return name, public_id if is_made_of_both else tail


def _groups(feeds: Sequence[FeedLink]) -> list[_Group]:
    groups = []
    for heading, scopes in GROUPS.items():
        listed = [feed for scope in scopes for feed in feeds if feed.scope == scope]
        is_described = all(SCOPES[scope].column is None for scope in scopes)
        shown = [_shown(feed) for feed in listed[:FEEDS_SHOWN]]
        groups.append(_Group(heading, slug(heading), shown, len(listed), is_described))
    return [group for group in groups if group.feeds]


def _shown(feed: FeedLink) -> _Feed:
    formats = formats_of(feed.scope)
    return _Feed(list_title(feed), feed.path, _text(feed), formats, any(each.is_calendar for each in formats))


def _text(feed: FeedLink) -> str:
    row = SCOPES[feed.scope]
    return "" if row.column else one_line(row.description)
