"""Make lists and change them line by line; each change is written down, and told once ten minutes have passed.

A line is named as `naming.line_named` has it: a number is that of its row.
Those that change which games are wanted take the turn to store, before the list's own row is locked.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, update

from models import GameList, GameListEntry
from models.errors import UsageError
from models.names import name_key
from pipeline.games.following.changes import EntryChange
from pipeline.games.following.list_rows import (
    ListRow,
    NewLine,
    add_list,
    change_of,
    delete_line,
    insert_line,
    load_lines,
    lock_list,
    log_change,
    move_line,
    want_what_is_listed,
)
from pipeline.games.following.naming import NamedLine, line_named
from pipeline.games.store.decisions import own_game
from pipeline.games.store.wanted import begin_wanting

LONGEST_NAME, LONGEST_TEXT = 200, 5000


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is after a change; `place_before` is None where it is new or has not moved."""

    list: str
    name: str
    place: int
    place_before: int | None = None
    of: int


def create_list(
    connection: Connection,
    name: str,
    person_id: int,
    now: datetime,
    *,
    ranked: bool,
    wants: bool,
    description: str | None = None,
) -> ListRow:
    """Make a list without games; raises `UsageError` where the person has one of that name, or the name is none."""
    begin_wanting(connection, now)
    called = " ".join(name.split())
    if not called or len(called) > LONGEST_NAME:
        raise UsageError(f"a list needs a name of {LONGEST_NAME} characters at most")
    same = select(GameList.name).where(GameList.person_id == person_id, GameList.name == called)
    if connection.scalar(same) is not None:
        raise UsageError(f"there is a list {called!r} already; `lootwire games lists add {called!r} TITLE` adds to it")
    text = _text(description)
    list_id = add_list(connection, called, person_id, now, ranked=ranked, wants=wants, description=text)
    log_change(connection, list_id, "created", [EntryChange(description=text)] if text else [], now)
    return lock_list(connection, called, person_id)


def describe_list(
    connection: Connection,
    name: str,
    person_id: int,
    now: datetime,
    *,
    description: str | None = None,
    ranked: bool | None = None,
    wants: bool | None = None,
) -> ListRow:
    """Change what is said of a list: its description (an empty one: none), whether it is ranked and wants its games.

    What is None stays.
    """
    begin_wanting(connection, now)
    row = lock_list(connection, name, person_id)
    asked = {"ranked": ranked, "wants": wants}
    values = {key: value for key, value in asked.items() if value is not None and value != getattr(row, key)}
    text = _text(description)
    if description is not None and text != row.description:
        values["description"] = text  # type: ignore[assignment]
    if values:
        connection.execute(update(GameList).where(GameList.id == row.id).values(values))
        log_change(connection, row.id, "described", [EntryChange(description=_words(values))], now)
    if "wants" in values:
        want_what_is_listed(connection, now)
    return lock_list(connection, row.name, person_id)


def add_line(
    connection: Connection,
    name: str,
    person_id: int,
    line: NewLine,
    now: datetime,
    *,
    at: int | None = None,
    is_own: bool = False,
) -> Placed:
    """Add a game to a list, at a place or at its end; raises `UsageError` where it is on it already.

    With `is_own` its title is a game that IGDB lacks: our own, which is made where it is not there yet.
    """
    begin_wanting(connection, now)
    row = lock_list(connection, name, person_id)
    lines = load_lines(connection, row.id)
    known = next((each for each in lines if _is_same(each, line)), None)
    if known is not None:
        raise UsageError(
            f"{known.name!r} is on the list {row.name!r} already, at {known.position};"
            f" `lootwire games lists move {row.name!r} {known.position} PLACE` moves it"
        )
    place = len(lines) + 1 if at is None else _place(at, len(lines) + 1, row.name)
    if is_own:
        line = msgspec.structs.replace(line, game_id=own_game(connection, line.written, None, now), score=1.0)
    line_id = insert_line(connection, row.id, msgspec.structs.replace(line, notes=_text(line.notes)), place, now)
    added = next(each for each in load_lines(connection, row.id) if each.id == line_id)
    log_change(connection, row.id, "added", [change_of(added, place=place)], now)
    if row.wants:
        want_what_is_listed(connection, now)
    return Placed(list=row.name, name=added.name, place=place, of=len(lines) + 1)


def move(connection: Connection, name: str, person_id: int, named: str | int, place: int, now: datetime) -> Placed:
    """Move a line to another place; where it stands there already nothing happens."""
    row, lines, line = _line(connection, name, person_id, named)
    to = _place(place, len(lines), row.name)
    if to != line.position:
        move_line(connection, row.id, line, to)
        log_change(connection, row.id, "moved", [change_of(line, place=to, place_before=line.position)], now)
    return Placed(list=row.name, name=line.name, place=to, place_before=line.position, of=len(lines))


def remove_line(connection: Connection, name: str, person_id: int, named: str | int, now: datetime) -> NamedLine:
    """Take a line off a list; where the list wants its games, that game is wanted for it no more."""
    begin_wanting(connection, now)
    row, _, line = _line(connection, name, person_id, named)
    delete_line(connection, row.id, line)
    log_change(connection, row.id, "removed", [change_of(line, place_before=line.position)], now)
    if row.wants:
        want_what_is_listed(connection, now)
    return line


def note_line(
    connection: Connection, name: str, person_id: int, named: str | int, text: str, now: datetime
) -> NamedLine:
    """Write a note beside a line; an empty one takes it away."""
    row, _, line = _line(connection, name, person_id, named)
    note = _text(text)
    if note != line.notes:
        connection.execute(update(GameListEntry).where(GameListEntry.id == line.id).values(notes=note))
        line = msgspec.structs.replace(line, notes=note)
        log_change(connection, row.id, "noted", [change_of(line)], now)
    return line


def _line(
    connection: Connection, name: str, person_id: int, named: str | int
) -> tuple[ListRow, Sequence[NamedLine], NamedLine]:
    row = lock_list(connection, name, person_id)
    lines = load_lines(connection, row.id)
    return row, lines, line_named(lines, named, row.name)


def _is_same(line: NamedLine, new: NewLine) -> bool:
    if line.igdb_id is not None and new.igdb_id is not None:
        return line.igdb_id == new.igdb_id
    return name_key(line.written) == name_key(new.written)


def _place(place: int, last: int, name: str) -> int:
    if not 1 <= place <= last:
        raise UsageError(
            f"{place} is no place of the list {name!r}: they go from 1 to {last}"
            if last
            else f"the list {name!r} is empty"
        )
    return place


def _text(text: str | None) -> str | None:
    cleaned = (text or "").replace("\0", "").strip()
    if len(cleaned) > LONGEST_TEXT:
        raise UsageError(f"a note or a description has {LONGEST_TEXT:,} characters at most, this one {len(cleaned):,}")
    return cleaned or None


def _words(values: dict[str, bool]) -> str:
    """Return what a description changed in words, as the log shows it."""
    words = {"ranked": ("not ranked", "ranked"), "wants": ("wants none of its games", "wants its games")}
    return "; ".join(
        words[key][value] if key in words else str(value or "no description") for key, value in values.items()
    )
