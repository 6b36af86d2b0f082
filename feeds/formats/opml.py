"""The list of feeds as OPML 2.0 (http://opml.org/spec2.opml), which feed readers import. Pure.

Written without a template: it has a line for each feed there is, and is written whenever one of them changes.
"""

from collections.abc import Iterator, Sequence

from feeds.content import FeedLink
from feeds.formats.document import RSS_ENDING, list_title, page_url
from feeds.sanitise import one_line, quoted
from feeds.scopes import GROUPS
from models.words.units import service_heading

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!-- lootwire {stamp} -->
<opml version="2.0">
<head><title>Lootwire</title><docs>http://opml.org/spec2.opml</docs></head>
<body>
"""


def render_opml(feeds: Sequence[FeedLink], base_url: str, *, stamp: str = "") -> bytes:
    """Return the list of all feeds as an OPML 2.0 file, which feed readers can import, with a folder for each group.

    A group with feeds of several services has a folder for each of these. `stamp` goes into a comment, by which the
    next run knows what the file was made with.
    """
    root = base_url.rstrip("/")
    lines = [_HEAD.format(stamp=stamp)]
    for name, scopes in GROUPS.items():
        of_group = [feed for feed in feeds if feed.scope in scopes]
        if of_group:
            lines += _folder(name, _by_service(of_group, root))
    lines.append("</body>\n</opml>\n")
    return "".join(lines).encode("utf-8")


def _by_service(feeds: Sequence[FeedLink], root: str) -> Iterator[str]:
    services = sorted({feed.service for feed in feeds if feed.service})
    if len(services) < 2:
        yield from _outlines(feeds, root)
        return
    yield from _outlines([feed for feed in feeds if not feed.service], root)
    for service in services:
        of_service = [feed for feed in feeds if feed.service == service]
        yield from _folder(one_line(service_heading(service), 120) or "Others", _outlines(of_service, root))


def _folder(name: str, lines: Iterator[str]) -> Iterator[str]:
    yield f'<outline text="{quoted(name)}">\n'
    yield from lines
    yield "</outline>\n"


def _outlines(feeds: Sequence[FeedLink], root: str) -> Iterator[str]:
    for feed in feeds:
        title, path = quoted(list_title(feed)), quoted(f"{root}/{feed.path}{RSS_ENDING}")
        page = quoted(page_url(feed, root))
        yield f'<outline type="rss" text="{title}" title="{title}" xmlUrl="{path}" htmlUrl="{page}"/>\n'
