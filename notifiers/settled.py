"""Keeps what people have or want no more of: a campaign, a game, a benefit; nothing reminds of it."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from models import DropBenefit, DropCampaign, DropProgress, Game, Settled, Target, TimeBasedDrop
from models.moments import Moment
from models.people import OWNER_ID
from notifiers.targets import target_id_of

What = Literal["campaign", "game", "benefit"]
State = Literal["claimed", "ignored"]
_COLUMNS = {"campaign": Settled.campaign_id, "game": Settled.game_id, "benefit": Settled.benefit_id}
_BY_HAND = "person"


class SettledLine(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that is claimed or ignored; for all targets where none is named."""

    what: What
    id: int
    name: str
    state: str
    target: str | None
    origin: str
    created_at: Moment


class ProgressLine(msgspec.Struct, frozen=True, kw_only=True):
    """A drop by its id, with the minutes that are watched, as the service counts them, and when it was claimed."""

    id: int
    campaign: str
    drop: str | None
    minutes: int
    required_minutes: int | None
    claimed_at: Moment | None
    seen_at: Moment


def settle(
    connection: Connection,
    what: What,
    id_: int,
    state: State,
    now: datetime,
    *,
    target: str | None,
    person_id: int = OWNER_ID,
) -> bool:
    """Write down that a thing is claimed or ignored, for one target or all of a person; returns whether that is new.

    Raises `UnknownTarget` where the person has no such target.
    """
    target_id = target_id_of(connection, target, person_id=person_id) if target is not None else None
    row: dict[str, Any] = {"person_id": person_id, "target_id": target_id, f"{what}_id": id_}
    row |= {"state": state, "origin": _BY_HAND, "created_at": now}
    added = insert(Settled).values(row)
    keys = ["person_id", "target_id", "benefit_id", "campaign_id", "game_id"]
    changed = added.on_conflict_do_update(index_elements=keys, set_={"state": state}, where=Settled.state != state)
    return connection.execute(changed.returning(Settled.id)).first() is not None


def unsettle(connection: Connection, what: What, id_: int, *, target: str | None, person_id: int = OWNER_ID) -> bool:
    """Be reminded of a thing again, for one target or all of a person; returns whether that is new.

    Raises `UnknownTarget` where the person has no such target.
    """
    target_id = target_id_of(connection, target, person_id=person_id) if target is not None else None
    same = (_COLUMNS[what] == id_, Settled.target_id.is_not_distinct_from(target_id), Settled.person_id == person_id)
    return bool(connection.execute(delete(Settled).where(*same)).rowcount)


def list_settled(connection: Connection, *, person_id: int = OWNER_ID) -> list[SettledLine]:
    """Return what a person has claimed or ignores, the newest last."""
    rows = connection.execute(
        select(
            Settled,
            Target.name.label("target"),
            func.coalesce(DropCampaign.name, Game.name, DropBenefit.name, DropBenefit.external_id).label("name"),
        )
        .outerjoin(Target, (Target.id == Settled.target_id) & Target.removed_at.is_(None))
        .outerjoin(DropCampaign, DropCampaign.id == Settled.campaign_id)
        .outerjoin(Game, Game.id == Settled.game_id)
        .outerjoin(DropBenefit, DropBenefit.id == Settled.benefit_id)
        # With a target that was removed goes what counted there.
        .where(Settled.person_id == person_id, or_(Settled.target_id.is_(None), Target.id.is_not(None)))
        .order_by(Settled.created_at, Settled.id)
    )
    return [
        SettledLine(
            what="campaign" if row.campaign_id else "game" if row.game_id else "benefit",
            id=row.campaign_id or row.game_id or row.benefit_id,
            name=row.name,
            state=row.state,
            target=row.target,
            origin=row.origin,
            created_at=row.created_at,
        )
        for row in rows
    ]


def list_progress(connection: Connection, *, person_id: int = OWNER_ID) -> list[ProgressLine]:
    """Return the drops that a person has begun or claimed, those that were looked at last first."""
    rows = connection.execute(
        select(
            TimeBasedDrop.id,
            DropCampaign.name.label("campaign"),
            TimeBasedDrop.name.label("drop"),
            DropProgress.minutes,
            TimeBasedDrop.required_minutes,
            DropProgress.claimed_at,
            DropProgress.seen_at,
        )
        .join(TimeBasedDrop, TimeBasedDrop.id == DropProgress.drop_id)
        .join(DropCampaign, DropCampaign.id == TimeBasedDrop.campaign_id)
        .where(DropProgress.person_id == person_id)
        .order_by(DropProgress.seen_at.desc(), DropCampaign.name, TimeBasedDrop.required_minutes, TimeBasedDrop.id)
    )
    return [ProgressLine(**row) for row in rows.mappings()]
