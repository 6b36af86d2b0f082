"""Lists that files hold, as lists of their person: what is on them already stays where it is."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select, text

from models import GameList, GameListEntry
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.games.following import list_rows
from pipeline.games.following.changes import EntryChange
from pipeline.library.records import ListRecord

_MEANT = text("""
    UPDATE game_list_entries SET work_id = meant.work_id, igdb_id = meant.igdb_id, score = meant.score,
        explanation = meant.explanation
    FROM unnest(CAST(:ids AS bigint[]), CAST(:works AS bigint[]), CAST(:entries AS bigint[]), CAST(:scores AS real[]),
        CAST(:explanations AS text[])) AS meant (id, work_id, igdb_id, score, explanation)
    WHERE game_list_entries.id = meant.id
""")


_MEANT_NO_MORE = text("""
    UPDATE game_list_entries SET work_id = NULL, igdb_id = NULL, score = NULL, explanation = 'waits again'
    FROM game_lists WHERE game_lists.id = game_list_entries.list_id AND game_lists.person_id = :person
        AND work_id = ANY(CAST(:works AS bigint[])) AND written = ANY(CAST(:written AS text[]))
""")


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a list, with the work and the entry that it was taken for, where that is sure."""

    written: str
    work_id: int | None
    igdb_id: int | None
    score: float | None
    explanation: str
    id: int = 0


class StoredList(msgspec.Struct, frozen=True, kw_only=True):
    """A list with its lines."""

    id: int
    lines: Sequence[Placed]
    last_place: int


def load_lists(connection: Connection, person_id: int) -> dict[str, StoredList]:
    """Return the lists of a person by their names."""
    ids: dict[str, int] = {
        row.name: row.id
        for row in connection.execute(select(GameList.id, GameList.name).where(GameList.person_id == person_id))
    }
    lines: dict[int, list[Any]] = {list_id: [] for list_id in ids.values()}
    names = (*Placed.__struct_fields__, "position", "list_id")
    query = select(*(getattr(GameListEntry, name) for name in names)).order_by(GameListEntry.position)
    for row in connection.execute(query.where(GameListEntry.list_id.in_(ids.values()))) if ids else ():
        lines[row.list_id].append(row)
    return {
        name: StoredList(
            id=list_id,
            lines=[
                Placed(**{field: getattr(row, field) for field in Placed.__struct_fields__}) for row in lines[list_id]
            ],
            last_place=max((row.position for row in lines[list_id]), default=0),
        )
        for name, list_id in ids.items()
    }


def add_list(connection: Connection, person_id: int, record: ListRecord, origin: str, now: datetime) -> StoredList:
    """Add a list without lines, and say so in its log; a list that is only read wants nothing."""
    values = {
        "description": record.description,
        "ranked": record.ranked,
        "wants": record.wants,
        "origin": origin,
    }
    list_id = list_rows.add_list(connection, record.name, person_id, now, **values)
    list_rows.log_change(connection, list_id, "created", (), now, silent=True)
    return StoredList(id=list_id, lines=(), last_place=0)


def add_lines(connection: Connection, known: StoredList, lines: Sequence[Placed], now: datetime) -> None:
    """Add lines at the end of a list, in their order, and say so in its log; no event tells of what a file holds."""
    if not lines:
        return
    rows: Sequence[Mapping[str, Any]] = [
        {
            "list_id": known.id,
            "position": place,
            "written": line.written,
            "work_id": line.work_id,
            "igdb_id": line.igdb_id,
            "score": line.score,
            "explanation": line.explanation,
            "added_at": now,
        }
        for place, line in enumerate(lines, known.last_place + 1)
    ]
    statement = insert_rows(GameListEntry.__table__, tuple(rows[0])).returning(GameListEntry.id, GameListEntry.position)
    ids = {row.position: row.id for row in execute_rows(connection, statement, rows)}
    changes = [
        EntryChange(entry=ids[row["position"]], name=row["written"], igdb_id=row["igdb_id"], place=row["position"])
        for row in rows
    ]
    list_rows.log_change(connection, known.id, "added", changes, now, silent=True)


def note_meant(connection: Connection, lines: Sequence[Placed]) -> None:
    """Write down what lines that waited mean, by their row ids."""
    if lines:
        connection.execute(
            _MEANT,
            {
                "ids": [line.id for line in lines],
                "works": [line.work_id for line in lines],
                "entries": [line.igdb_id for line in lines],
                "scores": [line.score for line in lines],
                "explanations": [line.explanation for line in lines],
            },
        )


def note_meant_no_more(
    connection: Connection, person_id: int, work_ids: Collection[int], written: Collection[str]
) -> None:
    """Have lines of a person's lists mean nothing again: the answer that said so was taken back."""
    values = {"person": person_id, "works": sorted(work_ids), "written": sorted(written)}
    connection.execute(_MEANT_NO_MORE, values)
