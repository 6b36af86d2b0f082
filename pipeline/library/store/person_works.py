"""Keeps `person_works`: what each work is to a person; whoever writes what it follows from calls `renew`."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, delete, func, select, text

from models import Game, GameState, LibraryEntry, PersonWork, Playthrough
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.games.store.wanted import Reason, unwant, want
from pipeline.library.standing import Owned, Played, Standing, standing_of

REASON: Reason = "library"
_WORKS = bindparam("works", type_=ARRAY(BigInteger))
_ENTRIES = (
    select(
        Game.work_id,
        LibraryEntry.game_id,
        LibraryEntry.store,
        LibraryEntry.platform,
        LibraryEntry.ownership,
        LibraryEntry.playtime_seconds,
        LibraryEntry.last_played_at,
    )
    .join(Game, Game.id == LibraryEntry.game_id)
    .where(Game.work_id == func.any(_WORKS), LibraryEntry.person_id == bindparam("person"))
    .where(LibraryEntry.removed_at.is_(None), LibraryEntry.hidden_at.is_(None), LibraryEntry.last_seen_at.is_(None))
    .order_by(LibraryEntry.id)
)
_PLAYED = (
    select(
        Game.work_id,
        Playthrough.game_id,
        Playthrough.status,
        Playthrough.platform,
        Playthrough.finished,
        Playthrough.seconds,
    )
    .join(Game, Game.id == Playthrough.game_id)
    .where(Game.work_id == func.any(_WORKS), Playthrough.person_id == bindparam("person"))
    .where(Playthrough.removed_at.is_(None))
    .order_by(Playthrough.id)
)
_HIDDEN = (
    select(Game.work_id)
    .join(LibraryEntry, LibraryEntry.game_id == Game.id)
    .where(Game.work_id == func.any(_WORKS), LibraryEntry.person_id == bindparam("person"))
    .where(LibraryEntry.removed_at.is_(None))
    .group_by(Game.work_id)
    .having(func.bool_and(LibraryEntry.hidden_at.is_not(None)))
)
_STATES = select(GameState.work_id, GameState.status).where(
    GameState.work_id == func.any(_WORKS), GameState.person_id == bindparam("person")
)
_DUE = (
    select(PersonWork.person_id, func.array_agg(PersonWork.work_id))
    .where(PersonWork.changes_at <= bindparam("now"))
    .group_by(PersonWork.person_id)
    .order_by(PersonWork.person_id)
)
# The entries of IGDB behind the works that anybody has, plays or wishes for; finished and abandoned ones too: DLC and
# remasters of those are news.
_WANTED = text("""
    SELECT DISTINCT CAST(split_part(link.external_id, '/', 1) AS bigint) FROM person_works
    JOIN games ON games.work_id = person_works.work_id
    JOIN game_external_ids AS link ON link.game_id = games.id
    WHERE person_works.words <> '{}' AND link.service = 'igdb' AND link.external_id ~ '^[0-9]{1,18}(/[0-9a-f]+)?$'
""")
_WANTED_BEFORE = text("SELECT igdb_id FROM wanted_games WHERE reasons @> ARRAY['library']")


def renew(connection: Connection, person_id: int, work_ids: Collection[int], now: datetime) -> None:
    """Make the rows of works fit what a person has and says of them; belongs in the transaction that changed it.

    A work that is nothing to the person has no row.
    """
    if not work_ids:
        return
    asked = sorted(set(work_ids))
    parameters: dict[str, Any] = {"works": asked, "person": person_id}
    entries: defaultdict[int, list[Owned]] = defaultdict(list)
    for row in connection.execute(_ENTRIES, parameters):
        entries[row.work_id].append(Owned(**{name: getattr(row, name) for name in Owned.__struct_fields__}))
    played: defaultdict[int, list[Played]] = defaultdict(list)
    for each in connection.execute(_PLAYED, parameters):
        played[each.work_id].append(Played(**{name: getattr(each, name) for name in Played.__struct_fields__}))
    states = {state.work_id: state.status for state in connection.execute(_STATES, parameters)}
    standings = {
        work_id: standing_of(states.get(work_id), entries[work_id], played[work_id], now)
        for work_id in entries.keys() | played.keys() | states.keys()
    }
    for work_id in standings.keys() & set(connection.scalars(_HIDDEN, parameters)):
        # It keeps what was played and said, and is no reason to tell anything.
        standings[work_id] = msgspec.structs.replace(standings[work_id], words=())
    _write(connection, person_id, asked, standings)


def renew_due(connection: Connection, now: datetime) -> int:
    """Renew the rows that time alone has changed; returns how many."""
    due = connection.execute(_DUE, {"now": now}).all()
    for person_id, work_ids in due:
        renew(connection, person_id, work_ids, now)
    return sum(len(work_ids) for _, work_ids in due)


def renew_wanted(connection: Connection, now: datetime) -> set[int]:
    """Make the reason `library` fit what people have; returns the entries that are newly wanted for it.

    Belongs in a transaction that began with `pipeline.games.store.wanted.begin_wanting`.
    """
    ids, before = set(connection.scalars(_WANTED)), set(connection.scalars(_WANTED_BEFORE))
    want(connection, ids - before, REASON, now)
    unwant(connection, before - ids, REASON)
    return ids - before


def _write(connection: Connection, person_id: int, work_ids: Sequence[int], standings: dict[int, Standing]) -> None:
    rows = [_row(person_id, work_id, standing) for work_id, standing in sorted(standings.items()) if _is_any(standing)]
    gone = set(work_ids) - {row["work_id"] for row in rows}
    if gone:
        of_person = delete(PersonWork).where(PersonWork.person_id == person_id, PersonWork.work_id == func.any(_WORKS))
        connection.execute(of_person, {"works": sorted(gone)})
    if rows:
        statement = insert_rows(PersonWork.__table__, tuple(rows[0]))
        values = {name: getattr(statement.excluded, name) for name in rows[0] if name not in {"work_id", "person_id"}}
        execute_rows(
            connection,
            statement.on_conflict_do_update(index_elements=["work_id", "person_id"], set_=values),
            rows,
        )


def _is_any(standing: Standing) -> bool:
    return bool(standing.words or standing.status or standing.seconds)


def _row(person_id: int, work_id: int, standing: Standing) -> dict[str, Any]:
    return {
        "work_id": work_id,
        "person_id": person_id,
        "words": list(standing.words),
        "status": standing.status,
        "stores": list(standing.stores),
        "platforms": list(standing.platforms),
        "seconds": standing.seconds,
        "last_played_at": standing.last_played_at,
        "changes_at": standing.changes_at,
    }
