"""Lists of games: made, changed line by line, and what happened to them."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from models.errors import UsageError
from pipeline.games.finding.finder import Choice, Finding
from pipeline.games.finding.names import ReadGames, read_name
from pipeline.games.following import editing, list_export
from pipeline.games.following import lists as store
from pipeline.games.following.editing import Placed
from pipeline.games.following.list_export import Activity
from pipeline.games.following.list_rows import ListRow, NewLine, load_lines, read_list
from pipeline.games.following.lists import Listed, ListEntry
from pipeline.games.following.naming import NamedLine, line_named
from pipeline.games.store.wanted import begin_wanting
from pipeline.library.importing.review import apply_decisions
from pipeline.operations.meaning import UnclearGame, open_finder, unclear
from pipeline.runtime.runtime import Runtime

OWN = "added by hand, not looked up"


class SettledEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The game that a line of a list means by its person's word; both are None for one that IGDB lacks."""

    position: int
    igdb_id: int | None
    name: str | None


class ImportedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of a file was taken for, and how; `choices` are the games that it may mean, the likeliest first."""

    position: int
    written: str
    verdict: str
    how: str
    why: str
    igdb_id: int | None
    game_id: int | None
    name: str | None
    score: float | None
    choices: tuple[Choice, ...]


class ImportedList(msgspec.Struct, frozen=True, kw_only=True):
    """A list as a file brought it; `taken_as` is the form of the file."""

    name: str
    taken_as: str
    lines: list[ImportedLine]


def list_lists(connection: Connection, person_id: int) -> list[Listed]:
    """Return a person's lists by name, with of how many lines it is sure which game they mean."""
    return store.load_lists(connection, person_id)


def show_list(connection: Connection, person_id: int, name: str) -> Listed:
    """Return one list of a person by its name or slug. Raises `UnknownList`."""
    row = read_list(connection, name, person_id)
    return next(each for each in store.load_lists(connection, person_id) if each.slug == row.slug)


def list_entries(connection: Connection, person_id: int, name: str) -> list[ListEntry]:
    """Return the lines of a list in its order. Raises `UnknownList`."""
    entries = store.load_entries(connection, name, person_id)
    return [
        entry if entry.score is None else msgspec.structs.replace(entry, score=round(entry.score, 4))
        for entry in entries
    ]


def create(
    connection: Connection,
    person_id: int,
    now: datetime,
    name: str,
    *,
    ranked: bool = False,
    wants: bool | None = None,
    description: str | None = None,
) -> ListRow:
    """Make a list without games. Where nobody says whether it wants them, one that is ranked does not.

    Raises `UsageError` where the person has a list of that name.
    """
    wanted = not ranked if wants is None else wants
    return editing.create_list(connection, name, person_id, now, ranked=ranked, wants=wanted, description=description)


def change(
    connection: Connection,
    person_id: int,
    now: datetime,
    name: str,
    *,
    ranked: bool | None = None,
    wants: bool | None = None,
    description: str | None = None,
) -> ListRow:
    """Say what a list is about, whether its order is a ranking, whether its games are wanted; what is None stays."""
    return editing.describe_list(connection, name, person_id, now, description=description, ranked=ranked, wants=wants)


def remove(connection: Connection, person_id: int, now: datetime, name: str) -> None:
    """Remove a list; what was recorded of its games stays. Raises `UnknownList`."""
    store.remove_list(connection, name, now, person_id=person_id)


def add_entry(
    runtime: Runtime,
    person_id: int,
    now: datetime,
    name: str,
    title: str,
    *,
    at: int | None = None,
    notes: str | None = None,
    own: bool = False,
) -> Placed:
    """Add a game to a list, at its end or at a place; IGDB is asked for a title that nothing here has.

    With `own` it is one that IGDB lacks. Raises `UnknownList`, `UnclearGame`, and `UsageError` where it is on the list.
    """
    line = _own_line(title) if own else _line_of(runtime, person_id, name, title)
    with runtime.engine.begin() as connection:
        noted = msgspec.structs.replace(line, notes=notes)
        return editing.add_line(connection, name, person_id, noted, now, at=at, is_own=own)


def move_entry(
    connection: Connection, person_id: int, now: datetime, name: str, entry: str | int, place: int
) -> Placed:
    """Move a line of a list to another place; those in between make room. Raises `UnknownList`, `UnknownEntry`.

    `entry` is the number of its row, or a place, a title or IGDB's number as a person writes it.
    """
    return editing.move(connection, name, person_id, entry, place, now)


def note_entry(
    connection: Connection, person_id: int, now: datetime, name: str, entry: str | int, text: str
) -> NamedLine:
    """Write a note beside a line of a list; an empty one takes it away. Raises as `move_entry` does."""
    return editing.note_line(connection, name, person_id, entry, text, now)


def remove_entry(connection: Connection, person_id: int, now: datetime, name: str, entry: str | int) -> NamedLine:
    """Take a line off a list. Raises as `move_entry` does."""
    return editing.remove_line(connection, name, person_id, entry, now)


def settle_entry(
    runtime: Runtime, person_id: int, now: datetime, name: str, entry: str | int, game: str | None
) -> SettledEntry:
    """Say which game a line of a list means, by a title or IGDB's number, or None for one that IGDB lacks.

    The answer holds for that title in lists, imports and syncs. Raises `UnclearGame`, and as `move_entry` does.
    """
    finding = None if game is None else _found(runtime, game)
    with runtime.engine.begin() as connection:
        # Before the line's place is read: nobody moves it from here on.
        begin_wanting(connection, now)
        position = _position(connection, person_id, name, entry)
        igdb_id = None if finding is None else finding.igdb_id
        store.settle_entry(connection, name, position, igdb_id, now, person_id=person_id)
        # Lines of files that wait for the same answer have it now.
        apply_decisions(connection, person_id, now)
    return SettledEntry(position=position, igdb_id=igdb_id, name=None if finding is None else finding.name)


def load_log(
    connection: Connection, person_id: int, name: str, *, after_id: int = 0, limit: int | None = None
) -> list[Activity]:
    """Return what happened to a list, the oldest first. Raises `UnknownList`."""
    list_id = read_list(connection, name, person_id).id
    return list_export.load_log(connection, list_id, after_id=after_id, limit=limit)


def import_list(
    runtime: Runtime,
    person_id: int,
    now: datetime,
    name: str,
    read: ReadGames,
    *,
    origin: str | None,
    on_asked: Callable[[int], Callable[[int], object]] = lambda _: lambda _: None,
    on_stored: Callable[[], object] = lambda: None,
) -> ImportedList:
    """Store a file's games as a list, in place of the one of that name; returns what each was taken for.

    What was settled and noted by hand stays with its lines. `on_asked` hears how many titles are looked for and returns
    what hears how many have been, `on_stored` that they are stored now.
    """
    with open_finder(runtime) as finder:
        with runtime.engine.connect() as connection:
            settled = store.settled_names(connection, name, read.games, person_id)
        asked = [game for game in read.games if game not in settled]
        matched = finder.find(asked, on_asked(len(asked)))
    findings = [*map((settled | {each.asked: each for each in matched}).__getitem__, read.games)]
    on_stored()
    with runtime.engine.begin() as connection:
        store.store_list(connection, name, origin, findings, now, person_id=person_id)
    lines = [_imported(position, finding) for position, finding in enumerate(findings, 1)]
    return ImportedList(name=name, taken_as=read.taken_as, lines=lines)


def _imported(position: int, finding: Finding) -> ImportedLine:
    fields = msgspec.structs.asdict(finding)
    return ImportedLine(position=position, written=fields.pop("asked").written, **fields)


def _line_of(runtime: Runtime, person_id: int, name: str, title: str) -> NewLine:
    game = read_name(title)
    with runtime.engine.connect() as connection:
        settled = store.settled_names(connection, name, [game], person_id)
    if (finding := settled.get(game)) is None:
        with open_finder(runtime) as finder:
            finding = finder.find([game])[0]
    if finding.verdict != "sure":
        message = f"{unclear(finding)}; or, where IGDB does not have it, add --own"
        raise UnclearGame(message, finding.choices)
    return NewLine(
        written=finding.asked.written,
        igdb_id=finding.igdb_id,
        game_id=finding.game_id,
        score=finding.score,
        explanation=finding.why,
    )


def _position(connection: Connection, person_id: int, name: str, entry: str | int) -> int:
    if isinstance(entry, str) and entry.isascii() and entry.isdigit():
        return int(entry[:18])
    row = read_list(connection, name, person_id)
    return line_named(load_lines(connection, row.id), entry, row.name).position


def _own_line(title: str) -> NewLine:
    game = read_name(title)
    if not game.written or game.igdb_id is not None or game.slug is not None:
        raise UsageError(f"{title!r} is no title: --own needs one")
    return NewLine(written=game.written, explanation=OWN)


def _found(runtime: Runtime, game: str) -> Finding:
    with open_finder(runtime) as finder:
        finding = finder.find([read_name(game, number_is_id=True)])[0]
    if finding.igdb_id is None:
        raise UnclearGame(unclear(finding), finding.choices)
    return finding
