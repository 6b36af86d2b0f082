"""Mutes targets: for a while, or until a time, nothing of a game or nothing at all is sent to them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, delete, select
from sqlalchemy.dialects.postgresql import insert

from models import Mute, Target
from models.names import name_key
from models.people import OWNER_ID
from notifiers.held import let_go
from notifiers.targets import target_id_of


@dataclass(frozen=True, kw_only=True)
class MuteLine:
    """A mute that lasts; without a game it mutes everything."""

    target: str
    game: str | None
    until: datetime


def mute(
    connection: Connection,
    target: str,
    until: datetime,
    now: datetime,
    *,
    game: str | None = None,
    person_id: int = OWNER_ID,
) -> None:
    """Mute a target until a time; one that is muted already is muted until then. Raises TargetError for an unknown one.

    Of what happens meanwhile it is never told. What waited before, for a digest or another attempt, waits for its end.
    """
    target_id = target_id_of(connection, target, person_id=person_id)
    row = {"target_id": target_id, "game": game, "until": until, "created_at": now}
    added = insert(Mute).values(row | {"game_key": name_key(game) if game else None})
    # One that is over begins anew.
    since = case((Mute.until <= now, now), else_=Mute.created_at)
    connection.execute(
        added.on_conflict_do_update(
            index_elements=["target_id", "game_key"], set_={"until": until, "created_at": since}
        )
    )
    let_go(connection, target_id, now)


def unmute(
    connection: Connection, target: str, now: datetime, *, game: str | None = None, person_id: int = OWNER_ID
) -> bool:
    """End a mute; returns whether there was one. Raises TargetError for an unknown target."""
    same = Mute.game_key.is_not_distinct_from(name_key(game) if game else None)
    target_id = target_id_of(connection, target, person_id=person_id)
    is_ended = bool(connection.execute(delete(Mute).where(Mute.target_id == target_id, same)).rowcount)
    let_go(connection, target_id, now)
    return is_ended


def list_mutes(connection: Connection, now: datetime, *, person_id: int = OWNER_ID) -> list[MuteLine]:
    """Return the mutes of a person's targets that last, by target."""
    rows = connection.execute(
        select(Target.name.label("target"), Mute.game, Mute.until)
        .join(Target, Target.id == Mute.target_id)
        .where(Mute.until > now, Target.removed_at.is_(None), Target.person_id == person_id)
        .order_by(Target.name, Mute.until)
    )
    return [MuteLine(**row) for row in rows.mappings()]
