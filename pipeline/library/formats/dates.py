"""Read days as people write them, and judge a column as a whole for whether the day or the month comes first. Pure.

What is less precise than a day stays so: a date is returned as `models.periods` writes it.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from babel.dates import get_month_names

from models.names import name_key
from models.periods import read_period
from pipeline.errors import InvalidItem
from pipeline.library.formats.values import FIRST_YEAR, LAST_YEAR, shown
from pipeline.library.formats.words import is_blank

Order = Literal["day first", "month first", "either"]
_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv")
# A time of day after the day, which nobody keeps.
_CLOCK = re.compile(r"[ T]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?$")
_YEAR_FIRST = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_QUARTER = re.compile(r"(?:(\d{4})[- ]?Q([1-4])|Q([1-4])[- /]?(\d{4}))", re.IGNORECASE)
_YEAR_LAST = re.compile(r"(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4}|\d{2})")
_MONTH_AND_YEAR = re.compile(r"(\d{1,2})[./-](\d{4})")
_JAPANESE = re.compile(r"(\d{4})年(?:(\d{1,2})月(?:(\d{1,2})日)?)?")
_WORD = re.compile(r"[^\W\d_]+")
_FIGURES = re.compile(r"\d+")


def order_of(cells: Iterable[str]) -> Order:
    """Return whether the days of a column write the day or the month first, by those that can only be one of them.

    Points stand after the day, as in German; of days with strokes or hyphens none of which goes beyond the twelfth,
    nobody can say.
    """
    first = second = points = 0
    for cell in cells:
        match = _YEAR_LAST.fullmatch(_CLOCK.sub("", cell.strip()))
        if match is not None:
            first += int(match[1]) > 12
            second += int(match[3]) > 12
            points += match[2] == "."
    if first == second:
        return "day first" if points else "either"
    return "day first" if first > second else "month first"


def date_of(text: str, order: Order = "either") -> str | None:
    """Return a date as `models.periods` writes it: `2026-07-26`, `1999-Q3`, `2012`; None for a cell that says nothing.

    Zeros stand for what is not known, and where the order is not known a day that may be two is its year.
    """
    text = " ".join(text.split())
    if is_blank(text) or text.startswith("0000"):
        return None
    written = _written(_CLOCK.sub("", text).strip(" ,"), order)
    period = read_period(written)
    if period is None or period.year is None or not FIRST_YEAR <= period.year <= LAST_YEAR:
        raise InvalidItem(f"{shown(text)} is no date; 2026-07-26, 26.7.2026, 2026-07 and 2026 are")
    return str(period)


def _written(text: str, order: Order) -> str | None:
    if match := _YEAR_FIRST.fullmatch(text) or _JAPANESE.fullmatch(text):
        return _joined(match[1], match[2], match[3])
    if match := _QUARTER.fullmatch(text):
        return f"{match[1] or match[4]}-Q{match[2] or match[3]}"
    if match := _YEAR_LAST.fullmatch(text):
        year = match[4] if len(match[4]) == 4 else f"{'19' if int(match[4]) >= 70 else '20'}{match[4]}"
        first, second = match[1], match[3]
        if order == "either" and int(first) <= 12 and int(second) <= 12 and int(first) != int(second):
            return year
        month_first = order == "month first" or (order == "either" and int(second) > 12)
        return _joined(year, first, second) if month_first else _joined(year, second, first)
    if match := _MONTH_AND_YEAR.fullmatch(text):
        return _joined(match[2], match[1], None)
    return _in_words(text)


def _joined(year: str, month: str | None, day: str | None) -> str:
    """Return a date of its parts; a part that is zero is not known, nor is what is finer."""
    if month is None or not int(month):
        return year
    return f"{year}-{int(month):02}" if day is None or not int(day) else f"{year}-{int(month):02}-{int(day):02}"


def _in_words(text: str) -> str | None:
    months = [month for word in _WORD.findall(text) if (month := _months().get(name_key(word))) is not None]
    figures = _FIGURES.findall(text)
    years = [figure for figure in figures if len(figure) == 4]
    days = [figure for figure in figures if len(figure) < 3]
    if len(months) != 1 or len(years) != 1 or len(days) > 1 or len(figures) != len(years) + len(days):
        return None
    return _joined(years[0], str(months[0]), days[0] if days else None)


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    names: dict[str, int] = {}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    names.setdefault(name_key(str(name)), number)
    # Babel shortens September and June otherwise.
    return {**names, "sept": 9, "june": 6, "july": 7, "mrz": 3}
