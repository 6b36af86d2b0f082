"""Read dates, hours and ratings as people type them. Pure."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from models.errors import UsageError
from models.periods import Period, read_period

# Longer than anybody lives.
MOST_SECONDS = 1_000_000 * 3600
SCALES = "4/5, 8/10 or 80/100"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_QUARTER = re.compile(r"(?:q([1-4])[ -]?(\d{4})|(\d{4})[ -]?q([1-4]))")
_MONTH_FIRST = re.compile(r"([a-z]+)\.?(?: (\d{1,2})(?:st|nd|rd|th)?,?)? (\d{4})")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)? ?([a-z]+)\.? (\d{4})")
_MONTH_IN_FIGURES = re.compile(r"(?:(\d{1,2})[/.](\d{4})|(\d{4})[/.](\d{1,2}))")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
# A point means that the day comes first; with strokes it may be either.
_DAY_IN_FIGURES = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})")
_CLOCK = re.compile(r"(\d{1,6}):([0-5]?\d)(?::([0-5]?\d))?")
_UNITS = {"h": 3600, "m": 60, "s": 1}
_AMOUNT = re.compile(
    r"(\d{1,7}(?:[.,]\d{1,4})?) ?(h|hours?|hrs?|std|m|min|mins|minutes?|s|secs?|seconds?)(?=$|[^a-z])"
    r"|(\d{1,7}(?:[.,]\d{1,4})?)$"
)
_RATING = re.compile(r"(\d{1,3}(?:[.,]\d{1,2})?)(?: ?(?:/|of|out of) ?(\d{1,3})| ?(%))?")


class Rating(msgspec.Struct, frozen=True):
    """A rating from 0 to 100, and the scale that a person gave it on: `4/5` is 80 on a scale to 5."""

    value: float
    scale: int


def read_when(text: str, today: date) -> str:
    """Return a date that a person typed as `models.periods` writes it, no more precisely than they know it.

    `2012`, `1999-Q3`, `nov 2020`, `21 November 2020`, `21.11.2020`, `2020-11-21`, `today`, `yesterday`. Raises
    `UsageError` for anything else, for a day that the calendar lacks, and for one that is yet to come.
    """
    plain = " ".join(text.lower().replace(",", " ").split())
    days = {"today": today, "yesterday": today - timedelta(days=1)}
    period = _day(days[plain]) if plain in days else _read_period(plain)
    period = None if period is None else read_period(str(period))
    if period is None or period.first is None:
        raise UsageError(
            f"{text!r} is no date: write 2012, 1999-Q3, nov 2020, 2020-11-21, today or yesterday, as far as you know it"
        )
    # A day begins earlier elsewhere than where this is asked.
    if period.first > today + timedelta(days=1):
        raise UsageError(f"{text!r} is yet to come: a journal says what was")
    return str(period)


def check_order(started: str | None, finished: str | None) -> None:
    """Raise `UsageError` where an end lies before its beginning, however precisely both are known."""
    first, last = read_period(started), read_period(finished)
    if first is None or last is None or first.first is None or last.last is None:
        return
    if last.last < first.first:
        raise UsageError(f"it cannot be finished in {last.words} and started in {first.words}: which of them is right?")


def read_hours(text: str) -> int:
    """Return in seconds how long somebody played: `41h`, `41`, `1:30`, `90 min`, `2h 30m`, `7,5`; bare ones are hours.

    Raises `UsageError` for what is no length of time.
    """
    plain = " ".join(text.lower().split())
    seconds = _by_clock(plain) if ":" in plain else _by_units(plain)
    if seconds is None or seconds > MOST_SECONDS:
        raise UsageError(f"{text!r} is no length of time: write 41h, 1:30 or 90 min")
    return seconds


def read_rating(text: str, scale: int | None = None) -> Rating:
    """Return a rating that a person typed: `4/5`, `8.5/10`, `85%`, or a number with the scale beside it.

    A number above 20 is of 100; one of up to 20 may be of several scales, and raises `UsageError` without its own.
    """
    match = _RATING.fullmatch(" ".join(text.lower().split()))
    if match is None:
        raise UsageError(f"{text!r} is no rating: write {SCALES}")
    value = float(match[1].replace(",", "."))
    written = 100 if match[3] else int(match[2]) if match[2] else None
    if written is not None and scale is not None and written != scale:
        raise UsageError(f"{text!r} is on a scale to {written}, and --rating-scale says {scale}: leave one of them out")
    most = written or scale or (100 if value > 20 else None)
    if most is None:
        scales = "20 or 100" if value > 10 else "5, 10 or 100"
        raise UsageError(f"{text!r} may be of {scales}: write {SCALES}")
    if not 2 <= most <= 100:
        raise UsageError(f"a rating's scale goes to 2 at least and to 100 at most, not to {most}")
    if value > most:
        raise UsageError(f"{text!r} is more than {most}, the best that its scale has")
    return Rating(round(value / most * 100, 2), most)


def check_word(text: str, words: Sequence[str], what: str) -> str:
    """Return a word in small letters; raises `UsageError` with those that there are where it is none of them."""
    plain = text.strip().lower()
    if plain not in words:
        raise UsageError(f"{text!r} is no {what}: it is one of {', '.join(words)}")
    return plain


def _day(day: date) -> Period:
    return Period(year=day.year, month=day.month, day=day.day)


def _read_period(plain: str) -> Period | None:
    if (period := read_period(plain.upper())) is not None:
        return period
    if match := _QUARTER.fullmatch(plain):
        return Period(year=int(match[2] or match[3]), quarter=int(match[1] or match[4]))
    if (match := _MONTH_FIRST.fullmatch(plain)) and (month := _month(match[1])):
        return Period(year=int(match[3]), month=month, day=int(match[2]) if match[2] else None)
    if (match := _DAY_FIRST.fullmatch(plain)) and (month := _month(match[2])):
        return Period(year=int(match[3]), month=month, day=int(match[1]))
    return _in_figures(plain)


def _in_figures(plain: str) -> Period | None:
    if match := _YEAR_FIRST.fullmatch(plain):
        parts = (int(match[1]), int(match[2]), int(match[3]))
    elif match := _DAY_IN_FIGURES.fullmatch(plain):
        parts = (int(match[3]), int(match[2]), int(match[1]))
    elif match := _MONTH_IN_FIGURES.fullmatch(plain):
        month = int(match[1] or match[4])
        return Period(year=int(match[2] or match[3]), month=month) if 1 <= month <= 12 else None
    else:
        return None
    return Period(year=parts[0], month=parts[1], day=parts[2]) if 1 <= parts[1] <= 12 else None


def _month(name: str) -> int | None:
    for number, (short, long) in enumerate(zip(_MONTHS, _NAMES, strict=True), 1):
        if name in {short, long} or (name == "sept" and number == 9):
            return number
    return None


def _by_clock(plain: str) -> int | None:
    match = _CLOCK.fullmatch(plain.removesuffix("h").strip())
    return None if match is None else int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)


def _by_units(plain: str) -> int | None:
    """Return the sum of amounts with their units; what follows hours and has none are minutes, as in `2h30`."""
    total, at, units = 0.0, 0, ""
    while at < len(plain):
        match = _AMOUNT.match(plain, at)
        if match is None or (match[3] and units not in {"", "h"}):
            return None
        unit = _unit(match[2], "m" if units else "h")
        if units and _UNITS[unit] >= _UNITS[units[-1]]:
            return None
        total += float((match[1] or match[3]).replace(",", ".")) * _UNITS[unit]
        units += unit
        at = match.end()
        while at < len(plain) and plain[at] in " ,":
            at += 1
    return round(total) if units else None


def _unit(written: str | None, bare: str) -> str:
    if written is None:
        return bare
    return "h" if written == "std" else written[0]
