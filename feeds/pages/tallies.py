"""Add up what was played, for pages of a person's library: hours and finishes by month, platform, genre. Pure."""

import calendar
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from feeds.sanitise import one_line
from models.words.holdings import STORES
from models.words.units import counted

BARS_SHOWN = 8
LINES_SHOWN, LINE_LENGTH = 20, 400
PLACES = STORES | {"physical": "On a disc or a cartridge", "rom": "ROM", "other": "Elsewhere"}
STATUSES = {
    "playing": "Playing",
    "endless": "No end to it",
    "paused": "Paused",
    "backlog": "Backlog",
    "finished": "Finished",
    "mastered": "Mastered",
    "abandoned": "Given up",
}


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A game that was played; one game may have several rows of these."""

    game_id: int
    name: str
    series: str | None = None
    genres: tuple[str, ...] = ()


class Bar(msgspec.Struct, frozen=True):
    """A bar with its label and what it stands for in words; its width in percent of the longest."""

    label: str
    amount: str
    width: float


def hours(seconds: float | None) -> str:
    """Return a playtime as people say it: "41 h", "1.5 h", "20 min"; nothing where it is none."""
    if not seconds or seconds < 60:
        return ""
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    number = seconds / 3600
    return f"{number:.1f} h".replace(".0 ", " ") if number < 10 else f"{round(number):,} h"


def rated(rating: float | None) -> str:
    """Return a rating of 0 to 100 as pages show it; nothing where there is none."""
    return "" if rating is None else f"{round(rating)}"


def written(notes: str | None) -> str:
    """Return what a person wrote, line by line, as pages may show it."""
    lines = [one_line(line, LINE_LENGTH) for line in (notes or "").strip().splitlines()[:LINES_SHOWN]]
    return "\n".join(lines)


def store_name(store: str) -> str:
    """Return a store as people write it."""
    return PLACES.get(store) or one_line(store, 40).title()


def month_words(month: str) -> str:
    """Return a month, written as `models.periods` does, by its name: "March"."""
    return calendar.month_name[int(month[5:7])]


def bars_of_hours(seconds: Counter[str], *, most: int = BARS_SHOWN) -> list[Bar]:
    """Return the longest playtimes as bars, the longest first."""
    return _bars([(label, hours(number), number) for label, number in _ordered(seconds, most) if number >= 60])


def bars_of_counts(counts: Counter[str], noun: str, *, most: int = BARS_SHOWN) -> list[Bar]:
    """Return the highest counts as bars, the highest first."""
    return _bars([(label, counted(number, noun), number) for label, number in _ordered(counts, most)])


def bars_of_months(seconds: Counter[str], finished: Counter[str], year: int) -> list[Bar]:
    """Return a bar for each month of a year: of its hours, or of its finishes where no hours are known."""
    months = [f"{year:04}-{number:02}" for number in range(1, 13)]
    by = seconds if any(seconds[month] for month in months) else finished
    rows = []
    for month in months:
        parts = [hours(seconds[month]), counted(finished[month], "game") + " finished" if finished[month] else ""]
        rows.append((month_words(month), ", ".join(filter(None, parts)), by[month]))
    return _bars(rows)


def names(labels: Iterable[str], limit: int = 60) -> str:
    """Return names in a line, each once."""
    return ", ".join(dict.fromkeys(one_line(label, limit) for label in labels))


def _ordered(counts: Counter[str], most: int) -> Sequence[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]


def _bars(rows: Sequence[tuple[str, str, int]]) -> list[Bar]:
    longest = max((number for _, _, number in rows), default=0) or 1
    return [Bar(one_line(label, 80), amount, round(100 * number / longest, 1)) for label, amount, number in rows]
