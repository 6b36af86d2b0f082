"""Render an event once for all formats; RSS and Atom are as feedgen writes them. Pure.

feedgen writes an entry of each shape once, with marks in place of its values, and what stands between the marks is used
for all entries of that shape: a full publish has thousands of entries and a few dozen shapes.
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from feeds.content import Item
from feeds.formats.atom import entry_bytes
from feeds.formats.document import PAGE_ENDING, Rendered
from feeds.formats.json_feed import item_json
from feeds.formats.markup import entry_class
from feeds.formats.rss import item_bytes
from feeds.item import Entry, render_entry
from feeds.sanitise import escaped, html_line, quoted

# Times are marked by one that no entry has, as feedgen writes it.
_MARKED_AT = datetime(1903, 2, 1, 4, 5, 6, tzinfo=UTC)
_MARK = re.compile(
    r"\[\[([a-z0-9]+)\]\]"
    rf"|(?P<iso>{re.escape(_MARKED_AT.isoformat())})|(?P<rfc>{re.escape(format_datetime(_MARKED_AT))})"
)


class _Shape(NamedTuple):
    """What decides which elements an entry has."""

    schemes: tuple[str, ...]
    is_linked: bool
    is_pictured: bool


def rendered_item(item: Item, root: str) -> Rendered:
    """Return the entry of an event with its bytes in each format; `root` is the address of the published folder."""
    return rendered_entry(render_entry(item, f"{root}/{item.page}{PAGE_ENDING}" if item.page else None), root)


def rendered_entry(entry: Entry, root: str) -> Rendered:
    """Return an entry with its bytes in each format."""
    rss, atom = _patterns(
        _Shape(tuple(scheme for _, scheme in entry.categories), bool(entry.related_url), bool(entry.picture))
    )
    values = {
        "id": _text(entry.guid),
        "title": _text(entry.title),
        "summary": _text(entry.summary),
        "content": _text(entry.content),
        "iso": entry.at.isoformat(),
        "rfc": format_datetime(entry.at),
        "url": _attribute(entry.url or f"{root}/"),
        "related": _attribute(entry.related_url or ""),
        "picture": _attribute(entry.picture or ""),
    }
    values |= {f"term{number}": _attribute(term) for number, (term, _) in enumerate(entry.categories)}
    # Atom's texts are marked as plain; RSS's are read as HTML, and its link and terms are no attributes.
    values_of_rss = values | {
        "title": _text(html_line(entry.title)),
        "summary": _text(html_line(entry.summary)),
        "url": _text(entry.url or f"{root}/"),
        **{f"term{number}": _text(term) for number, (term, _) in enumerate(entry.categories)},
    }
    return Rendered(
        entry=entry,
        rss=(rss % values_of_rss).encode(),
        atom=(atom % values).encode(),
        json=item_json(entry, root),
    )


@lru_cache(maxsize=256)
def _patterns(shape: _Shape) -> tuple[str, str]:
    """Return what feedgen makes of an entry of a shape, for RSS and for Atom, to be filled in with values by name."""
    built = entry_class()()
    built.id("[[id]]")
    built.title("[[title]]")
    built.summary("[[summary]]")
    built.content("[[content]]", type="html")
    built.published(_MARKED_AT)
    built.updated(_MARKED_AT)
    built.link(href="[[url]]", rel="alternate", type="text/html")
    if shape.is_linked:
        built.link(href="[[related]]", rel="related", type="text/html", title="Link your account")
    built.category([{"term": f"[[term{number}]]", "scheme": scheme} for number, scheme in enumerate(shape.schemes)])
    rss = item_bytes(built.rss_entry(), "[[picture]]" if shape.is_pictured else None)
    return _pattern(rss), _pattern(entry_bytes(built.atom_entry()))


def _pattern(written: bytes) -> str:
    return _MARK.sub(
        lambda mark: f"%({mark[1] or mark.lastgroup})s",
        written.decode().replace("%", "%%"),
    )


def _text(text: str) -> str:
    # A reader of XML would make a line feed of it.
    return escaped(text).replace("\r", "&#13;")


def _attribute(text: str) -> str:
    # And spaces of these.
    return quoted(text).replace("\t", "&#9;").replace("\n", "&#10;").replace("\r", "&#13;")
