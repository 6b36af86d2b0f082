"""Bring the published folder up to date: load what is marked, render, write, settle."""

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from feeds.catalog import ITEMS_PER_FEED, create_first, is_any_marked, load_marked, mark_all, settle_written
from feeds.content import FeedContent, SourceOff
from feeds.formats import PAGE_ENDING, Rendered, render_feed, render_opml
from feeds.looks import HOUSE, Look
from feeds.pages.channel import ChannelPage, render_channel
from feeds.pages.channel_rows import PageState, load_moving, load_pages
from feeds.pages.index_rows import load_feed_links
from feeds.pages.registry import ASSETS_OF_PAGES, SITE_PAGES, Site, SitePage, load_feed_pages
from feeds.pictures import Gallery
from feeds.take_in import AT_ONCE as EVENTS_AT_ONCE
from feeds.take_in import take_in
from feeds.templating import FOLDER
from feeds.write import FolderUnusable, PublishError, make_folders, sweep, write_file
from models import words
from models.locks import AT_ONCE, hold, lock_key

BATCH = 100
# Pages of live channels in one run: another comes within seconds, and feeds must not wait for hundreds of them.
PAGES_AT_ONCE = 60
OPML = "feeds.opml"
WORDS = Path(words.__file__).parent
# Two runs at once would do harm: the slower could put an older file over a newer one that is settled.
_TURN = lock_key("lootwire publish")
# Each file carries the digest of what it was made of: so nothing can remember a file that is no longer there.
_STAMP = re.compile(rb"<!-- lootwire ([0-9a-f]{16}) -->")
_STAMP_WITHIN = 512

_logger = logging.getLogger(__name__)


class Failure(msgspec.Struct, frozen=True):
    """Something that could not be published, and why; it stays marked and is tried again at the next run."""

    path: str
    reason: str


class PublishSummary(msgspec.Struct, kw_only=True):
    """What a run did: how many feeds and channels' pages it rendered, what became of the files, and what failed."""

    feeds: int = 0
    pages: int = 0
    written: int = 0
    unchanged: int = 0
    swept: int = 0
    failures: list[Failure] = msgspec.field(default_factory=list)


def publish(
    engine: Engine,
    root: Path,
    base_url: str,
    now: datetime,
    *,
    wait: bool = True,
    pictures: bool = False,
    off: Sequence[SourceOff] = (),
    items: int = ITEMS_PER_FEED,
    style: Look = HOUSE,
) -> PublishSummary:
    """Write every marked feed below `root`, and the page and the list of feeds where what they show has changed.

    A feed has its newest `items`, and of what is on now at least one item each, however old.

    Runs one at a time on a database: another waits, or, if it should not `wait`, leaves its work to the one that
    runs. Each may be killed anywhere and run again at will, since a feed is settled only once its files are on disk.
    With `pictures` the files show copies of pictures where there are any, and the other pictures become due. `off` are
    the sources that the page says are off.
    Pages have the look of `style`; what is wrong with a person's own templates is logged, and stands in the summary.
    What fails is logged, stands in the summary and stays marked. Raises PublishError where the folder itself cannot
    be used: no permission, or a full disk.
    """
    summary = PublishSummary()
    gallery = Gallery(engine, root, base_url, now, enabled=pictures)
    goes_on = True
    while goes_on:
        written = summary.feeds
        _run(engine, root, base_url, now, summary, gallery, wait=wait, off=off, items=items, style=style)
        # Other runs left their work to us until the turn was given up; where nothing moves, the next run may try.
        goes_on = written < summary.feeds and not summary.failures and _is_anything_marked(engine)
    return summary


def _run(
    engine: Engine,
    root: Path,
    base_url: str,
    now: datetime,
    summary: PublishSummary,
    gallery: Gallery,
    *,
    wait: bool,
    off: Sequence[SourceOff],
    items: int,
    style: Look,
) -> None:
    # A lock of the session, since no transaction may be open while files are written.
    with hold(engine, _TURN, None if wait else AT_ONCE) as our_turn:
        if not our_turn:
            return
        _prepare(root, summary)
        with engine.begin() as connection:
            create_first(connection)
        take_in_all(engine)
        look = _digest(_code_digest(), base_url, "copies" if gallery.enabled else "", str(items), style.digest)
        if _stamp_of(root / OPML) != look:
            # A new folder, an emptied one, another address, another version of us: everything is due.
            with engine.begin() as connection:
                mark_all(connection)
        for batch in _marked(engine, items):
            _publish_batch(engine, batch, root, base_url, now, summary, gallery, look=look, style=style)
        _publish_moving(engine, root, now, summary, gallery, look, style)
        if summary.feeds or _stamp_of(root / OPML) != look:
            _publish_list(engine, root, base_url, summary, style, look=look)
        _publish_site(engine, root, Site(base_url, now, style, off), summary, gallery, look=look)
        for name, problem in style.problems.items():
            _logger.warning("The house's own is used in place of %s", problem, extra={"template": name})


def take_in_all(engine: Engine) -> int:
    """Put all new events on their feeds, some thousands in each transaction; returns how many there were.

    The caller has the turn to publish.
    """
    total = 0
    while True:
        with engine.begin() as connection:
            taken = take_in(connection)
        total += taken.events
        if taken.events < EVENTS_AT_ONCE:
            return total


def _prepare(root: Path, summary: PublishSummary) -> None:
    try:
        make_folders(root)
    except OSError as error:
        raise PublishError(f"Cannot make the folder {root}: {error.strerror or error}") from error
    summary.swept += sweep(root)


def _is_anything_marked(engine: Engine) -> bool:
    with engine.connect() as connection:
        return is_any_marked(connection)


def _marked(engine: Engine, items: int) -> Iterator[Sequence[FeedContent]]:
    """Yield the marked feeds in batches, each loaded in a transaction that is over by then."""
    last_id = 0
    while True:
        with engine.connect() as connection:
            batch = load_marked(connection, BATCH, after_id=last_id, items=items)
        if batch:
            yield batch
            last_id = batch[-1].feed_id
        if len(batch) < BATCH:
            return


def _publish_batch(
    engine: Engine,
    batch: Sequence[FeedContent],
    root: Path,
    base_url: str,
    now: datetime,
    summary: PublishSummary,
    gallery: Gallery,
    *,
    look: str,
    style: Look,
) -> None:
    written: list[tuple[int, int, int]] = []
    channels = _pages(engine, [feed.feed_id for feed in batch if feed.scope == "channel"], now, gallery)
    with engine.connect() as connection:
        loaded = load_feed_pages(connection, batch, now)
    pages = dict(zip(loaded, gallery.show([page for _, page in loaded.values()]), strict=True))
    # Feeds share events; per batch, so that a full run does not keep every entry there is.
    entries: dict[str, Rendered] = {}
    try:
        for feed in gallery.show(batch):
            with _blamed_on(feed.path, summary):
                for ending, data in render_feed(feed, base_url, entries).items():
                    _write(root, feed.path + ending, data, summary)
                if feed.feed_id in channels:
                    _write_page(root, *channels[feed.feed_id], now, summary, look, style)
                if feed.feed_id in pages:
                    html = loaded[feed.feed_id][0].render(pages[feed.feed_id], feed, now, stamp=look, look=style)
                    _write(root, feed.path + PAGE_ENDING, html, summary)
                    summary.pages += 1
                written.append((feed.feed_id, feed.version, len(feed.items)))
    finally:
        summary.feeds += len(written)
        with engine.begin() as connection:
            settle_written(connection, written, now)


def _publish_moving(
    engine: Engine, root: Path, now: datetime, summary: PublishSummary, gallery: Gallery, look: str, style: Look
) -> None:
    """Write the pages of live channels of which polls saw more, since polls append no event that marks their feeds."""
    with engine.connect() as connection:
        moving = load_moving(connection)
    behind = [state for state in moving if _stamp_of(_page_of(root, state)) != _digest(look, state.digest)]
    oldest_first = sorted(behind, key=lambda state: _written_at(_page_of(root, state)))
    pages = _pages(engine, [state.feed_id for state in oldest_first[:PAGES_AT_ONCE]], now, gallery)
    for state, page in pages.values():
        with _blamed_on(state.path + PAGE_ENDING, summary):
            _write_page(root, state, page, now, summary, look, style)


def _page_of(root: Path, state: PageState) -> Path:
    return root / (state.path + PAGE_ENDING)


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _pages(
    engine: Engine, feed_ids: Sequence[int], now: datetime, gallery: Gallery
) -> dict[int, tuple[PageState, ChannelPage]]:
    if not feed_ids:
        return {}
    with engine.connect() as connection:
        loaded = load_pages(connection, feed_ids, now)
    pages = gallery.show([page for _, page in loaded])
    return {state.feed_id: (state, page) for (state, _), page in zip(loaded, pages, strict=True)}


def _write_page(
    root: Path, state: PageState, page: ChannelPage, now: datetime, summary: PublishSummary, look: str, style: Look
) -> None:
    html = render_channel(page, now, stamp=_digest(look, state.digest), look=style)
    _write(root, state.path + PAGE_ENDING, html, summary)
    summary.pages += 1


def _publish_list(
    engine: Engine, root: Path, base_url: str, summary: PublishSummary, style: Look, *, look: str
) -> None:
    """Write the files that pages need, and the list of feeds, by whose stamp the next run knows the look."""
    for name in ASSETS_OF_PAGES:
        with _blamed_on(name, summary):
            _write(root, name, style.asset(name), summary)
    with engine.connect() as connection:
        links = load_feed_links(connection)
    with _blamed_on(OPML, summary):
        _write(root, OPML, render_opml(links, base_url, stamp=look), summary)


def _publish_site(
    engine: Engine, root: Path, site: Site, summary: PublishSummary, gallery: Gallery, *, look: str
) -> None:
    """Write the pages of the site of which what they show is another than it was."""
    for page in SITE_PAGES:
        with engine.connect() as connection:
            stamp = _digest(look, page.state(connection, site))
        is_new = _stamp_of(root / page.path) != stamp
        if is_new or (page.is_news and summary.feeds):
            with _blamed_on(page.path, summary):
                _publish_page(engine, root, page, site, summary, gallery, stamp)


def _publish_page(
    engine: Engine, root: Path, page: SitePage, site: Site, summary: PublishSummary, gallery: Gallery, stamp: str
) -> None:
    with engine.connect() as connection:
        loaded = page.load(connection, site)
    (shown,) = gallery.show([loaded])
    for path, data in page.render(shown, site, stamp).items():
        _write(root, path, data, summary)


@contextmanager
def _blamed_on(path: str, summary: PublishSummary) -> Iterator[None]:
    """Note whatever goes wrong as a failure of this path, so that the others are still written."""
    try:
        yield
    except FolderUnusable:
        # The next thousand files would say the same.
        raise
    except Exception as error:
        unexpected = not isinstance(error, PublishError)
        _logger.error("Could not publish %s: %s", path, error, exc_info=unexpected)  # noqa: TRY400 - its text says it
        summary.failures.append(Failure(path, str(error) or type(error).__name__))


def _write(root: Path, path: str, data: bytes, summary: PublishSummary) -> None:
    if write_file(root, path, data):
        summary.written += 1
    else:
        summary.unchanged += 1


def _stamp_of(path: Path) -> str | None:
    """The stamp that a published file carries near its beginning, or None where it is missing."""
    try:
        with path.open("rb") as file:
            stamp = _STAMP.search(file.read(_STAMP_WITHIN))
    except OSError:
        return None
    return stamp[1].decode() if stamp else None


@lru_cache
def _code_digest() -> str:
    """Return a digest of all files' look: it changes with any line of this package and of the words, and any asset."""
    return _digest(*(path.read_text(encoding="utf-8") for path in _files_of_the_look()))


def _files_of_the_look() -> list[Path]:
    files = (path for folder in (FOLDER, WORDS) for path in folder.rglob("*"))
    return sorted(path for path in files if path.suffix in {".py", ".j2", ".xsl", ".css", ".js", ".svg"})


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
