"""A complete mirror is kept fresh by what IGDB says was updated."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from models import Source
from pipeline.games.mirror.state import MIRROR
from pipeline.runtime.runtime import utc_now
from tests.igdb.games import game, games
from tests.pipeline.games.syncing import Syncing


@pytest.fixture(autouse=True)
def mirrored(syncing: Syncing) -> None:
    syncing.setting.igdb.put(*games(1, 600))
    syncing.mirror()
    syncing.news.clear()
    syncing.setting.igdb.forget_requests()


def changed(syncing: Syncing, igdb_id: int, **fields: Any) -> dict[str, Any]:
    return game(igdb_id, f"Now {igdb_id}", updated_at=int(syncing.setting.clock().timestamp()), **fields)


def sweep_all(syncing: Syncing) -> int:
    """Sweep until the next sweep is far away; returns how many rounds that took."""
    for rounds in range(1, 20):
        if syncing.fetch(syncing.sweep).next_due_at > utc_now() + timedelta(minutes=5):
            return rounds
    raise AssertionError("the sweep does not end")


def test_changed_and_new_games_are_swept_and_are_news(syncing: Syncing) -> None:
    syncing.setting.igdb.put(changed(syncing, 7), changed(syncing, 601))

    assert sweep_all(syncing) == 2
    assert (syncing.games()[7], syncing.games()[601]) == ("Now 7", "Now 601")
    assert syncing.news == [("added", [601], False), ("changed", [7], False)]


def test_the_next_sweep_begins_where_this_one_did(syncing: Syncing) -> None:
    syncing.setting.moved = timedelta(hours=5)
    before = syncing.setting.clock()
    sweep_all(syncing)

    swept_to = syncing.state().swept_to
    assert swept_to is not None
    assert before <= swept_to <= syncing.setting.clock()
    assert syncing.state().sweep_began_at is None


def test_many_changes_take_several_rounds_and_none_is_lost(syncing: Syncing) -> None:
    syncing.pages = 1
    syncing.setting.igdb.put(*[changed(syncing, key) for key in range(1, 1101)])
    swept_to = syncing.state().swept_to

    syncing.fetch(syncing.sweep)
    assert (syncing.state().sweep_after, syncing.state().swept_to) == (500, swept_to)
    sweep_all(syncing)
    assert set(syncing.games().values()) == {f"Now {key}" for key in range(1, 1101)}


def test_a_game_of_which_only_a_date_changed_is_asked_for(syncing: Syncing) -> None:
    at = int(syncing.setting.clock().timestamp())
    syncing.setting.igdb.put(game(9, "With another date"))
    syncing.setting.igdb.put({"id": 1, "game": 9, "updated_at": at}, endpoint="release_dates")

    sweep_all(syncing)
    assert syncing.games()[9] == "With another date"


def test_nothing_changed_is_two_requests(syncing: Syncing) -> None:
    # The games of the test are dated to last year.
    sweep_all(syncing)

    assert [request.path for request in syncing.setting.igdb.requests] == ["/games", "/release_dates"]


def test_a_pass_that_was_interrupted_keeps_its_place_through_sweeps(syncing: Syncing) -> None:
    running = syncing.mirroring().run()
    next(running)
    running.close()
    sweep_all(syncing)

    assert syncing.state().after == 500
    [step] = syncing.mirror()
    assert step.resumed_at == 500


def test_a_sweep_of_no_mirror_asks_for_nothing(syncing: Syncing) -> None:
    with syncing.engine.begin() as connection:
        connection.execute(update(Source).where(Source.name == MIRROR).values(cursor={}))

    assert syncing.fetch(syncing.sweep).outcome == "unchanged"
    assert syncing.setting.igdb.requests == []
