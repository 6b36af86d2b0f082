"""Entries are spliced together from what feedgen wrote once, and are what it would have written of each."""

from datetime import timedelta

import pytest

from feeds.formats.atom import entry_bytes
from feeds.formats.entry import rendered_entry
from feeds.formats.markup import entry_class
from feeds.formats.rss import item_bytes
from feeds.item import Entry
from feeds.sanitise import html_line
from tests.feeds.world import BASE_URL, NOON

TEXTS = (
    "Rook & Rapier",
    '<b>"bold"</b> it\'s &amp; ]]> <!-- -->',
    "50 % of %(title)s and %s",
    "[[content]] 1903-02-01T04:05:06+00:00",
    "Пятница \u200b 🎣 \x7f",
    "a\r\n\tb",
)


def by_feedgen(entry: Entry) -> tuple[bytes, bytes]:
    built = entry_class()()
    built.id(entry.guid)
    built.title(entry.title)
    built.summary(entry.summary)
    built.content(entry.content, type="html")
    built.published(entry.at)
    built.updated(entry.at)
    built.link(href=entry.url or f"{BASE_URL}/", rel="alternate", type="text/html")
    if entry.related_url:
        built.link(href=entry.related_url, rel="related", type="text/html", title="Link your account")
    built.category([{"term": term, "scheme": scheme} for term, scheme in entry.categories])
    atom = entry_bytes(built.atom_entry())
    built.title(html_line(entry.title))
    built.summary(html_line(entry.summary))
    return item_bytes(built.rss_entry(), entry.picture), atom


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("schemes", [(), ("kind",), ("kind", "service", "game", "channel")])
@pytest.mark.parametrize("address", [None, 'https://example.com/?a=1&b="<2>"'])
def test_an_entry_has_the_bytes_that_feedgen_writes(text: str, schemes: tuple[str, ...], address: str | None) -> None:
    entry = Entry(
        guid=f"tag:lootwire,2026:{text}",
        title=text,
        summary=text * 2,
        content=f"<p>{text}</p>",
        at=NOON + timedelta(microseconds=5),
        url=address,
        related_url=address,
        picture=address,
        categories=tuple((text, scheme) for scheme in schemes),
        organization=None,
        start_at=None,
        end_at=None,
        changes=(),
    )

    rendered = rendered_entry(entry, BASE_URL)

    assert (rendered.rss, rendered.atom) == by_feedgen(entry)
