"""Channels and categories: follows are a person's own, what was recorded is public."""

from sqlalchemy import insert

from models import Channel, Follow, Game, GameExternalId
from models.names import name_key, public_id
from tests.pipeline.web.api.ownership import Case, Path, World


def make_channel(world: World, person_id: int) -> Path:
    login = world.name()
    with world.engine.begin() as connection:
        row = {"service": "twitch", "external_id": login, "login": login, "first_seen_at": world.now}
        channel_id = connection.execute(insert(Channel).values(row).returning(Channel.id)).scalar_one()
        follow = {"person_id": person_id, "kind": "channel", "channel_id": channel_id, "created_at": world.now}
        connection.execute(insert(Follow).values(follow))
    return {"channel": login}


def make_category(world: World, person_id: int) -> Path:
    name = world.name()
    with world.engine.begin() as connection:
        row = {"name": name, "name_key": name_key(name), "public_id": public_id("twitch", name)}
        game_id = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
        connection.execute(insert(GameExternalId).values(service="twitch", external_id=name, game_id=game_id))
        follow = {"person_id": person_id, "kind": "category", "game_id": game_id, "created_at": world.now}
        connection.execute(insert(Follow).values(follow))
    return {"category": name}


CASES = [
    Case(operation="channels.unfollow_channel", make=make_channel),
    Case(operation="channels.unfollow_category", make=make_category),
]
PUBLIC = {
    "channels.show_status": "what is on at a channel is public",
    "channels.show_statistics": "what was recorded of a channel is public",
    "channels.list_channel_sessions": "what was recorded of a channel is public",
    "channels.list_channel_snapshots": "what was recorded of a channel is public",
}
