"""`releases` at the command line."""

from datetime import UTC, datetime, timedelta

from pipeline.games.store.games import store_games
from pipeline.games.store.links import Link, link
from tests.pipeline.cli.operator import Operator
from tests.pipeline.cli.test_games import add_category
from tests.pipeline.games.documents import doc
from tests.pipeline.games.releases.releasing import dated


def test_releases_are_shown_the_nearest_first(operator: Operator) -> None:
    now = datetime.now(UTC)
    soon = (now + timedelta(days=40)).date()
    game_id = add_category(operator)
    with operator.engine.begin() as connection:
        store_games(connection, [doc(9, "Gloomtide", release_dates=[dated(1, soon)])], now)
        link(connection, [Link(game_id=game_id, igdb_id=9, how="name", confidence=1.0)])

    [line] = operator.run("releases", "--json").lines

    assert (line["game"], line["when"], line["last_day"]) == ("Gloomtide", soon.isoformat(), soon.isoformat())
    assert "Gloomtide" in operator.run("releases", "--until", soon.isoformat()).out
    before = (soon - timedelta(days=1)).isoformat()
    assert operator.run("releases", "--until", before).out == "Nothing that is known comes out then.\n"


def test_a_platform_that_nothing_is_on_is_wrong_usage(operator: Operator) -> None:
    result = operator.run("releases", "--platform", "Swich")
    assert (result.code, result.errors.count("\n")) == (2, 1)
