"""The game of ours that a person means by an entry of IGDB, or by a title that IGDB lacks."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select

from models import Game, GameExternalId, GameMetadata, LibraryEntry, Playthrough, Work
from models.names import name_key
from pipeline.games.following.follows import games_for
from pipeline.games.store import decisions
from pipeline.games.store.works import give_works


class GameOfWork(msgspec.Struct, frozen=True):
    """A game of ours and its work; `igdb_id` is the edition, where IGDB has it."""

    game_id: int
    work_id: int
    igdb_id: int | None
    name: str


def game_of_entry(connection: Connection, igdb_id: int) -> GameOfWork:
    """Return the game of a stored entry of IGDB, which gets a row and a work where it has none.

    Belongs in a transaction that began with a turn.
    """
    game_id = games_for(connection, [igdb_id])[igdb_id]
    name = connection.scalars(select(GameMetadata.name).where(GameMetadata.igdb_id == igdb_id)).one()
    return GameOfWork(game_id, give_works(connection, [game_id])[game_id], igdb_id, name)


def own_game(connection: Connection, title: str, now: datetime) -> GameOfWork:
    """Return the game of a title that IGDB lacks, as a person says; the same title is the same game.

    Belongs in a transaction that began with a turn.
    """
    game_id = decisions.own_game(connection, title, None, now)
    name = connection.scalars(select(Game.name).where(Game.id == game_id)).one()
    return GameOfWork(game_id, give_works(connection, [game_id])[game_id], None, name)


def game_of_work(connection: Connection, person_id: int, work_id: int, platform: str | None) -> GameOfWork:
    """Return the game of a work that a person plays: the one that they have on a platform, or at all, or played last.

    Where they have none of it, the first game of the work.
    """
    entries = (
        select(LibraryEntry.game_id, LibraryEntry.platform, LibraryEntry.igdb_id)
        .join(Game, Game.id == LibraryEntry.game_id)
        .where(Game.work_id == work_id, LibraryEntry.person_id == person_id, LibraryEntry.removed_at.is_(None))
        .order_by(LibraryEntry.id)
    )
    rows = connection.execute(entries).all()
    key = name_key(platform) if platform else None
    row = next((row for row in rows if key is not None and name_key(row.platform) == key), rows[0] if rows else None)
    if row is None:
        played = (
            select(Playthrough.game_id, Playthrough.platform, Playthrough.igdb_id)
            .join(Game, Game.id == Playthrough.game_id)
            .where(Game.work_id == work_id, Playthrough.person_id == person_id, Playthrough.removed_at.is_(None))
            .order_by(Playthrough.id.desc())
            .limit(1)
        )
        row = connection.execute(played).one_or_none()
    game_id = connection.scalars(_FIRST.where(Game.work_id == work_id)).one() if row is None else row.game_id
    name = connection.scalars(select(Work.name).where(Work.id == work_id)).one()
    return GameOfWork(game_id, work_id, None if row is None else row.igdb_id, name)


# The game that is the family's root rather than a remaster of it.
_FIRST = (
    select(Game.id)
    .join(Work, Work.id == Game.work_id)
    .outerjoin(GameExternalId, (GameExternalId.game_id == Game.id) & (GameExternalId.service == "igdb"))
    .order_by(
        (func.split_part(GameExternalId.external_id, "/", 1) == func.cast(Work.root_igdb_id, Game.name.type))
        .desc()
        .nulls_last(),
        Game.id,
    )
    .limit(1)
)
