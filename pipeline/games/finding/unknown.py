"""Tell a person that a game is not known by the name that was written, with those that may be meant."""

from sqlalchemy import Connection, select

from models import Game, GameExternalId, GameTitle, Platform
from models.names import name_key, nearest
from pipeline.catalogue.unknown import Unknown
from pipeline.games.matching.matching import match_title, search_titles
from pipeline.games.matching.records import wanted
from pipeline.games.releases.details import PC

NEAR = 3


def unknown_game(connection: Connection, name: str, service: str | None = None) -> Unknown | None:
    """Return what is known instead of a game of this name; None where we or IGDB's catalogue have one.

    With a service, that service must have named it: a game that only Twitch has makes no news on Kick. A game's other
    titles do not count: whoever asks for "GTA V" waits for ever, since it is called otherwise.
    """
    if service not in {None, "igdb"}:
        return _unknown_on(connection, name, service)
    key = name_key(name)
    ours = select(Game.id).where(Game.name_key == key).limit(1)
    entry = select(GameTitle.igdb_id).where(GameTitle.key == key, GameTitle.kind == "name").limit(1)
    if connection.scalar(ours) is not None or connection.scalar(entry) is not None:
        return None
    return Unknown("game", name, _near(connection, name))


def unknown_platform(connection: Connection, name: str) -> Unknown | None:
    """Return what is known instead of a platform of this name; None where release dates name one so."""
    rows = connection.execute(select(Platform.igdb_id, Platform.name, Platform.abbreviation).order_by(Platform.name))
    # As events name them, without what follows in parentheses.
    known = {"PC": ""}
    for key, full, short in rows:
        if (called := full or short) and key != PC:
            known[called.partition(" (")[0]] = short or ""
    if name_key(name) in map(name_key, known):
        return None
    written = name_key(name.partition(" (")[0])
    near = [each for each, short in known.items() if written in {name_key(each), name_key(short)}]
    return Unknown("platform", name, near[:NEAR] or nearest(name, known, NEAR))


def _unknown_on(connection: Connection, name: str, service: str | None) -> Unknown | None:
    there = select(GameExternalId.external_id).where(
        GameExternalId.game_id == Game.id, GameExternalId.service == service
    )
    same = select(Game.id).where(Game.name_key == name_key(name), there.exists()).limit(1)
    if connection.scalar(same) is not None:
        return None
    names = connection.scalars(select(Game.name).where(there.exists()))
    return Unknown("game", name, nearest(name, names, NEAR), service)


def _near(connection: Connection, name: str) -> list[str]:
    """Return the entry that the title surely means, then our games, then others of the catalogue."""
    decision = match_title(connection, wanted(name))
    sure = [scored.candidate.name for scored in decision.ranked if scored.candidate.igdb_id == decision.igdb_id]
    ours = nearest(name, connection.scalars(select(Game.name)), NEAR)
    others = [scored.candidate.name for scored in search_titles(connection, wanted(name), limit=NEAR)]
    return list(dict.fromkeys([*sure, *ours, *nearest(name, others, NEAR)]))[:NEAR]
