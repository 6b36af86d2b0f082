"""What a line adds to what is known; the order of files does not matter."""

from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.library.compare import (
    Change,
    EntryFacts,
    StateFacts,
    ThroughFacts,
    differences,
    join_entries,
    join_states,
    join_throughs,
    state_of,
    status_by_end,
    through_of,
)
from pipeline.library.records import PlaythroughRecord, Record

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ICO = EntryFacts(game_id=1, igdb_id=10, title="Ico", ownership="owned")
ONCE = ThroughFacts(game_id=1, igdb_id=10, platform="PC", status="playing")


def test_playtime_never_shrinks_and_a_title_is_the_same_in_any_order() -> None:
    long = msgspec.structs.replace(ICO, title="ICO", playtime_seconds=7200, last_played_at=NOON)
    short = msgspec.structs.replace(ICO, playtime_seconds=60, acquired_on=date(2012, 5, 1), ownership="wished")

    joined = join_entries(long, short)

    assert joined == join_entries(short, long)
    assert (joined.playtime_seconds, joined.last_played_at, joined.acquired_on) == (7200, NOON, date(2012, 5, 1))
    assert (joined.title, joined.ownership) == ("ICO", "owned")


def test_a_source_says_how_things_are_now_and_a_file_has_no_say_against_it() -> None:
    lent = msgspec.structs.replace(ICO, ownership="lent", title="Ico (PS2)")

    assert join_entries(ICO, lent, is_source=True).ownership == "lent"
    assert join_entries(ICO, lent, was_source=True) == ICO
    assert join_entries(ICO, msgspec.structs.replace(ICO, is_hidden=True), was_source=True).is_hidden


def test_a_game_that_a_person_said_counts_for_more_than_one_that_igdb_has() -> None:
    own = msgspec.structs.replace(ICO, game_id=7, igdb_id=None)

    assert join_entries(ICO, own).game_id == 1
    assert join_entries(ICO, own, is_decided=True).game_id == 7


def test_of_what_is_said_the_further_the_finer_and_all_tags_and_notes_count() -> None:
    one = StateFacts(status="backlog", rating=80.0, rating_scale=5, tags=("cosy",), notes="b", series="Team Ico")
    other = StateFacts(status="finished", rating=72.0, rating_scale=100, is_favourite=True, tags=("ps2",), notes="a")

    assert join_states(one, other, by_hand=()) == StateFacts(
        status="finished",
        rating=72.0,
        rating_scale=100,
        is_favourite=True,
        tags=("cosy", "ps2"),
        notes="a\n---\nb",
        series="Team Ico",
    )


def test_what_was_set_by_hand_stays() -> None:
    mine = StateFacts(status="paused", rating=90.0, rating_scale=10, notes="mine")
    line = StateFacts(status="mastered", rating=10.0, rating_scale=100, notes="theirs", tags=("x",))

    joined = join_states(mine, line, by_hand={"status", "rating", "notes"})

    assert joined == msgspec.structs.replace(mine, tags=("x",))


@pytest.mark.parametrize(
    ("known", "new", "expected"),
    [("2012", "2012-05", "2012-05"), ("2012-05", "2012", "2012-05"), ("2011", "2012", "2012"), (None, "2012", "2012")],
)
def test_of_two_ends_the_later_or_the_more_precise_one_counts(known: str | None, new: str, expected: str) -> None:
    joined = join_throughs(msgspec.structs.replace(ONCE, finished=known), msgspec.structs.replace(ONCE, finished=new))

    assert joined.finished == expected


def test_a_playthrough_that_comes_again_says_the_most_of_both() -> None:
    first = msgspec.structs.replace(ONCE, started="2012", completion="main", seconds=3600, platform="")
    again = msgspec.structs.replace(
        ONCE, started="2012-03", status="finished", completion="all", rating=80.0, rating_scale=10, is_replay=True
    )

    joined = join_throughs(first, again)

    assert joined == join_throughs(again, first)
    assert (joined.started, joined.status, joined.completion) == ("2012-03", "finished", "all")
    assert (joined.seconds, joined.platform, joined.rating, joined.is_replay) == (3600, "PC", 80.0, True)


def test_what_a_line_says_is_read_in_the_form_in_which_it_is_stored() -> None:
    through = PlaythroughRecord(key="a", status="finished", rating=66.666, rating_scale=3, notes=" good ")
    record = Record(line=1, written="Ico", rating=66.666, rating_scale=3, tags=("b", "a", "b"), notes=" ")

    assert state_of(record) == StateFacts(rating=66.67, rating_scale=3, tags=("a", "b"))
    assert state_of(record).is_any
    assert not state_of(Record(line=1, written="Ico")).is_any
    assert through_of(through, 1, 10, "PC") == ThroughFacts(
        game_id=1, igdb_id=10, platform="PC", status="finished", rating=66.67, rating_scale=3, notes="good"
    )


def test_what_waits_by_one_file_and_has_an_end_by_another_is_over() -> None:
    assert status_by_end("backlog", ["finished", "mastered"]) == "mastered"
    assert status_by_end("backlog", []) == "backlog"
    assert status_by_end("paused", ["finished"]) == "paused"


def test_differences_name_the_field_with_its_values() -> None:
    assert differences(ICO, msgspec.structs.replace(ICO, playtime_seconds=60)) == (
        Change(field="playtime_seconds", old=None, new=60),
    )


STATES = st.builds(
    StateFacts,
    status=st.sampled_from([None, "backlog", "playing", "finished", "mastered"]),
    rating=st.sampled_from([None, 50.0, 80.0]),
    rating_scale=st.sampled_from([5, 10]),
    is_favourite=st.booleans(),
    tags=st.sampled_from([(), ("a",), ("b",)]),
    notes=st.sampled_from([None, "one", "two"]),
    series=st.sampled_from([None, "A", "B"]),
)


@given(STATES, STATES, STATES)
def test_states_are_the_same_in_any_order_and_however_often(a: StateFacts, b: StateFacts, c: StateFacts) -> None:
    joined = join_states(join_states(a, b, ()), c, ())

    assert joined == join_states(join_states(join_states(c, a, ()), b, ()), a, ())
