"""Our own line beside a row: read in its place, unless the row was changed since."""

import msgspec
import pytest

from pipeline.errors import InvalidItem
from pipeline.library.formats.marks import COLUMN, mark, with_marks
from pipeline.library.formats.table import Row
from pipeline.library.records import PlaythroughRecord, Record

HEADER = ("title", "rating", COLUMN)
CELLS = ("Ico", "4")
ICO = Record(line=0, written="Ico", store="gog", external_id="7", igdb_id=10, rating=87.0, rating_scale=100)


def through(key: str, **fields: str) -> PlaythroughRecord:
    return PlaythroughRecord(**{"key": key, "status": "finished"} | fields)  # type: ignore[arg-type]


def by_cells(row: Row) -> Record | None:
    """Read a row as a tracker's format would; one without a title is none."""
    title, rating, *_ = row.cells
    if not title:
        return None
    return Record(line=row.line, written=title, store="gog", rating=float(rating) * 20, playthroughs=(through("row"),))


def read(*cells: str, header: tuple[str, ...] = HEADER) -> Record | None:
    return with_marks(header, by_cells)(Row(5, cells))


def as_read(record: Record) -> Record:
    return msgspec.structs.replace(record, line=5)


def test_a_row_that_is_as_we_wrote_it_comes_back_with_what_a_tracker_cannot_hold() -> None:
    assert read(*CELLS, mark(CELLS, ICO)) == as_read(ICO)


def test_a_row_is_as_we_wrote_it_though_a_program_changed_spaces_or_left_out_empty_cells() -> None:
    marked = mark(("A castle,\r\nquiet", "4", ""), ICO)

    assert read("A castle, quiet ", " 4", marked) == as_read(ICO)


def test_where_the_column_stands_and_how_it_is_written_does_not_matter() -> None:
    assert read("Ico", "4", "4", mark((*CELLS, "4"), ICO), header=("title", "rating", "again", "LootWire")) == as_read(
        ICO
    )
    marked = mark(("Ico", "4", "more"), ICO)
    assert read("Ico", "4", marked, "more", header=("title", "rating", COLUMN, "more")) == as_read(ICO)


def test_cells_that_were_joined_or_parted_are_no_row_of_ours() -> None:
    assert read("Ico", "4", mark(("Ico4", ""), ICO)) != as_read(ICO)


def test_a_row_that_was_changed_says_itself_what_it_says_of_the_same_entry() -> None:
    record = read("Ico", "5", mark(CELLS, ICO))

    assert record is not None
    assert (record.rating, record.external_id, record.line) == (100, "7", 5)
    # Which game it is the changed row says too.
    assert record.igdb_id is None


def test_a_changed_row_of_another_shop_is_no_longer_the_same_entry() -> None:
    record = read("Ico", "5", mark(CELLS, msgspec.structs.replace(ICO, store="epic")))

    assert record is not None
    assert record.external_id is None


def test_the_playthrough_of_a_changed_row_comes_back_to_its_journal() -> None:
    ours = msgspec.structs.replace(ICO, playthroughs=(through("playthrough/3", finished="1999-Q3"),))

    record = read("Ico", "5", mark(CELLS, ours))

    assert record is not None
    assert record.playthroughs == (through("playthrough/3"),)


def test_of_several_playthroughs_a_changed_row_does_not_say_which_is_meant() -> None:
    ours = msgspec.structs.replace(ICO, playthroughs=(through("playthrough/3"), through("playthrough/4")))

    record = read("Ico", "5", mark(CELLS, ours))

    assert record is not None
    assert record.playthroughs == (through("row"),)


def test_a_changed_row_that_names_no_game_any_more_is_none() -> None:
    assert read("", "4", mark(CELLS, ICO)) is None


@pytest.mark.parametrize("cells", [("",), ("no line of ours",), ('{"row":"x"}',), ("[" * 2000,), ()])
def test_a_row_without_a_line_of_ours_is_read_as_it_is(cells: tuple[str, ...]) -> None:
    assert read(*CELLS, *cells) == by_cells(Row(5, CELLS))


def test_a_table_without_the_column_is_read_as_it_is() -> None:
    assert with_marks(("title", "rating"), by_cells) is by_cells


def test_a_line_of_ours_that_was_changed_into_what_cannot_be_stored_is_said_to_be_broken() -> None:
    with pytest.raises(InvalidItem, match="rating"):
        read(*CELLS, mark(CELLS, msgspec.structs.replace(ICO, rating=400.0)))


def test_a_record_too_long_for_a_cell_has_no_line_and_its_row_is_read_as_it_is() -> None:
    marked = mark(CELLS, msgspec.structs.replace(ICO, notes="x" * 100_000))

    assert marked == ""
    assert read(*CELLS, marked) == by_cells(Row(5, CELLS))


def test_a_line_of_ours_holds_no_control_character_and_no_number_of_a_line() -> None:
    ours = msgspec.structs.replace(ICO, notes="a\x7fb", line=9)
    marked = mark(CELLS, ours)

    assert marked.isprintable()
    assert read(*CELLS, marked) == as_read(ours)
