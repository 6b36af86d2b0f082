"""Read a table of text: which sign stands between its cells, its header, and its rows with their lines. Pure."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from models.errors import UsageError
from models.printable import on_a_line
from pipeline.library.records import Broken

MOST_COLUMNS = 1_000
MOST_ROWS = 1_000_000
WRITTEN = 200
_DELIMITERS = ",;\t|"
# Rows by which a text is known to be a table.
_SAMPLE = 10
# A quotation mark that is never closed takes the lines after it; after so many of them the rest is not looked at.
_MOST_OPEN = 50


class Row(msgspec.Struct, frozen=True, gc=False):
    """Cells without spaces around them, and the line that they begin on, from 1 on."""

    line: int
    cells: Sequence[str]


class Table(msgspec.Struct, frozen=True):
    """A table: the names of its columns, and how to read its rows."""

    header: tuple[str, ...]
    delimiter: str
    # Whether its rows have as many cells as its header, as a table has and a text with commas has not.
    is_even: bool
    text: str
    first: int

    def rows(self) -> Iterator[Row | Broken]:
        """Yield the rows below the header, and what of them cannot be read; empty rows are left out."""
        for number, row in enumerate(_rows(self.text.split("\n"), self.delimiter, self.first)):
            if number >= MOST_ROWS:
                yield Broken(
                    line=row.line, written="", reason=f"a table has {MOST_ROWS:,} rows at most: the rest was not read"
                )
                return
            if isinstance(row, Broken) or any(row.cells):
                yield row


def read_table(text: str, name: str) -> Table | None:
    """Return a text as a table; None where its first line is empty of cells. Raises `UsageError` for too many columns.

    The sign between cells is the one that the first line has most of.
    """
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return None
    counts = Counter({sign: lines[first].count(sign) for sign in _DELIMITERS})
    delimiter, most = counts.most_common(1)[0]
    if most >= MOST_COLUMNS:
        raise UsageError(f"{name} has a first line of {most + 1:,} cells; a table has {MOST_COLUMNS:,} columns at most")
    sample = [row for row in islice(_rows(lines, delimiter, first), _SAMPLE) if isinstance(row, Row)]
    if not sample or sample[0].line != first + 1:
        return None
    header, *rest = sample
    filled = [row for row in rest if any(row.cells)]
    is_even = len(header.cells) > 1 and bool(filled) and all(len(row.cells) == len(header.cells) for row in filled)
    below = rest[0].line - 1 if rest else len(lines)
    return Table(tuple(header.cells), delimiter, is_even, text, below)


def _rows(lines: Sequence[str], delimiter: str, begin: int) -> Iterator[Row | Broken]:
    """Yield rows from a line on, the first being 0; a quotation mark that stays open costs its own line alone."""
    for _ in range(_MOST_OPEN):
        for row in _rows_until_open(lines, delimiter, begin):
            yield row
            if isinstance(row, Broken):
                begin = row.line
                break
        else:
            return
    yield Broken(
        line=begin + 1,
        written="",
        reason=f"over {_MOST_OPEN} quotation marks are never closed: from here on nothing was read",
    )


def _rows_until_open(lines: Sequence[str], delimiter: str, begin: int) -> Iterator[Row | Broken]:
    reader = csv.reader((f"{line}\n" for line in islice(lines, begin, None)), delimiter=delimiter)
    first = begin
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            yield _unreadable(lines, first, begin + reader.line_num)
            return
        if cells is None:
            return
        end = begin + reader.line_num
        if end - first > 1 and end >= len(lines) and sum(line.count('"') for line in lines[first:end]) % 2:
            yield _unreadable(lines, first, end)
            return
        yield Row(first + 1, [cell.strip() for cell in cells])
        first = end


def _unreadable(lines: Sequence[str], first: int, end: int) -> Broken:
    reason = "a cell is longer than 131,072 characters"
    if end - first > 1:
        reason = "a quotation mark is opened in this line and never closed"
    return Broken(line=first + 1, written=on_a_line(lines[first], WRITTEN), reason=reason)
