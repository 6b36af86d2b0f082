"""Which line of a list a person means: by its place, by IGDB's number, or by its text. Pure."""

import re
from collections.abc import Sequence

import msgspec

from models.errors import UnknownThing, UsageError
from models.names import name_key, nearest
from models.printable import NAME_LENGTH, on_a_line

NAMED_AT_MOST = 5
_IGDB = re.compile(r"igdb:\s*(?P<id>\d{1,18})", re.IGNORECASE)


class UnknownEntry(UnknownThing):
    """The list has no such line."""


class NamedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a list as it is stored; `game` is IGDB's name of the entry that it was taken for."""

    id: int
    position: int
    written: str
    igdb_id: int | None = None
    game: str | None = None
    work_id: int | None = None
    notes: str | None = None

    @property
    def name(self) -> str:
        """What to call the line: its game's name, or else its text."""
        return self.game or self.written


def line_named(lines: Sequence[NamedLine], named: str | int, list_name: str) -> NamedLine:
    """Return the line that a person means by `7`, `igdb:1942` or a title; a number is that of the line's row.

    Raises `UnknownEntry` where it is none of them, `UsageError` where it may be several, and says which it may be.
    """
    if isinstance(named, int):
        of_row = next((line for line in lines if line.id == named), None)
        if of_row is None:
            raise UnknownEntry(f"the list {list_name!r} has no entry of the number {named}")
        return of_row
    written = named.strip()
    if written.isascii() and written.isdigit() and 1 <= int(written[:18]) <= len(lines):
        return lines[int(written[:18]) - 1]
    meant = _of_igdb(lines, written) if _IGDB.fullmatch(written) else _of_text(lines, written)
    if len(meant) == 1:
        return meant[0]
    shown = on_a_line(named, NAME_LENGTH)
    if meant:
        places = ", ".join(f"{on_a_line(line.name, NAME_LENGTH)} at {line.position}" for line in meant[:NAMED_AT_MOST])
        raise UsageError(f"{shown!r} is on the list {list_name!r} {len(meant)} times: {places}; name it by its place")
    near = nearest(written, {name for line in lines for name in (line.name, line.written)})
    hint = f"did you mean {' or '.join(near)}?" if near else f"`lootwire games lists show {list_name!r}` has its titles"
    raise UnknownEntry(f"{shown!r} is not on the list {list_name!r}; {hint}")


def _of_igdb(lines: Sequence[NamedLine], written: str) -> list[NamedLine]:
    number = int(written.partition(":")[2])
    return [line for line in lines if line.igdb_id == number]


def _of_text(lines: Sequence[NamedLine], written: str) -> list[NamedLine]:
    """Return the lines with this very text, or else those whose text or game differs from it in its spelling alone."""
    exact = [line for line in lines if written in {line.written, line.game}]
    if exact:
        return exact
    key = name_key(written)
    return [line for line in lines if key in {name_key(line.written), name_key(line.name)}]
