"""Feeds name the hubs that hear of them, and personal feeds name none."""

from pathlib import Path

from feeds.links import ensure_link
from feeds.publish import publish
from models.vault import Vault
from tests.feeds.world import BASE_URL, NOON, Publishing

HUB = "https://hub.example/"


def test_public_feeds_name_the_hubs_and_personal_feeds_pages_and_calendars_name_none(
    world: Publishing, tmp_path: Path
) -> None:
    vault = Vault.open(tmp_path / "key")
    with world.engine.begin() as connection:
        ensure_link(connection, vault, "health", NOON, subject_id=None, title="Health")
    world.event(game_id=world.game())

    publish(world.engine, world.root, BASE_URL, world.now, vault=lambda: vault, hubs=(HUB,))

    named = {
        path.relative_to(world.root) for path in world.root.rglob("*.*") if path.is_file() and HUB in path.read_text()
    }
    feeds = {path.relative_to(world.root) for path in world.root.rglob("*.rss.xml")}
    public = {path for path in feeds if path.parts[0] != "private"}
    assert len(feeds) == len(public) + 1
    endings = (".rss.xml", ".atom.xml", ".json")
    assert named == {
        path.with_name(path.name.removesuffix(".rss.xml") + ending) for path in public for ending in endings
    }


def test_another_hub_is_in_every_feed_at_the_next_run(world: Publishing) -> None:
    world.event()
    world.publish()
    publish(world.engine, world.root, BASE_URL, world.now, hubs=(HUB,))
    assert HUB in world.text("all.rss.xml")
    publish(world.engine, world.root, BASE_URL, world.now)
    assert HUB not in world.text("all.rss.xml")
