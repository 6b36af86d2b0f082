"""Which of our games are one work, as IGDB's families say or a person's hand: all libraries go by works."""

from datetime import datetime

from sqlalchemy import Connection, select

from models import Game
from models.errors import UnknownThing, UsageError
from pipeline.drops.store.history import find_game
from pipeline.games.finding.lookup import find_ours
from pipeline.games.store.families import FamilyPage, load_family
from pipeline.games.store.wanted import begin_wanting
from pipeline.games.store.works import give_works, pin_alone, pin_work, unpin_work


class SameGame(UsageError):
    """A game was to be joined with itself."""


def read_family(connection: Connection, game: str) -> FamilyPage:
    """Return the games that are one work with a game, by its name, slug or number; nothing is written.

    Raises `UnknownThing` where no game of ours is called so, or it has no work yet.
    """
    work_id = connection.scalar(select(Game.work_id).where(Game.id == _ours(connection, game)))
    if work_id is None:
        raise UnknownThing(f"{game!r} belongs to no work yet: the worker gives it one")
    return load_family(connection, work_id)


def show_family(connection: Connection, now: datetime, game: str) -> FamilyPage:
    """Return the games that are one work with a game, by its name, slug or number; it gets a work where it has none.

    Raises `UnknownThing` where no game of ours is called so, with the nearest names.
    """
    begin_wanting(connection, now)
    game_id = _ours(connection, game)
    return load_family(connection, give_works(connection, [game_id])[game_id])


def join(connection: Connection, now: datetime, game: str, other: str) -> FamilyPage:
    """Pin a game: it is one work with another. Raises `SameGame`, `UnknownThing` where one is none of ours."""
    begin_wanting(connection, now)
    game_id, other_id = _ours(connection, game), _ours(connection, other)
    if other_id == game_id:
        raise SameGame("--with needs another game; --alone makes it a work of its own")
    work_id = give_works(connection, [other_id])[other_id]
    pin_work(connection, game_id, work_id, now)
    return load_family(connection, work_id)


def part(connection: Connection, now: datetime, game: str) -> FamilyPage:
    """Pin a game: it is one with no other game. Raises `UnknownThing` where it is none of ours."""
    begin_wanting(connection, now)
    return load_family(connection, pin_alone(connection, _ours(connection, game), now))


def unpin(connection: Connection, now: datetime, game: str) -> FamilyPage:
    """Forget what was pinned of a game: IGDB decides again. Raises `UnknownThing` where it is none of ours."""
    begin_wanting(connection, now)
    return load_family(connection, unpin_work(connection, _ours(connection, game)))


def _ours(connection: Connection, name: str) -> int:
    game_id = find_ours(connection, name)
    return find_game(connection, name) if game_id is None else game_id
