"""Atom 1.0 (RFC 4287), by feedgen. Pure."""

from functools import lru_cache
from typing import Any

from feeds.formats.document import ATOM_ENDING, ATOM_TYPE, Document
from feeds.formats.markup import HISTORY, feedgen_document, spliced


def render_atom(document: Document) -> bytes:
    """Return a feed as Atom 1.0."""
    feed = document.feed
    built = feedgen_document(document, ATOM_ENDING, ATOM_TYPE)
    if feed.archive is not None:
        built.register_extension("lootwire", _archive(), rss=False)
    return spliced(
        feed, bytes(built.atom_str(xml_declaration=False)), b"</feed>", [each.atom for each in document.entries]
    )


def entry_bytes(entry: Any) -> bytes:
    """Return an `entry` that feedgen made, as it stands in a document that `render_atom` makes."""
    from lxml import etree

    # feedgen writes Atom's elements without a namespace, and declares it in the document alone.
    return bytes(etree.tostring(entry, encoding="UTF-8"))


@lru_cache
def _archive() -> type[Any]:
    from feedgen.ext.base import BaseExtension
    from lxml import etree

    class ArchiveMark(BaseExtension):  # type: ignore[misc]
        """Marks a document whose entries never change (RFC 5005, section 4)."""

        def extend_ns(self) -> dict[str, str]:
            return {"fh": HISTORY}

        def extend_atom(self, feed: Any) -> Any:
            etree.SubElement(feed, f"{{{HISTORY}}}archive")
            return feed

    return ArchiveMark
