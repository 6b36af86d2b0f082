"""`/subscriptions` over HTTP."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import Engine

from models.vault import Vault
from pipeline.people.records import Role
from pipeline.runtime.runtime import utc_now
from tests.notifiers.world import Notifying
from tests.pipeline.web.api.conftest import ClientFor, KeyFor

ANY_VERSION = {"If-Match": "*"}


@pytest.fixture
def world(engine: Engine, vault: Vault) -> Notifying:
    return Notifying(engine, vault, now=utc_now())


@pytest.fixture
def ada_id(add_person: Callable[[str, Role], int]) -> int:
    return add_person("ada", "member")


@pytest.fixture
def ada(ada_id: int, key_for: KeyFor, client_for: ClientFor) -> httpx.Client:
    """A client of a member."""
    return client_for(key_for(ada_id, role="member"))


def test_a_subscription_is_added_and_says_what_it_waits_for(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail", kinds=["stream.*"])
    wish = {"kinds": ["campaign.*"], "games": ["Rust"], "channels": ["https://www.twitch.tv/shroud"]}

    added = owner.post("/subscriptions", json={"target": "mail", "conditions": {**wish, "my_platforms": True}})

    assert added.status_code == 201
    subscription = added.json()
    assert subscription["conditions"] == {**wish, "channels": ["shroud"], "my_platforms": True}
    assert (subscription["target"], subscription["game"], subscription["channel"]) == ("mail", "Rust", "shroud")
    assert any("Rust" in sentence for sentence in subscription["waits_for"])
    assert (subscription["unfollowed"], subscription["on_any_platform"]) == (["shroud"], True)
    shown = owner.get(f"/subscriptions/{subscription['id']}").json()
    assert shown == {name: subscription[name] for name in shown}


def test_who_wants_to_be_strict_waits_for_no_name(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail", kinds=["stream.*"])
    wish = {"target": "mail", "conditions": {"games": ["Rust"]}, "strict": True}

    assert owner.post("/subscriptions", json=wish).status_code == 422
    assert len(owner.get("/subscriptions").json()["items"]) == 1


def test_each_condition_that_is_none_is_named(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail")
    wrong = {"kinds": ["campaign.nothing"], "min_minutes": 9, "max_minutes": 1, "languages": ["klingon"]}

    answer = owner.post("/subscriptions", json={"target": "mail", "conditions": wrong})

    assert answer.status_code == 422
    pointers = {each["pointer"] for each in answer.json()["errors"]}
    assert pointers == {"/conditions/kinds", "/conditions/min_minutes", "/conditions/languages"}


def test_the_same_wish_again_changes_nothing(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail")

    again = owner.post("/subscriptions", json={"target": "mail"}).json()

    assert [each["id"] for each in owner.get("/subscriptions").json()["items"]] == [again["id"]]


def test_a_subscription_is_changed_and_hears_by_its_new_conditions(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail", called="loot", kinds=["campaign.*"])
    world.target("chat", called="talk", kinds=["stream.*"])
    number = owner.get("/subscriptions").json()["items"][0]["id"]

    change = {"name": "rust", "target": "chat", "conditions": {"games": ["Rust"]}}
    changed = owner.patch(f"/subscriptions/{number}", json=change, headers=ANY_VERSION)

    assert changed.status_code == 200
    assert [changed.json()[name] for name in ("name", "target", "game", "kinds")] == ["rust", "chat", "Rust", None]
    world.event(game="Palia")
    event = world.event(game="Rust")
    assert (world.event_ids("mail"), world.event_ids("chat")) == ([], [event])
    taken = owner.patch(f"/subscriptions/{number}", json={"name": "talk"}, headers=ANY_VERSION)
    assert taken.status_code == 409


def test_two_people_have_a_subscription_of_the_same_name_and_hear_their_own(
    owner: httpx.Client, ada: httpx.Client, ada_id: int, world: Notifying
) -> None:
    world.target("mail", called="loot")
    world.target("mail", called="loot", person_id=ada_id, game="Rust")

    mine, hers = (client.get("/subscriptions").json()["items"] for client in (owner, ada))

    assert [each["name"] for each in mine + hers] == ["loot", "loot"]
    assert [each["game"] for each in mine + hers] == [None, "Rust"]
    number = mine[0]["id"]
    assert ada.get(f"/subscriptions/{number}").status_code == 404
    assert ada.patch(f"/subscriptions/{number}", json={"name": "x"}, headers=ANY_VERSION).status_code == 404
    assert ada.delete(f"/subscriptions/{number}", headers=ANY_VERSION).status_code == 404
    assert ada.get(f"/subscriptions/{number}/try").status_code == 404
    assert owner.delete(f"/subscriptions/{number}", headers=ANY_VERSION).status_code == 204
    assert owner.get("/subscriptions").json()["items"] == []
    assert len(ada.get("/subscriptions").json()["items"]) == 1


def test_only_the_owner_hears_how_the_installation_is(
    owner: httpx.Client, ada: httpx.Client, ada_id: int, world: Notifying
) -> None:
    world.target("mail")
    world.target("mail", person_id=ada_id)
    event = world.event("The disk is full", kind="operator.disk_full")
    wish = {"target": "mail", "conditions": {"kinds": ["operator.*"]}}
    [hers] = ada.get("/subscriptions").json()["items"]

    assert owner.post("/subscriptions", json=wish).status_code == 201
    for refused in (
        ada.post("/subscriptions", json=wish),
        ada.patch(f"/subscriptions/{hers['id']}", json=wish, headers=ANY_VERSION),
    ):
        assert refused.status_code == 422
        assert [each["pointer"] for each in refused.json()["errors"]] == ["/conditions/kinds"]
    assert owner.get("/targets/mail/why-not", params={"event": event}).status_code == 200
    assert ada.get("/targets/mail/why-not", params={"event": event}).status_code == 404


def test_a_subscription_of_hers_cannot_go_to_a_target_of_mine(ada: httpx.Client, ada_id: int, world: Notifying) -> None:
    world.target("mail")
    world.target("phone", person_id=ada_id)
    number = ada.get("/subscriptions").json()["items"][0]["id"]

    assert ada.post("/subscriptions", json={"target": "mail"}).status_code == 404
    moved = ada.patch(f"/subscriptions/{number}", json={"target": "mail"}, headers=ANY_VERSION)
    assert moved.status_code == 404


def test_past_events_are_tried_in_pages_without_sending_anything(owner: httpx.Client, world: Notifying) -> None:
    events = [world.event(f"Drops {number}", game="Rust") for number in range(3)]
    world.event("Other drops", game="Palia")
    world.target("mail", called="rust", game="Rust")
    world.subscribe("mail", name="palia", game="Palia")
    number = owner.get("/subscriptions").json()["items"][0]["id"]

    first = owner.get(f"/subscriptions/{number}/try", params={"limit": 2}).json()
    second = owner.get(f"/subscriptions/{number}/try", params={"limit": 2, "cursor": first["next"]}).json()

    assert [each["id"] for page in (first, second) for each in page["items"]] == events
    assert first["items"][0]["message"] == 1
    assert len(owner.get("/targets/mail/try").json()["items"]) == 4
    assert owner.get("/targets/mail/try", params={"since": "2099-01-01T00:00:00Z"}).json()["items"] == []
    assert world.deliveries() == []


def test_a_person_says_on_which_platforms_they_play(owner: httpx.Client, ada: httpx.Client) -> None:
    said = ada.put("/subscriptions/platforms", json={"platforms": ["PC", "PC"]}, headers=ANY_VERSION)

    assert said.json()["platforms"] == ["PC"]
    assert ada.get("/subscriptions/platforms").json()["platforms"] == ["PC"]
    assert owner.get("/subscriptions/platforms").json()["platforms"] == []
