"""Lines that wait are looked at again once a day, without their file."""

from datetime import timedelta

from models import ImportLine, LibraryEntry
from models.people import OWNER_ID
from pipeline.games.store.games import store_games
from pipeline.library.importing import looking_again
from pipeline.library.importing.looking_again import EVERY, Looked, look_again
from pipeline.library.importing.review import settle
from tests.pipeline.games.documents import doc
from tests.pipeline.library.importing.files import ASKING, bring, state
from tests.pipeline.library.shelves import MOSS, NOON, Library, line, reading

LATER = NOON + EVERY


def know(library: Library, igdb_id: int, name: str) -> None:
    """Have the catalogue grow."""
    with library.engine.begin() as connection:
        store_games(connection, [doc(igdb_id, name)], NOON)


def test_a_line_is_known_once_the_catalogue_has_its_game_and_the_file_has_nothing_new_then(library: Library) -> None:
    read = reading(line(1, "Salt Harvest", ownership="owned"), line(2, "Nowhere", ownership="owned"))
    bring(library.engine, read)
    know(library, 70, "Salt Harvest")

    looked = look_again(library.engine, ASKING, LATER)

    assert (looked.known, looked.changed, dict(looked.events)) == (1, 1, {"library.added": 1})
    assert [row.written for row in library.rows(ImportLine)] == ["Nowhere"]
    assert library.row(LibraryEntry).igdb_id == 70
    assert bring(library.engine, read).counts == {"same": 1, "unknown": 1}


def test_a_day_passes_between_two_looks_and_nothing_new_changes_nothing(library: Library) -> None:
    bring(library.engine, reading(line(1, "Salt Harvest", ownership="owned")))
    before = state(library.engine)

    assert look_again(library.engine, ASKING, LATER) == Looked()
    assert state(library.engine) == before
    know(library, 70, "Salt Harvest")
    assert look_again(library.engine, ASKING, LATER + EVERY - timedelta(seconds=1)) == Looked()
    assert look_again(library.engine, ASKING, LATER + EVERY).known == 1


def test_what_a_person_has_settled_stays_settled_and_may_be_undone(library: Library) -> None:
    bring(library.engine, reading(line(1, "TTYD", ownership="owned"), line(2, "Nowhere", ownership="owned")))
    with library.engine.begin() as connection:
        settle(connection, OWNER_ID, [1], MOSS, NOON)

    look_again(library.engine, ASKING, LATER)

    assert [(row.written, row.settled_at is not None) for row in library.rows(ImportLine)] == [
        ("TTYD", True),
        ("Nowhere", False),
    ]


def test_of_a_file_with_many_lines_some_are_looked_at_each_day(library: Library) -> None:
    many = [line(n, f"Nowhere number {n} of all", ownership="owned") for n in range(1, looking_again.LINES_AT_ONCE + 2)]
    bring(library.engine, reading(*many))
    for written in many:
        know(library, 1000 + written.line, written.written)

    days = [look_again(library.engine, ASKING, NOON + n * EVERY).known for n in (1, 2)]

    assert days == [looking_again.LINES_AT_ONCE, 1]
