"""`/deliveries`, and what a target's inbox and `why-not` say, over HTTP."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import Engine

from models.vault import Vault
from notifiers import outbox
from pipeline.people.records import Role
from pipeline.runtime.runtime import utc_now
from tests.notifiers.world import Notifying
from tests.pipeline.web.api.conftest import ClientFor, KeyFor


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


def fail_all(world: Notifying) -> None:
    for claimed in world.claim(limit=5):
        world.fail(claimed, permanent=True)


def send_all(world: Notifying) -> None:
    claimed = world.claim(limit=5)
    with world.engine.begin() as connection:
        for message in claimed:
            outbox.settle_sent(connection, message, world.now)


def test_deliveries_are_listed_by_page_the_newest_first(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail")
    events = [world.event(f"Drops {number}") for number in range(5)]

    listed, cursor = [], None
    for _ in range(3):
        page = owner.get("/deliveries", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        listed += [each["event_id"] for each in page["items"]]
        cursor = page["next"]
        # What comes meanwhile is on the first page alone.
        world.event("More drops")

    assert listed == events[::-1]
    assert cursor is None


def test_deliveries_are_filtered_by_target_state_kind_and_time(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail")
    world.target("chat", kinds=["game.*"])
    world.event("Drops")
    send_all(world)
    world.event("A game", kind="game.added")

    def targets(**query: str) -> list[str]:
        return [each["target"] for each in owner.get("/deliveries", params=query).json()["items"]]

    assert sorted(targets()) == ["chat", "mail", "mail"]
    assert targets(target="chat") == ["chat"]
    assert targets(state="sent") == ["mail"]
    assert targets(kind="campaign.added") == ["mail"]
    assert sorted(targets(kind="game.*")) == ["chat", "mail"]
    assert targets(since="2099-01-01T00:00:00Z") == []
    assert owner.get("/deliveries", params={"kind": "game.nothing"}).json()["errors"][0]["pointer"] == "/query/kind"
    assert owner.get("/deliveries", params={"target": "nobody"}).status_code == 404
    assert owner.get("/deliveries", params={"since": "0.5"}).json()["errors"][0]["pointer"] == "/query/since"


def test_a_delivery_says_who_asked_for_it_and_what_became_of_it(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail", called="loot")
    event = world.event("Drops")
    fail_all(world)
    number = owner.get("/deliveries").json()["items"][0]["id"]

    why = owner.get(f"/deliveries/{number}").json()

    assert (why["state"], why["event_id"], why["last_error"]) == ("dead", event, "HTTP 500")
    assert [each["name"] for each in why["subscriptions"]] == ["loot"]
    assert why["subscriptions_removed"] == 0


def test_what_was_sent_and_what_is_dead_is_sent_again(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail")
    world.event("Sent")
    send_all(world)
    world.event("Dead")
    fail_all(world)
    world.event("Waiting")
    waiting, dead, sent = (each["id"] for each in owner.get("/deliveries").json()["items"])

    again = [owner.post(f"/deliveries/{number}/replay") for number in (dead, sent)]

    assert [(each.status_code, each.json()["state"], each.json()["sent_at"]) for each in again] == [
        (200, "pending", None),
        (200, "pending", None),
    ]
    assert "is pending" in owner.post(f"/deliveries/{waiting}/replay").json()["detail"]
    world.now = utc_now()
    [message] = world.claim()
    assert {each.id for each in message.deliveries} == {dead, sent, waiting}
    assert not message.may_have_arrived


def test_the_newest_of_the_dead_are_sent_again(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail")
    for title in ("First", "Second"):
        world.event(title)
        fail_all(world)

    again = owner.post("/deliveries/replay", json={"limit": 1}).json()

    assert [(each["title"], each["state"]) for each in again] == [("Second", "pending")]
    assert len(owner.get("/deliveries", params={"state": "dead"}).json()["items"]) == 1


def test_nothing_of_another_persons_messages_is_there(
    owner: httpx.Client, ada: httpx.Client, ada_id: int, world: Notifying
) -> None:
    world.target("mail", kinds=["stream.*"])
    world.target("mail", person_id=ada_id)
    event = world.event("Drops")
    fail_all(world)
    [hers] = ada.get("/deliveries").json()["items"]

    assert owner.get("/deliveries").json()["items"] == []
    assert owner.get("/deliveries", params={"target": "mail"}).json()["items"] == []
    assert owner.get(f"/deliveries/{hers['id']}").status_code == 404
    assert owner.post(f"/deliveries/{hers['id']}/replay").status_code == 404
    assert owner.post("/deliveries/replay", json={}).json() == []
    assert "no subscription wants it" in owner.get("/targets/mail/why-not", params={"event": event}).json()["reason"]
    assert "given up" in ada.get("/targets/mail/why-not", params={"event": event}).json()["reason"]


def test_an_event_of_another_persons_library_is_none(owner: httpx.Client, ada_id: int, world: Notifying) -> None:
    world.target("mail")
    event = world.event("Ann finished Rez", kind="play.finished", person_id=ada_id)

    answer = owner.get("/targets/mail/why-not", params={"event": event})

    assert answer.status_code == 404
    assert "Rez" not in answer.text


def test_the_inbox_says_what_waits_and_until_when(owner: httpx.Client, world: Notifying) -> None:
    world.target("mail")
    all_day = [{"begins": "00:00", "ends": "12:00"}, {"begins": "12:00", "ends": "23:59"}]
    owner.patch("/targets/mail", json={"settings": {"quiet": all_day}}, headers={"If-Match": "*"})
    events = [world.event(f"Drops {number}") for number in range(3)]
    assert world.claim() == []

    first = owner.get("/targets/mail/inbox", params={"limit": 2}).json()
    second = owner.get("/targets/mail/inbox", params={"limit": 2, "cursor": first["next"]}).json()
    lines = first["items"] + second["items"]

    assert [each["event_id"] for each in lines] == events
    assert {each["held_for"] for each in lines} == {"quiet"}
    held = owner.get("/targets/mail/why-not", params={"event": events[0]}).json()
    assert (held["state"], held["until"]) == ("held", lines[0]["at"])
