"""What became of the ROMs of a folder, which files only moved, and when a folder is not believed."""

from typing import Any

import pytest

from pipeline.roms.compare import (
    Place,
    StoredRom,
    compare_sets,
    doubt,
    doubt_empty,
    pair_moved,
    place_files,
)
from pipeline.roms.records import RomSet


def rom(rom_id: int, *file_ids: int, **fields: Any) -> StoredRom:
    values: dict[str, Any] = {"kind": "file", "written": "Game", "platform": "snes"}
    return StoredRom(id=rom_id, file_ids=file_ids, **{**values, "is_pinned": False, "is_missing": False, **fields})


def rom_set(*file_ids: int, **fields: Any) -> RomSet:
    return RomSet(**{"kind": "file", "written": "Game", "platform": "snes", "file_ids": file_ids} | fields)


def place(number: int, path: str, key: object = "same") -> Place:
    return Place(number, path.encode(), key)


def test_a_folder_that_is_as_it_was_has_no_difference() -> None:
    difference = compare_sets([rom(1, 10), rom(2, 20)], [rom_set(10), rom_set(20)], missing_files=())

    assert (difference.added, difference.changed, difference.returned) == ([], [], [])
    assert (difference.missing, difference.absorbed) == ([], [])


def test_a_set_of_new_files_is_a_new_rom() -> None:
    new = rom_set(20)

    assert compare_sets([rom(1, 10)], [rom_set(10), new], missing_files=()).added == [new]


@pytest.mark.parametrize(
    "other", [{"kind": "archive"}, {"written": "Game (USA)"}, {"platform": None}, {"file_ids": (10, 11)}]
)
def test_a_rom_stays_itself_where_its_name_kind_platform_or_further_files_are_others(other: dict[str, Any]) -> None:
    known, now = rom(1, 10), rom_set(**{"file_ids": (10,)} | other)

    difference = compare_sets([known], [now], missing_files=())

    assert difference.changed == [(known, now)]
    assert (difference.added, difference.absorbed) == ([], [])


def test_of_the_roms_that_share_files_with_a_set_it_is_the_one_that_shares_most() -> None:
    few, many = rom(1, 10, 11), rom(2, 20, 21, 22)

    difference = compare_sets([few, many], [rom_set(30, 11, 21, 22)], missing_files=())

    assert [known.id for known, _ in difference.changed] == [2]
    assert difference.absorbed == [few]


def test_a_pinned_rom_goes_before_one_that_shares_more() -> None:
    pinned, many = rom(2, 10, 11, is_pinned=True), rom(1, 20, 21, 22)

    difference = compare_sets([many, pinned], [rom_set(30, 11, 21, 22)], missing_files=())

    assert [known.id for known, _ in difference.changed] == [2]


def test_of_two_roms_that_share_as_much_with_a_set_it_is_the_older() -> None:
    difference = compare_sets([rom(2, 20, 21), rom(1, 10, 11)], [rom_set(30, 21, 11)], missing_files=())

    assert [known.id for known, _ in difference.changed] == [1]


def test_of_two_sets_that_a_rom_fell_into_it_is_the_one_with_more_of_it_and_the_other_is_new() -> None:
    small, large = rom_set(11, 10), rom_set(12, 13)

    difference = compare_sets([rom(1, 10, 12, 13)], [small, large], missing_files=())

    assert [now for _, now in difference.changed] == [large]
    assert difference.added == [small]


def test_a_rom_of_which_all_files_are_gone_is_missing_once() -> None:
    lost, known_to_be = rom(1, 10, 11), rom(2, 20, is_missing=True)

    difference = compare_sets([lost, known_to_be], [], missing_files={10, 11, 20})

    assert (difference.missing, difference.absorbed) == ([lost], [])


def test_a_rom_whose_files_are_there_without_being_its_set_is_absorbed() -> None:
    half, without = rom(1, 10, 11), rom(2)

    difference = compare_sets([half, without], [], missing_files={10})

    assert (difference.missing, difference.absorbed) == ([], [half, without])


def test_a_missing_rom_that_is_there_again_has_returned() -> None:
    known = rom(1, 10, is_missing=True)

    assert compare_sets([known], [rom_set(10)], missing_files=()).returned == [known]


def test_a_lost_file_is_the_new_one_of_its_name_among_those_with_the_same_contents() -> None:
    lost = [place(1, "old/a.sfc"), place(2, "old/b.sfc")]
    new = [place(8, "new/b.sfc"), place(9, "new/z.sfc")]

    assert pair_moved(lost, new) == {2: 8, 1: 9}


def test_a_file_with_other_contents_has_not_moved() -> None:
    assert pair_moved([place(1, "a.sfc", "contents")], [place(8, "b/a.sfc", "others")]) == {}


def test_of_two_copies_of_a_lost_file_it_is_only_one() -> None:
    assert pair_moved([place(1, "a.sfc")], [place(9, "y.sfc"), place(8, "x.sfc")]) == {1: 8}


def test_a_known_file_follows_its_contents_and_nothing_of_it_is_read_again() -> None:
    placing = place_files([place(1, "old.sfc")], [place(0, "new.sfc"), place(1, "more.sfc", "others")], at={})

    assert placing.moved == {1: b"new.sfc"}
    assert placing.displaced == {}
    assert placing.ids == {b"more.sfc": None}


def test_two_files_that_changed_places_keep_their_contents() -> None:
    lost = [place(1, "a.sfc", "first"), place(2, "b.sfc", "second")]
    targets = [place(0, "a.sfc", "second"), place(1, "b.sfc", "first")]

    placing = place_files(lost, targets, at={b"a.sfc": 1, b"b.sfc": 2})

    assert placing.moved == {1: b"b.sfc", 2: b"a.sfc"}
    assert (placing.displaced, placing.ids) == ({}, {})


def test_a_file_whose_place_was_taken_gets_the_one_that_became_free() -> None:
    lost = [place(1, "a.sfc", "first"), place(2, "b.sfc", "overwritten")]

    placing = place_files(lost, [place(0, "b.sfc", "first")], at={b"b.sfc": 2})

    assert placing.moved == {1: b"b.sfc"}
    assert placing.displaced == {2: b"a.sfc"}


def test_what_is_at_a_vacated_path_now_is_read_as_the_file_that_got_the_path() -> None:
    lost = [place(1, "a.sfc", "first"), place(2, "b.sfc", "overwritten")]
    targets = [place(0, "b.sfc", "first"), place(1, "a.sfc", "new")]

    placing = place_files(lost, targets, at={b"a.sfc": 1, b"b.sfc": 2})

    assert placing.ids == {b"a.sfc": 2}


def test_a_changed_file_is_read_as_the_one_that_was_there() -> None:
    assert place_files([], [place(0, "a.sfc", "new")], at={b"a.sfc": 1}).ids == {b"a.sfc": 1}


@pytest.mark.parametrize(
    ("present", "newly_gone", "listed", "believed"),
    [
        (0, 0, 0, True),
        (100, 0, 0, True),
        (100, 49, 51, True),
        (100, 50, 50, False),
        (1, 1, 0, False),
    ],
)
def test_a_folder_that_lost_half_its_files_at_once_is_not_believed(
    present: int, newly_gone: int, listed: int, *, believed: bool
) -> None:
    assert (doubt(present=present, newly_gone=newly_gone, listed=listed) is None) is believed


def test_the_reason_tells_an_empty_folder_from_one_that_lacks_many_files() -> None:
    assert "nothing is mounted" in str(doubt(present=4000, newly_gone=4000, listed=0))
    assert doubt(present=4000, newly_gone=3000, listed=1000) == "3,000 of 4,000 files are gone at once"


def test_a_directory_that_lost_many_files_and_is_empty_is_a_place_where_nothing_is_mounted() -> None:
    gone = [b"disc/%d.iso" % number for number in range(21)]

    assert doubt_empty([b"disc/"], gone) == (
        "disc, which had 21 files, is empty, as a place is where nothing is mounted"
    )


def test_a_few_files_are_deleted_by_hand_and_neighbours_with_a_longer_name_are_no_files_of_a_directory() -> None:
    few = [b"disc/%d.iso" % number for number in range(20)]
    neighbours = [b"disc 2/%d.iso" % number for number in range(30)] + [b"disc0/%d.iso" % n for n in range(30)]

    assert doubt_empty([b"disc/"], few + neighbours) is None
