"""What is told of lists."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from models import ListActivity, Person
from pipeline.games import clock
from pipeline.games.following.list_rows import NewLine
from pipeline.games.following.lists import keep_list, remove_list
from tests.pipeline.games.following.listing import START, TOP, Lists


@pytest.fixture
def top(lists: Lists) -> Lists:
    """A list of nine games whose making was told."""
    lists.create("Ico", "Rez", "Okami", "Portal", "Braid", "Limbo", "Fez", "Myst", "Doom")
    lists.later()
    return lists


def test_a_move_is_told_once_when_ten_minutes_have_passed(top: Lists) -> None:
    top.move("7", 2)

    assert top.later(9) == []
    [detail] = top.later(1)
    assert detail == {"name": TOP, "total": 1, "moved": [{"name": "Fez", "place": 2, "place_before": 7}]}
    assert [top.later(minutes) for minutes in (0, 10, 1000)] == [[], [], []]
    event = top.events()[-1]
    assert (event.title, event.person_id, event.is_private) == ("Top 25 – Fez from 7 to 2", top.person_id, True)


def test_all_that_happens_within_ten_minutes_is_one_event(top: Lists) -> None:
    top.move("Fez", 1)
    top.later(5)
    top.remove("Doom")
    top.note("Rez", "in one night")
    top.later(4)
    top.add("Tetris", at=2, notes="always")

    [detail] = top.later(1)
    assert (detail["added"], detail["removed"], detail["moved"]) == (
        [{"name": "Tetris", "note": "always", "place": 2}],
        [{"name": "Doom", "place_before": 9}],
        [{"name": "Fez", "place": 1, "place_before": 7}],
    )
    top.move("Fez", 3)
    assert len(top.later()) == 1


def test_what_comes_to_nothing_is_not_told(top: Lists) -> None:
    top.move("Fez", 1)
    top.add("Tetris")
    top.note("Tetris", "always")
    top.remove("Tetris")
    top.move("Fez", 7)
    top.describe(description="The best there is")

    assert top.later() == []
    with top.engine.connect() as connection:
        assert connection.scalars(select(ListActivity.id).where(ListActivity.told_at.is_(None))).all() == []


def test_a_new_list_is_told_with_its_first_games(lists: Lists) -> None:
    lists.create("Ico", "Rez")
    lists.create(name="Nothing yet")

    [detail] = lists.later()
    assert detail["added"] == [{"name": "Ico", "place": 1}, {"name": "Rez", "place": 2}]


def test_a_clock_that_jumps_back_tells_nothing_twice(top: Lists) -> None:
    top.move("Fez", 1)
    assert len(top.later()) == 1
    top.now = START - timedelta(days=2)

    assert [top.later(0), top.later(10)] == [[], []]
    top.move("Fez", 2)
    assert len(top.later()) == 1


def test_two_clocks_at_once_tell_it_once(top: Lists) -> None:
    top.move("Fez", 1)
    top.now += timedelta(minutes=10)

    counted = [clock.advance(top.engine, top.now) for _ in range(2)]

    assert [count["list.changed"] for count in counted] == [1, 0]


def test_a_file_says_nothing_and_what_a_person_did_before_is_told_first(top: Lists) -> None:
    top.move("Fez", 1)
    top.now += timedelta(minutes=1)

    top.begin(lambda connection: keep_list(connection, TOP, [NewLine(written="Tetris")], top.now))

    assert [event.detail["moved"][0]["name"] for event in top.events()[1:]] == ["Fez"]
    assert top.later() == []
    top.add("Ico")
    [detail] = top.later()
    assert detail["added"] == [{"name": "Ico", "place": 2}]


def test_a_list_that_is_removed_takes_what_was_not_told_with_it(top: Lists) -> None:
    top.move("Fez", 1)
    top.begin(lambda connection: remove_list(connection, TOP, top.now))

    assert top.later() == []


def test_lists_of_two_people_are_two_events_each_their_own(top: Lists) -> None:
    with top.engine.begin() as connection:
        kim = connection.execute(insert(Person).values(name="Kim", created_at=top.now).returning(Person.id))
        others = Lists(top.engine, top.now, kim.scalar_one())
    others.create("Ico")
    top.move("Fez", 1)

    assert len(top.later()) == 2
    assert {event.person_id for event in top.events()[-2:]} == {top.person_id, others.person_id}
