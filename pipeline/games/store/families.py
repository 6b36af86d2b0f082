"""The games of ours that are one work, as a person reads them."""

from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, case, cast, func, null, select

from models import Game, GameExternalId, GameMetadata, Work
from models.moments import Moment
from pipeline.games.store.links import SERVICE


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A game of ours in a family: its entry of IGDB, and since when a person's hand holds it there."""

    game_id: int
    name: str
    igdb_id: int | None
    entry: str | None
    game_type: int | None
    version_parent_igdb_id: int | None
    pinned_at: Moment | None


class Relative(msgspec.Struct, frozen=True):
    """A work that this one is a remake or a stand-alone expansion of, or one that `is_of_this`."""

    name: str
    relation: str
    is_of_this: bool


class FamilyPage(msgspec.Struct, frozen=True, kw_only=True):
    """A work with its games. `how` says whose word it is: `igdb` or a person's `hand`."""

    work_id: int
    name: str
    series: str | None
    root_igdb_id: int | None
    how: str
    members: tuple[Member, ...]
    relatives: tuple[Relative, ...]


def load_family(connection: Connection, work_id: int) -> FamilyPage:
    """Return a work with its games, the one that it hangs on first, and the works that it is related to."""
    work = connection.execute(select(Work).where(Work.id == work_id)).one()
    return FamilyPage(
        work_id=work.id,
        name=work.name,
        series=work.series,
        root_igdb_id=work.root_igdb_id,
        how=work.how,
        members=_members(connection, work),
        relatives=_relatives(connection, work),
    )


def _members(connection: Connection, work: Any) -> tuple[Member, ...]:
    # A link is IGDB's id, alone or with our game's behind it, or a person's word that there is none.
    entry = func.split_part(GameExternalId.external_id, "/", 1)
    rows = connection.execute(
        select(
            Game.id.label("game_id"),
            Game.name,
            GameMetadata.igdb_id,
            GameMetadata.name.label("entry"),
            GameMetadata.game_type,
            GameMetadata.version_parent_igdb_id,
            Game.work_pinned_at.label("pinned_at"),
        )
        .outerjoin(GameExternalId, (GameExternalId.game_id == Game.id) & (GameExternalId.service == SERVICE))
        .outerjoin(
            GameMetadata,
            GameMetadata.igdb_id == case((entry.regexp_match("^[0-9]{1,18}$"), cast(entry, BigInteger)), else_=null()),
        )
        .where(Game.work_id == work.id)
        .order_by((GameMetadata.igdb_id == work.root_igdb_id).desc().nulls_last(), Game.id)
    )
    return tuple(Member(**row) for row in rows.mappings())


def _relatives(connection: Connection, work: Any) -> tuple[Relative, ...]:
    query = select(Work.name, Work.relation).where(Work.parent_work_id == work.id).order_by(Work.id)
    rows = [Relative(row.name, row.relation or "related", is_of_this=True) for row in connection.execute(query)]
    if work.parent_work_id is not None:
        parent = connection.scalars(select(Work.name).where(Work.id == work.parent_work_id)).one()
        rows.insert(0, Relative(parent, work.relation or "related", is_of_this=False))
    return tuple(rows)
