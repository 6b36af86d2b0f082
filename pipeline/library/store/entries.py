"""The entries of libraries: read as they are compared, written many at once."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select, text, update

from models import Game, LibraryEntry, PlaySession
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.library.compare import EntryFacts

_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_LAST_SESSIONS = (
    select(PlaySession.entry_id, func.max(PlaySession.until_at))
    .where(PlaySession.entry_id == func.any(_IDS))
    .group_by(PlaySession.entry_id)
)
_FACTS = (
    *("game_id", "igdb_id", "title", "ownership", "acquired_on", "playtime_seconds", "last_played_at"),
    "hidden_at",
)
# Where an entry is there already, what a line cannot change stays: when it was first seen, and what a person said.
_UPDATED = (*_FACTS, "last_seen_at", "absences", "source_id", "import_id", "import_line")


class EntryKey(NamedTuple):
    """What tells the entries of a person apart."""

    store: str
    external_id: str
    platform: str


class StoredEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it is stored."""

    id: int
    work_id: int | None
    facts: EntryFacts
    first_seen_at: datetime
    hidden_at: datetime | None
    removed_at: datetime | None
    last_seen_at: datetime | None
    absences: int
    source_id: int | None
    import_id: int | None
    import_line: int | None


def load_entries(
    connection: Connection, person_id: int, *, source_id: int | None = None
) -> dict[EntryKey, StoredEntry]:
    """Return the entries of a person, also hidden, removed and vanished ones; of one source where that is given."""
    query = (
        select(*LibraryEntry.__table__.c, Game.work_id)
        .join(Game, Game.id == LibraryEntry.game_id)
        .where(LibraryEntry.person_id == person_id)
        .order_by(LibraryEntry.id)
    )
    if source_id is not None:
        query = query.where(LibraryEntry.source_id == source_id)
    return {
        EntryKey(row.store, row.external_id, row.platform): StoredEntry(
            id=row.id,
            work_id=row.work_id,
            facts=EntryFacts(
                game_id=row.game_id,
                igdb_id=row.igdb_id,
                title=row.title,
                ownership=row.ownership,
                acquired_on=row.acquired_on,
                playtime_seconds=row.playtime_seconds,
                last_played_at=row.last_played_at,
                is_hidden=row.hidden_at is not None,
            ),
            first_seen_at=row.first_seen_at,
            hidden_at=row.hidden_at,
            removed_at=row.removed_at,
            last_seen_at=row.last_seen_at,
            absences=row.absences,
            source_id=row.source_id,
            import_id=row.import_id,
            import_line=row.import_line,
        )
        for row in connection.execute(query)
    }


def entry_row(
    person_id: int,
    key: EntryKey,
    facts: EntryFacts,
    known: StoredEntry | None,
    *,
    now: datetime,
    source_id: int | None,
    import_id: int | None,
    import_line: int | None,
) -> dict[str, Any]:
    """Return the row of an entry that a line said something of; it keeps where it first came from.

    `source_id` is set from the first time on that a source says it.
    """
    row = msgspec.structs.asdict(facts)
    was_hidden_at = known.hidden_at if known is not None else None
    row["hidden_at"] = (was_hidden_at or now) if row.pop("is_hidden") else None
    return {
        "person_id": person_id,
        **key._asdict(),
        **row,
        "first_seen_at": known.first_seen_at if known is not None else now,
        # A file says nothing of whether a shop lists it still.
        "last_seen_at": known.last_seen_at if known is not None and source_id is None else None,
        "absences": known.absences if known is not None and source_id is None else 0,
        "source_id": source_id or (known.source_id if known is not None else None),
        "import_id": known.import_id if known is not None else import_id,
        "import_line": known.import_line if known is not None else import_line,
    }


def put_entries(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write entries as `entry_row` makes them, those that are there already in their places."""
    if not rows:
        return
    statement = insert_rows(LibraryEntry.__table__, tuple(rows[0]))
    values = {name: getattr(statement.excluded, name) for name in _UPDATED}
    keys = ["person_id", *EntryKey._fields]
    execute_rows(connection, statement.on_conflict_do_update(index_elements=keys, set_=values), rows)


def count_absences(connection: Connection, entry_ids: Collection[int]) -> None:
    """Count one more whole answer that lacked entries."""
    if entry_ids:
        missed = update(LibraryEntry).where(LibraryEntry.id == func.any(_IDS))
        connection.execute(missed.values(absences=LibraryEntry.absences + 1), {"ids": sorted(entry_ids)})


def note_gone(connection: Connection, entry_ids: Collection[int], now: datetime) -> None:
    """Note that entries are listed no more."""
    if entry_ids:
        gone = update(LibraryEntry).where(LibraryEntry.id == func.any(_IDS)).values(last_seen_at=now)
        connection.execute(gone, {"ids": sorted(entry_ids)})


def note_listed(connection: Connection, entry_ids: Collection[int]) -> None:
    """Note that entries are listed, whatever was missed before."""
    if entry_ids:
        back = update(LibraryEntry).where(LibraryEntry.id == func.any(_IDS)).values(last_seen_at=None, absences=0)
        connection.execute(back, {"ids": sorted(entry_ids)})


def last_sessions(connection: Connection, entry_ids: Collection[int]) -> dict[int, datetime]:
    """Return until when the last session of each entry went, of those that have any."""
    if not entry_ids:
        return {}
    return {row[0]: row[1] for row in connection.execute(_LAST_SESSIONS, {"ids": sorted(entry_ids)})}


def add_sessions(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add sessions (`entry_id`, `since_at`, `until_at`, `seconds`); one that is there already stays."""
    if rows:
        statement = insert_rows(PlaySession.__table__, tuple(rows[0])).on_conflict_do_nothing()
        execute_rows(connection, statement, rows)


def delete_entries(connection: Connection, entry_ids: Collection[int]) -> None:
    """Delete entries with their sessions: a decision that made them was taken back."""
    if entry_ids:
        ids = {"ids": sorted(entry_ids)}
        connection.execute(text("DELETE FROM play_sessions WHERE entry_id = ANY(CAST(:ids AS bigint[]))"), ids)
        connection.execute(text("DELETE FROM library_entries WHERE id = ANY(CAST(:ids AS bigint[]))"), ids)
