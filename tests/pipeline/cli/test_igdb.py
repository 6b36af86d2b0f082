"""`lootwire igdb`: fill the catalogue from the command line, and see how it stands."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from models import GameMetadata
from pipeline.games.store.wanted import want
from tests.igdb import LocalIgdb
from tests.igdb.games import game, games
from tests.igdb.tokens import tokens_of
from tests.pipeline.cli.operator import Operator
from tests.twitch import LocalTwitch
from tests.waiting import wait_for


@pytest.fixture
def igdb(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalIgdb]:
    with LocalTwitch() as twitch, LocalIgdb(games(1, 40), accepts=tokens_of(twitch)) as igdb:
        monkeypatch.setenv("TWITCH_CLIENT_ID", twitch.client_id)
        monkeypatch.setenv("TWITCH_CLIENT_SECRET", twitch.client_secret)
        monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
        monkeypatch.setenv("LOOTWIRE_IGDB_URL", igdb.url)
        yield igdb


def known(operator: Operator) -> list[int]:
    with operator.engine.connect() as connection:
        return sorted(connection.scalars(select(GameMetadata.igdb_id)))


def test_everything_is_mirrored_and_then_kept_fresh(operator: Operator, igdb: LocalIgdb) -> None:
    result = operator.run("igdb", "sync", "--all", "--json")
    [summary] = result.lines
    assert (result.code, summary["games"], summary["added"], summary["missing"]) == (0, 40, 40, 0)
    assert known(operator) == list(range(1, 41))

    result = operator.run("igdb", "sync", "--json")
    assert [(line["source"], line["outcome"]) for line in result.lines] == [
        ("igdb.links", "unchanged"),
        ("igdb.wanted", "unchanged"),
        ("igdb.mirror", "unchanged"),
        ("igdb.mirror", "unchanged"),
    ]
    [standing] = operator.run("igdb", "status", "--json").lines
    assert (standing["games"], standing["mirror"], standing["removed"]) == (40, "complete", 0)
    assert standing["asked_last_hour"] == len(igdb.requests)
    assert "mirror complete since" in operator.run("igdb", "status").out


def test_ctrl_c_ends_it_and_the_next_time_it_goes_on(operator: Operator, igdb: LocalIgdb) -> None:
    igdb.put(*games(1, 1800))
    igdb.latency = 0.2
    # Creates the tables, so that the process below need not.
    operator.run("igdb", "status")
    with operator.start("igdb", "sync", "--all") as running:
        wait_for(lambda: known(operator))
        running.send_signal(signal.SIGINT)
        output = running.communicate(timeout=60)
    assert (running.returncode, output) == (130, ("", "stopped\n"))
    assert "full sync interrupted at" in operator.run("igdb", "status").out

    [summary] = operator.run("igdb", "sync", "--all", "--json").lines
    assert (summary["games"], summary["unchanged"]) == (1800, 0)
    assert known(operator) == list(range(1, 1801))


def test_wanted_games_are_fetched_at_once(operator: Operator, igdb: LocalIgdb) -> None:
    operator.run("igdb", "status")
    with operator.engine.begin() as connection:
        want(connection, [3, 7], "follow", datetime.now(UTC))

    result = operator.run("igdb", "sync")
    assert result.code == 0
    assert "igdb.wanted: 2 games asked for, 2 changed" in result.out
    assert known(operator) == [3, 7]
    assert "no mirror; `lootwire igdb sync --all` makes one" in operator.run("igdb", "status").out


def test_what_was_set_aside_is_told(operator: Operator, igdb: LocalIgdb) -> None:
    igdb.put({"id": 41, "slug": "nameless"}, game(42))

    result = operator.run("igdb", "sync", "--all")
    assert result.code == 3
    assert "41 new" in result.out
    assert "1 rows could not be read" in result.out


def test_a_block_is_told_in_a_line(operator: Operator, igdb: LocalIgdb) -> None:
    igdb.fail("/games", 403, "<html>error code: 1010</html>")

    result = operator.run("igdb", "sync", "--all")
    assert result.code == 1
    assert result.errors == "lootwire: IGDB does not let us in (error code: 1010)\n"
    assert "last error: IGDB does not let us in" in operator.run("igdb", "status").out


def test_without_an_application_it_says_what_to_set(operator: Operator) -> None:
    result = operator.run("igdb", "sync", "--all")

    assert result.code == 1
    assert "IGDB needs TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET" in result.errors
    assert operator.run("igdb", "status").code == 0
