"""Pages of older items: they never change, and a feed leads to them once all are there."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from feeds import publish as publishing
from feeds import writing
from feeds.publish import publish
from feeds.take_in import mark
from feeds.writing import PublishSummary
from models import Event
from models.names import public_id
from tests.feeds.world import BASE_URL, NOON, Publishing

GLOOMTIDE = f"games/gloomtide-{public_id('twitch', 'Gloomtide')}"


def fill(world: Publishing, game_id: int, count: int, start: int = 0) -> None:
    """Append events of a game, one a minute."""
    rows: list[dict[str, Any]] = [
        {
            "kind": "campaign.changed",
            "event_key": f"k{number}",
            "occurred_at": NOON + timedelta(minutes=number),
            "recorded_at": NOON,
            "title": f"n{number}",
            "service": "twitch",
            "game_id": game_id,
            "silent": True,
            "detail": {},
        }
        for number in range(start, start + count)
    ]
    with world.engine.begin() as connection:
        mark(connection, list(connection.scalars(insert(Event).returning(Event.id), rows)))


def titles(world: Publishing, path: str) -> list[str]:
    items = world.text(path).split("<item>")[1:]
    return [item.partition("<title>")[2].partition("</title>")[0] for item in items]


def run(world: Publishing, **options: Any) -> PublishSummary:
    return publish(world.engine, world.root, BASE_URL, world.now, items=5, **options)


def test_older_items_are_on_pages_that_never_change(world: Publishing) -> None:
    game = world.game()
    fill(world, game, 12)
    run(world)
    first = {path: data for path, data in world.files().items() if ".archive-" in path}
    assert titles(world, f"{GLOOMTIDE}.archive-1.rss.xml") == ["n4", "n3", "n2", "n1", "n0"]
    assert titles(world, f"{GLOOMTIDE}.archive-2.rss.xml") == ["n9", "n8", "n7", "n6", "n5"]
    assert f"{GLOOMTIDE}.archive-2.rss.xml" in world.text(f"{GLOOMTIDE}.rss.xml")
    assert f"{GLOOMTIDE}.archive-1.rss.xml" in world.text(f"{GLOOMTIDE}.archive-2.rss.xml")
    assert not any(path.endswith((".ics", ".html")) for path in first)

    fill(world, game, 9, start=12)
    run(world)

    files = world.files()
    assert {path: files[path] for path in first} == first
    assert titles(world, f"{GLOOMTIDE}.archive-4.rss.xml") == ["n19", "n18", "n17", "n16", "n15"]


def test_every_item_is_on_the_feed_or_on_one_of_the_pages_before_it(world: Publishing) -> None:
    game = world.game()
    for start, count in ((0, 3), (3, 4), (7, 1), (8, 11)):
        fill(world, game, count, start)
        run(world)
        listed = titles(world, f"{GLOOMTIDE}.rss.xml")
        for number in range(1, 20):
            if (world.root / f"{GLOOMTIDE}.archive-{number}.rss.xml").exists():
                listed += titles(world, f"{GLOOMTIDE}.archive-{number}.rss.xml")
        assert set(listed) == {f"n{number}" for number in range(start + count)}


def test_many_pages_follow_after_the_news_and_are_led_to_when_all_are_there(
    world: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "BATCH", 1)
    fill(world, world.game(), 40)
    first = run(world)
    assert first.archives == 0
    assert "archive" not in world.text(f"{GLOOMTIDE}.rss.xml")

    monkeypatch.setattr(publishing, "BATCH", 100)
    monkeypatch.setattr(writing, "ARCHIVES_AT_ONCE", 20)
    second = run(world)

    # Of everything, the service, the game and the selection: eight pages each.
    assert second.archives == 4 * 8
    assert f"{GLOOMTIDE}.archive-8.rss.xml" in world.text(f"{GLOOMTIDE}.rss.xml")
    assert run(world) == PublishSummary()


def test_two_processes_write_what_one_writes(world: Publishing, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        fill(world, world.game(f"Game {number}"), 3, start=3 * number)
    run(world)
    alone = world.files()
    monkeypatch.setattr(publishing, "BATCH", 2)
    monkeypatch.setattr(publishing, "MANY", 2)
    monkeypatch.setattr(publishing, "can_help", lambda: True)
    world.root = world.root.parent / "elsewhere"

    summary = run(world)

    assert summary.feeds == 12
    assert summary.failures == []
    monkeypatch.undo()
    run(world)  # the pages of older items
    assert world.files() == alone
    assert world.marked() == set()
