"""What a person says of a work by hand."""

import pytest

from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.library.journal.games import GameOfWork
from pipeline.library.journal.states import StateChange, Wish, set_state
from tests.pipeline.library.shelf import Shelf


def say(shelf: Shelf, game: GameOfWork, **wish: object) -> list[StateChange]:
    with shelf.turn() as connection:
        return set_state(connection, OWNER_ID, game.work_id, Wish(**wish), shelf.now)  # type: ignore[arg-type]


def test_what_a_person_says_is_written_down_as_their_word(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game)
    changes = say(shelf, game, values={"status": "finished", "rating": 90.0, "rating_scale": 10, "year": 2001})

    assert {change.field: (change.old, change.new) for change in changes} == {
        "status": (None, "finished"),
        "rating": (None, 90.0),
        "year": (None, 2001),
    }
    state = shelf.state(game)
    assert (state.status, state.rating, state.rating_scale) == ("finished", 90.0, 10)
    assert state.set_by == {"status": "hand", "rating": "hand", "year": "hand"}
    assert shelf.standing(game).words == ["owned", "finished"]


def test_a_field_that_is_cleared_is_given_back_to_machines(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    shelf.entry(game)
    say(shelf, game, values={"status": "finished", "rating": 90.0, "rating_scale": 10, "notes": "again one day"})
    say(shelf, game, cleared=["status", "rating"])

    state = shelf.state(game)
    assert (state.status, state.rating, state.rating_scale, state.notes) == (None, None, None, "again one day")
    assert state.set_by == {"notes": "hand"}
    assert shelf.standing(game).status == "backlog"


def test_tags_come_and_go_whatever_their_case(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    say(shelf, game, tags_added=("Castle", "quiet"))
    say(shelf, game, tags_added=("QUIET", "short"), tags_removed=("castle",))

    assert shelf.state(game).tags == ["quiet", "short"]


def test_to_say_the_same_again_changes_nothing(shelf: Shelf) -> None:
    game = shelf.game("Ico", 1)
    say(shelf, game, values={"is_favourite": True})

    assert say(shelf, game, values={"is_favourite": True}) == []


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"values": {"status": "finished"}, "cleared": ["status"]}, "cannot be set and cleared"),
        ({"cleared": ["colour"]}, "no field 'colour' to clear: there are status"),
        ({"values": {"year": 1200}}, "1200 is no year of a game"),
        ({"values": {"cover_url": "cover.png"}}, "begins with https://"),
        ({"values": {"name": "  "}}, "--clear FIELD takes a value away"),
        ({"tags_added": ("x" * 61,)}, "60 at most"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    shelf: Shelf, wish: dict[str, object], reason: str
) -> None:
    game = shelf.game("Ico", 1)
    with pytest.raises(UsageError, match=reason):
        say(shelf, game, **wish)

    assert shelf.state(game) is None
