"""`/channels`, `/categories` and `/campaign-channels` over HTTP, at a local Twitch."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, insert, select, update

from models import Channel, Follow, Person, Plan
from pipeline.embedded import Servers
from pipeline.people.records import Role
from pipeline.runtime.runtime import Runtime
from tests.channels import Channels
from tests.pipeline.web.api.conftest import ClientFor, KeyFor
from tests.pipeline.web.api.twitch import runtime_at
from tests.twitch import LocalTwitch

# Whatever version is there.
ANY = {"If-Match": "*"}
AddPerson = Callable[[str, Role], int]


@pytest.fixture(scope="module")
def running_twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch(client_id="channels0of0the0api") as twitch:
        for login, user_id in (("ada_", "11"), ("grace", "12"), ("margaret", "13")):
            twitch.add_user(login, id=user_id, display_name=login.title())
        for category_id, name in (("1", "Gloomtide"), ("2", "Moss Runner"), ("3", "Moss Runner II")):
            twitch.add_category(category_id, name)
        yield twitch


@pytest.fixture
def twitch(running_twitch: LocalTwitch) -> LocalTwitch:
    running_twitch.heal()
    return running_twitch


@pytest.fixture
def runtime(engine: Engine, servers: Servers, twitch: LocalTwitch, tmp_path: Path) -> Iterator[Runtime]:
    yield from runtime_at(engine, servers, twitch, tmp_path)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def channels(engine: Engine, now: datetime) -> Channels:
    return Channels(engine, now)


@pytest.fixture
def ada(add_person: AddPerson, key_for: KeyFor, client_for: ClientFor) -> httpx.Client:
    """A member."""
    return client_for(key_for(add_person("ada", "member"), role="member"))


def followed(client: httpx.Client) -> list[str]:
    return [each["login"] for each in client.get("/channels").json()["items"]]


def pages(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return the items of all pages."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, params=query | cursor).json()
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


def test_channels_are_followed_by_login_id_and_address(owner: httpx.Client) -> None:
    answer = owner.post(
        "/channels", json={"channels": ["Ada_", "12", "https://www.twitch.tv/margaret/videos", "nobody_"]}
    )

    assert answer.status_code == 201
    assert [(each["login"], each["result"]) for each in answer.json()["channels"]] == [
        ("ada_", "followed"),
        ("grace", "followed"),
        ("margaret", "followed"),
        (None, "unknown"),
    ]
    assert followed(owner) == ["ada_", "grace", "margaret"]


def test_each_name_that_means_nothing_is_named_where_none_means_anything(owner: httpx.Client) -> None:
    body = {"channels": ["nobody_", "kick.com/x"], "categories": [{"name": "moss"}]}
    answer = owner.post("/channels", json=body)

    assert answer.status_code == 422
    pointers = [each["pointer"] for each in answer.json()["errors"]]
    assert pointers == ["/channels/0", "/channels/1", "/categories/0/name"]
    assert owner.post("/channels", json={}).status_code == 422


def test_categories_and_the_channels_of_campaigns_are_followed_and_left(
    owner: httpx.Client, channels: Channels
) -> None:
    channels.campaign([channels.channel("named", follow=False)])
    body = {"categories": [{"name": "moss runner", "top": 5}], "drops": True}
    assert owner.post("/channels", json=body).json()["groups"] == [
        {"group": "Moss Runner", "result": "followed", "note": None},
        {"group": "drops", "result": "followed", "note": None},
    ]
    (category,) = owner.get("/categories").json()["items"]
    assert (category["external_id"], category["name"], category["top"]) == ("2", "Moss Runner", 5)
    assert owner.get("/campaign-channels").json() == {"followed": True, "channels": 1, "live": 0}
    assert owner.get("/channels").json()["items"][0]["why"] == ["drops"]

    assert owner.delete("/categories/2").status_code == 204
    assert owner.delete("/campaign-channels", headers=ANY).status_code == 204
    assert owner.get("/categories").json()["items"] == followed(owner) == []
    assert owner.delete("/categories/Moss Runner").status_code == 404
    assert owner.delete("/campaign-channels", headers=ANY).status_code == 404


def test_what_a_person_follows_is_their_own_and_all_of_it_is_watched(
    owner: httpx.Client, ada: httpx.Client, engine: Engine
) -> None:
    owner.post("/channels", json={"channels": ["grace", "margaret"]})
    ada.post("/channels", json={"channels": ["grace", "ada_"]})
    assert (followed(owner), followed(ada)) == (["grace", "margaret"], ["ada_", "grace"])
    watched = [each["login"] for each in owner.get("/analytics/coverage").json()["items"]]
    assert watched == ["ada_", "grace", "margaret"]

    assert ada.delete("/channels/grace").status_code == 204
    assert (followed(owner), followed(ada)) == (["grace", "margaret"], ["ada_"])
    assert ada.delete("/channels/margaret").status_code == 404
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Follow)) == 3


def test_a_plan_says_how_much_a_person_may_follow(owner: httpx.Client, ada: httpx.Client, engine: Engine) -> None:
    with engine.begin() as connection:
        plan = insert(Plan).values(name="small", gauges={"follows": 2}, prices={}, created_at=datetime.now(UTC))
        plan_id = connection.scalar(plan.returning(Plan.id))
        connection.execute(update(Person).where(Person.name == "ada").values(plan_id=plan_id))
    refused = ada.post("/channels", json={"channels": ["grace", "margaret", "ada_"]})
    assert (refused.status_code, followed(ada)) == (402, [])
    assert ada.post("/channels", json={"channels": ["grace", "margaret"]}).status_code == 201
    assert ada.post("/channels", json={"channels": ["grace"]}).status_code == 201
    assert ada.post("/channels", json={"drops": True}).status_code == 402
    assert ada.post("/channels", json={"categories": [{"name": "Gloomtide"}]}).status_code == 402
    assert owner.post("/channels", json={"channels": ["grace", "margaret", "ada_"]}).status_code == 201


def test_a_list_of_channels_is_imported(owner: httpx.Client, ada: httpx.Client) -> None:
    answer = owner.post("/channel-lists", json={"text": "login,since\ngrace,2020\nada_,2021\n"})
    assert (answer.status_code, answer.json()["read_as"]) == (201, "CSV (login)")
    assert followed(owner) == ["ada_", "grace"]
    assert ada.post("/channel-lists", json={}).status_code == 403
    assert "sources login twitch" in owner.post("/channel-lists", json={}).json()["detail"]


def test_what_is_on_at_a_channel_that_nobody_follows_is_asked_of_twitch(
    owner: httpx.Client, twitch: LocalTwitch
) -> None:
    twitch.go_live("margaret", title="A quiet evening", announce=False)
    status = owner.get("/channels/margaret/status").json()
    assert (status["known_by"], status["watched"], status["live"]["title"]) == ("twitch", False, "A quiet evening")
    twitch.go_offline("margaret", announce=False)
    assert owner.get("/channels/13/status").json()["live"] is None
    assert owner.get("/channels/nobody_/status").status_code == 404
    assert owner.get("/channels/no%20login/status").status_code == 404

    twitch.fail("/helix/users", 500, times=9)
    assert owner.get("/channels/margaret/status").status_code == 502


def test_what_is_on_at_a_channel_that_is_watched_is_as_recorded(
    owner: httpx.Client, ada: httpx.Client, channels: Channels, now: datetime
) -> None:
    live = channels.channel("lanternwake")
    channels.stream(live, now - timedelta(hours=1), None, viewers=[(0, 5), (55, 1234)])
    status = owner.get("/channels/lanternwake/status").json()
    assert (status["known_by"], status["followed"], status["covered"]) == ("recording", True, "polling")
    assert (status["live"]["viewers"], status["title"]) == (1234, "A quiet evening")
    assert ada.get("/channels/lanternwake/status").json()["followed"] is False


def test_statistics_of_a_channel_have_its_first_stream_and_the_average_length(
    owner: httpx.Client, channels: Channels, now: datetime
) -> None:
    channel_id = channels.channel("lanternwake")
    starts = [now - timedelta(days=day) for day in (60, 2, 1)]
    for start in starts:
        channels.stream(channel_id, start, 120, viewers=[(0, 100), (60, 300)])
    stats = owner.get("/channels/lanternwake/stats", params={"zone": "Europe/Berlin"}).json()
    assert (stats["streams"], stats["seconds"], stats["average_seconds"]) == (2, 14400, 7200)
    assert datetime.fromisoformat(stats["first_stream_at"]) == starts[0]
    assert datetime.fromisoformat(stats["last_stream_at"]) == starts[2]
    assert sum(stats["weekdays"]) == sum(stats["hours"]) == 14400

    until = (now - timedelta(days=1, hours=1)).isoformat()
    assert owner.get("/channels/lanternwake/stats", params={"until": until}).json()["streams"] == 1
    wrong = owner.get("/channels/lanternwake/stats", params={"zone": "Atlantis", "since": "yesterday"})
    assert {each["pointer"] for each in wrong.json()["errors"]} == {"/query/since"}
    assert owner.get("/channels/lanternwake/stats", params={"zone": "Atlantis"}).status_code == 422
    assert owner.get("/channels/lanternwak/stats").json()["detail"].startswith("no channel 'lanternwak' is known (did")


def test_sessions_come_in_pages_with_averages_that_are_weighted_by_time(
    owner: httpx.Client, channels: Channels, now: datetime
) -> None:
    channel_id, gloom = channels.channel("lanternwake"), channels.game("Gloomtide")
    for day in range(1, 8):
        channels.stream(channel_id, now - timedelta(days=day), 20, games=[(0, gloom)], viewers=[(0, 100), (10, 300)])
    channels.stream(channel_id, now - timedelta(hours=1), 20, type="rerun", viewers=[(0, 9)])
    listed = pages(owner, "/channels/lanternwake/sessions", limit=3)
    assert [each["started_at"] for each in listed] == sorted((each["started_at"] for each in listed), reverse=True)
    assert len({each["id"] for each in listed}) == 8
    assert (listed[0]["type"], listed[0]["average_viewers"], listed[0]["seconds"]) == ("rerun", None, 1200)
    assert (listed[1]["average_viewers"], listed[1]["peak_viewers"], listed[1]["category"]) == (200, 300, "Gloomtide")

    since, until = now - timedelta(days=5), now - timedelta(days=2)
    cut = pages(owner, "/channels/lanternwake/sessions", since=since.isoformat(), until=until.isoformat())
    assert len(cut) == 3


def test_polls_come_in_pages_newest_first(owner: httpx.Client, channels: Channels, now: datetime) -> None:
    channel_id = channels.channel("lanternwake")
    for day in (1, 2, 3):
        viewers = [(minute, minute) for minute in range(0, 60, 5)]
        channels.stream(channel_id, now - timedelta(days=day), 60, viewers=viewers)
    listed = pages(owner, "/channels/lanternwake/snapshots", limit=7)
    taken = [each["taken_at"] for each in listed]
    assert (len(taken), taken) == (36, sorted(taken, reverse=True))
    since = (now - timedelta(days=1)).isoformat()
    assert len(pages(owner, "/channels/lanternwake/snapshots", since=since)) == 12
    until = (now - timedelta(days=2)).isoformat()
    assert len(pages(owner, "/channels/lanternwake/snapshots", until=until)) == 12


def test_a_cursor_of_another_list_is_refused(owner: httpx.Client, channels: Channels) -> None:
    channels.channel("lanternwake")
    for path in ("sessions", "snapshots"):
        assert owner.get(f"/channels/lanternwake/{path}", params={"cursor": "WyJhIl0"}).status_code == 422


def test_times_are_in_utc(owner: httpx.Client, channels: Channels, now: datetime) -> None:
    channels.stream(channels.channel("lanternwake"), now - timedelta(hours=2), 60, viewers=[(0, 1)])
    for path in ("stats", "sessions", "snapshots"):
        assert "+0" not in owner.get(f"/channels/lanternwake/{path}").text
    with channels.engine.connect() as connection:
        assert connection.scalar(select(Channel.login)) == "lanternwake"
