"""Which games a person has, by their own hand."""

import pytest
from sqlalchemy import select

from models import WantedGame
from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.library.journal.entries import Addition, Outcome, add_entry, forget_work, hide_work, unhide_work
from pipeline.library.journal.games import GameOfWork
from pipeline.library.journal.playthroughs import add_playthrough
from pipeline.library.journal.states import Wish, set_state
from tests.pipeline.library.shelf import Shelf


def add(shelf: Shelf, game: GameOfWork, **values: object) -> Outcome:
    with shelf.turn() as connection:
        addition = Addition(game=game, **values)  # type: ignore[arg-type]
        return add_entry(connection, OWNER_ID, addition, shelf.now)


def wanted(shelf: Shelf) -> dict[int, list[str]]:
    with shelf.engine.connect() as connection:
        return dict(connection.execute(select(WantedGame.igdb_id, WantedGame.reasons)).all())


def test_a_game_that_is_added_is_owned_and_wanted(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)

    assert add(shelf, game, store="physical", platform="PlayStation 2") == "added"
    assert shelf.standing(game).words == ["owned", "backlog"]
    assert (shelf.standing(game).stores, shelf.standing(game).platforms) == (["physical"], ["PlayStation 2"])
    assert wanted(shelf) == {1: ["library"]}


def test_to_add_it_again_changes_nothing(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    add(shelf, game)

    assert add(shelf, game) == "same"
    assert len(shelf.entries()) == 1


def test_what_a_shop_for_computers_sold_is_on_pc_as_imports_have_it(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)

    assert add(shelf, game, store="steam") == "added"
    assert [entry.platform for entry in shelf.entries()] == ["PC"]
    assert add(shelf, game, store="steam", platform="PC") == "same"


def test_who_names_no_computer_means_the_entry_that_they_have_from_that_shop(shelf: Shelf) -> None:
    game, other = shelf.game("Ico", 1), shelf.game("Moss", 2)
    add(shelf, game, store="steam", platform="Linux")
    shelf.entry(other, "steam", "620")

    assert add(shelf, game, store="steam") == "same"
    assert add(shelf, other, store="steam") == "same"
    assert add(shelf, game, store="steam", platform="Mac") == "added"
    assert [(entry.external_id == "620", entry.platform) for entry in shelf.entries()] == [
        (False, "Linux"),
        (True, "PC"),
        (False, "Mac"),
    ]


def test_a_wish_comes_true_when_the_game_is_added_at_a_shop(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    add(shelf, game, ownership="wished")
    assert shelf.standing(game).words == ["wished"]

    assert add(shelf, game, store="gog", platform="PC") == "changed"
    assert [(row.store, row.ownership) for row in shelf.entries()] == [("gog", "owned")]
    assert shelf.standing(game).words == ["owned", "backlog"]


def test_a_hidden_game_is_not_owned_until_it_is_shown_again(shelf: Shelf) -> None:
    game = shelf.game("Soundtrack Tool", 1)
    shelf.entry(game)
    with shelf.turn() as connection:
        assert hide_work(connection, OWNER_ID, game.work_id, shelf.now) == 1
    assert shelf.standing(game) is None
    assert wanted(shelf) == {}

    with shelf.turn() as connection:
        assert unhide_work(connection, OWNER_ID, game.work_id, shelf.now) == 1
    assert shelf.standing(game).words == ["owned", "backlog"]


def test_a_hidden_game_that_was_played_keeps_that_and_is_no_reason_for_anything(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game)
    with shelf.turn() as connection:
        add_playthrough(connection, OWNER_ID, game, {"finished": "2012"}, shelf.now, shelf.now.date())
        hide_work(connection, OWNER_ID, game.work_id, shelf.now)

    assert (shelf.standing(game).words, shelf.standing(game).status) == ([], "finished")
    assert wanted(shelf) == {}


def test_a_game_without_an_entry_cannot_be_hidden(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    with shelf.turn() as connection, pytest.raises(UsageError, match="no entry"):
        hide_work(connection, OWNER_ID, game.work_id, shelf.now)


def test_a_forgotten_game_stays_away_as_rows_that_are_removed(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game)
    with shelf.turn() as connection:
        add_playthrough(connection, OWNER_ID, game, {"finished": "2012"}, shelf.now, shelf.now.date())
        set_state(connection, OWNER_ID, game.work_id, Wish(values={"status": "finished", "notes": "!"}), shelf.now)
        assert forget_work(connection, OWNER_ID, game.work_id, shelf.now) == (1, 1)

    assert [row.removed_at for row in shelf.entries()] == [shelf.now]
    assert [row.removed_at for row in shelf.playthroughs()] == [shelf.now]
    assert shelf.standing(game) is None
    assert wanted(shelf) == {}
    # An import may not say anything of it either.
    assert (shelf.state(game).status, shelf.state(game).set_by["status"]) == (None, "hand")


def test_what_was_forgotten_comes_back_with_its_notes_when_it_is_added_again(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game)
    with shelf.turn() as connection:
        add_playthrough(connection, OWNER_ID, game, {"finished": "2012"}, shelf.now, shelf.now.date())
        set_state(connection, OWNER_ID, game.work_id, Wish(values={"notes": "a castle"}), shelf.now)
        forget_work(connection, OWNER_ID, game.work_id, shelf.now)

    assert add(shelf, game) == "restored"
    assert [row.store for row in shelf.entries() if row.removed_at is None] == ["steam"]
    assert shelf.standing(game).words == ["owned", "finished"]
    assert (shelf.state(game).notes, shelf.state(game).set_by) == ("a castle", {"notes": "hand"})
