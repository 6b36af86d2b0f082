"""RSS 2.0 (https://www.rssboard.org/rss-specification), by feedgen. Pure."""

from functools import lru_cache
from typing import Any

from feeds.content import FeedContent
from feeds.formats.document import RSS_ENDING, RSS_TYPE, Document, description, document_title
from feeds.formats.markup import ATOM, HISTORY, MEDIA, feedgen_document, spliced
from feeds.sanitise import html_line

_CONTENT = "http://purl.org/rss/1.0/modules/content/"


def render_rss(document: Document) -> bytes:
    """Return a feed as RSS 2.0."""
    feed = document.feed
    built = feedgen_document(document, RSS_ENDING, RSS_TYPE)
    # Programs read these as HTML, as they do an item's description; Atom's texts are marked as plain.
    built.title(html_line(document_title(feed)))
    built.description(html_line(description(feed)))
    built.register_extension("lootwire", lambda: _extension()(feed, built.link()), atom=False)
    return spliced(
        feed,
        bytes(built.rss_str(xml_declaration=False)),
        b"</channel></rss>",
        [each.rss for each in document.entries],
    )


def item_bytes(item: Any, picture: str | None) -> bytes:
    """Return an `item` that feedgen made, with its thumbnail, as it stands in a document that `render_rss` makes."""
    from lxml import etree

    if picture:
        etree.SubElement(item, f"{{{MEDIA}}}thumbnail", url=picture)
    # Inside an element that declares its namespaces, an item declares none itself.
    parent = etree.Element("rss", nsmap={"content": _CONTENT, "media": MEDIA})
    parent.append(item)
    written: bytes = etree.tostring(parent, encoding="UTF-8")
    return written[written.index(b"<item>") : -len(b"</rss>")]


@lru_cache
def _extension() -> type[Any]:
    from feedgen.ext.base import BaseExtension
    from lxml import etree

    class LinksAndNamespaces(BaseExtension):  # type: ignore[misc]
        """What feedgen has for Atom alone: every link but the feed's own, and the mark of an archive (RFC 5005)."""

        def __init__(self, feed: FeedContent, links: list[dict[str, str]]) -> None:
            self._feed = feed
            self._links = [link for link in links if link["rel"] not in {"self", "alternate"}]

        def extend_ns(self) -> dict[str, str]:
            return {"media": MEDIA} | ({"fh": HISTORY} if self._feed.archive is not None else {})

        def extend_rss(self, rss: Any) -> Any:
            for link in self._links:
                etree.SubElement(rss[0], f"{{{ATOM}}}link", href=link["href"], rel=link["rel"])
            if self._feed.archive is not None:
                etree.SubElement(rss[0], f"{{{HISTORY}}}archive")
            return rss

    return LinksAndNamespaces
