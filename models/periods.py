"""Say when something comes out, no more precisely than it is known: a day, a month, a quarter, a year, or not yet."""

import calendar
import re
from datetime import date

import msgspec

_MONTHS = tuple(calendar.month_name)
_WRITTEN = re.compile(r"(?P<year>\d{4})(?:-Q(?P<quarter>[1-4])|-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?")
TBD = "tbd"


class Period(msgspec.Struct, frozen=True):
    """A day, a month, a quarter or a year; one without a year is still to be determined."""

    year: int | None = None
    quarter: int | None = None
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        """Return it as events keep it: `2026-11-21`, `2026-11`, `2026-Q4`, `2026` or `tbd`."""
        if self.year is None:
            return TBD
        if self.quarter is not None:
            return f"{self.year:04}-Q{self.quarter}"
        return "-".join([f"{self.year:04}", *[f"{part:02}" for part in (self.month, self.day) if part is not None]])

    @property
    def words(self) -> str:
        """Return it as people write it: `21 November 2026`, `November 2026`, `Q4 2026`, `2026`, `to be determined`."""
        if self.year is None:
            return "to be determined"
        if self.quarter is not None:
            return f"Q{self.quarter} {self.year}"
        month = _MONTHS[self.month] if self.month is not None else None
        return " ".join(str(part) for part in (self.day, month, self.year) if part is not None)

    @property
    def first(self) -> date | None:
        """Return its first day; None where nothing is determined."""
        if self.year is None:
            return None
        return date(self.year, self._months[0], self.day or 1)

    @property
    def last(self) -> date | None:
        """Return its last day, after which it is over; None where nothing is determined."""
        if self.year is None:
            return None
        month = self._months[1]
        return date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    def holds(self, other: "Period") -> bool:
        """Return whether another one lies within this one and says more; all do where nothing is determined yet."""
        if self == other or other.first is None or other.last is None:
            return False
        return self.first is None or self.last is None or (self.first <= other.first and other.last <= self.last)

    @property
    def _months(self) -> tuple[int, int]:
        if self.month is not None:
            return self.month, self.month
        return (1, 12) if self.quarter is None else (3 * self.quarter - 2, 3 * self.quarter)


def read_period(written: str | None) -> Period | None:
    """Return the period that an event keeps; None for a text that is none."""
    if written == TBD:
        return Period()
    match = _WRITTEN.fullmatch(written or "")
    if match is None:
        return None
    period = Period(**{name: int(part) for name, part in match.groupdict().items() if part is not None})
    try:
        return period if period.last else None
    except ValueError:
        return None


def in_words(written: str | None) -> str | None:
    """Return the period that an event keeps as people write it; None for a text that is none."""
    period = read_period(written)
    return None if period is None else period.words
