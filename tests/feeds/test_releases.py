"""Releases on feeds: a feed of their own, those of their games, and that of everything."""

from typing import Any

import pytest
from sqlalchemy import insert, select

from feeds.content import Item
from feeds.item import render_entry
from feeds.take_in import mark
from models import Event, Feed
from models.details import ReleaseDetail, detail_to_json
from tests.feeds.world import NOON, Publishing

COVER = "https://images.igdb.com/igdb/image/upload/t_cover_big/co1.jpg"
MOVED = ReleaseDetail(
    game="Gloomtide",
    url="https://www.igdb.com/games/gloomtide",
    box_art_url=COVER,
    platforms=("PC", "PlayStation 5"),
    when="2027-Q1",
    when_before="2026-12-01",
    days=120,
    is_delay=True,
)


def release(
    world: Publishing, kind: str = "release.moved", *, silent: bool = False, game_id: int | None = None
) -> None:
    with world.engine.begin() as connection:
        row = {
            "kind": kind,
            "event_key": f"{kind}/{silent}/{game_id}",
            "occurred_at": NOON,
            "recorded_at": NOON,
            "title": f"{kind}, {'silent' if silent else 'told'}",
            "service": "igdb",
            "game_id": game_id,
            "silent": silent,
            "detail": detail_to_json(MOVED),
        }
        mark(connection, [connection.execute(insert(Event).values(row).returning(Event.id)).scalar_one()])


def titles_by_feed(world: Publishing) -> dict[str, list[str]]:
    """The titles on each feed that was written, by path."""
    world.publish()
    with world.engine.connect() as connection:
        paths = connection.scalars(select(Feed.path).order_by(Feed.id)).all()
    titles = {}
    for path in paths:
        items = world.text(f"{path}.rss.xml").split("<item>")[1:]
        titles[path.rsplit("-", 1)[0] if "/" in path and "-" in path else path] = [
            item.partition("<title>")[2].partition("</title>")[0] for item in items
        ]
    return titles


def test_a_release_is_on_the_feed_of_releases_that_of_its_game_and_that_of_everything(world: Publishing) -> None:
    release(world, game_id=world.game())

    titles = ["release.moved, told"]
    assert titles_by_feed(world) == {
        "all": titles,
        "releases": titles,
        "games/gloomtide": titles,
        "game-releases/gloomtide": titles,
        "platforms/pc": titles,
        "platforms/playstation-5": titles,
    }
    opml, page = world.text("feeds.opml"), world.text("feeds.html")
    assert 'xmlUrl="http://127.0.0.1:8420/releases.rss.xml"' in opml
    assert 'href="releases.rss.xml"' in page
    assert "What comes out when" in world.text("releases.atom.xml") + world.text("releases.rss.xml")


def test_releases_announced_before_the_game_was_wanted_are_not_on_the_feed_of_everything(world: Publishing) -> None:
    game_id = world.game()
    for kind in ("release.announced", "game.added"):
        release(world, kind, silent=True, game_id=game_id)

    announced = ["release.announced, silent"]
    assert titles_by_feed(world) == {
        "all": [],
        "releases": announced,
        "games/gloomtide": ["game.added, silent", *announced],
        "game-releases/gloomtide": announced,
        "platforms/pc": announced,
        "platforms/playstation-5": announced,
    }


def test_other_events_are_not_on_the_feed_of_releases(world: Publishing) -> None:
    world.event("New drops")
    assert "releases" not in titles_by_feed(world)
    release(world)
    assert titles_by_feed(world) == {
        "all": ["release.moved, told", "New drops"],
        "services/twitch": ["New drops"],
        "without-subscriptions": ["New drops"],
        "releases": ["release.moved, told"],
        "platforms/pc": ["release.moved, told"],
        "platforms/playstation-5": ["release.moved, told"],
    }


def item(kind: str, **fields: Any) -> Item:
    return Item(event_key="k", kind=kind, occurred_at=NOON, title="t", service="igdb", detail=ReleaseDetail(**fields))


def test_an_entry_shows_cover_platforms_and_both_dates() -> None:
    entry = render_entry(Item(event_key="k", kind="release.moved", occurred_at=NOON, title="t", detail=MOVED))

    assert f'<img src="{COVER}"' in entry.content
    for line in ("On PC, PlayStation 5", "Q1 2027, was 1 December 2026", "That is a delay of about 4 months."):
        assert line in entry.content
    assert entry.summary == "Gloomtide · PC, PlayStation 5 · Q1 2027, was 1 December 2026 · a delay of about 4 months"
    assert entry.url == "https://www.igdb.com/games/gloomtide"


@pytest.mark.parametrize(
    ("entry", "lines"),
    [
        (
            item("release.out", when="2026-11-21", stage="early access"),
            ["<p>Out as: early access", "21 November 2026"],
        ),
        (item("release.announced", when="tbd"), ["To be determined"]),
        (item("release.moved", when="tbd", when_before="2026", is_delay=True), ["a delay for as long as nobody knows"]),
        (item("release.moved", when="2026-11-01", when_before="2026-11-02", days=-1), ["That is 1 day earlier."]),
        (
            item("release.cancelled", when_before="2026-Q4", reason="IGDB no longer lists it"),
            ["Was planned for Q4 2026", "IGDB no longer lists it."],
        ),
        (
            item("game.added", name="Gloomtide: Depths", description="<b>Deep</b>"),
            ["Gloomtide: Depths", "&lt;b&gt;Deep"],
        ),
        (item("release.moved"), ["Release moved"]),
    ],
)
def test_an_entry_says_what_is_known_and_no_more(entry: Item, lines: list[str]) -> None:
    content = render_entry(entry).content

    for line in lines:
        assert line in content
    assert "None" not in content
