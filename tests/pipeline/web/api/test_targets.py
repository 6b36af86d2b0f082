"""`/targets` over HTTP."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert, update

from models import Person, Plan, Target
from models.vault import Vault
from notifiers.settings import change_settings
from notifiers.targets import add_target
from pipeline.demo.sinks import WebhookSink
from pipeline.people.records import Role
from pipeline.runtime.runtime import Runtime, utc_now
from tests.pipeline.web.api.conftest import ClientFor, KeyFor

AddPerson = Callable[[str, Role], int]
HOOK = "json://hooks.example.org/secret"
PRIVATE_HOOK = "json://127.0.0.1:9/secret"
ANY_VERSION = {"If-Match": "*"}
# The first person beside the owner.
ADA = 2


def add(engine: Engine, vault: Vault, *names: str) -> None:
    with engine.begin() as connection:
        for name in names:
            add_target(connection, vault, name, HOOK, utc_now())


def test_targets_are_listed_in_pages_without_their_addresses(owner: httpx.Client, engine: Engine, vault: Vault) -> None:
    add(engine, vault, "mail", "chat", "phone")

    first = owner.get("/targets", params={"limit": 2})
    second = owner.get("/targets", params={"limit": 2, "cursor": first.json()["next"]})

    assert [each["name"] for page in (first, second) for each in page.json()["items"]] == ["chat", "mail", "phone"]
    assert second.json()["next"] is None
    assert "secret" not in first.text + second.text


def test_a_target_is_paused(owner: httpx.Client, engine: Engine, vault: Vault) -> None:
    add(engine, vault, "mail")

    answer = owner.post("/targets/mail/pause")

    assert answer.status_code == 200
    assert answer.json()["disabled_at"] is not None
    with engine.connect() as connection:
        assert connection.scalar(Target.__table__.select().with_only_columns(Target.disabled_at)) is not None


def test_the_target_of_another_person_is_not_there(
    engine: Engine, vault: Vault, add_person: Callable[[str, Role], int], key_for: KeyFor, client_for: ClientFor
) -> None:
    add(engine, vault, "mail")
    ada = client_for(key_for(add_person("ada", "member"), role="member"))

    assert ada.get("/targets").json()["items"] == []
    assert ada.get("/targets/mail").status_code == 404
    assert ada.post("/targets/mail/pause").status_code == 404


@pytest.fixture
def hook() -> Iterator[WebhookSink]:
    with WebhookSink() as sink:
        yield sink


@pytest.fixture
def ada(add_person: AddPerson, key_for: KeyFor, client_for: ClientFor) -> httpx.Client:
    """A client of a member."""
    return client_for(key_for(add_person("ada", "member"), role="member"))


def test_a_target_is_added_and_no_answer_has_its_address(owner: httpx.Client) -> None:
    new = {"name": "chat", "url": HOOK, "timezone": "europe/berlin", "settings": {"locale": "de", "private": True}}

    added = owner.post("/targets", json=new)

    assert added.status_code == 201
    target = added.json()
    assert (target["name"], target["timezone"], target["waiting"]) == ("chat", "Europe/Berlin", 0)
    assert target["settings"] == {"locale": "de", "private": True}
    assert target == owner.get("/targets/chat").json()
    assert "secret" not in added.text + owner.get("/targets").text


def test_each_wrong_field_of_a_new_target_is_named(owner: httpx.Client) -> None:
    new = {"name": "?", "url": "nonsense", "timezone": "Mars", "settings": {"heartbeat": {"every": "day"}}}

    answer = owner.post("/targets", json=new)

    assert answer.status_code == 422
    pointers = {each["pointer"] for each in answer.json()["errors"]}
    assert pointers == {"/name", "/url", "/timezone", "/settings/heartbeat"}
    assert "nonsense" not in answer.text


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"quiet": [{"begins": "22:00", "ends": "22:00"}]}, "/settings/quiet/0"),
        ({"quiet": [{"begins": "25:00", "ends": "07:00"}]}, "/settings/quiet/0/begins"),
        ({"quiet": [{"begins": "00:00", "ends": "24:00"}]}, "/settings/quiet"),
        ({"urgent": ["campaign.nothing"]}, "/settings/urgent"),
        ({"burst_seconds": -1}, "/settings/burst_seconds"),
        ({"locale": "klingon"}, "/settings/locale"),
        ({"unsubscribe": "http://plain.example"}, "/settings/unsubscribe"),
        ({"digest": {"every": "year"}}, "/settings/digest/every"),
    ],
)
def test_a_setting_that_is_none_is_named(owner: httpx.Client, settings: dict[str, Any], pointer: str) -> None:
    answer = owner.post("/targets", json={"name": "chat", "url": HOOK, "settings": settings})

    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_what_is_not_given_stays_as_it_is(owner: httpx.Client) -> None:
    night = {"quiet": [{"begins": "22:00", "ends": "07:00"}], "burst_longest_seconds": 60}
    owner.post("/targets", json={"name": "chat", "url": HOOK, "settings": {**night, "digest": {"every": "week"}}})

    changed = owner.patch("/targets/chat", json={"name": "talk", "settings": {"digest": None}}, headers=ANY_VERSION)

    assert changed.status_code == 200
    assert changed.json()["name"] == "talk"
    assert changed.json()["settings"] == night
    assert owner.get("/targets/chat").status_code == 404


def test_a_taken_name_is_a_conflict(owner: httpx.Client) -> None:
    for name in ("chat", "mail"):
        owner.post("/targets", json={"name": name, "url": HOOK})

    assert owner.post("/targets", json={"name": "mail", "url": HOOK}).status_code == 409
    assert owner.patch("/targets/mail", json={"name": "chat"}, headers=ANY_VERSION).status_code == 409


def test_two_people_have_a_target_of_the_same_name(owner: httpx.Client, ada: httpx.Client) -> None:
    for client, zone in ((owner, "UTC"), (ada, "Europe/Paris")):
        assert client.post("/targets", json={"name": "mail", "url": HOOK, "timezone": zone}).status_code == 201
    ada.post("/targets/mail/mute", json={"until": "2099-01-01T00:00:00Z", "game": "Rust"})
    ada.post("/targets/mail/pause")

    mine, hers = owner.get("/targets/mail").json(), ada.get("/targets/mail").json()

    assert (mine["timezone"], mine["disabled_at"], mine["mutes"]) == ("UTC", None, [])
    assert (hers["timezone"], [mute["game"] for mute in hers["mutes"]]) == ("Europe/Paris", ["Rust"])
    assert hers["disabled_at"] is not None
    assert ada.delete("/targets/mail", headers=ANY_VERSION).status_code == 204
    assert owner.get("/targets/mail").json() == mine


def test_only_the_owner_has_operators_targets_and_allows_private_addresses(
    owner: httpx.Client, ada: httpx.Client
) -> None:
    wishes = {"name": "mail", "url": HOOK, "role": "operator", "settings": {"private": True, "heartbeat": {}}}

    refused = ada.post("/targets", json=wishes)

    assert refused.status_code == 422
    problems = {each["pointer"]: each["detail"] for each in refused.json()["errors"]}
    assert problems.keys() == {"/role", "/settings/private"}
    assert "only a target of the owner" in problems["/role"]
    assert "only the owner of the installation" in problems["/settings/private"]
    ada.post("/targets", json={"name": "mail", "url": HOOK})
    assert ada.patch("/targets/mail", json={"settings": {"private": True}}, headers=ANY_VERSION).status_code == 422
    assert ada.patch("/targets/mail", json={"role": "operator"}, headers=ANY_VERSION).status_code == 422
    assert owner.post("/targets", json=wishes).json()["role"] == "operator"


def test_what_the_owner_allowed_for_one_address_does_not_hold_for_the_next(
    engine: Engine, runtime: Runtime, ada: httpx.Client
) -> None:
    ada.post("/targets", json={"name": "hook", "url": PRIVATE_HOOK})
    with engine.begin() as connection:
        change_settings(connection, "hook", {"private": True}, utc_now(), person_id=ADA)
    assert ada.get("/targets/hook").json()["settings"] == {"private": True}

    moved = ada.patch("/targets/hook", json={"url": "json://127.0.0.1:22/x"}, headers=ANY_VERSION).json()

    assert (moved["settings"], moved["is_refused"]) == ({}, True)


def test_a_test_message_says_whether_it_was_taken(owner: httpx.Client, hook: WebhookSink) -> None:
    address = f"json{hook.url.removeprefix('http')}"
    owner.post("/targets", json={"name": "hook", "url": address, "settings": {"private": True}})

    assert owner.post("/targets/hook/test").json() == {"is_taken": True, "reason": None}
    hook.fail_next(1, 403)
    refused = owner.post("/targets/hook/test").json()

    assert not refused["is_taken"]
    assert "HTTP 403" in refused["reason"]
    assert len(hook.messages) == 1


def test_a_mute_lasts_until_it_is_ended(owner: httpx.Client) -> None:
    owner.post("/targets", json={"name": "chat", "url": HOOK})
    until = "2099-12-24T00:00:00Z"

    muted = owner.post("/targets/chat/mute", json={"until": until}).json()

    assert muted["mutes"] == [{"game": None, "until": until}]
    assert owner.post("/targets/chat/unmute", json={"game": "Rust"}).json()["mutes"] == muted["mutes"]
    assert owner.post("/targets/chat/unmute", json={}).json()["mutes"] == []
    for wrong in ("2020-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"):
        refused = owner.post("/targets/chat/mute", json={"until": wrong})
        assert [each["pointer"] for each in refused.json()["errors"]] == ["/until"]


def test_a_plan_may_allow_no_more_targets(engine: Engine, owner: httpx.Client, ada: httpx.Client) -> None:
    plan = {"name": "small", "gauges": {"targets": 1, "subscriptions": 1}, "created_at": utc_now()}
    with engine.begin() as connection:
        plan_id = connection.execute(insert(Plan).values(plan).returning(Plan.id)).scalar_one()
        connection.execute(update(Person).where(Person.id == ADA).values(plan_id=plan_id))
    assert ada.post("/targets", json={"name": "mail", "url": HOOK}).status_code == 201

    assert ada.post("/targets", json={"name": "chat", "url": HOOK}).status_code == 402
    assert [each["name"] for each in ada.get("/targets").json()["items"]] == ["mail"]
    assert ada.post("/subscriptions", json={"target": "mail"}).status_code == 201
    assert ada.post("/subscriptions", json={"target": "mail"}).status_code == 201
    more = {"target": "mail", "conditions": {"games": ["Rust"]}}
    assert ada.post("/subscriptions", json=more).status_code == 402
    assert owner.post("/targets", json={"name": "chat", "url": HOOK}).status_code == 201


def test_each_wrong_field_of_a_query_is_named(owner: httpx.Client) -> None:
    answer = owner.get("/targets", params={"limit": 0, "curser": "x"})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/query/limit", "/query/curser"}
    assert "did you mean cursor?" in answer.text


def test_who_has_no_valid_key_is_refused(client_for: ClientFor, key_for: KeyFor) -> None:
    key = key_for()
    forged = key[:-1] + ("a" if key[-1] != "a" else "b")

    for wrong in (None, "lw_", key[:-5], forged, key.upper(), "Bearer"):
        answer = client_for(wrong).get("/targets")
        assert answer.status_code == 401, wrong
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert client_for(key_for(1, "events")).get("/targets").status_code == 403
    assert client_for(key).get("/targets").status_code == 200


def test_what_is_not_there_is_a_problem_too(owner: httpx.Client) -> None:
    assert owner.get("/nothing").json()["type"].endswith("/not-found")
    answer = owner.delete("/targets")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert (
        owner.get("/targets/unknown").json()["detail"] == "There is no target of that name. There are no targets yet."
    )


def test_the_document_describes_every_route(owner: httpx.Client) -> None:
    document = owner.get("/openapi.json").json()

    assert document["openapi"] == "3.1.0"
    assert document["paths"]["/targets"]["get"]["responses"]["200"]["content"]["application/json"]
