"""What time alone, and a game that changes its work, make of a library."""

from datetime import timedelta

from sqlalchemy import insert

from models import LibraryEntry
from models.people import OWNER_ID
from pipeline.games.store.works import pin_alone
from pipeline.library.clock import advance
from pipeline.library.standing import PLAYING_FOR
from tests.pipeline.library.shelf import Shelf


def test_who_has_not_played_for_two_weeks_is_not_playing(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game, playtime_seconds=3600, last_played_at=shelf.now - timedelta(days=1))
    assert shelf.standing(game).words == ["owned", "playing"]

    assert advance(shelf.engine, shelf.now) == 0
    assert advance(shelf.engine, shelf.now + PLAYING_FOR) == 1
    assert (shelf.standing(game).words, shelf.standing(game).status) == (["owned"], "paused")
    assert advance(shelf.engine, shelf.now + PLAYING_FOR) == 0


def test_a_game_that_belongs_to_another_work_now_is_owned_as_that(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game)
    with shelf.engine.begin() as connection:
        other = pin_alone(connection, game.game_id, shelf.now)

    assert advance(shelf.engine, shelf.now) == 2
    assert shelf.standing(game) is None
    moved = type(game)(game.game_id, other, game.igdb_id, game.name)
    assert shelf.standing(moved).words == ["owned", "backlog"]
    assert advance(shelf.engine, shelf.now) == 0


def test_what_is_nothing_to_a_person_is_not_looked_at_again_and_again(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    with shelf.engine.begin() as connection:
        row = {"person_id": OWNER_ID, "game_id": game.game_id, "store": "physical", "external_id": "1"}
        more = {"title": "Ico", "ownership": "sold", "first_seen_at": shelf.now}
        connection.execute(insert(LibraryEntry).values(row | more))

    assert advance(shelf.engine, shelf.now) == 0
