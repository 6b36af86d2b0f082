import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import insert, select

from feeds.catalog import ITEMS_PER_FEED, load_feeds, mark_all, marked_ids, settle_written
from feeds.take_in import mark, take_in
from models import Event, Feed, StreamSession
from models.names import public_id
from tests.feeds.world import NOON, OF_CAMPAIGNS, OF_FIRST_CAMPAIGNS, Publishing


def test_an_event_marks_the_feeds_of_everything_its_service_its_game_and_its_organization(world: Publishing) -> None:
    world.event(game_id=world.game("Gloomtide"), organization_id=world.organization("Tidewarden Online"))

    assert world.marked() == {
        "all",
        "services/twitch",
        f"games/gloomtide-{public_id('twitch', 'Gloomtide')}",
        f"organizations/tidewarden-online-{public_id('twitch', 'Tidewarden Online')}",
        *OF_FIRST_CAMPAIGNS,
    }


def test_an_event_without_game_or_organization_marks_everything_and_its_service(world: Publishing) -> None:
    world.event(service="kick")

    assert world.marked() == {"all", "services/kick", *OF_CAMPAIGNS}


def test_a_name_without_latin_letters_gives_a_path_of_the_public_id_alone(world: Publishing) -> None:
    world.event(game_id=world.game("은하포차"))

    assert f"games/{public_id('twitch', '은하포차')}" in world.marked()


@pytest.mark.parametrize("kind", ["source.failing", "source.recovered", "source.changed"])
def test_a_source_event_marks_nothing_and_is_on_no_feed(world: Publishing, kind: str) -> None:
    world.event("a secret", kind=kind)
    assert world.versions() == {"all": (1, 0)}

    world.event("a campaign")
    assert set(map(tuple, world.titles().values())) == {("a campaign",)}
    assert world.versions()["all"] == (2, 0)


CHANNEL = f"channels/captbrine-{public_id('twitch', 'id-captbrine')}"
GAME = f"games/gloomtide-{public_id('twitch', 'Gloomtide')}"
CATEGORY = f"categories/gloomtide-{public_id('twitch', 'Gloomtide')}"
SUBJECTS = {"all", "service", "game", "organization", "channel"}
WHERE = {
    "stream.online": {"all", CHANNEL, CATEGORY},
    "stream.offline": {"all", CHANNEL, CATEGORY},
    "stream.rerun": {CHANNEL},
    "video.published": {"all", CHANNEL, CATEGORY},
    "stream.title_changed": {CHANNEL},
    "stream.category_changed": {CHANNEL, CATEGORY},
    "campaign.watchable": {"all", CHANNEL, GAME},
}


@pytest.mark.parametrize(("kind", "paths"), WHERE.items())
def test_events_of_streams_reach_only_feeds_that_they_do_not_flood(
    world: Publishing, kind: str, paths: set[str]
) -> None:
    game, owner, channel = world.game(), world.organization(), world.channel()
    world.event("a campaign", game_id=game, organization_id=owner)
    world.event("seen before", kind="stream.title_changed", channel_id=channel)
    before = world.versions()

    world.event("of a stream", kind=kind, game_id=game, organization_id=owner, channel_id=channel)

    assert {path for path, versions in world.versions().items() if versions != before.get(path)} == paths
    assert {path for path, titles in world.titles().items() if "of a stream" in titles} == paths


def test_a_channels_feed_is_called_as_the_channel_calls_itself(world: Publishing) -> None:
    world.event(kind="stream.online", channel_id=world.channel("captbrine", "Capt. Brine"))
    world.event(kind="stream.online", channel_id=world.channel("bogwitch"))

    titles = {path: feed.title for path, feed in world.feeds().items() if feed.scope == "channel"}

    assert titles == {CHANNEL: "Capt. Brine", f"channels/bogwitch-{public_id('twitch', 'id-bogwitch')}": "bogwitch"}


def test_the_very_first_event_may_be_one_for_a_channels_own_feed(world: Publishing) -> None:
    world.event("new title", kind="stream.title_changed", channel_id=world.channel())

    assert world.titles() == {"all": [], CHANNEL: ["new title"]}


def test_a_chat_badge_is_on_the_feed_of_its_service(world: Publishing) -> None:
    world.event("a badge", kind="badge.added")

    assert world.marked() == {"all", "services/twitch", "badges", "badges-and-emotes"}


def test_marking_raises_the_version_of_the_feeds_touched_and_of_no_other(world: Publishing) -> None:
    gloomtide, frostbarrow = world.game("Gloomtide"), world.game("Frostbarrow")
    world.event(game_id=gloomtide)
    world.event(game_id=frostbarrow)
    before = world.versions()

    world.event(game_id=gloomtide)

    raised = {path for path, versions in world.versions().items() if versions != before[path]}
    assert raised == {"all", "services/twitch", f"games/gloomtide-{public_id('twitch', 'Gloomtide')}", *OF_CAMPAIGNS}


def test_taking_in_many_events_takes_as_few_statements_as_taking_in_one(world: Publishing) -> None:
    games = [world.game(f"Game {number}") for number in range(40)]
    event_ids = [world.event(game_id=games[number % 40], marked=False) for number in range(200)]
    counts = []
    for ids in (event_ids, event_ids[:1], event_ids):
        with world.engine.begin() as connection:
            mark(connection, ids)
        statements: list[str] = []
        with world.engine.begin() as connection:
            sqlalchemy_event.listen(
                connection, "before_cursor_execute", lambda *args, to=statements: to.append(args[2])
            )
            assert take_in(connection, page_size=50).events == len(ids)
        counts.append(len(statements))

    assert counts[0] <= 12  # the first time the feeds are made
    assert counts[1] == counts[2] <= 9
    assert len(world.versions()) == 44


def test_a_mark_that_is_rolled_back_leaves_nothing(world: Publishing) -> None:
    event_id = world.event(marked=False)
    with world.engine.connect() as connection:
        mark(connection, [event_id])
        connection.rollback()

    assert world.titles() == {"all": []}


def test_an_event_that_is_marked_again_is_on_its_feeds_once(world: Publishing) -> None:
    event_id = world.event("once", game_id=world.game())
    first = world.titles()
    with world.engine.begin() as connection:
        mark(connection, [event_id])

    assert world.titles() == first


def test_a_take_in_that_is_rolled_back_is_repeated_whole(world: Publishing) -> None:
    world.event("whole", game_id=world.game())
    with world.engine.connect() as connection:
        assert take_in(connection, page_size=50).events == 1
        connection.rollback()

    assert world.titles()["all"] == ["whole"]
    assert world.versions()["all"] == (2, 0)


def test_many_threads_mark_while_events_are_taken_in_and_none_is_lost(world: Publishing) -> None:
    games = [world.game(f"Game {number}") for number in range(12)]
    ids = [world.event(str(number), game_id=games[number % 12], marked=False) for number in range(60)]
    failures: list[BaseException] = []
    start = threading.Barrier(6)

    def work(offset: int) -> None:
        try:
            start.wait(60)
            for turn in range(10):
                with world.engine.begin() as connection:
                    mark(connection, [ids[offset * 10 + turn]])
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        world.take_in()
    for thread in threads:
        thread.join(60)

    assert failures == []
    assert sorted(map(int, world.titles(items=100)["all"])) == list(range(60))


def test_marked_feeds_come_with_their_newest_items_first(world: Publishing) -> None:
    game = world.game()
    for minutes in (5, 1, 3):
        world.event(f"{minutes} ago", game_id=game, at=NOON - timedelta(minutes=minutes))
    world.event("of another game", game_id=world.game("Other"))

    feeds = world.feeds()

    path = f"games/gloomtide-{public_id('twitch', 'Gloomtide')}"
    assert [item.title for item in feeds[path].items] == ["1 ago", "3 ago", "5 ago"]
    assert [item.title for item in feeds["all"].items] == ["of another game", "1 ago", "3 ago", "5 ago"]


def test_events_of_the_same_moment_are_ordered_by_their_ids(world: Publishing) -> None:
    for number in range(4):
        world.event(str(number))

    assert world.titles()["all"] == ["3", "2", "1", "0"]


def test_a_feed_holds_fifty_items(world: Publishing) -> None:
    rows = [
        {
            "kind": "campaign.added",
            "event_key": f"k{number}",
            "occurred_at": NOON,
            "recorded_at": NOON,
            "title": str(number),
            "service": "kick",
            "silent": True,
            "detail": {},
        }
        for number in range(60)
    ]
    with world.engine.begin() as connection:
        mark(connection, list(connection.execute(insert(Event).returning(Event.id), rows).scalars()))

    assert {len(feed.items) for feed in world.feeds().values()} == {ITEMS_PER_FEED}


def test_loading_takes_as_many_queries_for_many_feeds_as_for_few(world: Publishing) -> None:
    for number in range(30):
        world.event(game_id=world.game(f"Game {number}"))
    world.take_in()
    statements: list[str] = []
    with world.engine.connect() as connection:
        sqlalchemy_event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        assert len(load_feeds(connection, marked_ids(connection))) == 34

    assert (
        len(statements) == 7
    )  # the marked, the feeds, their newest items, what is on now of three kinds, and the events


def test_a_feed_that_is_marked_again_while_it_is_written_stays_marked(world: Publishing) -> None:
    world.event()
    loaded = world.feeds().values()
    world.event()
    world.take_in()

    with world.engine.begin() as connection:
        settle_written(connection, [(feed.feed_id, feed.version, len(feed.items)) for feed in loaded], NOON)

    assert world.marked() == {"all", "services/twitch", *OF_CAMPAIGNS}


def test_settling_an_older_version_late_takes_nothing_back(world: Publishing) -> None:
    world.event()
    old = world.feeds()["all"]
    world.event()
    new = world.feeds()["all"]
    with world.engine.begin() as connection:
        settle_written(connection, [(new.feed_id, new.version, 2)], NOON)
        settle_written(connection, [(old.feed_id, old.version, 1)], NOON)
        row = connection.execute(select(Feed.written_version, Feed.items).where(Feed.path == "all")).one()

    assert row == (new.version, 2)


def test_all_feeds_can_be_marked_at_once(world: Publishing) -> None:
    world.event(game_id=world.game())
    world.publish()
    assert world.marked() == set()

    with world.engine.begin() as connection:
        mark_all(connection)

    assert len(world.marked()) == 5


def test_a_detail_that_cannot_be_read_leaves_the_title(world: Publishing, caplog: pytest.LogCaptureFixture) -> None:
    event_id = world.add(
        Event,
        kind="campaign.added",
        event_key="odd",
        occurred_at=NOON,
        recorded_at=NOON,
        title="An odd one",
        silent=False,
        detail={"drops": "not a list"},
    )
    with world.engine.begin() as connection:
        mark(connection, [event_id])
    world.event("A sound one")

    assert world.titles()["all"] == ["A sound one", "An odd one"]
    assert "cannot be read" in caplog.text


def test_what_is_on_now_stays_on_its_feeds_however_many_events_came_since(world: Publishing) -> None:
    game, owner, channel = world.game(), world.organization(), world.channel()
    long_ago = NOON - timedelta(days=9)
    shared: dict[str, Any] = {"game_id": game, "organization_id": owner}
    states: dict[str, dict[str, Any]] = {
        "running": {},
        "over": {"ended_at": NOON},
        "withdrawn": {"withdrawn_at": NOON},
        "upcoming": {"started_at": None},
    }
    for name, state in states.items():
        world.event(name, campaign_id=world.campaign(name, **shared, **state), at=long_ago, **shared)
    times = {"started_at": NOON, "first_seen_at": NOON, "last_seen_at": NOON}
    world.add(StreamSession, channel_id=channel, stream_id="1", **times)
    world.event("live", kind="stream.online", channel_id=channel, at=long_ago)
    for number in range(3):
        world.event(f"news {number}", at=NOON + timedelta(minutes=number), channel_id=channel, **shared)

    feeds = {feed.scope: [item.title for item in feed.items] for feed in world.feeds(items=2).values()}

    news = ["news 2", "news 1"]
    assert {scope: titles for scope, titles in feeds.items() if scope in SUBJECTS} == {
        "all": [*news, "live", "running"],
        "service": [*news, "running"],
        "game": [*news, "running"],
        "organization": [*news, "running"],
        "channel": [*news, "live"],
    }
