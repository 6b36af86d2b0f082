"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/), with what our events say beyond it. Pure."""

from typing import Any

import msgspec

from feeds.formats.document import (
    JSON_ENDING,
    Document,
    archive_path,
    description,
    document_title,
    file_path,
    older,
    page_url,
)
from feeds.item import TAG, Entry

VERSION = "https://jsonfeed.org/version/1.1"
_encode = msgspec.json.Encoder().encode


def render_json(document: Document) -> bytes:
    """Return a feed as JSON Feed 1.1."""
    feed, root = document.feed, document.root
    number = older(feed)
    values: dict[str, Any] = {
        "version": VERSION,
        "title": document_title(feed),
        "home_page_url": page_url(feed, root),
        "feed_url": f"{root}/{file_path(feed, JSON_ENDING)}",
        "description": description(feed),
        "next_url": None if number is None else f"{root}/{archive_path(feed.path, number, JSON_ENDING)}",
        "authors": [{"name": "Lootwire"}],
        "language": "en",
        "expired": True if feed.is_ceasing else None,
        "hubs": [{"type": "WebSub", "url": hub} for hub in feed.hubs] if feed.archive is None else [],
        "_lootwire": {"id": f"{TAG}feed/{feed.path}", "ttl_minutes": feed.ttl_minutes},
        "items": [msgspec.Raw(each.json) for each in document.entries],
    }
    return _encode(
        {name: value for name, value in values.items() if (value is not None and value != []) or name == "items"}
    )


def item_json(entry: Entry, root: str) -> bytes:
    """Return an item of a JSON Feed; `_lootwire` has what a program wants to know of the event."""
    return _encode(
        _given(
            id=entry.guid,
            url=entry.url or f"{root}/",
            title=entry.title,
            content_html=entry.content,
            summary=entry.summary,
            image=entry.picture,
            date_published=entry.at,
            tags=[term for term, _ in entry.categories],
            _lootwire=_given(
                **{scheme: term for term, scheme in entry.categories},
                organization=entry.organization,
                start_at=entry.start_at,
                end_at=entry.end_at,
                account_link_url=entry.related_url,
                changes=[
                    _given(field=change.field, old=change.old or None, new=change.new or None)
                    for change in entry.changes
                ],
            ),
        )
    )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != []}
