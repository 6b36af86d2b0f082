"""What people say of works: read as it is compared, written many at once, each field with whose word it is."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, delete, func, select

from models import GameState
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.library.compare import HAND, IMPORT, StateFacts

_FIELDS = StateFacts.__struct_fields__
_IDS = bindparam("ids", type_=ARRAY(BigInteger))


class StoredState(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a work, and whose word each field is."""

    facts: StateFacts
    set_by: Mapping[str, str]

    @property
    def by_hand(self) -> frozenset[str]:
        """The fields that a person set, which no machine touches; also `hidden` where they said so of its entries."""
        return frozenset(name for name, by in self.set_by.items() if by == HAND)


def load_states(connection: Connection, person_id: int) -> dict[int, StoredState]:
    """Return all that a person says of works, by the work."""
    columns = [getattr(GameState, name) for name in (*_FIELDS, "work_id", "set_by")]
    query = select(*columns).where(GameState.person_id == person_id)
    return {
        row.work_id: StoredState(
            facts=StateFacts(**{name: getattr(row, name) for name in _FIELDS} | _lists(row)),
            set_by=row.set_by,
        )
        for row in connection.execute(query)
    }


def put_states(
    connection: Connection,
    person_id: int,
    states: Mapping[int, StateFacts],
    known: Mapping[int, StoredState],
    now: datetime,
) -> None:
    """Write what files say of works; `known` is what was stored of them."""
    if not states:
        return
    rows = []
    for work_id, facts in sorted(states.items()):
        set_by = dict(known[work_id].set_by) if work_id in known else {}
        empty = StateFacts()
        for name in _FIELDS:
            if getattr(facts, name) != getattr(empty, name):
                set_by.setdefault(name, IMPORT)
        row: dict[str, Any] = {"person_id": person_id, "work_id": work_id, **msgspec.structs.asdict(facts)}
        rows.append(row | {"set_by": set_by, "updated_at": now})
    statement = insert_rows(GameState.__table__, tuple(rows[0]))
    values = {name: getattr(statement.excluded, name) for name in (*_FIELDS, "set_by", "updated_at")}
    keys = ["person_id", "work_id"]
    execute_rows(connection, statement.on_conflict_do_update(index_elements=keys, set_=values), rows)


def _lists(row: Any) -> dict[str, Any]:
    return {"tags": tuple(row.tags), "genres": None if row.genres is None else tuple(row.genres)}


def delete_states(connection: Connection, person_id: int, work_ids: Collection[int]) -> None:
    """Delete what files said of works: a decision that brought it was taken back."""
    if work_ids:
        of_works = (GameState.person_id == person_id) & (GameState.work_id == func.any(_IDS))
        connection.execute(delete(GameState).where(of_works), {"ids": sorted(work_ids)})
