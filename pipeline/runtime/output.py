"""Print for people and for programs: tables, one JSON object a line, and times that both can read."""

import dataclasses
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from models.printable import NAME_LENGTH, escaped, on_a_line, printable
from notifiers.timing.clock_times import first_moment, last_moment
from pipeline.runtime.tables import LEAST_COLUMNS, UNPARTED, lay_out

# More than any line has. Other programs read a pipe or a file: a row is a line there, whatever COLUMNS says.
UNFOLDED = 1_000_000


class LineConsole(Console):
    """A console that folds lines on a terminal only, and prints nothing of a text that a terminal would obey."""

    # Rich lets one set it, too; nobody does.
    @property  # type: ignore[misc]
    def size(self) -> ConsoleDimensions:
        """The size of the terminal; elsewhere lines have no end."""
        size = super().size
        return size if self.is_terminal else ConsoleDimensions(UNFOLDED, size.height)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the pieces of whatever is printed; those that are no text are Rich's own."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else piece._replace(text=printable(piece.text))


console = LineConsole(highlight=False)
errors = LineConsole(stderr=True, highlight=False)
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
_AGE = re.compile(r"(\d+)\s*(m|h|d|w)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d) UTC")
# Columns of names that services give.
_OF_OUTSIDE = frozenset({"title", "name", "game", "campaign", "last_campaign", "drop", "reward"})
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def print_rows(
    rows: Iterable[Any], *, as_json: bool, columns: Sequence[str], empty: str, needed: int = LEAST_COLUMNS
) -> None:
    """Print rows as JSON lines with all fields, or as a table of some columns; `empty` says what an empty one means.

    Where a terminal is too narrow, columns go from the last one on, but never the first ones that are `needed`.
    """
    listed = [to_mapping(row) for row in rows]
    if as_json:
        for row in listed:
            print_json(row)
        return
    if not listed:
        console.print(empty, markup=False)
        return
    names = [column.replace("_", " ") for column in columns]
    cells = [[_cell(column, row[column]) for column in columns] for row in listed]
    layout = lay_out(names, cells, console.width if console.is_terminal else None, needed)
    console.print(Text(layout.header, style="bold"), soft_wrap=True)
    for line in layout.lines:
        console.print(line, markup=False, soft_wrap=True)
    if layout.left_out:
        hint = f"({', '.join(layout.left_out)}: in a wider terminal, or with --json)"
        console.print(Text(hint, style="dim"), soft_wrap=True)


def _cell(column: str, value: Any) -> str:
    """Return a value as a person reads it; a time in two lines is hard to read, so its space does not fold.

    A name from outside has no end, and would pad all other rows: only JSON has all of it.
    """
    if isinstance(value, datetime):
        return show(value).replace(" ", UNPARTED)
    return on_a_line(show(value), NAME_LENGTH if column in _OF_OUTSIDE else None)


def print_json(value: Any) -> None:
    """Print one JSON object on a line of its own; what a terminal would obey in its texts is escaped."""
    sys.stdout.write(escaped(msgspec.json.encode(value, enc_hook=str).decode()) + "\n")


def print_copy(text: str) -> None:
    """Print a text that is to be copied: as it is, but on a terminal nothing of it that a terminal would obey."""
    sys.stdout.write(printable(text) if sys.stdout.isatty() else text)


def to_mapping(row: Any) -> Mapping[str, Any]:
    """Return a row, dataclass or mapping as a dictionary."""
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        return dataclasses.asdict(row)
    return dict(row)


def show(value: Any) -> str:
    """Return a value as a person reads it: times in UTC to the minute, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    return on_a_line(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))


def show_in(at: datetime | None, zone: tzinfo) -> str:
    """Return a time as a clock in a zone shows it, to the minute and with the zone: `2026-11-29 23:00 CET`."""
    if at is None:
        return ""
    try:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    except OverflowError:
        # At the ends of the calendar.
        return f"{show(at)} UTC"


def moments_in(text: str, zone: tzinfo) -> str:
    """Return a sentence of ours, which says its times in figures and in UTC, with those of a clock in a zone."""

    def local(match: re.Match[str]) -> str:
        try:
            return show_in(datetime.fromisoformat(f"{match[1]}+00:00"), zone)
        except ValueError:
            # Figures in what a service answered.
            return match[0]

    return _MOMENT.sub(local, text)


def distance(at: datetime | None, now: datetime) -> str:
    """Return how far a time is from now, in its largest unit: `3 min ago`, `in 2 h`; nothing for None."""
    if at is None:
        return ""
    seconds = abs((at - now).total_seconds())
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= length:
            away = f"{int(seconds // length)} {unit}"
            return f"in {away}" if at > now else f"{away} ago"
    return "now"


def parse_since(text: str | None, now: datetime, zone: tzinfo = UTC) -> datetime | None:
    """Return the time that `30d`, `12h` or an ISO 8601 time means; raises `typer.BadParameter` with the way out.

    One that is written without a zone is of `zone`.
    """
    if text is None:
        return None
    if age := _AGE.fullmatch(text.strip()):
        try:
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        except (OverflowError, ValueError):
            # Longer than there has been a calendar: everything.
            return datetime.min.replace(tzinfo=UTC)
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (OverflowError, ValueError):
        message = f"{text!r} is no time: write 30d, 12h, 2026-08-22 or 2026-08-22T17:29Z"
        raise typer.BadParameter(message) from None


def parse_until(text: str, now: datetime, zone: tzinfo = UTC) -> datetime:
    """Return the time that `3h`, `2d`, `22:00` or an ISO 8601 time means from now on; raises `typer.BadParameter`.

    One that is written without a zone is of `zone`; a time of day is the next one.
    """
    if age := _AGE.fullmatch(text.strip()):
        try:
            at: datetime | None = now + timedelta(**{_UNITS[age[2]]: int(age[1])})
        except (OverflowError, ValueError):
            raise typer.BadParameter(f"{text!r} is longer than there is a calendar") from None
    elif clock := _CLOCK.fullmatch(text.strip()):
        return _next(time(int(clock[1]), int(clock[2])), now, zone)
    else:
        at = parse_since(text, now, zone)
    if at is None or at <= now:
        raise typer.BadParameter(f"{text!r} has passed: write 3h, 2d, 22:00, or a time that is yet to come")
    return at


def _next(clock: time, now: datetime, zone: tzinfo) -> datetime:
    """Return when a clock in a zone shows a time next, in UTC."""
    today = now.astimezone(zone).date()
    days = (today, today + timedelta(days=1))
    return min(at for moment in (first_moment, last_moment) for day in days if (at := moment(day, clock, zone)) > now)
