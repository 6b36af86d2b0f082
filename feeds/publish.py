"""Bring the published folder up to date: take in events, load what is marked, render, write, settle."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import msgspec
from sqlalchemy import Engine, select

from feeds.catalog import ITEMS_PER_FEED, create_first, is_any_marked, mark_all, mark_feeds, marked_ids
from feeds.content import SourceOff
from feeds.formats import PAGE_ENDING, render_opml
from feeds.helping import can_help, wait_for_helper, work_in_two
from feeds.links import OpenLinks, is_name_of, open_links
from feeds.looks import HOUSE, Look
from feeds.pages.index_rows import load_feed_links
from feeds.pages.library_rows import MineState, load_states
from feeds.pages.registry import ASSETS_OF_PAGES, SITE_PAGES, Site, SitePage
from feeds.podcasts.publishing import leftover
from feeds.podcasts.standing import settle_podcasts
from feeds.scopes import PODCASTS
from feeds.stores.folder import FolderStore
from feeds.stores.packing import Packing
from feeds.take_in import AT_ONCE as EVENTS_AT_ONCE
from feeds.take_in import TURN, take_in
from feeds.templating import FOLDER
from feeds.write import PRIVATE, PublishError, make_folders, sweep
from feeds.writing import Edition, Failure, PublishSummary, Writer, digest
from models import Feed, words
from models.locks import AT_ONCE, hold
from models.vault import Vault

__all__ = ["Failure", "PublishSummary", "publish", "take_in_all"]

BATCH = 100
# With so many feeds to write a second process helps.
MANY = 200
OPML = "feeds.opml"
WORDS = Path(words.__file__).parent

_logger = logging.getLogger(__name__)


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
    vault: Callable[[], Vault] | None = None,
    hubs: Collection[str] = (),
    packings: Collection[Packing] = (),
    everything: bool = False,
    data: Path | None = None,
) -> PublishSummary:
    """Write every marked feed below `root`, and the pages and the list of feeds where what they show has changed.

    A feed has its newest `items`, and of what is on now at least one item each, however old.

    Runs one at a time on a database: another waits, or, if it should not `wait`, leaves its work to the one that
    runs. Each may be killed anywhere and run again at will, since a feed is settled only once its files are on disk.
    With `pictures` the files show copies of pictures where there are any, and the other pictures become due. `off` are
    the sources that the page says are off.
    Pages have the look of `style`; what is wrong with a person's own templates is logged, and stands in the summary.
    The `vault` is opened where there are personal feeds. Feeds name the `hubs` that are told of changes, and files get
    packed ones beside them by `packings`. Sounds are in `data`, the data directory; podcasts have no episodes without
    it. With `everything`, all is rendered again, marked or not.
    What fails is logged, stands in the summary and stays marked. Raises PublishError where the folder itself cannot
    be used: no permission, or a full disk.
    """
    copies = "copies" if pictures else ""
    edition = Edition(
        root=root,
        base_url=base_url,
        now=now,
        look=digest(_code_digest(), base_url, copies, str(items), style.digest, *hubs, *packings),
        style=style,
        items=items,
        pictures=pictures,
        hubs=tuple(hubs),
        off=off,
        data=data,
    )
    summary = PublishSummary()
    goes_on = True
    while goes_on:
        done = summary.feeds + summary.archives
        with hold(engine, TURN, None if wait else AT_ONCE) as our_turn:
            if our_turn:
                _run(engine, edition, summary, vault, packings, everything=everything)
        everything = False
        # Other runs left their work to us until the turn was given up; where nothing moves, the next run may try.
        goes_on = done < summary.feeds + summary.archives and not summary.failures and _is_anything_marked(engine)
    return summary


def _run(
    engine: Engine,
    edition: Edition,
    summary: PublishSummary,
    vault: Callable[[], Vault] | None,
    packings: Collection[Packing],
    *,
    everything: bool,
) -> None:
    wait_for_helper(engine)
    _prepare(edition.root, summary)
    take_in_all(engine, page_size=edition.items)
    with engine.begin() as connection:
        create_first(connection)
        standing = settle_podcasts(connection, vault, edition.now)
        links = open_links(connection, vault)
        states = load_states(connection, links.folders)
    stamps = {state.feed_id: digest(edition.look, state.digest) for state in states}
    edition = replace(edition, private=links.folders, states=stamps)
    with FolderStore(edition.root, packings=packings) as store:
        writer = Writer(engine, store, edition)
        try:
            is_new = store.stamp_of(OPML) != edition.look
            if is_new or everything:
                # A new folder, an emptied one, another address, another version of us: everything is due.
                with engine.begin() as connection:
                    mark_all(connection, page_size=edition.items)
                store.remove_unwanted()
            if standing.problem and links.problem is None:
                writer.summary.failures.append(Failure(PRIVATE, standing.problem))
            _remove_revoked(writer, links)
            _remove_hidden(writer)
            _mark_moved(writer, states)
            _write_feeds(writer, packings)
            if writer.summary.feeds < BATCH:
                writer.write_archives()
            writer.write_moving()
            _write_site(writer, is_new=is_new)
            writer.finish()
        finally:
            summary.add(writer.summary)
    for name, problem in edition.style.problems.items():
        if problem not in summary.look_problems:
            _logger.warning("The house's own is used in place of %s", problem, extra={"template": name})
            summary.look_problems.append(problem)


def take_in_all(engine: Engine, *, page_size: int = ITEMS_PER_FEED) -> int:
    """Put all new events on their feeds, some thousands in each transaction; returns how many there were.

    The caller has the turn to publish.
    """
    total = 0
    while True:
        with engine.begin() as connection:
            taken = take_in(connection, page_size=page_size)
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


def _write_feeds(writer: Writer, packings: Collection[Packing]) -> None:
    """Write what is marked; a second process does a share of it where that is much."""
    with writer.engine.connect() as connection:
        ids = marked_ids(connection, writer.edition.private)
    batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
    if len(ids) <= MANY or not can_help():
        for batch in batches:
            writer.write_feeds(batch)
        return

    def work(numbers: Iterable[int]) -> bytes:
        # A store is of one process.
        with FolderStore(writer.edition.root, packings=packings) as store:
            share = Writer(writer.engine, store, writer.edition)
            for number in numbers:
                share.write_feeds(batches[number])
        return msgspec.json.encode(share.summary)

    # What a helper that failed did not write is still marked, and the next run writes it.
    for result in work_in_two(writer.engine, len(batches), work):
        writer.summary.add(msgspec.json.decode(result, type=PublishSummary))


def _mark_moved(writer: Writer, states: Sequence[MineState]) -> None:
    """Mark the feeds of people's libraries whose pages show something else by now: ratings and hours make no events."""
    edition = writer.edition
    moved = [
        state.feed_id
        for state in states
        if writer.store.stamp_of(f"{edition.private[state.link_id]}/{state.scope}{PAGE_ENDING}")
        != edition.states[state.feed_id]
    ]
    if moved:
        with writer.engine.begin() as connection:
            mark_feeds(connection, moved)


def _remove_revoked(writer: Writer, links: OpenLinks) -> None:
    """Remove what lies under names that no link has any more, or that nobody ever gave."""
    if links.problem is not None:
        _logger.error("Personal feeds are not written: %s", links.problem)
        writer.summary.failures.append(Failure(PRIVATE, links.problem))
    for folder in _private_folders(writer.edition.root):
        if not is_name_of(folder.name, links.digests):
            for path in sorted(folder.iterdir()):
                with writer.blamed_on(f"{PRIVATE}/{folder.name}/{path.name}"):
                    writer.store.remove(f"{PRIVATE}/{folder.name}/{path.name}")


def _remove_hidden(writer: Writer) -> None:
    """Remove podcasts from the open whose show or playlist is private by now, or gone."""
    in_the_open = select(Feed.path).where(Feed.scope.in_(sorted(PODCASTS)), Feed.link_id.is_(None))
    with writer.engine.connect() as connection:
        paths = list(connection.scalars(in_the_open))
    for path in leftover(writer.edition.root, paths):
        with writer.blamed_on(path):
            writer.store.remove(path)


def _private_folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in (root / PRIVATE).iterdir() if path.is_dir() and not path.is_symlink())
    except FileNotFoundError:
        return []


def _write_site(writer: Writer, *, is_new: bool) -> None:
    """Write the pages of the site of which what they show is another than it was, and the list of feeds."""
    edition, is_news = writer.edition, bool(writer.summary.feeds)
    if is_new or is_news:
        for name in ASSETS_OF_PAGES:
            with writer.blamed_on(name):
                writer.write(name, edition.style.asset(name))
    site = Site(edition.base_url, edition.now, edition.style, edition.off)
    with writer.engine.connect() as connection:
        stamps = [digest(edition.look, page.state(connection, site)) for page in SITE_PAGES]
    for page, stamp in zip(SITE_PAGES, stamps, strict=True):
        if writer.store.stamp_of(page.path) != stamp or (page.is_news and is_news):
            with writer.blamed_on(page.path):
                _write_page(writer, page, site, stamp)
    if is_new or is_news:
        with writer.engine.connect() as connection:
            links = load_feed_links(connection)
        # Last: by its stamp the next run knows that everything was marked for this look.
        with writer.blamed_on(OPML):
            writer.write(OPML, render_opml(links, edition.base_url, stamp=edition.look))


def _write_page(writer: Writer, page: SitePage, site: Site, stamp: str) -> None:
    with writer.engine.connect() as connection:
        loaded = page.load(connection, site)
    (shown,) = writer.gallery.show([loaded])
    for path, data in page.render(shown, site, stamp).items():
        writer.write(path, data)


@lru_cache
def _code_digest() -> str:
    """Return a digest of all files' look: it changes with any line of this package and of the words, and any asset."""
    return digest(*(path.read_text(encoding="utf-8") for path in _files_of_the_look()))


def _files_of_the_look() -> list[Path]:
    files = (path for folder in (FOLDER, WORDS) for path in folder.rglob("*"))
    return sorted(path for path in files if path.suffix in {".py", ".j2", ".xsl", ".css", ".js", ".svg"})
