"""In whichever order files come, and however often: the same library."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from pipeline.library.compare import EntryFacts, StateFacts, ThroughFacts, join_entries, join_states, join_throughs
from pipeline.library.records import PlaythroughRecord, Reading, Record
from tests.databases import Databases
from tests.examples import examples
from tests.pipeline.library.importing.files import bring, state
from tests.pipeline.library.shelves import NAMES, NOON, REMASTER, Library, reading

pytestmark = pytest.mark.long

SECONDS = st.none() | st.integers(0, 3) | st.integers(0, 10**6)
MOMENTS = st.none() | st.integers(0, 400).map(lambda days: NOON - timedelta(days=days))
PERIODS = st.none() | st.sampled_from(["2012", "2012-05", "2012-05-03", "2012-Q2", "1999-Q3", "1999", "2013-01-01"])
RATINGS = st.sampled_from([(None, None), (50.0, 5), (66.666666, 3), (60.0, 100), (90.0, 10), (75.0, None)])
NOTES = st.none() | st.sampled_from(["good", "bad", "good\n---\nbad", " long "])
STATUSES = st.sampled_from(["backlog", "playing", "paused", "finished", "mastered", "abandoned", "endless"])
PLATFORMS = st.lists(st.sampled_from(["PS2", "PlayStation 2", "PC", "Wii"]), max_size=2).map(tuple)
THROUGHS = st.builds(
    lambda key, status, started, finished, seconds, rated, notes, platform: PlaythroughRecord(
        key=key,
        status=status,
        started=started,
        finished=finished,
        seconds=seconds,
        rating=rated[0],
        rating_scale=rated[1],
        notes=notes,
        platform=platform,
    ),
    *(st.sampled_from(["1", "2"]), STATUSES, PERIODS, PERIODS, SECONDS, RATINGS, NOTES),
    st.sampled_from(["", "PS2"]),
)
# By an id, by a shop's id, by a title, and nothing that is known.
MEANT = st.one_of(
    st.sampled_from([*NAMES, REMASTER]).map(lambda n: {"written": f"by id {n}", "igdb_id": n}),
    st.sampled_from([*NAMES]).map(lambda n: {"written": f"Shop {n}", "store": "steam", "external_id": str(10 * n)}),
    st.sampled_from([*NAMES]).map(lambda n: {"written": NAMES[n], "title": NAMES[n]}),
    st.just({"written": "Nothing like it"}),
    st.just({"written": "A film", "no_game": "a film"}),
)


@st.composite
def records(draw: st.DrawFn, number: int) -> Record:
    rating, scale = draw(RATINGS)
    fields: dict[str, Any] = {
        "platforms": draw(PLATFORMS),
        "ownership": draw(st.none() | st.sampled_from(["owned", "wished", "subscription", "sold"])),
        "playtime_seconds": draw(SECONDS),
        "last_played_at": draw(MOMENTS),
        "is_hidden": draw(st.booleans()),
        "status": draw(st.none() | STATUSES),
        "rating": rating,
        "rating_scale": scale,
        "is_favourite": draw(st.booleans()),
        "tags": draw(st.lists(st.sampled_from("abc"), max_size=2).map(tuple)),
        "notes": draw(NOTES),
        "playthroughs": draw(st.lists(THROUGHS, max_size=2).map(tuple)),
    }
    return Record(line=number, **draw(MEANT), **fields)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    lines = [draw(records(number)) for number in range(1, 1 + draw(st.integers(1, 4)))]
    return reading(*lines, format=draw(st.sampled_from(["grouvee", "hltb"])), taken_for="a file")


@settings(max_examples=examples(24), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_files_in_any_order_and_any_number_of_times_give_the_same_rows(
    databases: Databases, data: st.DataObject
) -> None:
    files = data.draw(st.lists(readings(), min_size=2, max_size=3))
    named = [(read, f"file {number}") for number, read in enumerate(files)]
    again = data.draw(st.permutations(named)) + data.draw(st.lists(st.sampled_from(named), max_size=2))
    states = []
    for order in (named, again):
        with databases.new() as engine:
            Library(engine)
            for read, name in order:
                rehearsed = bring(engine, read, name, rehearse=True)
                assert bring(engine, read, name).lines == rehearsed.lines
            before = state(engine)
            for read, name in order:
                assert set(bring(engine, read, name).counts) <= {"same", "no_game", "unknown"}
            assert state(engine) == before
            with engine.connect() as connection:
                assert connection.execute(text("SELECT count(*) FROM events WHERE kind = 'library.gone'")).scalar() == 0
            states.append(before)

    assert states[0] == states[1]


ENTRIES = st.builds(
    EntryFacts,
    game_id=st.just(1),
    igdb_id=st.none() | st.integers(1, 3),
    title=st.sampled_from(["a", "b", "c"]),
    ownership=st.sampled_from(["owned", "wished", "sold", "lent"]),
    playtime_seconds=SECONDS,
    last_played_at=MOMENTS,
    is_hidden=st.booleans(),
)
STATES = st.builds(
    lambda status, rated, tags, notes, series: StateFacts(
        status=status, rating=rated[0], rating_scale=rated[1], tags=tags, notes=notes, series=series
    ),
    *(st.none() | STATUSES, RATINGS, st.sampled_from([(), ("a",), ("a", "b")])),
    *(st.none() | st.sampled_from(["bad", "bad\n---\ngood"]), st.none() | st.sampled_from(["X", "Y"])),
)
PLAYED = st.builds(
    ThroughFacts,
    game_id=st.just(1),
    igdb_id=st.none() | st.integers(1, 3),
    platform=st.sampled_from(["", "PC", "Wii"]),
    status=STATUSES,
    completion=st.none() | st.sampled_from(["main", "extras", "all"]),
    started=PERIODS,
    finished=PERIODS,
    seconds=SECONDS,
)


def _joins(join: Any, first: Any, second: Any, third: Any) -> None:
    assert join(first, first) == first
    assert join(first, second) == join(second, first)
    assert join(join(first, second), third) == join(first, join(second, third))


@given(ENTRIES, ENTRIES, ENTRIES)
def test_entries_are_joined_in_any_order(first: EntryFacts, second: EntryFacts, third: EntryFacts) -> None:
    _joins(join_entries, first, second, third)


@given(STATES, STATES, STATES)
def test_what_is_said_of_a_work_is_joined_in_any_order(
    first: StateFacts, second: StateFacts, third: StateFacts
) -> None:
    _joins(lambda known, new: join_states(known, new, frozenset()), first, second, third)


@given(PLAYED, PLAYED, PLAYED)
def test_playthroughs_are_joined_in_any_order(first: ThroughFacts, second: ThroughFacts, third: ThroughFacts) -> None:
    _joins(join_throughs, first, second, third)
