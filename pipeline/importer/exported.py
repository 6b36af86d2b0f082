"""Take in an export of a whole catalogue (`lootwire export`), into a database that holds none yet."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import CompoundSelect, Connection, LargeBinary, Table, exists, func, select, union, union_all, update
from sqlalchemy.dialects.postgresql import insert

from feeds.take_in import mark
from models import (
    Channel,
    Event,
    Extraction,
    Game,
    GameExternalId,
    GameList,
    GameListEntry,
    GameState,
    LibraryEntry,
    ListActivity,
    Organization,
    Person,
    Playlist,
    Playthrough,
    Rendition,
    Show,
    Sound,
    Source,
    Video,
    Work,
)
from models.due import NEVER
from models.errors import LootwireError
from models.names import name_key
from models.people import OWNER_ID
from pipeline.channels.eventsub.source_row import NAME as EVENTSUB
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.export.tables import (
    REMEMBERED,
    SCHEMA,
    WITH_LIBRARY,
    Kind,
    begins_anew,
    columns,
    exported_name,
    link,
    reference,
)
from pipeline.fetch.shapes import UNREADABLE, Time
from pipeline.games.store.wanted import begin_wanting, want
from pipeline.importer.archives import DAMAGED
from pipeline.importer.limits import MAX_BYTES, Readable
from pipeline.importer.streams import decompressed
from pipeline.importer.walking import open_file
from pipeline.library.store.person_works import renew, renew_wanted
from pipeline.realtime.epoch import begin_epoch
from pipeline.sound.store.shows import name_of

AT_ONCE = 2000
_WORKS_OF_PEOPLE: CompoundSelect[Any] = union(
    select(LibraryEntry.person_id, Game.work_id).join(Game, Game.id == LibraryEntry.game_id),
    select(Playthrough.person_id, Game.work_id).join(Game, Game.id == Playthrough.game_id),
    select(GameState.person_id, GameState.work_id),
)
# A row of any of these makes a catalogue that is not empty; sources and people have rows from the beginning.
_CATALOGUE = tuple(kind for kind in WITH_LIBRARY if kind.model not in {Source, Person})
_CHUNK = 2**18
Line = dict[str, Any]


def import_export(connection: Connection, file: Path, now: datetime) -> int:
    """Take in an export within the caller's transaction; returns the number of objects.

    Raises `LootwireError` where the catalogue is not empty, or the export is damaged, cut off or too new: the
    caller's transaction must then be rolled back.
    """
    begin_wanting(connection, now)
    full = union_all(*(select(exists(select(1).select_from(kind.table))) for kind in _CATALOGUE))
    if any(connection.scalars(full)):
        raise LootwireError(
            "an export of Lootwire, which only an empty catalogue can take: import it into a new data directory "
            "(LOOTWIRE_DATA_DIR) or database"
        )
    loader, decoder = _Loader(connection), msgspec.json.Decoder(Line)
    try:
        with open_file(file) as packed, decompressed(packed) as stream:
            for number, line in enumerate(_split(stream), start=1):
                try:
                    loader.take(decoder.decode(line))
                except (KeyError, TypeError, AttributeError, *UNREADABLE) as error:
                    raise LootwireError(f"line {number} of the export is damaged: {error!r}") from error
    except DAMAGED as error:
        raise LootwireError(f"the export cannot be read to its end: {error}") from error
    total = loader.finish()
    if loader.has_library:
        _settle_videos(connection)
        _settle_library(connection, now)
    return total


def _settle_library(connection: Connection, now: datetime) -> None:
    """Have what follows from libraries and lists follow here too: what works are to people, and what is wanted."""
    works: dict[int, list[int]] = {}
    for person_id, work_id in connection.execute(_WORKS_OF_PEOPLE):
        works.setdefault(person_id, []).append(work_id)
    for person_id, work_ids in works.items():
        renew(connection, person_id, work_ids, now)
    renew_wanted(connection, now)
    listed = select(GameListEntry.igdb_id).join(GameList, GameList.id == GameListEntry.list_id)
    wanted = connection.scalars(listed.where(GameList.wants, GameListEntry.igdb_id.is_not(None)))
    want(connection, [igdb_id for igdb_id in wanted if igdb_id is not None], "list", now)


def _settle_videos(connection: Connection) -> None:
    """Have sounds and extractions know the videos that they are of, by the service and its id."""
    for table in (Sound, Extraction):
        change = update(table).where(
            table.service == Channel.service, table.external_id == Video.external_id, Video.channel_id == Channel.id
        )
        connection.execute(change.values(video_id=Video.id))


def _split(stream: Readable) -> Iterator[bytes]:
    rest = b""
    while data := stream.read(_CHUNK):
        *lines, rest = (rest + data).split(b"\n")
        yield from lines
        if len(rest) > MAX_BYTES:
            raise LootwireError(f"the export has a line of more than {MAX_BYTES // 2**20} MiB")
    if rest:
        yield rest


class _ExportedColumn(msgspec.Struct, frozen=True):
    """A column of ours, its name in the export, and the table whose key it holds."""

    name: str
    exported_name: str
    target: Table | None
    is_binary: bool


class _ExportedSource(msgspec.Struct):
    """What a source's line must hold: each of its fetches reads this, and would stumble over anything else."""

    name: str
    service: str
    cursor: dict[str, Any] | None = None
    returns: dict[str, float] | None = None
    first_fetched_at: Time | None = None
    known_since: Time | None = None
    last_snapshot_at: Time | None = None


class _Plan(msgspec.Struct, frozen=True):
    """How objects of a kind become rows, worked out once; a part hangs on its object by a column."""

    kind: Kind
    columns: tuple[_ExportedColumn, ...]
    parts: tuple[tuple[str, "_Plan"], ...]


def _plan(kind: Kind) -> _Plan:
    exported = tuple(
        _ExportedColumn(column.name, exported_name(column), reference(column), isinstance(column.type, LargeBinary))
        for column in columns(kind)
    )
    return _Plan(kind, exported, tuple((link(part, kind).name, _plan(part)) for part in kind.parts))


class _Loader:
    """Turns objects into rows: keys become row numbers, which are drawn from the sequences beforehand."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._plans = {kind.name: _plan(kind) for kind in WITH_LIBRARY}
        self._ids: dict[Table, dict[str, int]] = {kind.table: {} for kind in WITH_LIBRARY}
        self._drawn: dict[Table, list[int]] = {}
        self._rows: dict[Table, list[Line]] = {}
        self._waiting = 0
        self._counted = dict.fromkeys(self._plans, 0)
        self._begun = self._ended = False
        # Lines of lists by their list and place: activities name them so.
        self._placed: dict[tuple[int, int], int] = {}

    @property
    def has_library(self) -> bool:
        """Whether it came with what people own and play."""
        return bool(self._ids[Person.__table__])  # type: ignore[index]

    def take(self, line: Line) -> None:
        """Take one line of the export."""
        if not self._begun:
            self._begin(line)
            return
        kind_name = line.pop("type")
        if kind_name == "end":
            self._end(line["lines"])
            return
        plan = self._plans.get(kind_name)
        if plan is None:
            raise LootwireError(
                f"the export has a line of type {kind_name!r}, of which this program knows nothing: update it first"
            )
        self._counted[kind_name] += 1
        if plan.kind.model is Source:
            self._take_source(plan, line)
        elif plan.kind.model is Person:
            self._take_person(plan, line)
        else:
            self._add(plan, line, {})
        if self._waiting >= AT_ONCE:
            self._flush()

    def finish(self) -> int:
        """Write the rows that are left; returns the number of objects."""
        if not self._ended:
            raise LootwireError("the export was cut off: its last line is missing")
        self._flush()
        if self._counted["event"]:
            # Whoever has read events here before has read others.
            begin_epoch(self._connection)
        return sum(self._counted.values())

    def _begin(self, header: Line) -> None:
        if header.get("lootwire") != "export" or not isinstance(header.get("schema"), int):
            raise LootwireError("not an export of Lootwire: its first line is another")
        if header["schema"] > SCHEMA:
            raise LootwireError(
                f"the export is of schema {header['schema']}, this program reads up to {SCHEMA}: update it first"
            )
        self._begun = True

    def _end(self, counts: dict[str, int]) -> None:
        wrong = [name for name, count in self._counted.items() if counts.get(name, 0) != count]
        if wrong:
            raise LootwireError(f"the export is not whole: lines are missing of {', '.join(wrong)}")
        self._ended = True

    def _take_source(self, plan: _Plan, line: Line) -> None:
        """Let a source go on where it stood; one that has no row here (this program lacks it) is added and off."""
        msgspec.convert(line, _ExportedSource)
        fields = {
            column.name: line[column.exported_name]
            for column in plan.columns
            if line.get(column.exported_name) is not None
        }
        if begins_anew(fields["name"], fields["service"]):
            fields = {name: value for name, value in fields.items() if name not in REMEMBERED}
        # EventSub is never fetched, so its row must never be due.
        due = NEVER if fields["name"] == EVENTSUB else func.now()
        row = insert(Source).values(**fields, enabled=False, next_due_at=due)
        upsert = row.on_conflict_do_update(index_elements=[Source.name], set_=fields).returning(Source.id)
        self._ids[plan.kind.table][line["name"]] = self._connection.execute(upsert).scalar_one()

    def _take_person(self, plan: _Plan, line: Line) -> None:
        """Take a person for somebody here: the first for the owner, whom every installation has."""
        fields = {name: line[name] for name in ("name", "platforms", "created_at") if line.get(name) is not None}
        known = self._ids[plan.kind.table]
        if known:
            row = insert(Person).values(**fields)
            upsert = row.on_conflict_do_update(index_elements=[Person.name], set_=fields).returning(Person.id)
            known[line["key"]] = self._connection.execute(upsert).scalar_one()
        else:
            self._connection.execute(update(Person).where(Person.id == OWNER_ID).values(**fields))
            known[line["key"]] = OWNER_ID

    def _add(self, plan: _Plan, line: Line, above: dict[str, int]) -> None:
        """Add a row, then those that hang on it; `above` refers to the row that it hangs on itself."""
        row: Line = dict(above)
        for column in plan.columns:
            if (value := line.get(column.exported_name)) is not None and column.name not in above:
                row[column.name] = self._value(column, value)
        kind, table = plan.kind, plan.kind.table
        if "id" in table.c:
            row["id"] = self._draw(table)
            if kind.keyed:
                self._ids[table][line["key"]] = row["id"]
        self._complete(kind, row)
        self._rows.setdefault(table, []).append(row)
        self._waiting += 1
        for column_name, part in plan.parts:
            for child in line.get(part.kind.name, ()):
                self._add(part, child, {column_name: row["id"]})

    def _complete(self, kind: Kind, row: Line) -> None:
        """Give a row what follows from it, and what it says of rows by other names."""
        if kind.model in {Game, Organization, Playlist, Work}:
            row["name_key"] = name_key(row["name"])
        elif kind.model is GameExternalId:
            row["external_id"] = _shared(row)
        elif kind.model is GameListEntry:
            self._placed[row["list_id"], row["position"]] = row["id"]
        elif kind.model is Show:
            _, row["name_key"] = name_of(row["name"])
            _check_paths(row.get("artwork"))
        elif kind.model is Rendition:
            _check_paths(row.get("path"))
        elif kind.model is Sound:
            _check_paths(row.get("original"), row.get("artwork"), *(each["path"] for each in row["transcripts"]))
            row["chapters"] = [self._chapter(chapter) for chapter in row["chapters"]]
        elif kind.model is ListActivity:
            row["changes"] = [self._change(change, row["list_id"]) for change in row["changes"]]

    def _value(self, column: _ExportedColumn, value: Any) -> Any:
        if column.target is not None:
            return self._ids[column.target][value]
        return f"\\x{value}" if column.is_binary else value

    def _change(self, change: Line, list_id: int) -> Line:
        """Return a change of a list with the row of the line that it is about, in place of where that stands."""
        return {**change, "entry": self._placed[list_id, change["entry"]]} if "entry" in change else change

    def _chapter(self, chapter: Line) -> Line:
        """Return a chapter with the row of its category, in place of that's key."""
        rest = {name: value for name, value in chapter.items() if name != "game"}
        return rest | {"game_id": self._ids[Game.__table__][chapter["game"]]} if "game" in chapter else rest  # type: ignore[index]

    def _draw(self, table: Table) -> int:
        drawn = self._drawn.setdefault(table, [])
        if not drawn:
            sequence = func.pg_get_serial_sequence(table.name, "id")
            numbers = select(func.nextval(sequence)).select_from(func.generate_series(1, AT_ONCE))
            drawn += sorted(self._connection.scalars(numbers), reverse=True)
        return drawn.pop()

    def _flush(self) -> None:
        # In the order in which tables refer to each other.
        for table in sorted(self._rows, key=_ORDER.index):
            listed = self._rows[table]
            names = tuple(sorted({name for row in listed for name in row}))
            execute_rows(self._connection, insert_rows(table, names), listed)
            if table is Event.__table__:
                mark(self._connection, [row["id"] for row in listed])
        self._rows, self._waiting = {}, 0


def _shared(row: Line) -> str:
    """Return the id of an IGDB entry; that of a second game that shares the entry ends with the game's row number."""
    entry, *key = row["external_id"].split("/", 1)
    return f"{entry}/{row['game_id']}" if key and row["service"] == "igdb" else row["external_id"]


def _check_paths(*paths: str | None) -> None:
    """Refuse paths that lead out of the folder of sounds: what they name is published, and deleted some day."""
    for path in paths:
        if path is not None and (not path.startswith("sounds/") or ".." in path.split("/") or "\0" in path):
            raise LootwireError("the export names a file of a sound that lies outside of the folder of sounds")


def _tables(kinds: tuple[Kind, ...]) -> Iterator[Table]:
    for kind in kinds:
        yield kind.table
        yield from _tables(kind.parts)


_ORDER = list(_tables(WITH_LIBRARY))
