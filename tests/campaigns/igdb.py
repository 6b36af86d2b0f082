"""A full sync of IGDB that is killed again and again: the same rows as without, and hardly a page asked for twice."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from bench.igdb_documents import document
from models.base import Base
from pipeline.embedded import Servers
from pipeline.games.mirror.prefetch import MOST_AHEAD
from pipeline.games.mirror.state import MirrorState, load_state
from tests.campaigns.campaign import Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.campaigns.own_servers import OwnDatabases, own_databases
from tests.igdb import LocalIgdb
from tests.paths import CHECKOUT
from tests.pipeline.fetch.own_redis import own_redis, url_of
from tests.twitch.faults import SeenRequest
from tests.waiting import wait_for

TABLES = ("game_metadata", "game_titles", "external_games", "platforms", "release_dates")
# When something was written differs from run to run.
MOMENTS = {"synced_at", "first_seen_at", "last_seen_at"}
_AFTER = re.compile(r"id > (\d+)")


@dataclass(frozen=True, kw_only=True)
class Passes(Size):
    """A pass over so many games for each limit of requests a second, each killed so many times.

    It is killed after one of these numbers of pages, and so many seconds later at most.
    """

    games: int
    kills: int
    limits: tuple[int, ...]
    after_pages: tuple[int, ...]
    pause: float


_SHORTENS = ("limits of IGDB's own (none)", "the lease of a request (2 s)")
FULL = Passes(shortens=_SHORTENS, games=20_000, kills=10, limits=(2, 100), after_pages=(1, 1, 2), pause=0.3)
SHORT = Passes(shortens=_SHORTENS, games=3_000, kills=2, limits=(20,), after_pages=(1,), pause=0.05)


@dataclass
class Syncing:
    """An IGDB, and passes over it in processes of their own."""

    igdb: LocalIgdb
    servers: Servers
    # So many requests a second: one page at a time keeps up with the first, and with the second it does not.
    requests: int = 20

    def start(self, engine: Engine) -> "subprocess.Popen[bytes]":
        database_url = engine.url.render_as_string(hide_password=False)
        arguments = [database_url, url_of(self.servers), self.igdb.url, str(self.requests)]
        return subprocess.Popen([sys.executable, "-m", "tests.campaigns.igdb_sync", *arguments], cwd=CHECKOUT)

    def run(self, engine: Engine) -> None:
        assert self.start(engine).wait(120) == 0

    def kill_midway(self, engine: Engine, pages: int, pause: float) -> MirrorState:
        """Start a pass, kill it when it has stored so many pages more and a moment later; returns how far it was."""
        listed = self.state(engine).listed
        process = self.start(engine)
        wait_for(lambda: self.state(engine).listed >= listed + pages * 500 or process.poll() is not None, 60)
        time.sleep(pause)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it was over before it was killed: nothing is shown"
        # What PostgreSQL had already been told to commit is committed when the session is gone.
        wait_for(lambda: not self.sessions(engine))
        return self.state(engine)

    @staticmethod
    def state(engine: Engine) -> MirrorState:
        with engine.connect() as connection:
            return load_state(connection)

    @staticmethod
    def sessions(engine: Engine) -> int:
        """How many others are connected to the database."""
        others = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with engine.connect() as connection:
            return connection.scalar(others) or 0

    def pages(self) -> list[int]:
        """Where each page that was asked for begins."""
        return [began(request) for request in self.igdb.requests if request.path == "/games"]


def began(request: SeenRequest) -> int:
    match = _AFTER.search(request.body.decode())
    assert match is not None
    return int(match[1])


def rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {name: _rows(connection, name) for name in TABLES}


def _rows(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    table = Base.metadata.tables[name]
    columns = [column for column in table.c if column.name not in MOMENTS]
    return [tuple(row) for row in connection.execute(select(*columns).order_by(*table.primary_key))]


def run(size: Passes, trial: Trial) -> Sequence[Claim]:
    """Kill passes over the same games, at each of the limits, and compare with one that was left in peace."""
    documents = [document(key) for key in range(1, size.games + 1)]
    with (
        own_databases() as own,
        LocalIgdb(documents, accepts=["made-up"]) as igdb,
        own_redis(own.servers),
    ):
        igdb.limits.per_second = igdb.limits.most_open = None
        return [claim for limit in size.limits for claim in _passes(size, trial, own, igdb, limit)]


def _passes(size: Passes, trial: Trial, own: OwnDatabases, igdb: LocalIgdb, limit: int) -> Sequence[Claim]:
    syncing = Syncing(igdb, own.servers, limit)
    with own.databases.new() as undisturbed, own.databases.new() as killed:
        Syncing(igdb, own.servers).run(undisturbed)
        igdb.forget_requests()
        again, most = list[int](), 0
        for _ in range(size.kills):
            asked_before = set(syncing.pages())
            pages, pause = trial.dice.choice(size.after_pages), trial.dice.uniform(0, size.pause)
            stored = syncing.kill_midway(killed, pages, pause)
            on_their_way = [page for page in set(syncing.pages()) - asked_before if page >= stored.after]
            most = max(most, len(on_their_way))
            again += on_their_way
        syncing.run(killed)
        asked = syncing.pages()
        twice = {page for page in asked if asked.count(page) > 1}
        expected, rows_killed = rows(undisturbed), rows(killed)
    at = f", at {limit} requests a second"
    return [
        none_of(f"tables that differ{at}", [table for table in TABLES if rows_killed[table] != expected[table]]),
        at_least(f"rows{at}", sum(map(len, expected.values())), size.games),
        none_of(f"pages asked for twice that had been stored{at}", sorted(twice - set(again))),
        # One, where a quick machine keeps up with the limit; never more than may be open, and one that is being stored.
        at_most(f"pages on their way at a kill{at}", most, MOST_AHEAD + 1),
        figure(f"pages asked for{at}", len(asked)),
        figure(f"of them twice{at}", len(twice)),
    ]
