"""What a library alone brought is nowhere in the published folder, and what is public stays as it is."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from feeds.links import ensure_link
from feeds.publish import publish
from feeds.take_in import mark
from models import Event, Picture
from models.details import ReleaseDetail
from models.vault import Vault
from tests.feeds.libraries import Libraries
from tests.feeds.world import BASE_URL, NOON, Publishing

DAY = ReleaseDetail(game="Marshlight", when="2026-12-20", platforms=("PC",))


@pytest.fixture
def libraries(world: Publishing) -> Libraries:
    return Libraries(world)


def named_in(world: Publishing, title: str) -> list[str]:
    """The published files that name a title, as a name or in an address."""
    forms = {title.encode(), title.lower().replace(" ", "-").encode()}
    return [
        path for path, data in world.files().items() if any(form in data or form in path.encode() for form in forms)
    ]


def test_of_a_library_of_200_games_the_published_folder_names_those_that_public_events_name(
    libraries: Libraries,
) -> None:
    world = libraries.world
    titles = [f"Quillmere {number:03} Vale" for number in range(200)]
    games = {title: libraries.own(title) for title in titles}
    for title, game_id in games.items():
        libraries.event(title, "game.added", game_id=game_id, is_private=True, silent=True)
        detail = ReleaseDetail(game=title, when="2026-12-20", platforms=("PC",))
        libraries.event(title, "release.announced", game_id=game_id, is_private=True, detail=detail)
        libraries.event(f"You finished {title}", "play.finished", game_id=game_id, person_id=1)
    libraries.list_of("My hundred best", *list(games.values())[:100], ranked=True, wants=False)
    public = titles[:3]
    with_drops, released, streamed = (games[title] for title in public)
    campaign = world.campaign(game_id=with_drops)
    world.event("drops", game_id=with_drops, campaign_id=campaign)
    libraries.event(public[1], "release.moved", game_id=released, detail=DAY)
    world.event("live", kind="stream.online", game_id=streamed, channel_id=world.channel())
    world.publish()
    world.now += timedelta(days=1)
    world.publish()

    assert [title for title in titles if named_in(world, title)] == public
    assert "releases.html" in named_in(world, public[1])
    assert named_in(world, "My hundred best") == []


def test_a_private_date_of_a_public_game_is_on_no_public_page_or_calendar(libraries: Libraries) -> None:
    world = libraries.world
    game_id = libraries.own("Marshlight")
    world.event("drops", game_id=game_id, campaign_id=world.campaign(game_id=game_id))
    libraries.event("moved in private", "release.moved", game_id=game_id, is_private=True, detail=DAY)
    libraries.event("moved", "release.announced", game_id=game_id, detail=ReleaseDetail(game="Marshlight", when="2027"))

    world.publish()

    public = b"".join(world.files().values())
    assert b"moved in private" not in public
    assert b"20261220" not in public
    assert b"2027" in public


def test_what_is_public_later_is_put_on_public_feeds_then_and_on_no_personal_one_twice(
    libraries: Libraries, tmp_path: Path
) -> None:
    world = libraries.world
    vault = Vault.open(tmp_path / "key")
    game_id = libraries.own("Marshlight")
    with world.engine.begin() as connection:
        folder = ensure_link(connection, vault, "news", NOON, title="News")
    event_id = libraries.event("Marshlight moved", "release.moved", game_id=game_id, is_private=True, detail=DAY)
    publish(world.engine, world.root, BASE_URL, world.now, vault=lambda: vault)
    assert named_in(world, "Marshlight moved") == sorted(
        f"{folder}/news{ending}" for ending in (".atom.xml", ".html", ".json", ".rss.xml")
    )

    with world.engine.begin() as connection:
        connection.execute(update(Event).where(Event.id == event_id).values(is_private=False))
        mark(connection, [event_id])
    publish(world.engine, world.root, BASE_URL, world.now, vault=lambda: vault)

    assert "releases.rss.xml" in named_in(world, "Marshlight moved")
    assert world.text(f"{folder}/news.rss.xml").count("<item>") == 1


def test_no_copy_of_a_picture_says_which_game_a_private_feed_names(libraries: Libraries, tmp_path: Path) -> None:
    world = libraries.world
    vault = Vault.open(tmp_path / "key")
    game_id = libraries.own("Marshlight")
    with world.engine.begin() as connection:
        ensure_link(connection, vault, "news", NOON, title="News")
    detail = ReleaseDetail(game="Marshlight", when="2027", box_art_url="https://images.igdb.com/co1.jpg")
    libraries.event("Marshlight moved", "release.moved", game_id=game_id, is_private=True, detail=detail)

    publish(world.engine, world.root, BASE_URL, world.now, vault=lambda: vault, pictures=True)

    with world.engine.connect() as connection:
        assert connection.scalars(select(Picture.address)).all() == []
