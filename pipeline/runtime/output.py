"""Print for people and for programs: tables, one JSON object a line, and times that both can read."""

import dataclasses
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
_AGE = re.compile(r"(\d+)\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def print_rows(rows: Iterable[Any], *, as_json: bool, columns: Sequence[str], empty: str) -> None:
    """Print rows as JSON lines with all fields, or as a table of some columns; `empty` says what an empty one means."""
    listed = [to_mapping(row) for row in rows]
    if as_json:
        for row in listed:
            print_json(row)
        return
    if not listed:
        console.print(empty, markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # A time in two lines is hard to read; texts may fold.
        is_time = any(isinstance(row[column], datetime) for row in listed)
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=is_time)
    for row in listed:
        table.add_row(*[Text(show(row[column])) for column in columns])
    console.print(table)


def print_json(value: Any) -> None:
    """Print one JSON object on a line of its own."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")


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
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    # A name from outside must not move the cursor or ring the bell of a terminal.
    return "".join(c if c.isprintable() else " " for c in str(value))


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


def parse_since(text: str | None, now: datetime) -> datetime | None:
    """Return the time that `30d`, `12h` or an ISO 8601 time means; raises `typer.BadParameter` with the way out."""
    if text is None:
        return None
    if age := _AGE.fullmatch(text.strip()):
        return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no time: write 30d, 12h, 2026-08-22 or 2026-08-22T17:29Z"
        raise typer.BadParameter(message) from None
    return at.replace(tzinfo=at.tzinfo or UTC)
