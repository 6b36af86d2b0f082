"""Lists that are changed line by line."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from models import GameListEntry, ListActivity, Person, WantedGame, Work
from models.errors import UsageError
from pipeline.games.following.list_rows import NewLine
from pipeline.games.following.lists import keep_list
from tests.examples import examples
from tests.pipeline.games.following.listing import TOP, Lists


def wanted(lists: Lists) -> list[int]:
    with lists.engine.connect() as connection:
        return list(connection.scalars(select(WantedGame.igdb_id).order_by(WantedGame.igdb_id)))


def nine(lists: Lists) -> list[str]:
    titles = ["Ico", "Rez", "Okami", "Portal", "Braid", "Limbo", "Fez", "Myst", "Doom"]
    lists.create(*titles)
    return titles


def test_games_are_added_at_the_end_or_at_a_place(lists: Lists) -> None:
    lists.create("Ico", "Rez")
    lists.add("Okami", at=1)
    lists.add("Portal", at=3, notes="short")

    assert lists.titles() == ["Okami", "Ico", "Portal", "Rez"]
    assert [line.notes for line in lists.lines()] == [None, None, "short", None]


def test_moving_place_seven_to_two_is_one_activity(lists: Lists) -> None:
    nine(lists)
    before = len(lists.log())

    placed = lists.move("7", 2)

    assert (placed.name, placed.place_before, placed.place) == ("Fez", 7, 2)
    assert lists.titles() == ["Ico", "Fez", "Rez", "Okami", "Portal", "Braid", "Limbo", "Myst", "Doom"]
    [(verb, [change])] = lists.log()[before:]
    assert (verb, change.name, change.place_before, change.place) == ("moved", "Fez", 7, 2)


def test_a_game_that_stands_there_already_is_not_moved(lists: Lists) -> None:
    nine(lists)
    before = lists.log()

    lists.move("Fez", 7)

    assert lists.log() == before


def test_a_line_is_named_by_its_text_its_game_its_place_and_by_igdbs_number(lists: Lists) -> None:
    lists.know({"igdb_id": 7, "name": "The Legend of Fez"})
    lists.create("Ico", "Rez", "Okami")
    lists.add("fez!", igdb_id=7)

    for named in ("4", "igdb:7", "IGDB: 7", "fez", "the legend of fez"):
        assert lists.move(named, 4).name == "The Legend of Fez"


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("Ocami", "'Ocami' is not on the list 'Top 25'; did you mean Okami?"),
        ("Tetris Effect", "'Tetris Effect' is not on the list 'Top 25'; `lootwire games lists show 'Top 25'` has its"),
        ("12", "'12' is not on the list 'Top 25'"),
        ("igdb:9", "'igdb:9' is not on the list 'Top 25'"),
    ],
)
def test_what_is_not_on_the_list_is_named_with_what_may_be_meant(lists: Lists, named: str, sentence: str) -> None:
    nine(lists)

    with pytest.raises(UsageError) as refused:
        lists.move(named, 1)

    assert str(refused.value).startswith(sentence)


def test_a_title_that_is_on_the_list_twice_has_to_be_named_by_its_place(lists: Lists) -> None:
    lines = [NewLine(written="Doom"), NewLine(written="Quake"), NewLine(written="DOOM")]
    lists.begin(lambda connection: keep_list(connection, TOP, lines, lists.now))

    with pytest.raises(UsageError, match="2 times: Doom at 1, DOOM at 3; name it by its place"):
        lists.remove("doom")
    lists.remove("3")
    assert lists.titles() == ["Doom", "Quake"]


@pytest.mark.parametrize(("place", "sentence"), [(0, "0 is no place"), (4, "they go from 1 to 3")])
def test_a_place_that_the_list_does_not_have_is_refused(lists: Lists, place: int, sentence: str) -> None:
    lists.create("Ico", "Rez", "Okami")

    with pytest.raises(UsageError, match=sentence):
        lists.move("Ico", place)
    assert lists.titles() == ["Ico", "Rez", "Okami"]


def test_a_game_is_on_a_list_once(lists: Lists) -> None:
    lists.know({"igdb_id": 7, "name": "Fez"})
    lists.create("Ico")
    lists.add("FEZ", igdb_id=7)

    with pytest.raises(UsageError, match="'Ico' is on the list 'Top 25' already, at 1"):
        lists.add("ico!")
    with pytest.raises(UsageError, match="'Fez' is on the list 'Top 25' already, at 2"):
        lists.add("that game", igdb_id=7)


def test_a_list_that_wants_nothing_makes_nothing_wanted(lists: Lists) -> None:
    lists.know({"igdb_id": 7, "name": "Fez"}, {"igdb_id": 8, "name": "Myst"})
    lists.create(wants=False)
    lists.create(name="Waiting", ranked=False, wants=True)
    lists.add("Fez", igdb_id=7)
    lists.add("Myst", igdb_id=8, name="Waiting")

    assert wanted(lists) == [8]
    lists.describe(wants=True)
    assert wanted(lists) == [7, 8]
    lists.describe(wants=False, description="The best there is")
    lists.remove("Myst", "Waiting")
    assert wanted(lists) == []
    assert [verb for verb, _ in lists.log()][-2:] == ["described", "described"]
    assert lists.log()[-1][1][0].description == "wants none of its games; The best there is"


def test_a_game_of_a_list_has_a_work_also_where_it_is_wanted_for_nothing(lists: Lists) -> None:
    lists.know({"igdb_id": 7, "name": "Fez"}, {"igdb_id": 8, "name": "Fez HD", "game_type": 9, "parent_game": 7})
    lists.create()
    lists.add("Fez HD", igdb_id=8)
    lists.add("A dream", at=1)

    with lists.engine.connect() as connection:
        works = dict(connection.execute(select(Work.id, Work.root_igdb_id)).all())
    assert [works.get(line.work_id or 0) for line in lists.lines()] == [None, 7]


def test_notes_and_descriptions_are_written_down_and_taken_away(lists: Lists) -> None:
    lists.create("Ico", "Rez")
    lists.note("Rez", " in one night ")
    lists.note("Rez", "in one night")
    lists.note("2", "")

    assert [line.notes for line in lists.lines()] == [None, None]
    assert [(verb, changes[0].note) for verb, changes in lists.log()[-2:]] == [
        ("noted", "in one night"),
        ("noted", None),
    ]


def test_lists_are_per_person_and_so_are_their_names_and_slugs(lists: Lists) -> None:
    with lists.engine.begin() as connection:
        other = connection.execute(insert(Person).values(name="Kim", created_at=lists.now).returning(Person.id))
        others = Lists(lists.engine, lists.now, other.scalar_one())
    lists.create("Ico")
    others.create("Rez")

    assert (lists.titles(), others.titles()) == (["Ico"], ["Rez"])
    assert others.titles("top-25") == ["Rez"]
    with pytest.raises(UsageError, match="there is a list 'Top 25' already"):
        others.create()
    with pytest.raises(UsageError, match="there is no list 'Top 20'; did you mean Top 25"):
        others.titles("Top 20")


def test_a_file_that_replaces_a_list_is_one_change_and_keeps_notes_of_what_stays(lists: Lists) -> None:
    lists.know({"igdb_id": 7, "name": "Fez"})
    lists.create("Ico", "Rez")
    lists.add("Fez", igdb_id=7, notes="twice")
    lists.note("Rez", "in one night")
    lines = [NewLine(written="Fez (2012)", igdb_id=7), NewLine(written="Portal"), NewLine(written="rez")]

    for _ in range(2):
        lists.begin(lambda connection: keep_list(connection, TOP, lines, lists.now, origin="best.txt"))

    assert lists.titles() == ["Fez", "Portal", "rez"]
    assert [line.notes for line in lists.lines()] == ["twice", None, "in one night"]
    assert [verb for verb, _ in lists.log()].count("replaced") == 1
    assert lists.replayed() == [line.id for line in lists.lines()]


def test_two_moves_at_once_are_one_after_the_other(lists: Lists) -> None:
    titles = nine(lists)

    with ThreadPoolExecutor(4) as people:
        moves = [people.submit(lists.move, title, place) for title, place in zip(titles, range(9, 0, -1), strict=True)]
        moves += [people.submit(lists.move, title, 5) for title in titles]
        for move in moves:
            move.result()

    assert sorted(lists.titles()) == sorted(titles)
    assert lists.replayed() == [line.id for line in lists.lines()]


def test_games_that_two_people_add_and_remove_at_once_leave_no_gap(lists: Lists) -> None:
    nine(lists)

    with ThreadPoolExecutor(4) as people:
        changes: list[Any] = [people.submit(lists.add, f"New {n}", 1) for n in range(4)]
        changes += [people.submit(lists.remove, title) for title in ("Ico", "Fez", "Doom")]
        changes += [people.submit(lists.move, "Rez", place) for place in (1, 4)]
        for change in changes:
            change.result()

    assert len(lists.titles()) == 10
    assert lists.replayed() == [line.id for line in lists.lines()]


steps = st.lists(st.tuples(st.sampled_from("amrf"), st.integers(1, 9), st.integers(1, 9)), max_size=8)


@pytest.fixture
def emptied(lists: Lists) -> Lists:
    lists.create()
    return lists


@given(steps)
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changes_leave_places_without_gaps_and_a_log_that_leads_to_the_list(
    emptied: Lists, todo: list[tuple[str, int, int]]
) -> None:
    lists = emptied
    with lists.engine.begin() as connection:
        for table in (ListActivity, GameListEntry):
            connection.execute(delete(table))
    expected: list[str] = []
    for number, (what, place, other) in enumerate(todo):
        here, there = min(place, len(expected)), min(other, len(expected))
        if what == "f":
            expected = [*expected[::2], f"File {number}"]
            lists.replace(*expected)
        elif what == "a":
            at = min(place, len(expected) + 1)
            lists.add(f"Game {number}", at=at)
            expected.insert(at - 1, f"Game {number}")
        elif what == "r" and expected:
            lists.remove(str(here))
            expected.pop(here - 1)
        elif what == "m" and expected:
            lists.move(str(here), there)
            expected.insert(there - 1, expected.pop(here - 1))

    assert lists.titles() == expected
    assert lists.replayed() == [line.id for line in lists.lines()]
