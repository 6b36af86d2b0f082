"""Read what cells and fields hold: times played, ratings, whole numbers, moments, platforms. Pure.

What cannot be read is `InvalidItem`, with a sentence that names the value.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from models.printable import on_a_line
from pipeline.errors import InvalidItem
from pipeline.fetch.shapes import MOST, clean
from pipeline.library.formats.words import is_blank, is_platform

Unit = Literal["hours", "minutes", "seconds"]
LONGEST_TITLE = 300
# Longer ones are cut: a review is no book.
LONGEST_NOTE = 20_000
# Nobody has played for longer than computers exist.
MOST_SECONDS = 80 * 366 * 86_400
FIRST_YEAR, LAST_YEAR = 1950, 2100
_SHOWN = 40
_SECONDS: dict[str, int] = {"hours": 3600, "minutes": 60, "seconds": 1}
_WITH_UNITS = re.compile(
    r"(?:(?P<d>\d{1,6}(?:[.,]\d+)?)\s*d(?:ays?)?\s*)?(?:(?P<h>\d{1,8}(?:[.,]\d+|½)?)\s*(?:h|hrs?|hours?|std\.?|stunden|heures?)\s*)?"
    r"(?:(?P<m>\d{1,9}(?:[.,]\d+)?)\s*(?:m|mins?|minutes?|minuten)?\s*)?(?:(?P<s>\d{1,10})\s*(?:s|secs?|seconds?)\s*)?",
    re.IGNORECASE,
)
_HAS_UNIT = re.compile(r"\d\s*½?\s*[a-z]", re.IGNORECASE)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_NUMBER = re.compile(r"\d{1,15}(?:[.,]\d{1,15})?")
_RATIO = re.compile(r"(?P<n>\d{1,3}(?:[.,]\d{1,4})?)\s*(?:/|of|von|sur|de)\s*(?P<scale>5|6|10|20|100)")
_YEAR = re.compile(r"(?<!\d)(19[5-9]\d|20\d\d)(?!\d)")
# As Windows PowerShell 5 writes times into JSON.
_POWERSHELL = re.compile(r"/Date\((?P<ms>-?\d{1,15})(?:[+-]\d{4})?\)/")
_BETWEEN = re.compile(r"\s*[;,|+&]\s*|\s+/\s+")


def shown(value: object) -> str:
    """Return a value as a sentence names it."""
    return f"“{on_a_line(str(value), _SHOWN)}”"


def title_of(text: str | None) -> str:
    """Return a title in one line; refuses what is empty, too long, or a spreadsheet's formula."""
    title = " ".join((clean(text) or "").split())
    if not title or not any(sign.isalnum() for sign in title):
        raise InvalidItem("it has no title")
    if len(title) > LONGEST_TITLE:
        raise InvalidItem(f"no title has {len(title):,} characters")
    if title.startswith("="):
        raise InvalidItem(f"{shown(title)} is a formula, no title; save the sheet with its values")
    return title


def note_of(*texts: str | None) -> str | None:
    """Return what a person wrote of a game, each text a paragraph; None where nothing is left."""
    cleaned = [words for text in texts if (words := clean(text)) is not None and not is_blank(words)]
    return "\n\n".join(dict.fromkeys(cleaned))[:LONGEST_NOTE] or None


def words_of(texts: Sequence[str | None], most: int = 100) -> tuple[str, ...]:
    """Return tags, platforms or the like: each once, in one line, none empty."""
    lines = (" ".join((clean(text) or "").split())[:LONGEST_TITLE] for text in texts)
    return tuple(dict.fromkeys(line for line in lines if line and not is_blank(line)))[:most]


def number_of(text: str) -> float | None:
    """Return a number that is written with a point or a comma; None for what is none."""
    text = text.strip()
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def seconds_of(text: str, unit: Unit) -> int | None:
    """Return how long was played; None for a cell that says nothing.

    `12h 30m` and `3 hours` say their units; a bare number is in `unit`. `1:30:00` is hours, minutes and seconds;
    `46:30` is minutes and seconds where `unit` is seconds, hours and minutes elsewhere.
    """
    text = " ".join(text.split()).removeprefix("~").strip()
    if is_blank(text):
        return None
    seconds = _seconds(text, unit)
    if seconds is None:
        raise InvalidItem(f"{shown(text)} is no time played; 12h 30m, 12:30:00 and 12.5 are")
    if not 0 <= seconds <= MOST_SECONDS:
        raise InvalidItem(f"{shown(text)} is longer than anybody has played")
    return round(seconds)


def _seconds(text: str, unit: Unit) -> float | None:
    if ":" in text:
        parts = text.split(":")
        if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) < 9 for part in parts):
            return None
        if len(parts) == 2:
            parts = [*parts, "0"] if unit != "seconds" else ["0", *parts]
        hours, minutes, seconds = map(int, parts)
        return hours * 3600 + minutes * 60 + seconds
    if _HAS_UNIT.search(text):
        match = _WITH_UNITS.fullmatch(text)
        if match is None:
            return None
        factors = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
        return sum(_part(value) * factors[name] for name, value in match.groupdict().items() if value)
    number = number_of(text.replace("½", ".5"))
    return None if number is None else number * _SECONDS[unit]


def _part(written: str) -> float:
    return float(written.replace("½", ".5").replace(",", "."))


def count_of(number: float | None, field: str, most: int = MOST) -> int | None:
    """Return a whole number that is none below zero; None where there is none, or zero-like nothing."""
    if number is None:
        return None
    if not 0 <= number <= most:
        raise InvalidItem(f"`{field}` is {shown(number)}, which cannot be")
    return int(number)


def whole_of(text: str) -> int | None:
    """Return a positive whole number that a database keeps; None for what is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 and 0 < int(text) <= MOST else None


def rating_of(number: float | None, scale: int) -> tuple[float, int] | None:
    """Return a rating from 0 to 100, and the scale that it came in; None where there is none."""
    if number is None:
        return None
    if not 0 <= number <= scale:
        raise InvalidItem(f"a rating of {number:g} is not within 0 and {scale}")
    return round(number * 100 / scale, 2), scale


def written_rating(text: str) -> tuple[float, int | None] | None:
    """Return the number of a cell that rates, and its scale where the cell says it: `8/10`, `85%`, `★★★½`.

    None where it says nothing.
    """
    text = text.strip()
    if is_blank(text):
        return None
    if set(text) <= set("★☆⭐½ \ufe0f") and set(text) & set("★☆⭐"):
        return text.count("★") + text.count("⭐") + (0.5 if "½" in text else 0), 5
    if match := _RATIO.fullmatch(text):
        return float(match["n"].replace(",", ".")), int(match["scale"])
    number = number_of(text.removesuffix("%").strip())
    if number is None:
        raise InvalidItem(f"{shown(text)} is no rating")
    return number, 100 if text.endswith("%") else None


def year_of(text: str | None) -> int | None:
    """Return the first year that a text names; None where it names none."""
    match = _YEAR.search(text or "")
    return int(match[1]) if match and FIRST_YEAR <= int(match[1]) <= LAST_YEAR else None


def moment_of(text: str | None) -> datetime | None:
    """Return a moment in UTC; one without a zone is taken as UTC, and the calendar's first year as none.

    Up to seven digits of a second may follow, which .NET writes.
    """
    text = (text or "").strip()
    if is_blank(text):
        return None
    if match := _POWERSHELL.fullmatch(text):
        return unix_moment(int(match["ms"]) / 1000)
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        if text.startswith("0001-01-01"):
            return None
        raise InvalidItem(f"{shown(text)} is no time") from None
    return at if FIRST_YEAR <= at.year <= LAST_YEAR else None


def unix_moment(seconds: float | None) -> datetime | None:
    """Return the moment that Unix time says; None for zero, which is never."""
    if not seconds:
        return None
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidItem(f"{shown(seconds)} is no time") from None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise InvalidItem(f"{shown(seconds)} is no time")
    return at


def platforms_of(text: str) -> tuple[str, ...]:
    """Return the platforms of a cell as it writes them; "Mega Drive/Genesis" is one, "PS4/PS5" are two."""
    text = " ".join(text.split())
    if is_blank(text) or is_platform(text):
        return words_of([text])
    parts: list[str] = []
    for part in _BETWEEN.split(text):
        halves = part.split("/")
        parts += halves if not is_platform(part) and all(map(is_platform, halves)) else [part]
    return words_of(parts)
