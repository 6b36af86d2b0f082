"""The rows of lists: a list and its lines, what each line's game and work are, and the log of what changes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import chain, count
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Table, delete, func, insert, or_, select, text, update

from models import GameList, GameListEntry, GameMetadata, ListActivity, WantedGame
from models.errors import UnknownThing
from models.names import name_key, nearest, slug
from models.printable import NAME_LENGTH, on_a_line
from pipeline.database.bulk import execute_rows, insert_rows, rows_as_table
from pipeline.games.following.changes import EntryChange, moved_between
from pipeline.games.following.follows import games_for
from pipeline.games.following.naming import NamedLine
from pipeline.games.releases.news import introduce
from pipeline.games.store.wanted import Reason, unwant, want
from pipeline.games.store.works import give_works

REASON: Reason = "list"
BY_HAND = "settled by hand"
Verb = Literal["created", "replaced", "added", "removed", "moved", "noted", "described"]
LINES: Table = GameListEntry.__table__  # type: ignore[assignment]
_LINES = (
    select(
        GameListEntry.id,
        GameListEntry.position,
        GameListEntry.written,
        GameListEntry.igdb_id,
        GameMetadata.name.label("game"),
        GameListEntry.work_id,
        GameListEntry.notes,
    )
    .outerjoin(GameMetadata, GameMetadata.igdb_id == GameListEntry.igdb_id)
    .order_by(GameListEntry.position)
)
_LISTED = (
    select(GameListEntry.igdb_id)
    .join(GameList, GameList.id == GameListEntry.list_id)
    .where(GameListEntry.igdb_id.is_not(None), GameList.wants)
)
# Both ends change with what is between them, so that the places have no gap at any moment that others see.
_MOVE = text("""
    UPDATE game_list_entries SET position = CASE
        WHEN position = :place_before THEN :place
        WHEN :place < :place_before THEN position + 1 ELSE position - 1 END
    WHERE list_id = :list AND position BETWEEN least(:place, :place_before) AND greatest(:place, :place_before)
""")
_NAMES = ("id", "list_id", "position", "written", "igdb_id", "work_id", "score", "explanation", "notes", "added_at")


class UnknownList(UnknownThing):
    """The person has no list of that name."""


class ListRow(msgspec.Struct, frozen=True, kw_only=True):
    """A list as it is stored."""

    id: int
    person_id: int
    name: str
    slug: str
    description: str | None
    ranked: bool
    wants: bool


class NewLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line to be stored. A game of ours that IGDB lacks is named by `game_id` alone; without both it means no game.

    Without `notes` it keeps those that a person gave it before.
    """

    written: str
    igdb_id: int | None = None
    game_id: int | None = None
    score: float | None = None
    explanation: str | None = None
    notes: str | None = None


def lock_list(connection: Connection, name: str, person_id: int) -> ListRow:
    """Return a person's list by its name or slug, locked until the transaction ends.

    Raises `UnknownList` where there is none, and says which there are.
    """
    return _read_list(connection, name, person_id, lock=True)


def read_list(connection: Connection, name: str, person_id: int) -> ListRow:
    """Return a person's list by its name or slug; raises `UnknownList` that says which there are."""
    return _read_list(connection, name, person_id, lock=False)


def _read_list(connection: Connection, name: str, person_id: int, *, lock: bool) -> ListRow:
    fields = ListRow.__struct_fields__
    query = select(*[getattr(GameList, field) for field in fields]).where(
        GameList.person_id == person_id, or_(GameList.name == name, GameList.slug == name)
    )
    query = query.order_by((GameList.name == name).desc()).limit(1)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is not None:
        return ListRow(**dict(zip(fields, row, strict=True)))
    of_person = select(GameList.name).where(GameList.person_id == person_id).order_by(GameList.name)
    names = connection.scalars(of_person).all()
    near = nearest(name, names)
    known = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names)}"
    raise UnknownList(f"there is no list {on_a_line(name, NAME_LENGTH)!r}; {known if names else 'there are none yet'}")


def add_list(connection: Connection, name: str, person_id: int, now: datetime, **values: Any) -> int:
    """Insert a list without lines; returns its row id. A slug is made of its name."""
    row = {"name": name, "slug": _free_slug(connection, name, person_id), "person_id": person_id, "created_at": now}
    list_id: int = connection.execute(insert(GameList).values(row | values).returning(GameList.id)).scalar_one()
    return list_id


def load_lines(connection: Connection, list_id: int) -> list[NamedLine]:
    """Return the lines of a list in its order."""
    rows = connection.execute(_LINES.where(GameListEntry.list_id == list_id))
    return [NamedLine(**row) for row in rows.mappings()]


def insert_line(connection: Connection, list_id: int, line: NewLine, place: int, now: datetime) -> int:
    """Insert a line at a place, and move those from there on; returns its row id."""
    room = (LINES.c.list_id == list_id) & (LINES.c.position >= place)
    connection.execute(update(LINES).where(room).values(position=LINES.c.position + 1))
    row = _row(list_id, place, line, works_of_lines(connection, [line]), now)
    line_id: int = connection.execute(insert(LINES).values(row).returning(LINES.c.id)).scalar_one()
    return line_id


def delete_line(connection: Connection, list_id: int, line: NamedLine) -> None:
    """Delete a line, and close the gap."""
    connection.execute(delete(LINES).where(LINES.c.id == line.id))
    below = (LINES.c.list_id == list_id) & (LINES.c.position > line.position)
    connection.execute(update(LINES).where(below).values(position=LINES.c.position - 1))


def move_line(connection: Connection, list_id: int, line: NamedLine, place: int) -> None:
    """Move a line to another place by one statement; those in between make room."""
    connection.execute(_MOVE, {"list": list_id, "place_before": line.position, "place": place})


def replace_lines(connection: Connection, list_id: int, lines: Sequence[NewLine], now: datetime) -> list[EntryChange]:
    """Store the lines of a list in place of those that it had; returns what that changes.

    A line of the same game, or of the same text, stays the line that it was, with its notes.
    """
    before = load_lines(connection, list_id)
    rows = _rows(connection, list_id, lines, before, now)
    kept, new = [row for row in rows if row["id"] is not None], [row for row in rows if row["id"] is None]
    gone = {line.id for line in before} - {row["id"] for row in kept}
    if gone:
        connection.execute(delete(LINES).where(LINES.c.id == func.any(sorted(gone))))
    if kept:
        names = tuple(name for name in _NAMES if name not in {"list_id", "added_at"})
        table = rows_as_table(LINES, names).subquery()
        values = {name: table.c[name] for name in names if name != "id"}
        changed = update(LINES).values(values).where(LINES.c.id == table.c.id)
        execute_rows(connection, changed, [{name: row[name] for name in names} for row in kept])
    if new:
        names = _NAMES[1:]
        statement = insert_rows(LINES, names)
        execute_rows(connection, statement, [{name: row[name] for name in names} for row in new])
    return _differences(before, load_lines(connection, list_id))


def mean(connection: Connection, meant: Mapping[int, NewLine]) -> None:
    """Write down by a person's word which games lines mean, by the lines' rows."""
    if not meant:
        return
    works = works_of_lines(connection, list(meant.values()))
    names = ("id", "igdb_id", "work_id", "score", "explanation")
    rows = [
        {"id": key, "igdb_id": line.igdb_id, "work_id": works.get(line), "score": 1.0, "explanation": BY_HAND}
        for key, line in meant.items()
    ]
    table = rows_as_table(LINES, names).subquery()
    values = {name: table.c[name] for name in names if name != "id"}
    execute_rows(connection, update(LINES).values(values).where(LINES.c.id == table.c.id), rows)


def works_of_lines(connection: Connection, lines: Sequence[NewLine]) -> dict[NewLine, int]:
    """Return the works of lines that mean a game; a game that has no row of ours, or no work, gets one."""
    by_entry = games_for(connection, {line.igdb_id for line in lines if line.igdb_id is not None})
    games = {line: line.game_id if line.igdb_id is None else by_entry[line.igdb_id] for line in lines}
    works = give_works(connection, {game_id for game_id in games.values() if game_id is not None})
    return {line: works[game_id] for line, game_id in games.items() if game_id is not None and game_id in works}


def log_change(
    connection: Connection,
    list_id: int,
    verb: Verb,
    changes: Collection[EntryChange],
    now: datetime,
    *,
    silent: bool = False,
) -> None:
    """Write down a change of a list; with `silent` no event will tell of it."""
    values = {"list_id": list_id, "at": now, "verb": verb, "changes": msgspec.to_builtins(list(changes))}
    connection.execute(insert(ListActivity).values(values | {"told_at": now if silent else None}))


def want_what_is_listed(connection: Connection, now: datetime) -> None:
    """Make the reason `list` fit the lists that want their games; belongs after `begin_wanting`."""
    ids = {igdb_id for igdb_id in connection.scalars(_LISTED) if igdb_id is not None}
    wanted_before = set(connection.scalars(select(WantedGame.igdb_id).where(WantedGame.reasons.contains([REASON]))))
    new = ids - wanted_before
    games_for(connection, new)
    want(connection, new, REASON, now)
    unwant(connection, wanted_before - ids, REASON)
    introduce(connection, new, now)


def _rows(
    connection: Connection, list_id: int, lines: Sequence[NewLine], before: Sequence[NamedLine], now: datetime
) -> list[dict[str, Any]]:
    works = works_of_lines(connection, lines)
    by_game = {line.igdb_id: line for line in reversed(before) if line.igdb_id is not None}
    by_text: dict[str, NamedLine] = {name_key(line.written): line for line in reversed(before)}
    free = {line.id for line in before}
    rows = []
    for place, new in enumerate(lines, 1):
        same = [by_game.get(new.igdb_id or 0), by_text.get(name_key(new.written))]
        line = next((each for each in same if each is not None and each.id in free), None)
        row = _row(list_id, place, new, works, now) | {"id": None if line is None else line.id}
        if line is not None:
            free.discard(line.id)
            row["notes"] = new.notes if new.notes is not None else line.notes
        rows.append(row)
    return rows


def _row(list_id: int, place: int, line: NewLine, works: Mapping[NewLine, int], now: datetime) -> dict[str, Any]:
    return {
        "list_id": list_id,
        "position": place,
        "written": line.written,
        "igdb_id": line.igdb_id,
        "work_id": works.get(line),
        "score": line.score,
        "explanation": line.explanation,
        "notes": line.notes,
        "added_at": now,
    }


def _differences(before: Sequence[NamedLine], after: Sequence[NamedLine]) -> list[EntryChange]:
    """Return the fewest changes that turn the one list into the other."""
    places_before = {line.id: line.position for line in before}
    kept = places_before.keys() & {line.id for line in after}
    moved = moved_between([line.id for line in before], [line.id for line in after], kept)
    return [
        *(change_of(line, place_before=line.position) for line in before if line.id not in kept),
        *(change_of(line, place=line.position) for line in after if line.id not in kept),
        *(
            change_of(line, place=line.position, place_before=places_before[line.id])
            for line in after
            if line.id in moved
        ),
    ]


def change_of(line: NamedLine, *, place: int | None = None, place_before: int | None = None) -> EntryChange:
    """Return what happened to a line, as the log keeps it."""
    return EntryChange(
        entry=line.id, name=line.name, igdb_id=line.igdb_id, place=place, place_before=place_before, note=line.notes
    )


def _free_slug(connection: Connection, name: str, person_id: int) -> str:
    """Return a slug that no other list of the person has."""
    plain = slug(name) or "list"
    query = select(GameList.slug).where(GameList.person_id == person_id, GameList.slug.startswith(plain))
    known = set(connection.scalars(query))
    return next(each for each in chain([plain], (f"{plain}-{n}" for n in count(2))) if each not in known)
