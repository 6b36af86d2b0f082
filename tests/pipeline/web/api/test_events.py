"""`/events` over HTTP."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from models.people import OWNER_ID
from pipeline.people.records import Role
from tests.feeds.libraries import Libraries
from tests.feeds.world import Publishing
from tests.pipeline.web.api.conftest import ClientFor, KeyFor

AddPerson = Callable[[str, Role], int]


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["title"] for each in answer.json()["items"]]


def test_events_are_listed_in_pages_newest_first_or_oldest(owner: httpx.Client, world: Publishing) -> None:
    for number in range(5):
        world.event(f"event {number}", channel_id=None)

    first = owner.get("/events", params={"limit": 3})
    second = owner.get("/events", params={"limit": 3, "cursor": first.json()["next"]})

    assert titles(first) + titles(second) == [f"event {number}" for number in (4, 3, 2, 1, 0)]
    assert second.json()["next"] is None
    assert titles(owner.get("/events?order=oldest&limit=2")) == ["event 0", "event 1"]


def test_an_event_is_shown_with_its_subjects_and_its_detail(owner: httpx.Client, world: Publishing) -> None:
    event_id = world.event("drops", game_id=world.game("Gloomtide"))

    [listed] = owner.get("/events").json()["items"]
    shown = owner.get(f"/events/{event_id}").json()

    assert shown == listed
    assert shown["subjects"]["game"] == "Gloomtide"
    assert isinstance(shown["detail"], dict)
    assert shown["recorded_at"].endswith("Z")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=stream.online", ["live"]),
        ("kind=campaign.*", ["drops"]),
        ("kind=stream.*&kind=campaign.added", ["live", "drops"]),
        ("game=gloomtide", ["drops"]),
        ("subject=Gloomtide", ["drops"]),
        ("channel=CaptBrine", ["live"]),
        ("service=kick", []),
        ("since=2200-01-01T00:00:00Z", []),
        ("until=2200-01-01T00:00:00Z", ["live", "drops"]),
    ],
)
def test_events_are_chosen(owner: httpx.Client, world: Publishing, query: str, expected: list[str]) -> None:
    world.event("drops", game_id=world.game("Gloomtide"))
    world.event("live", kind="stream.online", channel_id=world.channel("captbrine"))

    assert titles(owner.get(f"/events?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("kind=campain.added", "/query/kind"),
        ("since=2026-11-20T12:00:00", "/query/since"),
        ("cursor=abc", "/query/cursor"),
        ("order=random", "/query/order"),
        ("game=%00", "/query/game"),
    ],
)
def test_what_is_wrong_with_a_query_is_named(owner: httpx.Client, query: str, pointer: str) -> None:
    answer = owner.get(f"/events?{query}")

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_a_person_sees_what_is_public_and_their_own(
    libraries: Libraries, add_person: AddPerson, key_for: KeyFor, client_for: ClientFor
) -> None:
    ada, bo = add_person("ada", "member"), add_person("bo", "member")
    world = libraries.world
    world.event("drops", game_id=world.game("Gloomtide"))
    libraries.event("ada finished Gloomtide", "play.finished", person_id=ada, is_private=True)
    libraries.event("Twitch fails", "source.failing")
    hers = libraries.own("Marshlight", person_id=ada)
    moved = libraries.event("Marshlight moved", "release.moved", game_id=hers, is_private=True)
    of_ada, of_bo, of_owner = (
        client_for(key_for(person, role=role))
        for person, role in ((ada, "member"), (bo, "member"), (OWNER_ID, "owner"))
    )

    assert titles(of_ada.get("/events")) == ["Marshlight moved", "ada finished Gloomtide", "drops"]
    assert titles(of_bo.get("/events")) == ["drops"]
    assert titles(of_owner.get("/events")) == ["Twitch fails", "drops"]
    assert titles(client_for(key_for(OWNER_ID, "events")).get("/events")) == ["drops"]
    assert of_ada.get(f"/events/{moved}").status_code == 200
    assert of_bo.get(f"/events/{moved}").status_code == 404
    assert of_bo.get(f"/events/{moved + 1000}").json()["type"] == of_bo.get(f"/events/{moved}").json()["type"]


def test_pages_neither_repeat_nor_skip_what_comes_between_them(owner: httpx.Client, world: Publishing) -> None:
    for number in range(4):
        world.event(f"event {number}")
    first = owner.get("/events?limit=2")
    world.now += timedelta(minutes=1)
    world.event("between")

    rest = owner.get("/events", params={"limit": 2, "cursor": first.json()["next"]})

    assert titles(first) + titles(rest) == ["event 3", "event 2", "event 1", "event 0"]
