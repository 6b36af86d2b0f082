"""Games: those that a library alone brought here are its person's."""

from sqlalchemy import insert

from models import Follow, Game, GameExternalId, GameMetadata, PersonWork, Work
from tests.pipeline.web.api.ownership import Case, Path, World


def make_game(world: World, person_id: int) -> Path:
    """A game of a person's library, which they follow."""
    name = world.name()
    number = 10**9 + int(name[1:], 16) % 10**8
    lists = ("genres", "themes", "modes", "franchises", "collections", "companies", "platforms")
    entry = {"igdb_id": number, "name": name, "name_key": name, "synced_at": world.now, "digest": b"", "raw": {}}
    with world.engine.begin() as connection:
        work = insert(Work).values(name=name, name_key=name, how="igdb").returning(Work.id)
        work_id = connection.execute(work).scalar_one()
        game = insert(Game).values(name=name, name_key=name, public_id=name, work_id=work_id).returning(Game.id)
        game_id = connection.execute(game).scalar_one()
        connection.execute(insert(GameMetadata).values(game_id=game_id, **entry, **{each: [] for each in lists}))
        connection.execute(insert(GameExternalId).values(service="igdb", external_id=str(number), game_id=game_id))
        had = {"work_id": work_id, "person_id": person_id, "words": ["owned"], "stores": [], "platforms": []}
        connection.execute(insert(PersonWork).values(had))
        connection.execute(
            insert(Follow).values(person_id=person_id, kind="game", game_id=game_id, created_at=world.now)
        )
    return {"game": name}


CASES = [
    Case(operation="games.show_game", make=make_game),
    Case(operation="games.show_link", make=make_game),
    Case(operation="games.unfollow_game", make=make_game),
]
PUBLIC = {
    "games.follow_game": "whoever follows a game names an entry of IGDB, which is public",
    "games.sync_game": "it asks IGDB: test_games.py has games of others",
    "games.pin_link": "which entry a game is holds for everybody here, and the owner alone pins it",
    "games.unpin_link": "which entry a game is holds for everybody here, and the owner alone pins it",
}
