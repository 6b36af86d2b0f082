"""Mirror IGDB's whole catalogue: every page is stored in a transaction of its own, with how far the pass is.

So a pass may end anywhere, by Ctrl-C or by a kill, and the next one goes on behind the last page that was stored. A
game is gone when a whole page over its id lacks it and IGDB, asked for that id, does not know it either.
"""

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import suppress
from datetime import timedelta

import msgspec
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from pipeline.errors import SourceError, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.games.mirror.prefetch import MOST_AHEAD, Ahead, OpenIgdb
from pipeline.games.mirror.state import (
    MIRROR,
    PATIENCE,
    Claim,
    MirrorState,
    alone,
    check_mine,
    claim,
    complete,
    let_go,
    save,
)
from pipeline.games.store.games import known_ids_between
from pipeline.games.take_in import AppendNews, Clock, Intake, Taken, believed
from pipeline.services.igdb.client import Page
from pipeline.services.igdb.igdb_requests import PER, REQUESTS

# PostgreSQL's largest: above it there is no id.
END = 2**63 - 1
# How long a pass waits whenever IGDB does not answer; a pass has no due time that could wait.
PAUSES = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=60))
LONGEST_PAUSE = timedelta(minutes=2)


class Step(msgspec.Struct, frozen=True):
    """How far a pass is: `done` of `total` games, as IGDB counts them, and the counts of the last page."""

    done: int
    total: int | None
    taken: Taken
    missing: int = 0
    doubtful: int = 0
    resumed_at: int = 0


class Mirroring(msgspec.Struct, frozen=True, kw_only=True):
    """The means of a full pass. `interval` is the time between two requests that the limit leaves."""

    engine: Engine
    open_igdb: OpenIgdb
    clock: Clock
    append_news: AppendNews
    interval: timedelta = PER / REQUESTS
    most_ahead: int = MOST_AHEAD
    patience: timedelta = PATIENCE

    def run(self) -> Generator[Step, None, None]:
        """Make a full pass, or go on with the one that was interrupted; yields a step for every page that is stored.

        Raises `Busy` where another pass is under way, and `SourceError` where IGDB does not answer: the pages stored
        until then stay.
        """
        with alone(self.engine, self.patience):
            with self.engine.begin() as connection:
                claimed = claim(connection, self.clock())
            try:
                yield from self._pages(claimed)
            except BaseException as error:
                # With the database gone the lease runs out by itself, and the first error is the one to report.
                with suppress(DBAPIError), self.engine.begin() as connection:
                    let_go(connection, claimed.fence, str(error) if isinstance(error, SourceError) else None)
                raise

    def _pages(self, claimed: Claim) -> Generator[Step, None, None]:
        fence, state, resumed_at = claimed.fence, claimed.state, claimed.state.listed
        with (
            Client() as client,
            Ahead(self.open_igdb, interval=self.interval, most=self.most_ahead) as ahead,
        ):
            igdb = self.open_igdb(client)
            for page in ahead.pages(state.after):
                gone, doubtful = self._gone(page)
                gone = igdb.missing(gone) if gone else set()
                count_page(state, page, doubtful)
                taken = self._store(fence, state, page, gone, silent=claimed.first)
                yield Step(state.listed, state.total, taken, state.missing, state.doubtful, resumed_at)
        with self.engine.begin() as connection:
            check_mine(connection, fence)
            complete(connection, state, self.clock())
            # Searches begin with the rarest words, which the statistics name; they would know of none for a minute.
            connection.execute(text("ANALYZE game_titles"))

    def _gone(self, page: Page) -> tuple[Collection[int], int]:
        """Return the games that a page should hold and does not, or how many they are if too many to believe."""
        if not page.whole:
            return (), 0
        with self.engine.connect() as connection:
            known = known_ids_between(connection, page.after, end_of(page, END))
        gone = known - {document.igdb_id for document in page.documents.documents}
        if believed(gone, known):
            return gone, 0
        return (), len(gone)

    def _store(self, fence: int, state: MirrorState, page: Page, gone: Collection[int], *, silent: bool) -> Taken:
        now = self.clock()
        with self.engine.begin() as connection:
            row = check_mine(connection, fence)
            intake = Intake(
                connection=connection, source_id=row["id"], origin=MIRROR, append_news=self.append_news, now=now
            )
            taken = intake.take(page.documents, page.asked_at, silent=silent, removed=gone)
            save(connection, state, now)
        return taken


def patiently(
    mirroring: Mirroring, wait: Callable[[str, timedelta], object], *, pauses: Sequence[timedelta] = PAUSES
) -> Generator[Step, None, None]:
    """Make a full pass that goes on after a while where IGDB does not answer; it calls `wait` with why and how long.

    Raises `SourceUnavailable` when nothing has come after the last of the `pauses`.
    """
    left = list(pauses)
    while True:
        try:
            for step in mirroring.run():
                yield step
                left = list(pauses)
            return
        except SourceUnavailable as error:
            if not left:
                raise
            wait(str(error), max(left.pop(0), min(error.retry_after or timedelta(0), LONGEST_PAUSE)))


def count_page(state: MirrorState, page: Page, doubtful: int) -> None:
    """Count a page in the state of the pass, which goes on behind it."""
    if page.until is None and page.count is not None:
        state.total = state.listed + page.count
    state.listed += page.size
    state.missing += page.missing if page.more is None else 0
    state.doubtful += doubtful
    state.after = end_of(page, page.last_id)


def end_of(page: Page, last: int) -> int:
    """Return the id up to which a page is complete; `last` where no games follow."""
    if page.more is not None:
        return page.more
    return last if page.until is None else page.until
