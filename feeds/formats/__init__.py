"""Render feeds in each of `FORMATS`, and the list of them as OPML: values in, bytes out.

The same values always give the same bytes: no time but that of the events goes into a file.
"""

from collections.abc import Mapping, Sequence

from feeds.content import FeedContent
from feeds.formats.atom import render_atom
from feeds.formats.document import (
    ATOM_ENDING,
    ATOM_TYPE,
    JSON_ENDING,
    JSON_TYPE,
    PAGE_ENDING,
    RSS_ENDING,
    RSS_TYPE,
    Document,
    Format,
    Rendered,
    file_path,
    list_title,
    page_url,
)
from feeds.formats.entry import rendered_item
from feeds.formats.json_feed import render_json
from feeds.formats.opml import render_opml
from feeds.formats.rss import render_rss

__all__ = (
    "ATOM_ENDING",
    "FORMATS",
    "JSON_ENDING",
    "PAGE_ENDING",
    "RSS_ENDING",
    "Format",
    "Rendered",
    "list_title",
    "page_url",
    "render_feed",
    "render_opml",
)

FORMATS: Sequence[Format] = (
    Format(key="rss", label="RSS", ending=RSS_ENDING, media_type=RSS_TYPE, render=render_rss),
    Format(key="atom", label="Atom", ending=ATOM_ENDING, media_type=ATOM_TYPE, render=render_atom),
    Format(key="json", label="JSON Feed", ending=JSON_ENDING, media_type=JSON_TYPE, render=render_json),
)


def render_feed(feed: FeedContent, base_url: str, rendered: dict[str, Rendered] | None = None) -> Mapping[str, bytes]:
    """Return a feed, or an archive page of it, in all its formats, each by its file ending.

    `base_url` is where the published folder is served, with or without a slash at its end. `rendered` holds entries
    by event key: those in it are used again and new ones are added, for one event is in several feeds.
    """
    known: dict[str, Rendered] = {} if rendered is None else rendered
    root = base_url.rstrip("/")
    entries = [
        known.get(item.event_key) or known.setdefault(item.event_key, rendered_item(item, root)) for item in feed.items
    ]
    document = Document(feed=feed, root=root, entries=entries)
    formats = [each for each in FORMATS if each.is_of(feed.scope) and (each.is_paged or feed.archive is None)]
    return {file_path(feed, each.ending).removeprefix(feed.path): each.render(document) for each in formats}
