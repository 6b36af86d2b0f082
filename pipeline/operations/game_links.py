"""Which entry of IGDB a game of ours is: what is known of that, and what a person pins."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from models import Game, GameMetadata
from pipeline.fetch.http import Client
from pipeline.games.finding.lookup import check_entry
from pipeline.games.following.follows import renew_follows
from pipeline.games.matching.matching import match_title
from pipeline.games.matching.records import wanted
from pipeline.games.store.links import Link, link, load_links, unlink
from pipeline.games.store.wanted import begin_wanting
from pipeline.games.store.works import give_works
from pipeline.operations.games import MatchAnswer, match_answer, our_game
from pipeline.programs.sources import register
from pipeline.runtime.runtime import Runtime, utc_now

CHOICES = 8


class LinkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A game's link with IGDB, if it has any, with the name of that entry where it is in the catalogue.

    `why` says what its name alone would make of it, `choices` are the entries that it may be by that.
    """

    name: str
    public_id: str
    link: Link | None
    entry: str | None
    why: str
    choices: list[MatchAnswer]


def show_link(connection: Connection, person_id: int | None, name: str) -> LinkAnswer:
    """Return what a game is linked with and could be; raises `UnknownThing` where the person may see no such game."""
    return _answer(connection, our_game(connection, person_id, name))


def pin_link(runtime: Runtime, name: str, igdb_id: int | None) -> LinkAnswer:
    """Pin which entry of IGDB a game is, whatever services say; without an id, that it is no game that IGDB has.

    Raises `UnknownThing` for a game that is not here, `UsageError` for an entry that IGDB lacks, `SourceError` where it
    has to be asked and does not answer.
    """
    now = utc_now()
    with runtime.engine.begin() as connection:
        register(connection, runtime, now)
        game_id = our_game(connection, None, name)
    if igdb_id is not None:
        with Client() as client:
            check_entry(runtime.engine, igdb_id, lambda: runtime.igdb(client), now)
    with runtime.engine.begin() as connection:
        begin_wanting(connection, now)
        link(connection, [Link(game_id=game_id, igdb_id=igdb_id, how="hand", confidence=1.0, pinned_at=now)])
        give_works(connection, [game_id])
        renew_follows(connection, now)
        return _answer(connection, game_id)


def unpin_link(connection: Connection, now: datetime, name: str) -> LinkAnswer:
    """Forget what was pinned of a game: services decide again. Raises `UnknownThing` for a game that is not here."""
    begin_wanting(connection, now)
    game_id = our_game(connection, None, name)
    unlink(connection, game_id)
    renew_follows(connection, now)
    return _answer(connection, game_id)


def _answer(connection: Connection, game_id: int) -> LinkAnswer:
    game = connection.execute(select(Game.name, Game.public_id).where(Game.id == game_id)).one()
    known = load_links(connection, [game_id]).get(game_id)
    entry = None
    if known is not None and known.igdb_id is not None:
        entry = connection.scalar(select(GameMetadata.name).where(GameMetadata.igdb_id == known.igdb_id))
    decision = match_title(connection, wanted(game.name))
    return LinkAnswer(
        name=game.name,
        public_id=game.public_id,
        link=known,
        entry=entry,
        why=decision.why,
        choices=[match_answer(match, None) for match in decision.ranked[:CHOICES]],
    )
