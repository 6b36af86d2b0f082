"""Playthroughs by hand, and what the journal tells of them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import Event
from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.library.journal.games import GameOfWork, game_of_work
from pipeline.library.journal.playthroughs import (
    Written,
    add_playthrough,
    edit_playthrough,
    finish_work,
    remove_playthrough,
    status_after,
)
from pipeline.library.journal.states import Wish, set_state
from tests.pipeline.library.shelf import Shelf


@pytest.fixture
def game(shelf: Shelf) -> GameOfWork:
    game = shelf.game("Ico", 1)
    shelf.entry(game, platform="PlayStation 2")
    return game


def add(shelf: Shelf, game: GameOfWork, **values: Any) -> Written:
    with shelf.turn() as connection:
        return add_playthrough(connection, OWNER_ID, game, values, shelf.now, shelf.now.date())


def edit(shelf: Shelf, number: int, cleared: tuple[str, ...] = (), **values: Any) -> Written:
    with shelf.turn() as connection:
        today = shelf.now.date()
        return edit_playthrough(connection, OWNER_ID, number, values, shelf.now, today, cleared=cleared)


def finish(shelf: Shelf, game: GameOfWork, **values: Any) -> Written:
    with shelf.turn() as connection:
        return finish_work(connection, OWNER_ID, game, values, shelf.now, shelf.now.date())


def events(shelf: Shelf) -> list[tuple[str, bool, str]]:
    with shelf.engine.connect() as connection:
        rows = connection.execute(select(*Event.__table__.c).order_by(Event.id)).all()
    assert all(row.person_id == OWNER_ID and row.is_private for row in rows)
    return [(row.kind, row.silent, f"{row.occurred_at:%Y-%m-%d}") for row in rows]


def test_a_playthrough_without_any_date_begins_today(shelf: Shelf, game: GameOfWork) -> None:
    written = add(shelf, game)

    assert (written.status, written.started, written.finished) == ("playing", "2026-11-29", None)
    assert shelf.standing(game).words == ["owned", "playing"]
    assert events(shelf) == [("play.started", False, "2026-11-29")]


def test_a_year_stays_a_year_and_is_told_to_nobody(shelf: Shelf, game: GameOfWork) -> None:
    written = add(shelf, game, finished="2012", completion="all", seconds=36000)

    assert (written.status, written.finished) == ("finished", "2012")
    assert (shelf.standing(game).words, shelf.standing(game).seconds) == (["owned", "finished"], 36000)
    assert events(shelf) == [("play.finished", True, "2012-12-31")]


def test_who_finishes_a_game_gives_the_playthrough_under_way_its_end(shelf: Shelf, game: GameOfWork) -> None:
    begun = add(shelf, game, started="2026-10")
    ended = finish(shelf, game, completion="main")

    assert (ended.id, ended.status, ended.finished) == (begun.id, "finished", "2026-11-29")
    assert [kind for kind, *_ in events(shelf)] == ["play.started", "play.finished"]


def test_who_finishes_a_game_that_was_never_begun_gets_a_playthrough(shelf: Shelf, game: GameOfWork) -> None:
    assert finish(shelf, game, finished="2026-11-28").finished == "2026-11-28"
    assert events(shelf) == [("play.finished", False, "2026-11-29")]


def test_of_several_under_way_a_person_says_which_one_ends(shelf: Shelf, game: GameOfWork) -> None:
    add(shelf, game, started="2026-10")
    add(shelf, game, started="2026-11")
    with pytest.raises(UsageError, match=r"2 times \(\d+ since October 2026; \d+ since November 2026\)"):
        finish(shelf, game)


def test_what_is_finished_already_says_since_when_and_how_it_is_finished_again(shelf: Shelf, game: GameOfWork) -> None:
    number = finish(shelf, game, finished="2012").id

    with pytest.raises(UsageError) as error:
        finish(shelf, game)

    assert str(error.value).startswith(f"Ico is finished already, since 2012 (playthrough {number}).")
    assert "`lootwire journal add igdb:1 --finished today --replay`" in str(error.value)
    assert len(shelf.playthroughs()) == 1


def test_a_game_that_is_finished_may_be_finished_on_another_platform_or_in_another_edition(
    shelf: Shelf, game: GameOfWork
) -> None:
    remaster = shelf.game("Ico HD", 2, game_type=9, parent_game=1)
    finish(shelf, game, platform="PlayStation 2")
    finish(shelf, game, platform="PlayStation 3")
    finish(shelf, remaster)

    assert [row.igdb_id for row in shelf.playthroughs()] == [1, 1, 2]


def test_who_gives_up_has_finished_nothing(shelf: Shelf, game: GameOfWork) -> None:
    add(shelf, game, status="abandoned", finished="2026-11-28")

    assert shelf.standing(game).words == ["owned", "abandoned"]
    assert events(shelf) == []


def test_a_corrected_date_is_no_second_event(shelf: Shelf, game: GameOfWork) -> None:
    number = add(shelf, game, finished="2026-11-29").id
    edit(shelf, number, finished="2026-11-27")
    edit(shelf, number, ("finished",))
    edit(shelf, number, finished="2026-11-26")

    assert [kind for kind, *_ in events(shelf)] == ["play.finished"]
    assert shelf.playthroughs()[0].edited_at == shelf.now


def test_a_removed_playthrough_is_no_more_part_of_what_the_work_is(shelf: Shelf, game: GameOfWork) -> None:
    number = add(shelf, game, finished="2012").id
    with shelf.turn() as connection:
        assert remove_playthrough(connection, OWNER_ID, number, shelf.now) == "Ico"

    assert shelf.standing(game).words == ["owned", "backlog"]
    with pytest.raises(UsageError, match=f"no playthrough {number}"):
        edit(shelf, number, notes="?")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"started": "2020", "finished": "2019"}, "which of them is right"),
        ({"status": "paused", "finished": "2019"}, "one that is paused has no end"),
    ],
)
def test_values_that_do_not_fit_one_another_are_refused(
    shelf: Shelf, game: GameOfWork, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        add(shelf, game, **values)
    assert shelf.playthroughs() == []


def test_the_newest_word_holds_where_a_person_had_given_the_work_a_status(shelf: Shelf, game: GameOfWork) -> None:
    with shelf.turn() as connection:
        set_state(connection, OWNER_ID, game.work_id, Wish(values={"status": "backlog"}), shelf.now)
    written = finish(shelf, game)

    assert (written.status_before, written.status_now) == ("backlog", "finished")
    assert shelf.standing(game).words == ["owned", "finished"]


def test_what_is_mastered_or_finished_stays_so_while_it_is_played_again(shelf: Shelf) -> None:
    today = shelf.now.date()
    playing = {"status": "playing", "started": "2026-11", "finished": None}
    long_ago = {"status": "finished", "started": None, "finished": "2012"}

    assert [status_after(word, playing, today) for word in (None, "mastered", "finished", "paused", "backlog")] == [
        *(None, "mastered", "finished", "playing", "playing")
    ]
    assert [status_after(word, long_ago, today) for word in ("playing", "backlog")] == ["playing", "finished"]


def test_a_playthrough_is_of_the_edition_that_the_person_has_on_its_platform(shelf: Shelf, game: GameOfWork) -> None:
    remaster = shelf.game("Ico HD", 2, game_type=9, parent_game=1)
    assert remaster.work_id == game.work_id
    shelf.entry(remaster, "playstation", platform="PlayStation 3")

    with shelf.turn() as connection:
        on_three = game_of_work(connection, OWNER_ID, game.work_id, "PlayStation 3")
        anywhere = game_of_work(connection, OWNER_ID, game.work_id, None)
    assert (on_three.game_id, anywhere.game_id, anywhere.name) == (remaster.game_id, game.game_id, "Ico")


def test_a_game_that_a_person_does_not_have_may_be_played_too(shelf: Shelf) -> None:
    borrowed = shelf.game("Rez", 5)
    shelf.now += timedelta(days=1)
    with shelf.turn() as connection:
        game = game_of_work(connection, OWNER_ID, borrowed.work_id, None)
    add(shelf, game, finished="2003-Q1")

    assert shelf.standing(borrowed).words == ["finished"]
