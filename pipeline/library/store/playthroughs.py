"""Playthroughs that files hold: read as they are compared, written many at once."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Connection, Text, bindparam, delete, func, select

from models import Game, Playthrough
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.library.compare import ThroughFacts

_FIELDS = ThroughFacts.__struct_fields__


class StoredThrough(msgspec.Struct, frozen=True, kw_only=True):
    """A playthrough as it is stored; `is_fixed` where a person has edited or removed it: no import changes it."""

    id: int
    import_key: str | None
    work_id: int | None
    facts: ThroughFacts
    is_fixed: bool
    is_removed: bool


def load_throughs(connection: Connection, person_id: int) -> list[StoredThrough]:
    """Return all playthroughs of a person, with the works of their games."""
    columns = [getattr(Playthrough, name) for name in (*_FIELDS, "id", "import_key", "edited_at", "removed_at")]
    query = select(*columns, Game.work_id).join(Game, Game.id == Playthrough.game_id)
    return [
        StoredThrough(
            id=row.id,
            import_key=row.import_key,
            work_id=row.work_id,
            facts=ThroughFacts(**{name: getattr(row, name) for name in _FIELDS}),
            is_fixed=row.edited_at is not None or row.removed_at is not None,
            is_removed=row.removed_at is not None,
        )
        for row in connection.execute(query.where(Playthrough.person_id == person_id).order_by(Playthrough.id))
    ]


def put_throughs(
    connection: Connection, person_id: int, throughs: Mapping[str, ThroughFacts], import_id: int | None, now: datetime
) -> None:
    """Write playthroughs by their import keys; those that are there already keep when and by what they were made."""
    if not throughs:
        return
    rows: Sequence[dict[str, Any]] = [
        msgspec.structs.asdict(facts)
        | {"person_id": person_id, "import_key": key, "import_id": import_id, "created_at": now}
        for key, facts in throughs.items()
    ]
    statement = insert_rows(Playthrough.__table__, tuple(rows[0]))
    values = {name: getattr(statement.excluded, name) for name in _FIELDS}
    keys = ["person_id", "import_key"]
    execute_rows(connection, statement.on_conflict_do_update(index_elements=keys, set_=values), rows)


def delete_throughs(connection: Connection, person_id: int, import_keys: Collection[str]) -> None:
    """Delete playthroughs by their import keys: a decision that brought them was taken back."""
    if import_keys:
        keys = bindparam("keys", type_=ARRAY(Text))
        those = (Playthrough.person_id == person_id) & (Playthrough.import_key == func.any(keys))
        connection.execute(delete(Playthrough).where(those), {"keys": sorted(import_keys)})
