"""Lay rows out as lines of text: columns go before letters do. Pure.

Without a width (a pipe, a file) each row is one line, however long. On a terminal texts fold between words, and where
that is not enough the last columns are left out; addresses, names of settings and times are never cut.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

GAP = "  "
# A table of fewer columns says nothing: where these are too wide, its lines are longer than the terminal.
LEAST_COLUMNS = 2
# Stands for a space that must not be parted from what is around it.
UNPARTED = "\xa0"
# What folds: words of other scripts stand together without spaces, and may be parted anywhere.
_UNITS = re.compile(r"[\x21-\x7e\xa0]+|\s+|.")


class Layout(NamedTuple):
    """The lines of a table, the first of them its header, and the names of the columns that found no room."""

    header: str
    lines: Sequence[str]
    left_out: Sequence[str]


def lay_out(
    names: Sequence[str], rows: Sequence[Sequence[str]], width: int | None, needed: int = LEAST_COLUMNS
) -> Layout:
    """Return a table of at least one row in at most `width` cells of a terminal; None folds nothing.

    The first columns that are `needed` always stay: lines may be longer than the terminal then.
    """
    whole = [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]
    least = [
        max(cell_len(name), *map(_longest_unit, column))
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    ]
    widths = whole if width is None else _fit(whole, least, width, needed)
    lines = [line for row in rows for line in _lines(row, widths)]
    [header] = _lines(names, widths)
    return Layout(header, [line.replace(UNPARTED, " ") for line in lines], names[len(widths) :])


def _fit(whole: Sequence[int], least: Sequence[int], width: int, needed: int) -> list[int]:
    kept = len(whole)
    while kept > needed and _total(least[:kept]) > width:
        kept -= 1
    widths = list(whole[:kept])
    while (excess := _total(widths) - width) > 0:
        # The widest column gives first, so that short texts stay in their line.
        giving = [place for place in range(kept) if widths[place] > least[place]]
        if not giving:
            break
        widest = max(giving, key=lambda place: widths[place])
        widths[widest] -= max(1, min(excess, widths[widest] - least[widest], excess // len(giving)))
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _longest_unit(text: str) -> int:
    return max((cell_len(unit) for unit in _UNITS.findall(text) if not unit.isspace()), default=0)


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    cells = [_fold(text, width) for text, width in zip(row, widths, strict=False)]
    height = max(map(len, cells))
    padded = [
        [text + " " * (width - cell_len(text)) for text in (*cell, *[""] * (height - len(cell)))]
        for cell, width in zip(cells, widths, strict=True)
    ]
    return [GAP.join(parts).rstrip() for parts in zip(*padded, strict=True)]


def _fold(text: str, width: int) -> list[str]:
    """Return a text in lines of at most `width` cells; a word that is longer stands in a line of its own."""
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for unit in _UNITS.findall(text):
        if lines[-1] and cell_len(lines[-1] + unit.rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        if lines[-1] or not unit.isspace():
            lines[-1] += unit
    return [line.rstrip() for line in lines] or [""]
