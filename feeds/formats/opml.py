"""The list of feeds as OPML 2.0 (http://opml.org/spec2.opml), which feed readers import. Pure."""

from collections.abc import Sequence

from feeds.content import FeedLink
from feeds.formats.document import RSS_ENDING, list_title, page_url
from feeds.scopes import GROUPS
from feeds.templating import template


def render_opml(feeds: Sequence[FeedLink], base_url: str, *, stamp: str = "") -> bytes:
    """Return the list of all feeds as an OPML 2.0 file, which feed readers can import.

    `stamp` goes into a comment, by which the next run knows what the file was made with.
    """
    root = base_url.rstrip("/")
    groups = [
        (name, [_outline(feed, root) for feed in feeds if feed.scope in scopes]) for name, scopes in GROUPS.items()
    ]
    text = template("feeds.opml.j2").render(groups=[group for group in groups if group[1]], stamp=stamp)
    return text.encode("utf-8")


def _outline(feed: FeedLink, root: str) -> tuple[str, str, str]:
    return list_title(feed), f"{root}/{feed.path}{RSS_ENDING}", page_url(feed, root)
