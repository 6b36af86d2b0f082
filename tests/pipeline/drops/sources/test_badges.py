"""Global chat badges: fetched, compared, stored, and announced when they are new."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update

from feeds.catalog import load_feeds, marked_ids
from feeds.publish import take_in_all
from models import ChatBadge, Event, QuarantinedPayload, Source
from pipeline.drops.sources.badges import Badges, TwitchBadges
from pipeline.embedded import Servers
from pipeline.errors import SourceChanged, SourceRefused
from pipeline.fetch.http import Client
from pipeline.ingest.fetching import Fetched, fetch_source, register
from pipeline.ingest.source import Ingested, Validators
from pipeline.runtime.runtime import utc_now
from tests.details import campaign_detail
from tests.paths import RECORDINGS
from tests.pipeline.builders import encode
from tests.pipeline.services.twitch.helix_setting import HelixSetting, helix_setting
from tests.pipeline.world import Ingesting
from tests.twitch import LocalTwitch

HELIX = RECORDINGS / "helix"
BADGES = Badges()
HOURLY = timedelta(hours=1)


def version(number: str = "1", title: str = "VIP", **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "title": title,
        "description": title,
        "image_url_4x": f"https://cdn.example/{title}",
        **fields,
    }


def badge_set(name: str, *versions: dict[str, Any]) -> dict[str, Any]:
    return {"set_id": name, "versions": list(versions or (version(title=name),))}


def payload(*sets: Any) -> bytes:
    return encode({"data": list(sets)})


NINE = [badge_set(name) for name in "abcdefghi"]


@pytest.fixture
def world(engine: Engine) -> Ingesting:
    world = Ingesting(engine)
    with engine.begin() as connection:
        register(connection, [BADGES], world.now)
    world.set_source(BADGES.name, known_since=world.now - timedelta(days=30))
    return world


def take_in(world: Ingesting, *sets: Any, hours: float = 0) -> Ingested:
    return world.ingest(payload(*sets), source=BADGES, hours=hours)


def badge(world: Ingesting, external_id: str) -> Any:
    (row,) = world.rows(ChatBadge, external_id=external_id)
    return row


def test_the_first_list_is_kept_and_told_to_nobody(world: Ingesting) -> None:
    result = take_in(world, badge_set("bits", version("1", "cheer 1"), version("100", "cheer 100")), badge_set("vip"))

    assert (result.outcome, result.items, result.changed) == ("ok", 3, 3)
    assert [row.external_id for row in world.rows(ChatBadge)] == ["bits/1", "bits/100", "vip/1"]
    assert {(row.kind, row.silent) for row in world.rows(Event)} == {("badge.added", True)}


def test_badges_that_were_there_before_we_looked_are_on_no_feed(world: Ingesting) -> None:
    take_in(world, *NINE)
    take_in(world, *NINE, badge_set("new"), hours=1)

    take_in_all(world.engine)
    with world.engine.connect() as connection:
        marked = load_feeds(connection, marked_ids(connection))
        feeds = {feed.path: [item.title for item in feed.items] for feed in marked}
    assert feeds.keys() == {"all", "services/twitch", "badges", "badges-and-emotes"}
    assert list(feeds.values()) == [["New chat badge on Twitch – new"]] * 4


def test_a_new_set_and_a_new_version_are_told_once_each(world: Ingesting) -> None:
    take_in(world, badge_set("bits"))
    new = badge_set("glhf", version(title="GLHF", description="Signed it", click_url="https://anykey.example/"))
    listed = (badge_set("bits", version(title="bits"), version("100", "cheer 100")), new)
    for _ in range(2):
        take_in(world, *listed, hours=1)

    first, cheer, glhf = world.events("badge.added")
    assert (first.silent, cheer.silent, glhf.silent) == (True, False, False)
    assert (cheer.title, cheer.event_key) == (
        "New chat badge on Twitch – cheer 100",
        "badge.added:twitch:badge:bits/100",
    )
    detail = campaign_detail(glhf)
    assert (detail.name, detail.description, detail.url) == ("GLHF", "Signed it", "https://anykey.example/")
    assert detail.image_url == "https://cdn.example/GLHF"


def test_the_same_list_again_writes_nothing(world: Ingesting) -> None:
    take_in(world, *NINE)
    before = world.rows(ChatBadge)

    assert take_in(world, *NINE, hours=1).outcome == "unchanged"
    assert world.rows(ChatBadge) == before


def test_a_badge_that_changes_is_kept_as_it_is_now_and_not_told(world: Ingesting) -> None:
    take_in(world, badge_set("vip", version(title="VIP", click_url="https://help.example/")))

    result = take_in(world, badge_set("vip", version(title="V.I.P.", description=None)), hours=1)

    row = badge(world, "vip/1")
    # A description that Twitch leaves out stays.
    assert (row.title, row.description, row.click_url) == ("V.I.P.", "VIP", "https://help.example/")
    assert result.changed == 1
    assert len(world.events("badge.added")) == 1


def test_a_badge_is_gone_after_three_lists_without_it_and_comes_back_in_silence(world: Ingesting) -> None:
    take_in(world, *NINE)
    for _ in range(3):
        assert badge(world, "a/1").last_seen_at is None
        take_in(world, *NINE[1:], hours=1)
    assert badge(world, "a/1").last_seen_at == world.now

    take_in(world, *NINE, hours=1)

    assert badge(world, "a/1").last_seen_at is None
    assert world.kinds() == ["badge.added"] * 9
    # It is looked for as before, but not believed so soon.
    for _ in range(24):
        assert badge(world, "a/1").last_seen_at is None
        take_in(world, *NINE[1:], hours=1)
    take_in(world, *NINE[1:], hours=1)
    assert badge(world, "a/1").last_seen_at == world.now


def test_an_empty_list_is_not_believed(world: Ingesting) -> None:
    take_in(world, *NINE)

    assert take_in(world, hours=1).outcome == "quarantined"
    assert {row.reason for row in world.rows(QuarantinedPayload)} == {"empty"}
    assert world.kinds("source") == ["source.changed"]
    assert {row.last_seen_at for row in world.rows(ChatBadge)} == {None}


def test_a_set_without_versions_shows_none_of_its_own_to_be_gone(world: Ingesting) -> None:
    take_in(world, *NINE)
    for _ in range(4):
        take_in(world, {"set_id": "a", "versions": []}, *NINE[1:], hours=1)

    assert badge(world, "a/1").last_seen_at is None


@pytest.mark.parametrize(
    "broken",
    [
        badge_set("odd", {"id": "1"}),
        badge_set("odd", {"id": "1", "title": " "}),
        badge_set("odd", {"title": "no id"}),
        {"set_id": "odd", "versions": None},
        {"set_id": "", "versions": [version()]},
        "not a set",
    ],
    ids=["no title", "empty title", "no id", "no list", "empty set id", "no object"],
)
def test_a_set_that_cannot_be_read_is_set_aside_and_the_rest_lands(world: Ingesting, broken: Any) -> None:
    result = take_in(world, *[badge_set(f"set {number}") for number in range(30)], broken)

    assert (result.outcome, result.invalid) == ("ok", 1)
    assert {row.reason for row in world.rows(QuarantinedPayload)} == {"invalid_item"}
    assert len(world.rows(ChatBadge)) == 30


def test_an_old_list_adds_what_was_never_seen_and_changes_nothing_else(world: Ingesting) -> None:
    take_in(world, badge_set("vip"), badge_set("now"), hours=5)
    old = payload(badge_set("vip", version(title="Very old")), badge_set("then"))

    result = world.ingest(old, source=BADGES, at=world.now - timedelta(hours=3))

    assert (result.outcome, result.changed) == ("late", 1)
    assert badge(world, "vip/1").title == "vip"
    assert badge(world, "then/1").title == "then"


def test_what_is_no_list_of_badges_is_refused_as_a_whole() -> None:
    for odd in (b"", b"[]", b'{"data":{}}', b"<html>"):
        with pytest.raises(SourceChanged, match="list of chat badges"):
            BADGES.split(odd)


def test_without_an_application_nobody_can_be_asked() -> None:
    with Client() as client, pytest.raises(SourceRefused, match="TWITCH_CLIENT_ID"):
        BADGES.fetch(client, Validators())


@pytest.fixture
def setting(servers: Servers, tmp_path: Path) -> Iterator[HelixSetting]:
    with LocalTwitch() as twitch, helix_setting(twitch, servers, tmp_path) as setting:
        yield setting


def fetch(engine: Engine, setting: HelixSetting) -> Fetched:
    source = TwitchBadges(lambda _: setting.helix, poll_every=HOURLY)
    with engine.begin() as connection:
        register(connection, [source], utc_now())
        connection.execute(update(Source).values(next_due_at=utc_now()))
    fetched = fetch_source(engine, source, utc_now)
    assert fetched is not None
    return fetched


def test_twitch_is_asked_hourly_and_a_failure_ends_nothing(world: Ingesting, setting: HelixSetting) -> None:
    setting.twitch.set_badges(NINE)
    first = fetch(world.engine, setting)
    assert (first.outcome, first.items, first.error) == ("ok", 9, None)
    assert HOURLY - timedelta(minutes=1) < first.next_due_at - utc_now() <= HOURLY

    setting.fail("chat/badges/global", 500, "", times=3)
    assert fetch(world.engine, setting).outcome == "failed"

    setting.twitch.set_badges([*NINE, badge_set("new")])
    fetch(world.engine, setting)
    assert [(row.title, row.silent) for row in world.events("badge.added")][9:] == [
        ("New chat badge on Twitch – new", False)
    ]
    assert {row.last_seen_at for row in world.rows(ChatBadge)} == {None}


@pytest.mark.recordings
@pytest.mark.skipif(not HELIX.is_dir(), reason=f"there are no recordings in {HELIX}")
def test_recorded_badges_are_read(world: Ingesting) -> None:
    recorded = sorted(HELIX.glob("*/*badges_global_200*.json"))
    assert recorded
    for path in recorded:
        snapshot = BADGES.split(path.read_bytes())
        assert not snapshot.broken
        for item in snapshot.items:
            assert BADGES.parse(item).image_url
    world.ingest(recorded[0].read_bytes(), source=BADGES)
    assert world.rows(ChatBadge)
