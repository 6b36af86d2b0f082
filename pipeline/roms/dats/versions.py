"""Which of two versions of a DAT is the newer one. Pure."""

import re
from typing import Literal

# "20240317-134803", "2024-03-17 13-48-03", "TOSEC-v2024-03-17", "2026.08.01"
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)([-./]?)(0\d|1[0-2])\2([0-2]\d|3[01])(?!\d)")
_NUMBER = re.compile(r"\d+")
# A number of a version; what has more digits is none that anybody counts in.
_DIGITS = 18
Order = Literal["newer", "older", "same", "unknown"]


def order_of(version: str, other: str) -> Order:
    """Return what a version is to another: by the dates in them, else by their numbers from left to right.

    `unknown` where one has a date and the other has none, or one has no number at all.
    """
    if version == other:
        return "same"
    dates = _DATE.search(version), _DATE.search(other)
    if (dates[0] is None) != (dates[1] is None):
        return "unknown"
    mine, theirs = _numbers(version, dates[0]), _numbers(other, dates[1])
    if mine == theirs:
        return "same"
    if not mine or not theirs:
        return "unknown"
    return "newer" if mine > theirs else "older"


def _numbers(version: str, date: re.Match[str] | None) -> list[int]:
    rest = version if date is None else version[date.end() :]
    day = [] if date is None else [int(date[1]), int(date[3]), int(date[4])]
    return day + [int(digits[:_DIGITS]) for digits in _NUMBER.findall(rest)]
