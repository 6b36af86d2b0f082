"""Render an event once for all formats, by feedgen for RSS and Atom. Pure."""

from feeds.content import Item
from feeds.formats.atom import entry_bytes
from feeds.formats.document import PAGE_ENDING, Rendered
from feeds.formats.json_feed import item_json
from feeds.formats.markup import entry_class
from feeds.formats.rss import item_bytes
from feeds.item import Entry, render_entry
from feeds.sanitise import html_line


def rendered_item(item: Item, root: str) -> Rendered:
    """Return the entry of an event with its bytes in each format; `root` is the address of the published folder."""
    return rendered_entry(render_entry(item, f"{root}/{item.page}{PAGE_ENDING}" if item.page else None), root)


def rendered_entry(entry: Entry, root: str) -> Rendered:
    """Return an entry with its bytes in each format."""
    built = entry_class()()
    built.id(entry.guid)
    built.title(entry.title)
    built.summary(entry.summary)
    built.content(entry.content, type="html")
    built.published(entry.at)
    built.updated(entry.at)
    built.link(href=entry.url or f"{root}/", rel="alternate", type="text/html")
    if entry.related_url:
        built.link(href=entry.related_url, rel="related", type="text/html", title="Link your account")
    built.category([{"term": term, "scheme": scheme} for term, scheme in entry.categories])
    atom = entry_bytes(built.atom_entry())
    # Atom's texts are marked as plain; RSS's are read as HTML.
    for write, text in ((built.title, entry.title), (built.summary, entry.summary)):
        if (line := html_line(text)) != text:
            write(line)
    rss = item_bytes(built.rss_entry(), entry.picture)
    return Rendered(entry=entry, rss=rss, atom=atom, json=item_json(entry, root))
