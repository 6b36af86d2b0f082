"""Render feeds with their pages, and write them: what each process of a publish does with its share."""

import hashlib
import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from feeds.calendar_content import CalendarEntry
from feeds.calendar_rows import load_calendars
from feeds.catalog import (
    ITEMS_PER_FEED,
    load_archives,
    load_feeds,
    load_unarchived,
    settle_archived,
    settle_written,
)
from feeds.content import FeedContent, SourceOff
from feeds.formats import PAGE_ENDING, Rendered, render_feed
from feeds.looks import Look
from feeds.pages.channel import ChannelPage, render_channel
from feeds.pages.channel_rows import PageState, load_moving, load_pages
from feeds.pages.registry import FeedPage, load_feed_pages
from feeds.pictures import Gallery
from feeds.podcasts.content import Podcast
from feeds.podcasts.publishing import Setting, remove_unwanted, write_podcast
from feeds.podcasts.rows import load_podcasts
from feeds.serving import is_private
from feeds.stores import Store
from feeds.write import PRIVATE, FolderUnusable, LinkedFolder, PublishError

# Pages of live channels in one run: another comes within seconds, and feeds must not wait for hundreds of them.
PAGES_AT_ONCE = 60
# A feed that has no more pages of older items to write gets them together with its newest.
FEW_ARCHIVES = 2
# The others get theirs when there is little news, so many in one run.
ARCHIVES_AT_ONCE = 200

# A name of a link, wherever a path or a message has it.
_PRIVATE_NAME = re.compile(rf"\b{PRIVATE}/[a-z2-7]{{26,}}")
_logger = logging.getLogger(__name__)


class Failure(msgspec.Struct, frozen=True):
    """Something that could not be published, and why; it stays marked and is tried again at the next run."""

    path: str
    reason: str


class PublishSummary(msgspec.Struct, kw_only=True):
    """What a run did: what it rendered, what became of the files, and what failed.

    `archives` are pages of older items, `pages` those that lie beside feeds.
    """

    feeds: int = 0
    archives: int = 0
    pages: int = 0
    written: int = 0
    unchanged: int = 0
    swept: int = 0
    failures: list[Failure] = msgspec.field(default_factory=list)
    # What is wrong with a person's own templates, in place of which the house's are used.
    look_problems: list[str] = msgspec.field(default_factory=list)

    def add(self, other: "PublishSummary") -> None:
        """Add what another process did."""
        for name in ("feeds", "archives", "pages", "written", "unchanged", "swept"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.failures += [failure for failure in other.failures if failure not in self.failures]
        self.look_problems += [problem for problem in other.look_problems if problem not in self.look_problems]


@dataclass(frozen=True)
class Edition:
    """What all files of a run have in common; `look` is a digest of everything that is not in the database.

    `private` has the folders of personal feeds by their links, `states` the stamps of the pages among them that change
    without events, by their feeds. `data` is the data directory, which sounds are in.
    """

    root: Path
    base_url: str
    now: datetime
    look: str
    style: Look
    items: int = ITEMS_PER_FEED
    pictures: bool = False
    hubs: tuple[str, ...] = ()
    off: Sequence[SourceOff] = ()
    private: Mapping[int, str] = field(default_factory=dict)
    states: Mapping[int, str] = field(default_factory=dict)
    data: Path | None = None


class Writer:
    """Writes what it is given into a store, and notes in a summary what became of it; one for each process."""

    def __init__(self, engine: Engine, store: Store, edition: Edition) -> None:
        self.engine = engine
        self.store = store
        self.edition = edition
        self.gallery = Gallery(engine, edition.root, edition.base_url, edition.now, enabled=edition.pictures)
        self.summary = PublishSummary()

    def write_feeds(self, feed_ids: Sequence[int]) -> None:
        """Write these feeds with their pages, and settle those that are on disk then."""
        edition = self.edition
        with self.engine.connect() as connection:
            missing = load_unarchived(connection, feed_ids, at_most=FEW_ARCHIVES)
            feeds = [
                msgspec.structs.replace(feed, archives=missing[feed.feed_id][-1]) if feed.feed_id in missing else feed
                for feed in load_feeds(connection, feed_ids, items=edition.items, private=edition.private)
            ]
            wanted = [(feed, number) for feed in feeds for number in missing.get(feed.feed_id, ())]
            archives = load_archives(connection, wanted, page_size=edition.items) if wanted else []
            pages = load_feed_pages(connection, feeds, edition.now)
            calendars = load_calendars(connection, feeds)
            podcasts = load_podcasts(connection, feed_ids, edition.private, hubs=edition.hubs)
        channels = self._channels([feed.feed_id for feed in feeds if feed.scope == "channel"])
        shown = dict(zip(pages, self.gallery.show([page for _, page in pages.values()]), strict=True))
        # Feeds share events; per batch, so that a full run does not keep every entry there is.
        entries: dict[str, Rendered] = {}
        done: dict[str, FeedContent] = {}
        try:
            for archive in self._shown(archives):
                self._write_documents(archive, entries)
            for feed in self._shown(feeds):
                with self.blamed_on(feed.path):
                    self._write_documents(feed, entries, calendars.get(feed.feed_id, ()))
                    if feed.feed_id in channels:
                        self._write_channel(*channels[feed.feed_id])
                    if feed.feed_id in pages:
                        self._write_page(pages[feed.feed_id][0], shown[feed.feed_id], feed)
                    done[feed.path] = feed
        finally:
            self._settle(done, {feed_id: numbers[-1] for feed_id, numbers in missing.items()})
            self.summary.archives += len(archives)
        self._write_podcasts(podcasts)

    def write_archives(self) -> None:
        """Write pages of older items of feeds that lack more than a few, as many as one run has time for."""
        edition = self.edition
        with self.engine.connect() as connection:
            missing = load_unarchived(connection, None, at_most=ARCHIVES_AT_ONCE)
            if not missing:
                return
            heads = load_feeds(connection, missing, items=0, private=edition.private)
            wanted = [(feed, number) for feed in heads for number in missing[feed.feed_id]][:ARCHIVES_AT_ONCE]
            archives = load_archives(connection, wanted, page_size=edition.items) if wanted else []
        entries: dict[str, Rendered] = {}
        last: dict[int, int] = {}
        for archive in self._shown(archives):
            # The pages after one that fails would lead nowhere.
            with self.blamed_on(archive.path):
                self._write_documents(archive, entries)
                last[archive.feed_id] = archive.archive or 0
        self.finish()
        self.summary.archives += len(archives)
        with self.engine.begin() as connection:
            settle_archived(connection, last, is_news=True)

    def write_moving(self) -> None:
        """Write the pages of live channels of which polls saw more, since polls append no event that marks them."""
        with self.engine.connect() as connection:
            moving = load_moving(connection)
        behind = [state for state in moving if self.store.stamp_of(_page_of(state)) != self._stamp(state)]
        oldest_first = sorted(behind, key=lambda state: _written_at(self.edition.root / _page_of(state)))
        pages = self._channels([state.feed_id for state in oldest_first[:PAGES_AT_ONCE]])
        for state, page in pages.values():
            with self.blamed_on(_page_of(state)):
                self._write_channel(state, page)

    def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        try:
            is_new = self.store.write(path, data)
        except PublishError as error:
            error.args = (hide_private(str(error)),)
            raise
        if is_new:
            self.summary.written += 1
        else:
            self.summary.unchanged += 1

    def place(self, path: str, source: Path, size: int) -> None:
        """Have a large file under a path."""
        try:
            is_new = self.store.place(path, source, size)
        except PublishError as error:
            error.args = (hide_private(str(error)),)
            raise
        if is_new:
            self.summary.written += 1
        else:
            self.summary.unchanged += 1

    def finish(self) -> Collection[str]:
        """Wait until all files are on disk; returns the paths of those that are not, which count as failures."""
        failed = self.store.finish()
        for path, error in failed.items():
            self._blame(path, error)
        return failed.keys()

    @contextmanager
    def blamed_on(self, path: str) -> Iterator[None]:
        """Note whatever goes wrong as a failure of this path, so that the others are still written."""
        try:
            yield
        except (FolderUnusable, OperationalError):
            # The next thousand files would say the same: the disk is full, or the database has gone away.
            raise
        except Exception as error:  # noqa: BLE001 - logged with its trace, and counted
            self._blame(path, error)

    def _blame(self, path: str, error: Exception) -> None:
        unexpected = not isinstance(error, PublishError)
        if isinstance(error, LinkedFolder):
            # Whatever lies below it fails alike.
            path = error.path
        shown, reason = hide_private(path), hide_private(str(error)) or type(error).__name__
        if Failure(shown, reason) in self.summary.failures:
            return
        _logger.error("Could not publish %s: %s", shown, reason, exc_info=error if unexpected else None)
        self.summary.failures.append(Failure(shown, reason))

    def _shown(self, feeds: Sequence[FeedContent]) -> list[FeedContent]:
        """Return feeds with copies of pictures, in their order; those of private ones alone are not asked for."""
        public = [feed for feed in feeds if not is_private(feed.path)]
        private = [feed for feed in feeds if is_private(feed.path)]
        shown = iter(self.gallery.show(public))
        own = iter(self.gallery.show(private, wanting=False))
        return [next(own) if is_private(feed.path) else next(shown) for feed in feeds]

    def _write_documents(
        self, feed: FeedContent, entries: dict[str, Rendered], calendar: Sequence[CalendarEntry] = ()
    ) -> None:
        if self.edition.hubs and not is_private(feed.path):
            # A hub would learn the address.
            feed = msgspec.structs.replace(feed, hubs=self.edition.hubs)
        for ending, data in render_feed(feed, self.edition.base_url, entries, calendar).items():
            self.write(feed.path + ending, data)

    def _write_page(self, kind: FeedPage, page: Any, feed: FeedContent) -> None:
        edition = self.edition
        shown = {"stamp": edition.states.get(feed.feed_id, edition.look), "look": edition.style}
        if kind.render_beside:
            self._write_beside(kind.render_beside(page, feed, edition.now, **shown), feed)
        self.write(feed.path + PAGE_ENDING, kind.render(page, feed, edition.now, **shown))
        self.summary.pages += 1

    def _write_beside(self, pages: Mapping[str, bytes], feed: FeedContent) -> None:
        """Write pages that lie in the folder of a personal feed, and remove those that were there before."""
        for path, html in pages.items():
            self.write(path, html)
            self.summary.pages += 1
        folder = feed.path.rpartition("/")[0]
        for file in sorted((self.edition.root / folder).glob(f"*{PAGE_ENDING}")):
            path = f"{folder}/{file.name}"
            if path not in pages and not _is_of(path, feed.path):
                self.store.remove(path)

    def _write_podcasts(self, podcasts: Sequence[Podcast]) -> None:
        """Write podcasts, and settle those of which every file is on disk; what they no longer lead to goes then."""
        edition = self.edition
        setting = Setting(data=edition.data, base_url=edition.base_url, look=edition.style, stamp=edition.look)
        for podcast in podcasts:
            with self.blamed_on(podcast.path):
                written, names = write_podcast(podcast, self, setting)
                if any(_lies_with(path, written) for path in self.finish()):
                    continue
                remove_unwanted(edition.root, written, names, self.store)
                self.finish()
                self.summary.feeds += 1
                self.summary.pages += 1 + len(written.episodes)
                with self.engine.begin() as connection:
                    settled = (written.feed_id, written.version, len(written.episodes))
                    settle_written(connection, [settled], edition.now)

    def _channels(self, feed_ids: Sequence[int]) -> dict[int, tuple[PageState, ChannelPage]]:
        if not feed_ids:
            return {}
        with self.engine.connect() as connection:
            loaded = load_pages(connection, feed_ids, self.edition.now)
        pages = self.gallery.show([page for _, page in loaded])
        return {state.feed_id: (state, page) for (state, _), page in zip(loaded, pages, strict=True)}

    def _write_channel(self, state: PageState, page: ChannelPage) -> None:
        html = render_channel(page, self.edition.now, stamp=self._stamp(state), look=self.edition.style)
        self.write(_page_of(state), html)
        self.summary.pages += 1

    def _stamp(self, state: PageState) -> str:
        return digest(self.edition.look, state.digest)

    def _settle(self, done: Mapping[str, FeedContent], archived: Mapping[int, int]) -> None:
        """Settle the feeds of which every file is on disk."""
        failed = self.finish()
        settled = [feed for path, feed in done.items() if not any(_stands_with(file, path) for file in failed)]
        ids = {feed.feed_id for feed in settled}
        self.summary.feeds += len(settled)
        with self.engine.begin() as connection:
            settle_written(
                connection, [(feed.feed_id, feed.version, len(feed.items)) for feed in settled], self.edition.now
            )
            of_settled = {feed_id: number for feed_id, number in archived.items() if feed_id in ids}
            settle_archived(connection, of_settled, is_news=False)


def digest(*parts: str) -> str:
    """Return the stamp of a file that is made of these."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def hide_private(text: str) -> str:
    """Return a path, or a text with paths in it, as logs may show it: the name of a personal feed is a secret."""
    return _PRIVATE_NAME.sub(f"{PRIVATE}/…", text)


def _page_of(state: PageState) -> str:
    return state.path + PAGE_ENDING


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _is_of(file: str, path: str) -> bool:
    """Return whether a file is one of a feed's."""
    return file.startswith(f"{path}.")


def _lies_with(file: str, podcast: Podcast) -> bool:
    return _is_of(file, podcast.path) or file.startswith(f"{podcast.folder}/")


def _stands_with(file: str, path: str) -> bool:
    """Return whether a feed is not written while a file is not; a folder under a link has one feed and its pages."""
    return _is_of(file, path) or (is_private(path) and file.rpartition("/")[0] == path.rpartition("/")[0])
