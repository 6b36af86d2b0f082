"""ROMs matched with games: what is sure, what waits, and answers that hold for all files of a work."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, text, update

from models import GameMetadata, Platform, RomFolder
from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.games.store.decisions import Answer, decide, load_decisions
from pipeline.ingest.turn import take_turn
from pipeline.library.importing import review
from pipeline.library.records import Record
from pipeline.library.resolving import key_of_record
from pipeline.roms.resolving import forget_answers, reopen
from tests.pipeline.roms.titled import DAY, HARBOUR, HARBOUR_LATER, MOSS, NOON, TWIN_A, TWIN_B, Roms
from tests.waiting import wait_for

RECORD = Record(line=1, written="Twin Kites", year=1990, store="rom", platforms=("DOS",))


@pytest.fixture
def roms(engine: Engine) -> Roms:
    return Roms(engine)


def test_a_title_with_its_year_is_sure_and_owned_without_an_event_of_the_library(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Harbour of Lanterns (1991)")

    resolved = roms.resolve()

    row = roms.row(rom)
    assert (resolved.sure, resolved.unsure, resolved.unknown) == (1, 0, 0)
    assert [(each.rom_id, each.igdb_id, each.name) for each in resolved.identified] == [
        (rom, HARBOUR, "Harbour of Lanterns")
    ]
    assert (row.igdb_id, row.how, row.pinned_at, row.matched_at) == (HARBOUR, "title", None, NOON)
    assert row.confidence > 0.9
    assert roms.entries() == [("Harbour of Lanterns", "DOS", "owned", True)]
    assert (roms.words(), roms.wanted(), roms.events()) == ([["owned", "rom"]], [HARBOUR], 0)


def test_a_title_with_its_article_behind_is_the_game(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Song of Moss, The - A Path to the Sea (USA) (Rev 1)")

    roms.resolve()

    assert roms.of(rom) == [MOSS]


def test_the_title_and_year_of_a_dat_count_for_more_than_the_files_name(roms: Roms) -> None:
    dat_game = roms.dat_game("hrbr", description="Harbour of Lanterns (World)", year=1991)
    rom = roms.rom(roms.folder(), "Another Harbour (1999)", dat_game_id=dat_game)

    roms.resolve()

    assert roms.of(rom) == [HARBOUR]


def test_a_platform_that_nobody_said_comes_from_the_dat(roms: Roms) -> None:
    dat_game = roms.dat_game("Harbour of Lanterns (World)", platform="amiga")
    rom = roms.rom(roms.folder(platform=None), "harbour", platform=None, dat_game_id=dat_game)

    assert [each.platform for each in roms.resolve().identified] == ["Amiga"]
    assert roms.of(rom) == [HARBOUR]


def test_a_game_whose_year_is_far_off_is_not_sure(roms: Roms) -> None:
    near = roms.rom(roms.folder(), "Harbour of Lanterns (1994)")
    far = roms.rom(roms.folder("b"), "Another Harbour (1995)")

    resolved = roms.resolve()

    assert roms.of(near, far) == [HARBOUR, None]
    assert (resolved.sure, resolved.unsure, len(roms.waiting())) == (1, 1, 1)
    assert roms.waiting() == ["Another Harbour (1995), DOS"]


def test_a_game_that_runs_on_other_platforms_alone_is_not_sure(roms: Roms) -> None:
    with roms.engine.begin() as connection:
        names = ["PC (Microsoft Windows)", "DOS", "Super Nintendo Entertainment System", "Super Famicom"]
        connection.execute(insert(Platform), [{"igdb_id": n, "name": name} for n, name in enumerate(names)])
        connection.execute(
            update(GameMetadata).where(GameMetadata.igdb_id == HARBOUR).values(platforms=["PC (Microsoft Windows)"])
        )
        connection.execute(update(GameMetadata).where(GameMetadata.igdb_id == MOSS).values(platforms=["Super Famicom"]))
    pc = roms.rom(roms.folder(), "Harbour of Lanterns (1991)")
    snes = roms.rom(roms.folder("b"), "Harbour of Lanterns (1991)", platform="snes")
    japanese = roms.rom(roms.folder("c"), "Song of Moss, The - A Path to the Sea (Japan)", platform="snes")
    interpreted = roms.rom(roms.folder("d"), "Harbour of Lanterns (1991)", platform="scummvm")

    resolved = roms.resolve()

    assert roms.of(pc, snes, japanese, interpreted) == [HARBOUR, None, MOSS, HARBOUR]
    assert (resolved.sure, resolved.unsure, len(roms.waiting())) == (3, 1, 1)


def test_a_title_of_which_the_catalogue_has_only_the_head_is_not_sure_however_well_year_and_platform_fit(
    roms: Roms,
) -> None:
    rom = roms.rom(roms.folder(), "Harbour of Lanterns - The Lighthouse (1991)")

    resolved = roms.resolve()

    assert (resolved.unsure, roms.of(rom)) == (1, [None])
    assert roms.waiting() == ["Harbour of Lanterns - The Lighthouse (1991), DOS"]


def test_a_part_of_some_works_has_all_their_files_and_leaves_the_others(roms: Roms) -> None:
    folder = roms.folder()
    first = roms.rom(folder, "Harbour of Lanterns (1991)")
    second = roms.rom(folder, "Twin Kites (1990)")
    copy = roms.rom(folder, "Harbour of Lanterns (1991) [a]")

    assert (roms.resolve_first(1), roms.of(first, second, copy)) == (1, [HARBOUR, None, HARBOUR])
    assert roms.row(second).matched_at is None
    assert (roms.resolve_first(1), roms.waiting()) == (0, ["Twin Kites (1990), DOS"])


def test_what_is_unsure_waits_once_for_all_its_files_and_what_is_unknown_does_not(roms: Roms) -> None:
    folder = roms.folder()
    for written in ("Twin Kites (1990)", "Twin Kites (1990) [a]", "Nobody's Game of Tin (1988)"):
        roms.rom(folder, written)

    resolved = roms.resolve()

    assert (resolved.unsure, resolved.unknown, len(roms.waiting())) == (2, 1, 1)
    assert roms.waiting() == ["Twin Kites (1990), DOS"]
    assert (roms.entries(), resolved.identified) == ([], ())


def test_a_second_look_up_finds_nothing_to_do(roms: Roms) -> None:
    folder = roms.folder()
    roms.rom(folder, "Twin Kites (1990)")
    roms.rom(folder, "Harbour of Lanterns (1991)")
    roms.resolve()
    [line] = roms.line_ids()

    again = roms.resolve(NOON + 30 * DAY)

    assert (again.sure, again.unsure, again.unknown) == (0, 0, 0)
    assert roms.line_ids() == [line]


def test_an_unknown_title_is_looked_up_again_once_the_catalogue_has_changed_once_a_day_at_most(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Tin Meadow (1992)")
    roms.resolve()
    roms.catalogue(77, "Tin Meadow", 1992, NOON + timedelta(hours=1))

    assert roms.resolve(NOON + timedelta(hours=2)).sure == 0
    assert roms.resolve(NOON + DAY + timedelta(hours=2)).sure == 1
    assert roms.of(rom) == [77]


def test_a_folder_is_looked_up_alone_and_what_others_wait_for_waits_on(roms: Roms) -> None:
    first, second = roms.folder("a"), roms.folder("b")
    roms.rom(first, "Twin Kites (1990)")
    roms.resolve(folder_id=first)
    late = roms.rom(second, "Another Harbour (1995)")

    roms.resolve(folder_id=second)

    assert roms.waiting() == ["Another Harbour (1995), DOS", "Twin Kites (1990), DOS"]
    assert roms.row(late).matched_at == NOON


def test_a_title_whose_files_are_all_gone_waits_no_more(roms: Roms) -> None:
    folder = roms.folder()
    rom = roms.rom(folder, "Twin Kites (1990)")
    roms.resolve()
    roms.change(rom, missing_since=NOON)
    roms.rom(folder, "Harbour of Lanterns (1991)")

    roms.resolve(NOON + DAY)

    assert roms.waiting() == []


def test_programs_and_additions_are_not_looked_up(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "[BIOS] Harbour of Lanterns (Japan)")

    resolved = roms.resolve()

    assert (resolved.skipped, roms.of(rom), roms.row(rom).matched_at) == (1, [None], NOON)


def test_a_demo_is_known_and_not_owned(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Harbour of Lanterns (Europe) (Demo)")

    roms.resolve()

    assert (roms.of(rom), roms.entries()) == ([HARBOUR], [])


def test_an_answer_holds_for_all_files_of_the_work_in_other_folders_and_later_scans(roms: Roms) -> None:
    first, other = roms.rom(roms.folder("a"), "Twin Kites (1990)"), roms.rom(roms.folder("b"), "Twin Kites (1990) [b]")
    roms.resolve()

    settled = roms.settle([first], TWIN_B)
    late = roms.rom(roms.folder("c"), "Twin Kites (1990) [h1]")
    resolved = roms.resolve(NOON + DAY)

    assert settled.rom_ids == (first, other)
    assert roms.of(first, other, late) == [TWIN_B] * 3
    assert {(roms.row(rom).how, roms.row(rom).pinned_at is not None) for rom in (first, other, late)} == {
        ("hand", True)
    }
    assert (resolved.sure, roms.waiting()) == (1, [])


def test_an_answer_that_comes_while_titles_are_looked_up_holds(roms: Roms) -> None:
    # So that there is a source, whose row is the turn to store.
    roms.catalogue(77, "Tin Meadow", 1992, NOON)
    rom = roms.rom(roms.folder(), "Twin Kites (1990)")
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
    with ThreadPoolExecutor(1) as pool:
        with roms.engine.begin() as connection:
            take_turn(connection)
            resolving = pool.submit(roms.resolve)
            wait_for(lambda: connection.scalar(waiting))
            decide(connection, OWNER_ID, key_of_record(RECORD), Answer(verdict="is", igdb_id=TWIN_B), NOON)
        assert (resolving.result().sure, roms.of(rom), roms.row(rom).how) == (1, [TWIN_B], "hand")
    assert roms.waiting() == []


def test_an_answer_holds_for_no_other_platform(roms: Roms) -> None:
    dos = roms.rom(roms.folder("a"), "Twin Kites (1990)")
    amiga = roms.rom(roms.folder("b"), "Twin Kites (1990)", platform="amiga")
    roms.resolve()

    roms.settle([dos], TWIN_A)

    assert roms.of(dos, amiga) == [TWIN_A, None]
    assert roms.waiting() == ["Twin Kites (1990), Amiga"]


def test_an_answer_corrects_a_match_and_moves_what_is_owned(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Harbour of Lanterns (1991)")
    roms.resolve()

    roms.settle([rom], HARBOUR_LATER)

    assert roms.of(rom) == [HARBOUR_LATER]
    assert roms.entries() == [
        ("Another Harbour", "DOS", "owned", True),
        ("Harbour of Lanterns", "DOS", "owned", False),
    ]
    assert roms.wanted() == [HARBOUR_LATER]


def test_what_is_unmatched_stays_so(roms: Roms) -> None:
    folder = roms.folder()
    rom = roms.rom(folder, "Harbour of Lanterns (1991)")
    roms.resolve()

    roms.unmatch(rom)
    copy = roms.rom(folder, "Harbour of Lanterns (1991) [a]")
    roms.resolve(NOON + 40 * DAY)

    assert [(roms.row(each).game_id, roms.row(each).how) for each in (rom, copy)] == [(None, "hand")] * 2
    assert (roms.entries()[0][3], roms.words()) == (False, [])


def test_a_game_that_igdb_lacks_is_the_persons_own(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Tin Meadow, The (1992)")

    settled = roms.settle([rom], "own")

    assert (roms.game(rom), roms.row(rom).igdb_id) == ("The Tin Meadow", None)
    assert [each.name for each in settled.identified] == ["The Tin Meadow"]
    assert roms.entries() == [("The Tin Meadow", "DOS", "owned", True)]


def test_an_answer_on_a_line_of_the_review_queue_gives_the_roms_their_game(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Twin Kites (1990)")
    roms.resolve()

    with roms.engine.begin() as connection:
        review.settle(connection, OWNER_ID, roms.line_ids(), TWIN_A, NOON)
    applied = roms.apply()

    assert (applied.rom_ids, roms.of(rom), roms.waiting()) == ((rom,), [TWIN_A], [])
    assert (roms.entries(), roms.events()) == ([("Twin Kites", "DOS", "owned", True)], 0)
    assert roms.apply().rom_ids == ()


def test_an_answer_that_was_taken_back_in_the_queue_leaves_the_roms_to_be_looked_up_again(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Twin Kites (1990)")
    roms.resolve()
    [line] = roms.line_ids()
    roms.settle([rom], TWIN_A)

    with roms.engine.begin() as connection:
        lines = review.undo(connection, OWNER_ID, line, NOON)
        reopened = reopen(connection, OWNER_ID, [review.record_of(each) for each in lines], NOON)

    assert (reopened, roms.of(rom), roms.entries()[0][3]) == ((rom,), [None], False)
    assert (roms.resolve(NOON + DAY).unsure, roms.line_ids()) == (1, [line])


def test_an_answer_is_forgotten_with_all_that_it_gave(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Harbour of Lanterns (1991)")
    roms.unmatch(rom)

    with roms.engine.begin() as connection:
        forget_answers(connection, OWNER_ID, [rom], NOON)
        assert load_decisions(connection, OWNER_ID).answers == {}
    roms.resolve(NOON + DAY)

    assert (roms.of(rom), roms.row(rom).how) == ([HARBOUR], "title")


def test_an_answer_for_an_unknown_entry_or_rom_is_refused(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Harbour of Lanterns (1991)")

    with pytest.raises(UsageError, match="IGDB 999 is not in the catalogue"):
        roms.settle([rom], 999)
    with pytest.raises(UsageError, match="there is no ROM 404"):
        roms.settle([rom, 404], HARBOUR)
    assert roms.row(rom).pinned_at is None


def test_a_pinned_rom_is_not_looked_up_whatever_its_dat_says_later(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Twin Kites (1990)")
    roms.settle([rom], TWIN_A)
    roms.change(rom, dat_game_id=roms.dat_game("Harbour of Lanterns (World)", year=1991), matched_at=None)

    assert roms.resolve(NOON + DAY).identified == ()
    assert roms.of(rom) == [TWIN_A]


def test_a_rom_that_a_new_dat_calls_otherwise_is_another_game(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Another Harbour (1999)")
    roms.resolve()
    roms.change(rom, dat_game_id=roms.dat_game("Harbour of Lanterns (World)", year=1991), matched_at=None)

    resolved = roms.resolve(NOON + DAY)

    assert [each.igdb_id for each in resolved.identified] == [HARBOUR]
    assert [(title, there) for title, *_, there in roms.entries()] == [
        ("Another Harbour", False),
        ("Harbour of Lanterns", True),
    ]


def test_roms_of_a_folder_that_was_removed_are_left_alone(roms: Roms) -> None:
    folder = roms.folder()
    rom = roms.rom(folder, "Harbour of Lanterns (1991)")
    with roms.engine.begin() as connection:
        connection.execute(update(RomFolder).values(removed_at=NOON))

    assert (roms.resolve().sure, roms.row(rom).matched_at) == (0, None)


def test_a_decision_is_kept_for_title_platform_and_year(roms: Roms) -> None:
    rom = roms.rom(roms.folder(), "Twin Kites (1990)")
    roms.settle([rom], TWIN_A)

    with roms.connection() as connection:
        [key] = load_decisions(connection, OWNER_ID).answers
    assert (key.name_key, key.platform_key, key.year) == ("twinkites", "dos", 1990)
