"""Render feeds in each of `FORMATS`, and the list of them as OPML: values in, bytes out.

The same values always give the same bytes: no time but that of the events goes into a file.
"""

from collections.abc import Mapping, Sequence

from feeds.calendar_content import CalendarEntry
from feeds.content import FeedContent, Scope
from feeds.formats.atom import render_atom
from feeds.formats.calendar import render_calendar
from feeds.formats.document import (
    ATOM_ENDING,
    ATOM_TYPE,
    CALENDAR_ENDING,
    CALENDAR_TYPE,
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
    "CALENDAR_ENDING",
    "FORMATS",
    "JSON_ENDING",
    "PAGE_ENDING",
    "RSS_ENDING",
    "Format",
    "Rendered",
    "formats_of",
    "list_title",
    "page_url",
    "render_feed",
    "render_opml",
)

FORMATS: Sequence[Format] = (
    Format(key="rss", label="RSS", ending=RSS_ENDING, media_type=RSS_TYPE, render=render_rss),
    Format(key="atom", label="Atom", ending=ATOM_ENDING, media_type=ATOM_TYPE, render=render_atom),
    Format(key="json", label="JSON Feed", ending=JSON_ENDING, media_type=JSON_TYPE, render=render_json),
    Format(
        key="calendar",
        label="Calendar",
        ending=CALENDAR_ENDING,
        media_type=CALENDAR_TYPE,
        render=render_calendar,
        is_calendar=True,
    ),
)


def render_feed(
    feed: FeedContent,
    base_url: str,
    rendered: dict[str, Rendered] | None = None,
    calendar: Sequence[CalendarEntry] = (),
) -> Mapping[str, bytes]:
    """Return a feed, or an archive page of it, in all its formats, each by its file ending.

    `base_url` is where the published folder is served, with or without a slash at its end. `rendered` holds entries
    by event key: those in it are used again and new ones are added, for one event is in several feeds. `calendar` is
    what the feed's calendar shows (`feeds.calendar_rows`).
    """
    known: dict[str, Rendered] = {} if rendered is None else rendered
    root = base_url.rstrip("/")
    entries = [
        known.get(item.event_key) or known.setdefault(item.event_key, rendered_item(item, root)) for item in feed.items
    ]
    document = Document(feed=feed, root=root, entries=entries, calendar=tuple(calendar))
    formats = [each for each in formats_of(feed.scope) if feed.archive is None or not each.is_calendar]
    return {file_path(feed, each.ending).removeprefix(feed.path): each.render(document) for each in formats}


def formats_of(scope: Scope) -> Sequence[Format]:
    """Return the formats that feeds of a scope have: not every one has a calendar."""
    return [each for each in FORMATS if each.is_of(scope)]
