"""Files that are imported: rehearsed, again, with a kill in between, and beside each other."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import text

from models import Event, LibraryEntry, LibraryImport
from models.people import OWNER_ID
from pipeline.games.store.decisions import Answer, decide, key_of
from pipeline.library.importing.files import Brought, digest_of, rehearse_readings
from pipeline.library.records import Broken, PlaythroughRecord, Reading, ReadOptions
from tests.crashing import Crashing, Died, Point
from tests.databases import Databases
from tests.pipeline.library.importing.files import ASKING, bring, state
from tests.pipeline.library.shelves import HARBOUR, KITE, MOSS, NOON, ORBIT, Library, line, reading

READ = reading(
    line(1, igdb_id=HARBOUR, ownership="owned", status="playing"),
    line(2, "Nothing like it", ownership="owned"),
    line(3, "A film", no_game="a film"),
    line(4, igdb_id=MOSS, playthroughs=(PlaythroughRecord(key="1", status="finished", finished="2012"),)),
    broken=(Broken(line=5, written="?", reason="it has no title"),),
)
WHOLE = reading(line(1, igdb_id=HARBOUR, ownership="owned"), line(2, igdb_id=ORBIT, ownership="wished"))


def test_a_rehearsal_says_what_the_import_does_line_by_line_and_leaves_nothing(library: Library) -> None:
    before = state(library.engine)
    rehearsed = bring(library.engine, READ, rehearse=True)
    after = state(library.engine)
    done = bring(library.engine, READ)

    assert (before == after, rehearsed.is_rehearsed, done.is_rehearsed) == (True, True, False)
    assert rehearsed.lines == done.lines
    assert done.counts == {"new": 2, "unknown": 1, "no_game": 1, "invalid": 1}


def test_files_that_are_rehearsed_together_are_what_they_are_one_after_the_other(library: Library) -> None:
    later = reading(line(1, igdb_id=HARBOUR, ownership="owned", rating=80.0), line(2, igdb_id=KITE, ownership="owned"))
    brought = [
        Brought(reading=read, digest=digest_of(msgspec.json.encode(read), ReadOptions()), name=name)
        for name, read in (("first.csv", READ), ("second.csv", later), ("again.csv", later))
    ]
    before = state(library.engine)

    rehearsed = rehearse_readings(library.engine, brought, ASKING, person_id=OWNER_ID, now=NOON)
    assert state(library.engine) == before
    done = [bring(library.engine, each.reading, each.name) for each in brought]

    assert [each.lines for each in rehearsed] == [each.lines for each in done]
    assert [each.counts for each in rehearsed[1:]] == [{"changed": 1, "new": 1}, {"same": 2}]


def test_the_same_file_again_is_known_by_its_digest_and_changes_nothing(library: Library) -> None:
    bring(library.engine, WHOLE)
    before = state(library.engine)

    again = bring(library.engine, WHOLE, "another name")

    assert (again.is_known, again.counts, state(library.engine)) == (True, {"same": 2}, before)
    assert library.row(LibraryImport).counts == {"new": 2}


def test_a_file_with_lines_that_wait_is_compared_again(library: Library) -> None:
    bring(library.engine, READ)
    before = state(library.engine)

    again = bring(library.engine, READ)

    assert (again.is_known, again.counts) == (False, {"same": 2, "unknown": 1, "no_game": 1, "invalid": 1})
    assert state(library.engine) == before


def test_a_file_is_compared_again_when_a_person_has_answered_anything_since(library: Library) -> None:
    bring(library.engine, WHOLE)
    with library.engine.begin() as connection:
        decide(connection, OWNER_ID, key_of("Harbour Lights"), Answer(verdict="is", igdb_id=MOSS), NOON)

    again = bring(library.engine, WHOLE)
    and_again = bring(library.engine, WHOLE)

    assert (again.is_known, again.counts) == (False, {"new": 1, "same": 1})
    assert and_again.is_known


def test_a_digest_is_of_the_content_and_of_how_it_is_read_and_then_of_the_program() -> None:
    plain, scaled = ReadOptions(), ReadOptions(rating_scale=5)
    digests = {digest_of(b"a", plain), digest_of(b"a", scaled), digest_of(b"b", plain)}

    assert len({digest[:24] for digest in digests}) == 3
    assert len({digest[24:] for digest in digests}) == 1


def test_the_first_file_of_a_format_is_silent_and_the_next_one_is_news(library: Library) -> None:
    bring(library.engine, WHOLE)
    bring(library.engine, reading(line(1, igdb_id=MOSS, ownership="owned")), "more.csv")

    assert [(row.title, row.silent) for row in library.rows(Event)] == [
        ("New in your library – Harbour Lights (a table)", True),
        ("New in your library – Moss Runner (a table)", False),
    ]


def test_that_igdb_could_not_be_asked_is_said_with_what_to_do(library: Library) -> None:
    [note] = bring(library.engine, READ).notes

    assert note.startswith("IGDB could not be asked (IGDB needs an application at Twitch: set TWITCH_CLIENT_ID)")


@pytest.mark.parametrize(
    "point",
    [
        Point("before entries are written", "before", ("INSERT INTO library_entries",)),
        Point("after entries are written", "after", ("INSERT INTO library_entries",)),
        Point("before what works are is renewed", "before", ("INSERT INTO person_works",)),
        Point("after its events", "after", ("INSERT INTO events",)),
        Point("before lines that wait", "before", ("INSERT INTO import_lines",)),
        Point("at the commit", "commit", ("INSERT INTO library_entries",)),
    ],
    ids=lambda point: point.name,
)
def test_a_kill_leaves_nothing_of_a_file_and_repeating_it_gives_all(
    library: Library, databases: Databases, point: Point
) -> None:
    with databases.new() as engine:
        twin = Library(engine)
        bring(twin.engine, READ)
        whole = state(twin.engine)
        before = state(library.engine)
        crashing = Crashing(library.engine, twin.engine)
        with crashing.at(point), pytest.raises(Died):
            bring(library.engine, READ)

    assert crashing.has_struck
    assert state(library.engine) == before
    bring(library.engine, READ)
    assert state(library.engine) == whole


def test_two_files_at_once_leave_what_they_do_one_after_the_other(library: Library, databases: Databases) -> None:
    other = reading(
        line(1, igdb_id=HARBOUR, ownership="owned", status="finished", playtime_seconds=60),
        line(2, "Moss Runner", ownership="owned"),
        format="other",
    )
    files: list[tuple[Reading, str]] = [(READ, "a"), (other, "b"), (READ, "a"), (WHOLE, "c")]
    with databases.new() as engine:
        one_by_one = Library(engine).engine
        for read, name in files:
            bring(one_by_one, read, name)
        expected = state(one_by_one)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda file: bring(library.engine, *file), files))

    assert state(library.engine) == expected
    assert len(library.rows(LibraryEntry)) == 3
    with library.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM games")).scalar_one() == 3
