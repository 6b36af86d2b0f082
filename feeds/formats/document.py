"""What documents of all formats share: their names and addresses, titles, and what goes into one. Pure."""

from collections.abc import Callable, Sequence

import msgspec

from feeds.calendar_content import CalendarEntry
from feeds.content import FeedContent, FeedLink, Scope
from feeds.item import Entry
from feeds.sanitise import one_line
from feeds.scopes import SCOPES, describe
from models.words.units import service_heading

RSS_ENDING, RSS_TYPE = ".rss.xml", "application/rss+xml"
ATOM_ENDING, ATOM_TYPE = ".atom.xml", "application/atom+xml"
JSON_ENDING, JSON_TYPE = ".json", "application/feed+json"
CALENDAR_ENDING, CALENDAR_TYPE = ".ics", "text/calendar"
PAGE_ENDING = ".html"


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with its bytes in each format: feeds that show it splice them in, and render nothing again."""

    entry: Entry
    rss: bytes
    atom: bytes
    json: bytes


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the file of a feed, in whichever format, is made of.

    `root` is the address of the published folder, without a slash at its end; `calendar` is what its calendar shows.
    """

    feed: FeedContent
    root: str
    entries: Sequence[Rendered] = ()
    calendar: tuple[CalendarEntry, ...] = ()


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A format of feeds. `key` names it in the JSON of commands, `label` on pages; `render` makes a file's bytes.

    An `is_calendar` has no entries: feeds of some scopes alone have one, and no archive page does. Podcasts have RSS
    alone.
    """

    key: str
    label: str
    ending: str
    media_type: str
    render: Callable[[Document], bytes]
    is_calendar: bool = False

    def is_of(self, scope: Scope) -> bool:
        """Whether feeds of a scope have this format."""
        if SCOPES[scope].is_podcast:
            return self.key == "rss"
        return not self.is_calendar or SCOPES[scope].has_calendar


def file_path(feed: FeedContent, ending: str) -> str:
    """Return where a document lies below the published folder: the feed's own path, or that of an archive of it."""
    return feed.path + ending if feed.archive is None else archive_path(feed.path, feed.archive, ending)


def archive_path(path: str, number: int, ending: str) -> str:
    """Return where an archive page of a feed lies; the first has its oldest items."""
    return f"{path}.archive-{number}{ending}"


def older(feed: FeedContent) -> int | None:
    """Return the number of the archive page with the items before those of a document, if there is one."""
    number = feed.archives if feed.archive is None else feed.archive - 1
    return number if number > 0 else None


def page_url(feed: FeedContent | FeedLink, root: str) -> str:
    """Return the web page that a feed belongs to: its own, for that of everything the first one of all."""
    return f"{root}/" if feed.scope == "all" else f"{root}/{feed.path}{PAGE_ENDING}"


def list_title(feed: FeedLink) -> str:
    """Return a feed's title as lists show it; an organization stands with its service, since several may name it."""
    title = one_line(feed.title, 120) or feed.path
    return (
        one_line(f"{title} ({service_heading(feed.service)})")
        if feed.scope == "organization" and feed.service
        else title
    )


def document_title(feed: FeedContent) -> str:
    """Return the title that a reader shows in its list of subscriptions."""
    return "Lootwire" if feed.scope == "all" else f"{one_line(feed.title, 120) or feed.path} · Lootwire"


def description(feed: FeedContent) -> str:
    """Return a sentence that says what is in a feed."""
    return describe(feed, one_line(feed.title, 120) or feed.path)
