"""A full sync of IGDB that is killed again and again: the same rows as without, and hardly a page asked for twice.

The short form mirrors 5,000 games and is killed twice, the long one (LOOTWIRE_CAMPAIGN=long) 20,000 and ten times.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, text

from bench.igdb_documents import document
from models.base import Base
from pipeline.embedded import Servers
from pipeline.games.mirror.prefetch import MOST_AHEAD
from pipeline.games.mirror.state import MirrorState, load_state
from tests.databases import Databases
from tests.igdb import LocalIgdb
from tests.paths import CHECKOUT
from tests.pipeline.fetch.own_redis import own_redis, url_of
from tests.twitch.faults import SeenRequest
from tests.waiting import wait_for

pytestmark = pytest.mark.long

LONG = os.environ.get("LOOTWIRE_CAMPAIGN") == "long"
GAMES, KILLS = (20_000, 10) if LONG else (3_000, 2)
# After how many pages it is killed, and so many seconds later at most: a few pages, of forty or of six.
PAGES, PAUSE = ([1, 1, 2], 0.3) if LONG else ([1], 0.05)
TABLES = ("game_metadata", "game_titles", "external_games", "platforms", "release_dates")
# When something was written differs from run to run.
MOMENTS = {"synced_at", "first_seen_at", "last_seen_at"}
_AFTER = re.compile(r"id > (\d+)")


@dataclass
class Campaign:
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


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    return [document(key) for key in range(1, GAMES + 1)]


@pytest.fixture
def campaign(servers: Servers, documents: list[dict[str, Any]]) -> Iterator[Campaign]:
    with LocalIgdb(documents, accepts=["made-up"]) as igdb, own_redis(servers):
        igdb.limits.per_second = igdb.limits.most_open = None
        yield Campaign(igdb, servers)


def rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {name: _rows(connection, name) for name in TABLES}


def _rows(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    table = Base.metadata.tables[name]
    columns = [column for column in table.c if column.name not in MOMENTS]
    return [tuple(row) for row in connection.execute(select(*columns).order_by(*table.primary_key))]


@pytest.mark.parametrize("requests", [2, 100] if LONG else [20])
def test_a_pass_that_is_killed_again_and_again_comes_to_the_same_rows(
    campaign: Campaign, databases: Databases, requests: int, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(requests)  # noqa: S311 - not a secret
    campaign.requests = requests
    with databases.new() as undisturbed, databases.new() as killed:
        Campaign(campaign.igdb, campaign.servers).run(undisturbed)
        campaign.igdb.forget_requests()
        again = []
        for _ in range(KILLS):
            asked_before = set(campaign.pages())
            stored = campaign.kill_midway(killed, dice.choice(PAGES), dice.uniform(0, PAUSE))
            on_their_way = [page for page in set(campaign.pages()) - asked_before if page >= stored.after]
            # One at a time where that keeps up with the limit, never more than may be open and one that is stored.
            assert len(on_their_way) <= (1 if requests == 2 else MOST_AHEAD + 1)
            again += on_their_way
        campaign.run(killed)

        pages = campaign.pages()
        twice = {page for page in pages if pages.count(page) > 1}
        assert twice <= set(again)
        assert rows(killed) == rows(undisturbed)
    with capsys.disabled():
        sys.stdout.write(f"\n{KILLS} kills, {len(pages)} pages asked for, {len(twice)} of them again\n" if LONG else "")
