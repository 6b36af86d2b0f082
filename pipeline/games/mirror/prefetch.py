"""Read the whole catalogue page by page, with as many requests open as the rate limit can use, and no more.

While a page is answered and stored within the time that the limit leaves between two requests, one request is open at
a time: each page begins where the one before it ended. A slower IGDB would waste the limit that way. Then one request
asks for the ends of the next ten pages, and these pages are asked for side by side; they come in order all the same.
So a pass that is interrupted has asked for little that it did not store.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import local
from types import TracebackType
from typing import NamedTuple, Self

from pipeline.fetch.http import Client
from pipeline.services.igdb.apicalypse import MOST_QUERIES
from pipeline.services.igdb.client import Igdb, Page

OpenIgdb = Callable[[Client], Igdb]
# Of the eight requests that may be open one is left to commands that wait for a single game.
MOST_AHEAD = 7
# How much the newest page weighs in the average of the seconds that a page takes.
SMOOTHING = 0.3


class Window(NamedTuple):
    """Ids above `after`, up to `until`; None where the next page ends wherever it does."""

    after: int
    until: int | None


class Ahead:
    """Asks for pages in threads of its own. Use it as a context manager.

    `interval` is the time between two requests that the limit leaves; `most` how many may be open.
    """

    def __init__(self, open_igdb: OpenIgdb, *, interval: timedelta, most: int = MOST_AHEAD) -> None:
        self._open_igdb = open_igdb
        self._interval = interval.total_seconds()
        self._most = most
        self._clients = ExitStack()
        self._own = local()
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="igdb", initializer=self._open)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._clients.close()

    def pages(self, after: int) -> Iterator[Page]:
        """Return every page above an id, in order. The next one is asked for when the caller wants it."""
        return _Reading(self, after, self._interval, self._most).pages()

    def page(self, window: Window) -> "Future[Page]":
        """Ask for a page."""
        return self._pool.submit(lambda: self._igdb.games_page(window.after, window.until))

    def cuts(self, after: int) -> "Future[list[int]]":
        """Ask where the next pages end."""
        return self._pool.submit(lambda: self._igdb.cuts(after))

    @property
    def _igdb(self) -> Igdb:
        igdb: Igdb = self._own.igdb
        return igdb

    def _open(self) -> None:
        self._own.igdb = self._open_igdb(self._clients.enter_context(Client()))


class _Reading:
    """One way through the catalogue: pages that are on their way, and where further ones begin and end."""

    def __init__(self, ahead: Ahead, after: int, interval: float, most: int) -> None:
        self._ahead = ahead
        self._interval = interval
        self._most = most
        self._windows = deque([Window(after, None)])
        self._flying: deque[tuple[Window, Future[Page]]] = deque()
        # Where the known ends of pages stop, while there may be more; None while one page leads to the next.
        self._cut_to: int | None = None
        self._looking: tuple[int, Future[list[int]]] | None = None
        # All ends are known: pages behind the last one hold games that IGDB has added meanwhile.
        self._ended = False
        self._pace = 0.0

    def pages(self) -> Iterator[Page]:
        while self._launch():
            if not self._flying:
                self._take_cuts()
                continue
            window, flying = self._flying.popleft()
            page = flying.result()
            if page.more is not None:
                self._go_on(window, page.more)
            began = time.monotonic()
            yield page
            self._learn(page.seconds + time.monotonic() - began)

    def _launch(self) -> bool:
        """Ask for as many pages as the window needs; return whether any request is on its way."""
        if self._looking is not None and self._looking[1].done():
            self._take_cuts()
        if self._pace > self._interval and self._windows and self._cut_to is None and not self._ended:
            self._cut_to = self._windows.pop().after
        depth = min(self._most, math.ceil(self._pace / self._interval) + 1)
        while self._windows and len(self._flying) < depth:
            window = self._windows.popleft()
            self._flying.append((window, self._ahead.page(window)))
        if self._cut_to is not None and self._looking is None and len(self._windows) < depth:
            self._looking = self._cut_to, self._ahead.cuts(self._cut_to)
        return bool(self._flying) or self._looking is not None

    def _take_cuts(self) -> None:
        """Make windows of the ends of the next pages; behind the last page of all there may be new games."""
        if self._looking is None:
            return
        begin, looking = self._looking
        cuts = looking.result()
        for cut in cuts:
            self._windows.append(Window(begin, cut))
            begin = cut
        self._looking = None
        self._ended = len(cuts) < MOST_QUERIES
        self._cut_to = None if self._ended else begin
        if self._ended:
            self._windows.append(Window(begin, None))

    def _go_on(self, window: Window, more: int) -> None:
        rest = Window(more, window.until)
        if window.until is None:
            self._windows.append(rest)
        else:
            # The rest comes before the pages that are on their way already.
            self._flying.appendleft((rest, self._ahead.page(rest)))

    def _learn(self, seconds: float) -> None:
        self._pace = seconds if not self._pace else self._pace + SMOOTHING * (seconds - self._pace)
