"""Lay out the pictures of a channel's page: viewers over time with what was on, and hours of the week. Pure.

Widths are in percent and heights in pixels, so that a picture fits every screen and its texts keep their size.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

import msgspec

from models.airtime import LONGEST_HOLD
from models.statistics import Counted, HourTotals, Part
from models.words.units import duration

WIDTH, HEIGHT, HEADROOM = 1000, 180, 16
MOST_POINTS = 500
MOST_MARKS = 6
COLOURS = 6
CELL = 22
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STEPS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080))


class Mark(msgspec.Struct, frozen=True):
    """A label on an axis: in percent of the width, or in pixels of the height."""

    at: float
    label: str


class Band(msgspec.Struct, frozen=True):
    """What was on, below the line of viewers; position and width in percent."""

    at: float
    width: float
    colour: int
    name: str
    lasted: str


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Viewers over time: paths in a box of WIDTH by HEIGHT, and the marks of both axes."""

    lines: tuple[str, ...]
    areas: tuple[str, ...]
    down: tuple[Mark, ...]
    along: tuple[Mark, ...]
    bands: tuple[Band, ...]


class Cell(msgspec.Struct, frozen=True):
    """One hour of the week; position and width in percent, `top` in pixels, `shade` from 0 to 1."""

    weekday: int
    hour: int
    at: float
    top: int
    shade: float
    text: str


def viewers_curve(counted: Sequence[Counted], parts: Sequence[Part]) -> Curve | None:
    """Return the curve of a stream, or None where it would have less than two points."""
    if len(counted) < 2:
        return None
    begin = min([counted[0].at, *(part.begin for part in parts)])
    end = max([counted[-1].at, *(part.end for part in parts)])
    peak = max(count.viewers for count in counted)
    step = _nice_step(peak)
    top = step * max(1, math.ceil(peak / step))

    def place(count: Counted) -> tuple[float, float]:
        y = HEIGHT - (HEIGHT - HEADROOM) * count.viewers / top
        return round(WIDTH * ((count.at - begin) / (end - begin)), 1), round(y, 1)

    runs = [[place(count) for count in run] for run in _runs(_thinned(counted))]
    return Curve(
        lines=tuple(_line(run) for run in runs),
        areas=tuple(_area(run) for run in runs if len(run) > 1),
        down=tuple(_levels(step, top)),
        along=tuple(_times(begin, end)),
        bands=tuple(_bands(parts, begin, end)),
    )


def week_cells(week: Sequence[HourTotals]) -> list[Cell]:
    """Return a cell for each hour of the week with time on air; the darkest is the hour with most of it."""
    most = max((totals.seconds for totals in week), default=0)
    return [
        Cell(
            weekday=totals.weekday,
            hour=totals.hour,
            at=round(100 * totals.hour / 24, 3),
            top=CELL * totals.weekday,
            shade=round(0.14 + 0.86 * totals.seconds / most, 2),
            text=_cell_text(totals),
        )
        for totals in week
        if most
    ]


def compact(number: float) -> str:
    """Return a number in few characters: 950, 12.5K, 2M."""
    for size, letter in ((1_000_000, "M"), (1_000, "K")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.0f}"


def on_air(seconds: float) -> str:
    """Return a time on air as people say it: "3 h 20 min"; begun minutes do not count, as in messages."""
    return duration(int(seconds // 60))


def _cell_text(totals: HourTotals) -> str:
    viewers = "" if totals.average_viewers is None else f", {totals.average_viewers:,} viewers on average"
    return f"{WEEKDAYS[totals.weekday]} {totals.hour:02}:00: {on_air(totals.seconds)} on air{viewers}"


def _thinned(counted: Sequence[Counted]) -> Sequence[Counted]:
    """Return about MOST_POINTS counts at most, the highest of each group of neighbours, so that the peak is kept."""
    each = math.ceil(len(counted) / MOST_POINTS)
    groups = (counted[index : index + each] for index in range(0, len(counted), each))
    return [max(group, key=lambda count: count.viewers) for group in groups]


def _runs(counted: Sequence[Counted]) -> Iterator[list[Counted]]:
    """Split the counts where polls are missing: between the streams of a story, and after failures."""
    usual = median((after.at - before.at).total_seconds() for before, after in pairwise(counted))
    longest = max(LONGEST_HOLD, timedelta(seconds=2.5 * usual))
    run = [counted[0]]
    for before, after in pairwise(counted):
        if after.session_id != before.session_id or after.at - before.at > longest:
            yield run
            run = []
        run.append(after)
    yield run


def _line(run: Sequence[tuple[float, float]]) -> str:
    # A point alone is a line of no length, which round ends make a dot.
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in run) + ("h0" if len(run) == 1 else "")


def _area(run: Sequence[tuple[float, float]]) -> str:
    return f"{_line(run)}L{run[-1][0]:g} {HEIGHT}L{run[0][0]:g} {HEIGHT}Z"


def _nice_step(highest: int) -> float:
    """Return a step of 1, 2 or 5 by a power of ten that divides the height into four at most."""
    rough = max(highest, 1) / 4
    power = 10 ** math.floor(math.log10(rough))
    return float(max(1, next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)))


def _levels(step: float, top: float) -> Iterator[Mark]:
    for number in range(1, round(top / step) + 1):
        yield Mark(round(HEIGHT - (HEIGHT - HEADROOM) * number * step / top, 1), compact(number * step))


def _times(begin: datetime, end: datetime) -> Iterator[Mark]:
    span = end - begin
    step = next((step for step in _STEPS if span / step <= MOST_MARKS), _STEPS[-1])
    midnight = begin.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + math.ceil((begin - midnight) / step) * step
    while at <= end:
        share = 100 * ((at - begin) / span)
        # Near the edges a label would be cut off.
        if 4 <= share <= 96:
            yield Mark(round(share, 2), f"{at:%H:%M}" if step < timedelta(days=1) else f"{at:%a} {at.day}")
        at += step


def _bands(parts: Sequence[Part], begin: datetime, end: datetime) -> Iterator[Band]:
    names = list(dict.fromkeys(part.name for part in parts))
    for part in parts:
        at, width = (100 * (length / (end - begin)) for length in (part.begin - begin, part.end - part.begin))
        lasted = on_air((part.end - part.begin).total_seconds())
        colour = names.index(part.name) % COLOURS
        yield Band(round(at, 2), round(width, 2), colour, part.name or "Category not known", lasted)
