"""Wanted games arrive, are asked for again when they may have changed, and are wanted as long as there is a reason."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, update

from models import Channel, DropCampaign, Game, GameExternalId, StreamSession
from pipeline.games.store.wanted import DAY, MONTH, WEEK, Age, next_look, unwant
from tests.igdb.games import game, games
from tests.pipeline.games.syncing import Syncing

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def served(syncing: Syncing) -> None:
    syncing.setting.igdb.put(*games(1, 40))


def test_a_wanted_game_arrives_with_the_next_round(syncing: Syncing) -> None:
    assert syncing.want(3, 5, 3) == 2
    fetched = syncing.fetch(syncing.wanted)

    assert syncing.games() == {3: "Game 3", 5: "Game 5"}
    assert (fetched.outcome, fetched.items, fetched.changed) == ("ok", 2, 2)
    assert fetched.next_due_at - syncing.setting.clock() < timedelta(minutes=1)
    assert syncing.news == [("added", [3, 5], True)]


def test_nothing_is_asked_while_nothing_is_due(syncing: Syncing) -> None:
    syncing.want(3)
    syncing.fetch(syncing.wanted)
    requests_before = len(syncing.setting.igdb.requests)

    assert syncing.fetch(syncing.wanted).outcome == "unchanged"
    assert len(syncing.setting.igdb.requests) == requests_before


def test_a_game_is_wanted_once_for_each_reason_and_forgotten_with_the_last(syncing: Syncing) -> None:
    assert (syncing.want(3), syncing.want(3), syncing.want(3, reason="library")) == (1, 0, 0)
    assert syncing.wishes() == {3: ["follow", "library"]}

    with syncing.engine.begin() as connection:
        unwant(connection, [3], "follow")
    assert syncing.wishes() == {3: ["library"]}
    with syncing.engine.begin() as connection:
        unwant(connection, [3, 4], "library")
    assert syncing.wishes() == {}


def test_a_changed_game_that_is_due_is_news(syncing: Syncing) -> None:
    syncing.want(3)
    syncing.fetch(syncing.wanted)
    syncing.news.clear()
    syncing.setting.igdb.put(game(3, "Renamed"))
    syncing.setting.moved = timedelta(days=40)

    syncing.fetch(syncing.wanted)
    assert syncing.games() == {3: "Renamed"}
    assert syncing.news == [("changed", [3], False)]


def looked_once(syncing: Syncing) -> int:
    """Fetch the first round; returns the time that IGDB gives to a change from now on."""
    syncing.want(3, 4, 5)
    syncing.fetch(syncing.wanted)
    syncing.setting.moved = timedelta(minutes=20)
    syncing.setting.igdb.forget_requests()
    return int(syncing.setting.clock().timestamp())


def test_what_igdb_says_has_changed_is_asked_for_before_it_is_due(syncing: Syncing) -> None:
    changed_at = looked_once(syncing)
    syncing.setting.igdb.put(game(4, "Renamed", updated_at=changed_at))

    syncing.fetch(syncing.wanted)
    assert syncing.games()[4] == "Renamed"
    assert [request.path for request in syncing.setting.igdb.requests] == ["/multiquery", "/games"]
    # It is known now, although IGDB would name it again.
    syncing.setting.moved = timedelta(minutes=40)
    syncing.fetch(syncing.wanted)
    assert len(syncing.queries()) == 1


def test_a_release_date_that_changed_brings_its_game(syncing: Syncing) -> None:
    changed_at = looked_once(syncing)
    syncing.setting.igdb.put(game(5, "With another date"))
    syncing.setting.igdb.put({"id": 1, "game": 5, "updated_at": changed_at}, endpoint="release_dates")

    syncing.fetch(syncing.wanted)
    assert syncing.games()[5] == "With another date"


def test_a_wanted_game_that_igdb_no_longer_has_is_gone(syncing: Syncing) -> None:
    syncing.want(3, 4)
    syncing.fetch(syncing.wanted)
    syncing.setting.igdb.remove(3)
    syncing.setting.moved = timedelta(days=40)

    fetched = syncing.fetch(syncing.wanted)
    assert syncing.games() == {4: "Game 4"}
    assert fetched.changed == 1


def test_a_game_that_igdb_never_had_is_not_asked_for_all_the_time(syncing: Syncing) -> None:
    syncing.want(4711)
    syncing.fetch(syncing.wanted)

    assert syncing.due_at(4711) - syncing.setting.clock() > WEEK


def test_many_wishes_take_several_rounds_that_follow_at_once(syncing: Syncing) -> None:
    syncing.most = 30
    syncing.want(*range(1, 41))

    first = syncing.fetch(syncing.wanted)
    assert len(syncing.games()) == 30
    assert first.next_due_at - syncing.setting.clock() < timedelta(seconds=2)
    syncing.fetch(syncing.wanted)
    assert len(syncing.games()) == 40


def test_games_of_campaigns_and_of_live_streams_are_wanted_while_those_run(syncing: Syncing) -> None:
    now = syncing.setting.clock()
    with syncing.engine.begin() as connection:
        for key in (1, 2, 3):
            names = {"name": f"G{key}", "name_key": f"g{key}", "public_id": f"p{key}"}
            connection.execute(insert(Game).values(id=key, **names))
            link = {"service": "igdb", "external_id": str(key * 10), "game_id": key}
            connection.execute(insert(GameExternalId).values(link))
        connection.execute(insert(GameExternalId).values(service="igdb", external_id="no number", game_id=1))
        campaign = {"service": "twitch", "external_id": "c", "name": "C", "game_id": 1}
        connection.execute(insert(DropCampaign).values(campaign | {"first_seen_at": now, "start_at": now}))
        channel = {"id": 1, "service": "twitch", "external_id": "1", "login": "a", "first_seen_at": now}
        connection.execute(insert(Channel).values(channel))
        session = {"channel_id": 1, "stream_id": "s", "started_at": now, "first_seen_at": now, "last_seen_at": now}
        connection.execute(insert(StreamSession).values(session | {"game_id": 2}))
    syncing.want(10)
    syncing.fetch(syncing.wanted)
    assert syncing.wishes() == {10: ["campaign", "follow"], 20: ["channel"]}

    syncing.fetch(syncing.wanted)
    assert syncing.games() == {10: "Game 10", 20: "Game 20"}
    with syncing.engine.begin() as connection:
        connection.execute(update(DropCampaign).values(ended_at=now))
        connection.execute(delete(StreamSession))
    syncing.fetch(syncing.wanted)
    assert syncing.wishes() == {10: ["follow"]}


@pytest.mark.parametrize(
    ("age", "every"),
    [
        (Age(), DAY),
        (Age(first_release_at=NOW + timedelta(days=400)), DAY),
        (Age(first_release_at=NOW - timedelta(days=3)), DAY),
        (Age(first_release_at=NOW - timedelta(days=100)), WEEK),
        (Age(first_release_at=NOW - timedelta(days=4000), updated_at=NOW - timedelta(days=2)), WEEK),
        (Age(first_release_at=NOW - timedelta(days=4000), updated_at=NOW - timedelta(days=200)), MONTH),
        (Age(removed_at=NOW), MONTH),
    ],
)
def test_what_may_change_soon_is_asked_for_soon(age: Age, every: timedelta) -> None:
    looks = [next_look(igdb_id, age, NOW) - NOW for igdb_id in range(200)]

    assert max(looks) == every
    assert min(looks) > every * 0.89
