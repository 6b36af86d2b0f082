"""The cells of a row by the names of their columns, for formats whose header is always the same. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence

from pipeline.library.formats.building import read_rows
from pipeline.library.formats.format import refuse
from pipeline.library.formats.look import Look
from pipeline.library.formats.marks import with_marks
from pipeline.library.formats.table import Row
from pipeline.library.formats.words import is_blank
from pipeline.library.records import Broken, Record


class Cells:
    """A row: `cells["title"]` is its text, empty where the row is too short or lacks the column."""

    def __init__(self, row: Row, at: Mapping[str, int]) -> None:
        self.line = row.line
        self._row = row.cells
        self._at = at

    def __getitem__(self, column: str) -> str:
        place = self._at.get(column)
        return "" if place is None or place >= len(self._row) else self._row[place]

    def first(self, columns: Sequence[str]) -> str:
        """Return the first of these cells that says something, or an empty text."""
        return next((cell for column in columns if not is_blank(cell := self[column])), "")


def read_cells(
    look: Look, taken_for: str, needed: Collection[str], convert: Callable[[Cells], Record | None], title: str
) -> tuple[list[Record], list[Broken]]:
    """Return the rows of a table with known columns; raises `UsageError` where it lacks one that it needs."""
    table = look.table
    if table is None:
        refuse(look, taken_for, f"is no table: it needs the columns {_listed(needed)}")
    at: dict[str, int] = {}
    for place, name in enumerate(table.header):
        at.setdefault(name.lower(), place)
    lacking = [column for column in needed if column not in at]
    if lacking:
        refuse(look, taken_for, f"lacks the column{'s' * (len(lacking) > 1)} {_listed(lacking)}")
    return read_rows(table.rows(), with_marks(table.header, lambda row: convert(Cells(row, at))), at.get(title))


def _listed(columns: Collection[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)
