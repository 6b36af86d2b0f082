"""Feeds: the links of personal ones."""

from datetime import timedelta

from feeds.links import ensure_link, link_of
from tests.pipeline.web.api.ownership import Case, Path, World


def make_link(world: World, person_id: int) -> Path:
    with world.engine.begin() as connection:
        vault = world.runtime.vault
        at = world.now + timedelta(seconds=1)
        ensure_link(connection, vault, "followed", at, title="What I follow", person_id=person_id)
        return {"link": link_of(connection, "followed", None, person_id)}


CASES = [
    Case(operation="feeds.show_personal", make=make_link),
    Case(operation="feeds.rotate_personal", make=make_link),
]
PUBLIC = {"feeds.show_feed": "public feeds are files for everybody"}
