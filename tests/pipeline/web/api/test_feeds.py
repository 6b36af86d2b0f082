"""`/feeds` over HTTP: public ones, and those of a person, whose addresses are secrets."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import Engine

from models.people import OWNER_ID
from models.vault import Vault
from notifiers.targets import add_target
from pipeline.people.records import Role
from pipeline.runtime.runtime import Runtime, utc_now
from tests.feeds.libraries import Libraries
from tests.feeds.world import Publishing
from tests.pipeline.web.api.conftest import ClientFor, KeyFor

AddPerson = Callable[[str, Role], int]


@pytest.fixture
def ada(add_person: AddPerson) -> int:
    return add_person("ada", "member")


@pytest.fixture
def of_ada(ada: int, key_for: KeyFor, client_for: ClientFor) -> httpx.Client:
    return client_for(key_for(ada, role="member"))


def test_public_feeds_are_listed_in_pages_with_their_addresses(owner: httpx.Client, world: Publishing) -> None:
    world.event("drops", game_id=world.game("Gloomtide"))
    world.take_in()

    first = owner.get("/feeds", params={"limit": 3}).json()
    rest = owner.get("/feeds", params={"limit": 400, "cursor": first["next"]}).json()

    titles = [each["title"] for page in (first, rest) for each in page["items"]]
    assert len(titles) == len(set(titles)) > 3
    assert {"Everything", "Gloomtide"} <= set(titles)
    [line] = [each for page in (first, rest) for each in page["items"] if each["title"] == "Gloomtide"]
    assert line["rss"].endswith(f"/{line['path']}.rss.xml")
    assert [each["scope"] for each in owner.get("/feeds?scope=game").json()["items"]] == ["game"]


def test_a_feed_is_shown_with_its_newest_items(owner: httpx.Client, world: Publishing) -> None:
    world.event("New drops", game_id=world.game("Gloomtide"))
    world.take_in()

    shown = owner.get("/feeds/Gloomtide").json()

    assert [each["title"] for each in shown["newest"]] == ["New drops"]
    assert owner.get(f"/feeds/{shown['id']}").json() == shown
    missing = owner.get("/feeds/Gloomtid")
    assert (missing.status_code, "did you mean Gloomtide?" in missing.text) == (404, True)


def test_a_personal_feed_is_made_once_shown_and_rotated(of_ada: httpx.Client) -> None:
    made = of_ada.post("/feeds/personal", json={"opens": "followed"})
    again = of_ada.post("/feeds/personal", json={"opens": "followed"})
    [listed] = of_ada.get("/feeds/personal").json()["items"]
    shown = of_ada.get(f"/feeds/personal/{listed['id']}")
    rotated = of_ada.post(f"/feeds/personal/{listed['id']}/rotate")

    assert made.status_code == 201
    assert made.json() == again.json() == shown.json()
    assert made.json()["rss"].split("/")[-2] not in str(listed)
    assert rotated.json()["rss"] != made.json()["rss"]
    assert of_ada.get(f"/feeds/personal/{listed['id']}").status_code == 404
    assert of_ada.get(f"/feeds/personal/{rotated.json()['id']}").json() == rotated.json()


def test_personal_feeds_are_of_their_person_alone(
    owner: httpx.Client, of_ada: httpx.Client, ada: int, libraries: Libraries, engine: Engine, runtime: Runtime
) -> None:
    libraries.list_of("Wishes")
    with engine.begin() as connection:
        add_target(connection, runtime.vault, "phone", "json://hooks.example.org/x", utc_now())
    for body in ({"opens": "list", "name": "Wishes"}, {"opens": "target", "name": "phone"}):
        made = owner.post("/feeds/personal", json=body)
        assert made.status_code == 201
        assert of_ada.get(f"/feeds/personal/{made.json()['id']}").status_code == 404
        assert of_ada.post(f"/feeds/personal/{made.json()['id']}/rotate").status_code == 404
        refused = of_ada.post("/feeds/personal", json=body)
        assert refused.status_code in {404, 422}
        assert "/private/" not in refused.text

    assert of_ada.get("/feeds/personal").json()["items"] == []
    assert {each["opens"] for each in owner.get("/feeds/personal").json()["items"]} == {"list", "target"}


def test_a_key_shows_only_feeds_of_what_it_may_read(
    client_for: ClientFor, key_for: KeyFor, owner: httpx.Client
) -> None:
    made = owner.post("/feeds/personal", json={"opens": "library"}).json()
    follows = client_for(key_for(OWNER_ID, "read", "follow"))

    assert follows.get("/feeds/personal").json()["items"] == []
    assert follows.get(f"/feeds/personal/{made['id']}").status_code == 403
    assert follows.post("/feeds/personal", json={"opens": "health"}).status_code == 403
    assert follows.post("/feeds/personal", json={"opens": "followed"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"opens": "list"}, "/name"),
        ({"opens": "library", "name": "x"}, "/name"),
        ({"opens": "show"}, "/opens"),
        ({}, "/opens"),
    ],
)
def test_what_is_wrong_with_a_feed_is_named(owner: httpx.Client, body: dict[str, str], pointer: str) -> None:
    answer = owner.post("/feeds/personal", json=body)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_the_health_is_of_the_owner_alone(owner: httpx.Client, of_ada: httpx.Client, vault: Vault) -> None:
    assert of_ada.post("/feeds/personal", json={"opens": "health"}).status_code == 403
    assert owner.post("/feeds/personal", json={"opens": "health"}).status_code == 201
