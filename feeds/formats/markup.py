"""What RSS and Atom share: feedgen's documents and entries, and how ready entries are put into a document. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from feeds.content import FeedContent
from feeds.formats.document import Document, archive_path, description, document_title, file_path, older, page_url
from feeds.item import TAG

if TYPE_CHECKING:
    from feedgen.feed import FeedGenerator

MEDIA = "http://search.yahoo.com/mrss/"
ATOM = "http://www.w3.org/2005/Atom"
# RFC 5005, section 2: https://www.rfc-editor.org/rfc/rfc5005
HISTORY = "http://purl.org/syndication/history/1.0"
# A feed without items still needs a time, and it must not be that of its rendering.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
HEADER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    # Browsers are removing XSLT (Chrome says so in a banner since 2025); those without it take the CSS.
    '<?xml-stylesheet type="text/xsl" href="{up}feed.xsl"?>\n'
    '<?xml-stylesheet type="text/css" href="{up}feed.css"?>\n'
)


def feedgen_document(document: Document, ending: str, media_type: str) -> "FeedGenerator":
    """Return feedgen's document of a feed without its entries."""
    from feedgen.feed import FeedGenerator

    feed, root = document.feed, document.root
    built = FeedGenerator()
    built.id(f"{TAG}feed/{feed.path}")
    built.title(document_title(feed))
    built.description(description(feed))
    built.link(href=f"{root}/{file_path(feed, ending)}", rel="self", type=media_type)
    # The last link is RSS's own.
    for relation, address in _relations(feed, root, ending).items():
        built.link([{"href": each, "rel": relation} for each in address])
    built.link(href=page_url(feed, root), rel="alternate", type="text/html")
    built.author(name="Lootwire")
    built.generator("Lootwire")
    built.language("en")
    built.ttl(feed.ttl_minutes)
    built.updated(max((item.occurred_at.astimezone(UTC) for item in feed.items), default=_NEVER))
    return built


def _relations(feed: FeedContent, root: str, ending: str) -> Mapping[str, Sequence[str]]:
    """Return the addresses of hubs, and of the documents with older and with the newest items, by their relation."""
    number = older(feed)
    return {
        "hub": feed.hubs if feed.archive is None else (),
        "prev-archive": () if number is None else (f"{root}/{archive_path(feed.path, number, ending)}",),
        "current": () if feed.archive is None else (f"{root}/{feed.path}{ending}",),
    }


def spliced(feed: FeedContent, head: bytes, closing: bytes, parts: Sequence[bytes]) -> bytes:
    """Return the file of a document that feedgen made without entries, with the bytes of its entries put in."""
    if not head.endswith(closing):
        raise ValueError(f"feedgen's document of {feed.path} does not end with {closing.decode()}")
    header = HEADER.format(up="../" * feed.path.count("/")).encode()
    return b"".join((header, head[: -len(closing)], *parts, closing))


@lru_cache
def entry_class() -> type[Any]:
    """Return feedgen's class of an entry, with what Atom wants otherwise than it writes it."""
    from feedgen.entry import FeedEntry

    class LinkingEntry(FeedEntry):  # type: ignore[misc]
        """An Atom entry whose links keep their relation, type and title, and whose schemes are IRIs.

        feedgen 1.0 writes only the links' addresses, because `atom_entry` shadows the loop's variable:
        https://github.com/lkiesow/python-feedgen/blob/v1.0.0/feedgen/entry.py
        A scheme is RSS's domain too, which need not be an IRI.
        """

        def atom_entry(self, extensions: bool = True) -> Any:
            built = super().atom_entry(extensions)
            for element, link in zip(built.iterchildren("link"), self.link() or [], strict=True):
                for name, value in link.items():
                    if value and name != "href":
                        element.set(name, value)
            for element in built.iterchildren("category"):
                element.set("scheme", f"{TAG}{element.get('scheme')}")
            return built

    return LinkingEntry
