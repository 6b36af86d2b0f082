"""What lines of files and answers of shops become in a person's library."""

from typing import Any

from sqlalchemy import text

from models import (
    Event,
    GameList,
    GameListEntry,
    GameState,
    ImportLine,
    LibraryEntry,
    PersonWork,
    PlaySession,
    Playthrough,
    WantedGame,
)
from pipeline.library.records import Broken, ListRecord, Placing, PlaythroughRecord, Record
from tests.pipeline.library.shelves import DAY, HARBOUR, KITE, MOSS, ORBIT, REMASTER, Library, line, reading, verdicts

HOUR = 3600


def steam(number: int, igdb_id: int, **fields: Any) -> Record:
    return line(number, igdb_id=None, store="steam", external_id=str(10 * igdb_id), ownership="owned", **fields)


def test_a_line_is_known_by_its_id_by_its_shops_id_or_by_its_title(library: Library) -> None:
    taken = library.take(
        reading(
            line(1, "whatever it says", igdb_id=HARBOUR, ownership="owned"),
            line(2, "Moss", store="steam", external_id="20", ownership="owned"),
            line(3, "Quiet  Orbit", ownership="owned"),
            line(4, "a slug", igdb_slug="game-4", ownership="wished"),
        )
    )

    assert [(each.verdict, each.igdb_id) for each in taken.lines] == [
        ("new", HARBOUR),
        ("new", MOSS),
        ("new", ORBIT),
        ("new", KITE),
    ]
    assert [(row.store, row.platform, row.ownership) for row in library.rows(LibraryEntry)] == [
        ("other", "", "owned"),
        ("steam", "PC", "owned"),
        ("other", "", "owned"),
        ("other", "", "wished"),
    ]
    assert [row.words for row in library.rows(PersonWork)] == [["owned", "backlog"]] * 3 + [["wished"]]
    assert {row.igdb_id: row.reasons for row in library.rows(WantedGame)} == {n: ["library"] for n in range(1, 5)}


def test_the_same_lines_again_change_nothing(library: Library) -> None:
    read = reading(
        line(1, igdb_id=HARBOUR, ownership="owned", rating=66.666666, rating_scale=3, tags=("b", "a"), notes=" Good. "),
        line(
            2,
            igdb_id=MOSS,
            playthroughs=(PlaythroughRecord(key="1", status="finished", finished="1999-Q3", rating=33.3333),),
        ),
        line(3, "Nothing like it", ownership="owned"),
        lists=(ListRecord(name="Best", ranked=True),),
    )
    library.take(read)
    tables = (LibraryEntry, GameState, Playthrough, ImportLine, GameListEntry, PersonWork, WantedGame, Event)
    before = [library.rows(table) for table in tables]

    again = library.take(read)

    assert (verdicts(again), again.is_changed) == (["same", "same", "unknown"], False)
    assert [library.rows(table) for table in tables] == before


def test_what_waits_is_kept_with_its_record_until_it_is_known(library: Library) -> None:
    unknown = line(2, "Nothing like it", ownership="owned", playtime_seconds=HOUR)
    library.take(reading(unknown, broken=(Broken(line=3, written="???", reason="no title"),)))
    waiting = [(row.line, row.verdict, row.explanation) for row in library.rows(ImportLine)]

    library.take(reading(line(2, igdb_id=MOSS, ownership="owned")))

    assert waiting == [(2, "unknown", "nothing like it"), (3, "invalid", "no title")]
    assert library.rows(ImportLine) == []


def test_a_film_is_no_game_and_neither_stored_nor_asked_about(library: Library) -> None:
    taken = library.take(reading(line(1, "Harbour Lights", no_game="a film", ownership="owned")))

    assert (verdicts(taken), library.rows(LibraryEntry), library.rows(ImportLine)) == (["no_game"], [], [])


def test_a_game_in_two_shops_is_two_entries_of_one_work(library: Library) -> None:
    library.take(
        reading(
            line(1, igdb_id=HARBOUR, store="xbox", ownership="subscription", playtime_seconds=HOUR),
            line(2, igdb_id=HARBOUR, store="epic", external_id="Moss", ownership="owned", playtime_seconds=2 * HOUR),
            line(3, igdb_id=REMASTER, ownership="owned", platforms=("PS5",)),
        )
    )

    work = library.row(PersonWork)
    assert (work.stores, work.platforms, work.seconds) == (["xbox", "epic", "other"], ["PC", "PlayStation 5"], 3 * HOUR)


def test_two_lines_that_mean_one_entry_both_count(library: Library) -> None:
    taken = library.take(
        reading(
            line(1, igdb_id=HARBOUR, ownership="owned", playtime_seconds=HOUR),
            line(2, "Harbour Lights", ownership="owned", playtime_seconds=3 * HOUR, status="finished"),
        )
    )

    assert verdicts(taken) == ["new", "changed"]
    assert (library.row(LibraryEntry).playtime_seconds, library.row(GameState).status) == (3 * HOUR, "finished")


def test_a_game_that_waits_by_one_file_and_has_an_end_by_another_is_over_in_either_order(library: Library) -> None:
    waits = reading(line(1, igdb_id=HARBOUR, ownership="owned", status="backlog"))
    over = reading(
        line(1, igdb_id=HARBOUR, playthroughs=(PlaythroughRecord(key="1", status="finished", finished="2012"),)),
        line(2, igdb_id=MOSS, playthroughs=(PlaythroughRecord(key="1", status="finished", finished="2012"),)),
        format="grouvee",
    )
    waits_too = reading(line(1, igdb_id=MOSS, ownership="owned", status="backlog"), format="other")
    for read in (waits, over, waits_too):
        library.take(read, name=read.format)

    assert [row.status for row in library.rows(PersonWork)] == ["finished", "finished"]


def test_a_machine_touches_nothing_that_a_person_set_by_hand(library: Library) -> None:
    library.take(
        reading(line(1, igdb_id=HARBOUR, ownership="owned", status="playing", notes="theirs", tags=("co-op",)))
    )
    with library.engine.begin() as connection:
        by_hand = '{"status": "hand", "rating": "hand", "notes": "hand"}'
        connection.execute(
            text(
                "UPDATE game_states SET status = 'abandoned', rating = 20, notes = 'mine', set_by = CAST(:by AS jsonb)"
            ),
            {"by": by_hand},
        )

    taken = library.take(
        reading(line(1, igdb_id=HARBOUR, ownership="owned", status="finished", rating=90, notes="new", tags=("long",)))
    )

    row = library.row(GameState)
    assert (row.status, row.rating, row.notes, row.tags) == ("abandoned", 20, "mine", ["co-op", "long"])
    assert [change.field for each in taken.lines for change in each.changes] == ["tags"]


def test_an_edited_and_a_removed_playthrough_and_a_removed_entry_stay_as_they_are(library: Library) -> None:
    through = PlaythroughRecord(key="1", status="finished", finished="2012")
    read = reading(
        line(1, igdb_id=HARBOUR, ownership="owned", playthroughs=(through,)),
        line(2, igdb_id=MOSS, ownership="owned", playthroughs=(through,)),
    )
    library.take(read)
    with library.engine.begin() as connection:
        connection.execute(text("UPDATE playthroughs SET finished = '2013', edited_at = now() WHERE id = 1"))
        connection.execute(text("UPDATE playthroughs SET removed_at = now() WHERE id = 2"))
        connection.execute(text("UPDATE library_entries SET removed_at = now() WHERE id = 2"))
        connection.execute(text("UPDATE library_entries SET hidden_at = now() WHERE id = 1"))

    taken = library.take(read)

    assert verdicts(taken) == ["same", "same"]
    assert [row.finished for row in library.rows(Playthrough)] == ["2013", "2012"]
    assert [row.hidden_at is not None for row in library.rows(LibraryEntry)] == [True, False]


def test_playtime_never_shrinks_and_what_grew_at_a_shop_is_a_session(library: Library) -> None:
    library.answer(steam(1, HARBOUR, playtime_seconds=HOUR), silent=True)
    began = library.now

    grown = library.answer(steam(1, HARBOUR, playtime_seconds=3 * HOUR))
    library.answer(steam(1, HARBOUR, playtime_seconds=2 * HOUR))

    session = library.row(PlaySession)
    assert (session.since_at, session.until_at, session.seconds) == (began, began + DAY, 2 * HOUR)
    assert (grown.sessions, library.row(LibraryEntry).playtime_seconds) == (1, 3 * HOUR)


def test_the_first_playing_is_told_once(library: Library) -> None:
    library.answer(steam(1, HARBOUR, playtime_seconds=0), silent=True)
    library.answer(steam(1, HARBOUR, playtime_seconds=HOUR))
    library.answer(steam(1, HARBOUR, playtime_seconds=2 * HOUR))

    assert [(row.kind, row.silent, row.title) for row in library.rows(Event)] == [
        ("library.added", True, "New in your library – Harbour Lights (Steam)"),
        ("play.started", False, "You started Harbour Lights on PC"),
    ]


def test_a_game_is_gone_after_three_whole_answers_without_it_and_comes_back_as_itself(library: Library) -> None:
    both = (steam(1, HARBOUR), steam(2, MOSS))
    library.answer(*both, silent=True)
    gone = [library.answer(both[0]).gone for _ in range(2)]
    library.answer(both[0], is_whole=False)
    gone.append(library.answer(both[0]).gone)
    gone.append(library.answer(both[0]).gone)
    owned = [row.words for row in library.rows(PersonWork)]

    back = library.answer(*both).returned

    assert (gone, owned, back) == ([0, 0, 1, 0], [["owned", "backlog"]], 1)
    assert [row.kind for row in library.rows(Event)][1:] == ["library.gone", "library.returned"]
    assert [(row.absences, row.last_seen_at) for row in library.rows(LibraryEntry)] == [(0, None)] * 2


def test_hours_of_a_game_that_nobody_is_said_to_have_are_kept_as_a_playthrough(library: Library) -> None:
    library.take(reading(line(1, igdb_id=HARBOUR, playtime_seconds=HOUR), line(2, igdb_id=MOSS)))

    assert (library.rows(LibraryEntry), library.row(Playthrough).seconds) == ([], HOUR)
    assert (library.row(PersonWork).seconds, library.row(PersonWork).words) == (HOUR, [])


def test_a_line_that_says_nothing_but_a_title_changes_nothing_and_says_so(library: Library) -> None:
    [taken] = library.take(reading(line(1, igdb_id=MOSS))).lines

    assert (taken.verdict, taken.explanation) == ("same", "it says nothing but the title")


def test_nothing_is_told_of_hidden_and_removed_games_that_are_gone(library: Library) -> None:
    library.answer(steam(1, HARBOUR), steam(2, MOSS), silent=True)
    with library.engine.begin() as connection:
        connection.execute(text("UPDATE library_entries SET hidden_at = now() WHERE id = 1"))
        connection.execute(text("UPDATE library_entries SET removed_at = now() WHERE id = 2"))

    assert [library.answer().gone for _ in range(4)] == [0, 0, 0, 0]
    assert [row.last_seen_at is not None for row in library.rows(LibraryEntry)] == [True, False]


def test_an_answer_that_has_a_game_in_between_begins_the_count_anew(library: Library) -> None:
    both = (steam(1, HARBOUR), steam(2, MOSS))
    library.answer(*both, silent=True)
    for listed in ((both[0],), (both[0],), both, (both[0],), (both[0],)):
        assert library.answer(*listed).gone == 0


def test_a_source_takes_over_what_a_file_brought(library: Library) -> None:
    library.take(reading(line(1, igdb_id=HARBOUR, store="steam", external_id="10", ownership="owned")))

    library.answer(steam(1, HARBOUR))
    gone = [library.answer().gone for _ in range(3)]

    assert (library.row(LibraryEntry).source_id, gone) == (library.source_id, [0, 0, 1])


def test_an_import_is_one_event_and_the_ends_in_it_are_silent(library: Library) -> None:
    through = PlaythroughRecord(key="1", status="finished", finished="2012-05", completion="all", seconds=40 * HOUR)
    taken = library.take(
        reading(
            line(1, igdb_id=HARBOUR, ownership="owned", playthroughs=(through,), platforms=("PS3",)),
            line(2, igdb_id=MOSS, ownership="owned"),
            line(3, igdb_id=ORBIT, ownership="wished"),
        ),
        silent=False,
    )

    assert dict(taken.events) == {"library.added": 1, "play.finished": 1}
    assert [(row.title, row.silent, row.person_id) for row in library.rows(Event)] == [
        ("New in your library – Harbour Lights, Moss Runner (a table)", False, 1),
        ("You finished Harbour Lights on PlayStation 3", True, 1),
    ]


def test_a_ranked_list_wants_nothing_and_keeps_its_order_with_lines_that_are_not_known_yet(library: Library) -> None:
    def ranked(number: int, place: int, **fields: Any) -> Record:
        return line(number, placings=(Placing(name="Best", place=place),), **fields)

    read = reading(
        ranked(1, 2, igdb_id=MOSS),
        ranked(2, 1, written="Nothing like it"),
        ranked(3, 3, igdb_id=HARBOUR),
        lists=(ListRecord(name="Best", ranked=True, description="of all"),),
    )
    library.take(read)
    library.take(read)

    kept = library.row(GameList)
    assert (kept.name, kept.ranked, kept.wants, kept.description) == ("Best", True, False, "of all")
    assert [(row.position, row.written, row.igdb_id) for row in library.rows(GameListEntry)] == [
        (1, "Nothing like it", None),
        (2, "Moss Runner", MOSS),
        (3, "Harbour Lights", HARBOUR),
    ]
    assert (library.rows(LibraryEntry), library.rows(PersonWork)) == ([], [])
