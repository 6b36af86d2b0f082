"""Render feeds in each of `FORMATS` (RSS 2.0, Atom 1.0), and the list of them as OPML: values in, bytes out.

The same values always give the same bytes: no time but that of the events goes into a file.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from feeds.content import FeedContent, FeedLink, Item
from feeds.item import TAG, Entry, render_entry
from feeds.sanitise import html_line, one_line
from feeds.scopes import GROUPS, describe
from feeds.templating import template
from models.words.units import service_heading

if TYPE_CHECKING:
    from feedgen.feed import FeedGenerator

RSS_ENDING, RSS_TYPE = ".rss.xml", "application/rss+xml"
ATOM_ENDING, ATOM_TYPE = ".atom.xml", "application/atom+xml"
PAGE_ENDING = ".html"
# A feed without items still needs a time, and it must not be that of its rendering.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A format of feeds. `key` names it in the JSON of commands, `label` on pages; `render` makes a file's bytes.

    `render` gets the feed, its entries and the address of the published folder.
    """

    key: str
    label: str
    ending: str
    media_type: str
    render: Callable[[FeedContent, Sequence[Entry], str], bytes]


def render_feed(feed: FeedContent, base_url: str, rendered: dict[str, Entry] | None = None) -> Mapping[str, bytes]:
    """Return a feed in all formats, each by its file ending, with the work that they share done once.

    `base_url` is where the published folder is served, with or without a slash at its end. `rendered` holds entries
    by event key: those in it are used again and new ones are added, for one event is in several feeds.
    """
    known: dict[str, Entry] = {} if rendered is None else rendered
    entries = [
        known.get(item.event_key) or known.setdefault(item.event_key, _entry(item, base_url)) for item in feed.items
    ]
    return {each.ending: each.render(feed, entries, base_url) for each in FORMATS}


def _entry(item: Item, base_url: str) -> Entry:
    return render_entry(item, f"{base_url.rstrip('/')}/{item.page}{PAGE_ENDING}" if item.page else None)


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


def page_url(feed: FeedContent | FeedLink, root: str) -> str:
    """Return the web page that a feed belongs to: a channel's own, or the one of everything."""
    return f"{root}/{feed.path}{PAGE_ENDING}" if feed.scope == "channel" else f"{root}/"


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


def _rss(feed: FeedContent, entries: Sequence[Entry], base_url: str) -> bytes:
    document = _document(feed, base_url, RSS_ENDING, RSS_TYPE)
    # Programs read these as HTML, as they do an item's description; Atom's texts are marked as plain.
    document.title(html_line(document_title(feed)))
    document.description(html_line(_description(feed)))
    for entry in entries:
        built = document.add_entry(order="append")
        _fill(built, entry, base_url)
        built.title(html_line(entry.title))
        built.summary(html_line(entry.summary))
        built.category([{"term": term, "scheme": scheme} for term, scheme in entry.categories])
    return _header(feed) + bytes(document.rss_str(xml_declaration=False))


def _atom(feed: FeedContent, entries: Sequence[Entry], base_url: str) -> bytes:
    document = _document(feed, base_url, ATOM_ENDING, ATOM_TYPE)
    entry_class = _linking_entry_class()
    for entry in entries:
        built = document.add_entry(entry_class(), order="append")
        _fill(built, entry, base_url)
        built.summary(entry.summary)
        built.updated(entry.at)
        # Atom's scheme is an IRI, which RSS's domain need not be.
        built.category([{"term": term, "scheme": f"{TAG}{scheme}"} for term, scheme in entry.categories])
        if entry.related_url:
            built.link(href=entry.related_url, rel="related", type="text/html", title="Link your account")
    return _header(feed) + bytes(document.atom_str(xml_declaration=False))


def _document(feed: FeedContent, base_url: str, ending: str, media_type: str) -> "FeedGenerator":
    from feedgen.feed import FeedGenerator

    root = base_url.rstrip("/")
    document = FeedGenerator()
    document.id(f"{TAG}feed/{feed.path}")
    document.title(document_title(feed))
    document.description(_description(feed))
    document.link(href=f"{root}/{feed.path}{ending}", rel="self", type=media_type)
    document.link(href=page_url(feed, root), rel="alternate", type="text/html")
    document.author(name="Lootwire")
    document.generator("Lootwire")
    document.language("en")
    document.ttl(feed.ttl_minutes)
    document.updated(max((item.occurred_at.astimezone(UTC) for item in feed.items), default=_NEVER))
    return document


def _description(feed: FeedContent) -> str:
    return describe(feed, one_line(feed.title, 120) or feed.path)


def _fill(built: Any, entry: Entry, base_url: str) -> None:
    built.id(entry.guid)
    built.title(entry.title)
    built.content(entry.content, type="html")
    built.published(entry.at)
    built.link(href=entry.url or f"{base_url.rstrip('/')}/", rel="alternate", type="text/html")


def _header(feed: FeedContent) -> bytes:
    up = "../" * feed.path.count("/")
    # Browsers are removing XSLT (Chrome says so in a banner since 2025); those without it take the CSS.
    lines = (
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<?xml-stylesheet type="text/xsl" href="{up}feed.xsl"?>',
        f'<?xml-stylesheet type="text/css" href="{up}feed.css"?>',
    )
    return "".join(f"{line}\n" for line in lines).encode()


@lru_cache
def _linking_entry_class() -> type[Any]:
    from feedgen.entry import FeedEntry

    class LinkingEntry(FeedEntry):  # type: ignore[misc]
        """An Atom entry whose links keep their relation, type and title.

        feedgen 1.0 writes only their addresses, because `atom_entry` shadows the loop's variable:
        https://github.com/lkiesow/python-feedgen/blob/v1.0.0/feedgen/entry.py
        """

        def atom_entry(self, extensions: bool = True) -> Any:
            built = super().atom_entry(extensions)
            for element, link in zip(built.findall("link"), self.link() or [], strict=True):
                element.attrib.update({name: value for name, value in link.items() if value and name != "href"})
            return built

    return LinkingEntry


FORMATS: Sequence[Format] = (
    Format(key="rss", label="RSS", ending=RSS_ENDING, media_type=RSS_TYPE, render=_rss),
    Format(key="atom", label="Atom", ending=ATOM_ENDING, media_type=ATOM_TYPE, render=_atom),
)
