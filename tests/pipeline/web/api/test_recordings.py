"""`/streams`, `/analytics` and `/videos` over HTTP: what was recorded of channels."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert

from models import Follow, Source, Video
from pipeline.channels.eventsub.source_row import NAME
from pipeline.people.records import Role
from tests.channels import Channels
from tests.pipeline.web.api.conftest import ClientFor, KeyFor

HOUR = timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def channels(engine: Engine, now: datetime) -> Channels:
    return Channels(engine, now)


def items(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_what_is_live_is_listed_in_pages_the_newest_first(
    owner: httpx.Client,
    channels: Channels,
    now: datetime,
    add_person: Callable[[str, Role], int],
    client_for: ClientFor,
    key_for: KeyFor,
) -> None:
    for hours, login in enumerate(("third", "second", "first"), 1):
        channels.stream(channels.channel(login), now - (4 - hours) * HOUR, None, viewers=[(0, 7), (5, hours)])
    channels.stream(channels.channel("over"), now - HOUR, 30)
    channels.stream(channels.channel("again"), now - HOUR, None, type="rerun")
    first = owner.get("/streams/live", params={"limit": 2}).json()
    second = owner.get("/streams/live", params={"limit": 2, "cursor": first["next"]}).json()
    listed = [*first["items"], *second["items"]]
    assert [(each["login"], each["viewers"]) for each in listed] == [("first", 3), ("second", 2), ("third", 1)]
    assert second["next"] is None

    ada_id = add_person("ada", "guest")
    ada = client_for(key_for(ada_id, role="guest"))
    assert items(ada, "/streams/live", followed=True) == []
    assert len(items(ada, "/streams/live")) == 3
    channels.add(Follow, person_id=ada_id, kind="channel", channel_id=1, created_at=now)
    assert [each["login"] for each in items(ada, "/streams/live", followed=True)] == ["third"]


def test_a_summary_is_of_all_channels_in_a_period(owner: httpx.Client, channels: Channels, now: datetime) -> None:
    one, two = channels.channel("one"), channels.channel("two")
    channels.channel("quiet")
    channels.stream(one, now - 3 * HOUR, 60, viewers=[(0, 1), (30, 1)])
    story = channels.stream(two, now - 30 * HOUR, 120, viewers=[(0, 1)])
    channels.stream(two, now - 27 * HOUR, 60, story_id=story)
    channels.stream(two, now - HOUR, None, viewers=[(0, 1)])
    channels.stream(one, now - timedelta(days=90), 600, viewers=[(0, 1)])
    channels.stream(one, now - 10 * HOUR, 60, type="rerun", viewers=[(0, 1)])
    summary = owner.get("/analytics/summary").json()
    assert {name: value for name, value in summary.items() if name not in {"since", "until"}} == {
        "channels_followed": 3,
        "channels_watched": 3,
        "channels_in_real_time": 0,
        "channels_polled": 3,
        "channels_on_air": 2,
        "streams_open": 1,
        "streams_over": 2,
        "snapshots": 4,
        "seconds": 5 * 3600,
        "hours": 5.0,
        "hours_per_channel": 2.5,
    }
    ever = owner.get("/analytics/summary", params={"since": "2000-01-01T00:00:00Z"}).json()
    assert (ever["hours"], ever["streams_over"]) == (15.0, 3)
    before = owner.get("/analytics/summary", params={"until": (now - 100 * HOUR).isoformat()}).json()
    assert (before["channels_on_air"], before["hours_per_channel"], before["snapshots"]) == (0, None, 0)


def test_the_top_is_by_what_is_asked_for_and_comes_in_pages(
    owner: httpx.Client, channels: Channels, now: datetime
) -> None:
    for number in range(1, 6):
        channels.stream(channels.channel(f"c{number}"), now - 10 * HOUR, number * 10, viewers=[(0, 100 - number)])
    first = owner.get("/analytics/top", params={"limit": 3}).json()
    second = owner.get("/analytics/top", params={"limit": 3, "cursor": first["next"]}).json()
    listed = [*first["items"], *second["items"]]
    assert [(each["place"], each["login"]) for each in listed] == [
        *((1, "c5"), (2, "c4"), (3, "c3"), (4, "c2"), (5, "c1")),
    ]
    assert items(owner, "/analytics/top", by="peak")[0]["login"] == "c1"
    assert items(owner, "/analytics/top", until=(now - 11 * HOUR).isoformat()) == []
    assert owner.get("/analytics/top", params={"by": "loudness"}).status_code == 422


def test_coverage_says_how_each_channel_is_watched_and_how_old_the_last_sign_of_its_stream_is(
    owner: httpx.Client, channels: Channels, now: datetime
) -> None:
    fine, lost = channels.channel("fine"), channels.channel("lost")
    channels.channel("new", since=now)
    channels.stream(fine, now - HOUR, None)
    channels.stream(lost, now - 2 * HOUR, None, last_seen_at=now - HOUR)
    assert {each["reason"] for each in items(owner, "/analytics/coverage")} == {"off"}

    cursor = {"reconciled_at": (now - timedelta(minutes=5)).isoformat(), "left_out": ["1002"]}
    channels.add(Source, name=NAME, service="twitch", next_due_at=now, cursor=cursor, last_success_at=now)
    lines = {each["login"]: each for each in items(owner, "/analytics/coverage")}
    assert {login: (each["watched_by"], each["reason"]) for login, each in lines.items()} == {
        "fine": ("eventsub", None),
        "lost": ("poll", "left_out"),
        "new": ("poll", "not_yet"),
    }
    assert (lines["fine"]["is_gap"], lines["lost"]["is_gap"], lines["new"]["session_id"]) == (False, True, None)
    assert lines["lost"]["seconds_since_sign"] >= 3600
    assert [each["login"] for each in items(owner, "/analytics/coverage", gap=True)] == ["lost"]
    assert [each["login"] for each in items(owner, "/analytics/coverage", open=False)] == ["new"]
    assert owner.get("/analytics/summary").json()["channels_in_real_time"] == 1


def add_video(engine: Engine, channel_id: int, key: str, published_at: datetime, **columns: Any) -> None:
    row = {"type": "archive", "title": key, "url": f"https://video.example.org/{key}", "seconds": 60} | columns
    with engine.begin() as connection:
        values = row | {"channel_id": channel_id, "external_id": key, "published_at": published_at}
        connection.execute(insert(Video).values(values | {"first_seen_at": published_at}))


def test_videos_are_listed_by_channel_kind_and_period(
    owner: httpx.Client, engine: Engine, channels: Channels, now: datetime
) -> None:
    one, two = channels.channel("one"), channels.channel("two")
    muted = [{"start": 10, "seconds": 5}]
    add_video(engine, one, "a", now - 3 * HOUR, muted=muted, stream_id="77")
    add_video(engine, one, "b", now - 2 * HOUR, type="highlight")
    add_video(engine, two, "c", now - HOUR)
    first = owner.get("/videos", params={"limit": 2}).json()
    second = owner.get("/videos", params={"limit": 2, "cursor": first["next"]}).json()
    assert [each["title"] for page in (first, second) for each in page["items"]] == ["c", "b", "a"]

    archive = second["items"][0]
    assert (archive["muted"], archive["stream_id"]) == (muted, "77")
    assert datetime.fromisoformat(archive["expires_at"]) == now - 3 * HOUR + timedelta(days=7)
    assert [(each["title"], each["expires_at"]) for each in items(owner, "/videos", kind="highlight")] == [("b", None)]
    assert [each["title"] for each in items(owner, "/videos", channel="one")] == ["b", "a"]
    since, until = (now - 2 * HOUR).isoformat(), (now - HOUR).isoformat()
    assert [each["title"] for each in items(owner, "/videos", since=since, until=until)] == ["b"]
    assert owner.get("/videos", params={"channel": "nobody_"}).status_code == 404


def test_a_channel_that_nobody_follows_needs_an_application_and_the_answer_says_which_setting(
    owner: httpx.Client,
) -> None:
    for answer in (owner.get("/channels/lanternwake/status"), owner.post("/channels", json={"channels": ["ada"]})):
        assert answer.status_code == 409
        assert "TWITCH_CLIENT_ID" in answer.json()["detail"]
