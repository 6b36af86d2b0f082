"""People, keys, plans and the ledger over HTTP."""

from collections.abc import Callable

import httpx
from sqlalchemy import Engine, select

from models import ApiKey
from pipeline.people.records import Role
from tests.pipeline.web.api.conftest import ClientFor, KeyFor

AddPerson = Callable[[str, Role], int]


def test_a_key_says_who_asks_and_what_it_may_do(owner: httpx.Client) -> None:
    me = owner.get("/me").json()

    assert (me["role"], me["standing"]["plan"], me["standing"]["credits"]) == ("owner", None, None)
    assert "admin" in me["scopes"]
    assert {gauge["name"]: gauge["used"] for gauge in me["standing"]["gauges"]}["targets"] == 0


def test_people_are_added_changed_and_deleted(owner: httpx.Client) -> None:
    assert owner.post("/people", json={"name": "ada"}).status_code == 201
    assert owner.post("/people", json={"name": "ada"}).status_code == 422
    changed = owner.patch("/people/ada", json={"role": "guest", "name": "ada l"}, headers={"If-Match": "*"})
    assert (changed.json()["name"], changed.json()["role"]) == ("ada l", "guest")
    assert owner.post("/people/ada l/disable").json()["disabled_at"] is not None
    assert owner.post("/people/ada l/enable").json()["disabled_at"] is None
    assert owner.get("/people/ada l/removal").json()["keys"] == 0

    assert owner.delete("/people/ada l", headers={"If-Match": "*"}).status_code == 200
    assert owner.get("/people/ada l").status_code == 404
    assert [each["name"] for each in owner.get("/people").json()["items"]] == ["owner"]


def test_the_only_owner_stays_one(owner: httpx.Client) -> None:
    any_version = {"If-Match": "*"}
    answers = [
        owner.patch("/people/owner", json={"role": "member"}, headers=any_version),
        owner.post("/people/owner/disable"),
        owner.delete("/people/owner", headers=any_version),
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 409]


def test_an_invitation_names_the_public_address(owner: httpx.Client) -> None:
    answer = owner.post("/people/ada/invitation", json={"role": "member"})

    assert answer.status_code == 201
    assert "/invite/" in answer.json()["address"]


def test_a_key_makes_keys_that_can_do_no_more_than_itself(client_for: ClientFor, key_for: KeyFor) -> None:
    small = client_for(key_for(1, "read", "events"))

    made = small.post("/keys", json={"name": "phone"})
    assert made.json()["scopes"] == ["events", "read"]
    assert client_for(made.json()["secret"]).get("/me").json()["key"] == made.json()["key"]
    refused = small.post("/keys", json={"name": "phone", "scopes": ["admin"]})
    assert (refused.status_code, "not the scope admin" in refused.text) == (422, True)


def test_a_key_does_not_revoke_one_that_can_do_more(
    client_for: ClientFor, key_for: KeyFor, engine: Engine, owner: httpx.Client
) -> None:
    small = client_for(key_for(1, "read"))
    owner.get("/me")
    with engine.connect() as connection:
        larger = connection.scalars(select(ApiKey.public_id).where(ApiKey.scopes.contains(["admin"]))).first()

    assert small.delete(f"/keys/{larger}", headers={"If-Match": "*"}).status_code == 422


def test_a_key_that_was_revoked_opens_nothing_from_the_next_request_on(
    owner: httpx.Client, client_for: ClientFor
) -> None:
    made = owner.post("/keys", json={"name": "phone", "scopes": ["read"]}).json()
    phone = client_for(made["secret"])
    assert phone.get("/me").status_code == 200

    assert owner.delete(f"/keys/{made['key']}", headers={"If-Match": "*"}).status_code == 204

    assert phone.get("/me").status_code == 401
    assert made["secret"] not in owner.get("/keys").text


def test_a_rotated_key_works_beside_the_new_one(owner: httpx.Client, client_for: ClientFor) -> None:
    made = owner.post("/keys", json={"name": "phone", "scopes": ["read"]}).json()

    new = owner.post(f"/keys/{made['key']}/rotate").json()

    assert [client_for(each["secret"]).get("/me").status_code for each in (made, new)] == [200, 200]


def test_keys_and_what_they_changed_come_by_pages(owner: httpx.Client) -> None:
    for number in range(3):
        owner.post("/keys", json={"name": f"key {number}", "scopes": ["read"]})
    first = owner.get("/keys", params={"limit": 2}).json()
    rest = owner.get("/keys", params={"limit": 2, "cursor": first["next"]}).json()
    assert len({each["key"] for each in [*first["items"], *rest["items"]]}) == 4

    changes = owner.get("/keys/history", params={"limit": 2}).json()
    assert [each["operation"] for each in changes["items"]] == ["keys.add_key"] * 2
    assert len(owner.get("/keys/history", params={"cursor": changes["next"]}).json()["items"]) == 1


def test_another_persons_keys_and_ledger_are_for_an_owners_admin(
    owner: httpx.Client, add_person: AddPerson, client_for: ClientFor, key_for: KeyFor
) -> None:
    ada = client_for(key_for(add_person("ada", "member"), role="member"))

    assert ada.get("/keys", params={"everybody": True}).status_code == 403
    assert ada.get("/ledger", params={"person": "owner"}).status_code == 403
    assert ada.get("/people/owner/keys").status_code == 403
    assert {each["person"] for each in owner.get("/keys", params={"everybody": True}).json()["items"]} == {
        "owner",
        "ada",
    }
    assert owner.get("/ledger", params={"person": "ada"}).json() == {"items": [], "next": None}


def test_a_plan_gives_credits_and_each_goes_into_the_ledger(owner: httpx.Client, client_for: ClientFor) -> None:
    plan = {"name": "basic", "credits": 100, "prices": {"extraction": 5}, "gauges": {"targets": 2}}
    assert owner.post("/plans", json=plan).status_code == 201
    owner.post("/people", json={"name": "ada", "plan": "basic"})
    secret = owner.post("/people/ada/keys", json={"name": "phone"}).json()["secret"]
    ada = client_for(secret)

    assert owner.post("/ledger", json={"person": "ada", "amount": 7, "note": "thanks"}).json()["credits"] == 107

    standing = ada.get("/me").json()["standing"]
    assert (standing["plan"], standing["credits"], standing["prices"]) == ("basic", 107, {"extraction": 5})
    assert standing["more_at"] is not None
    assert [each["amount"] for each in ada.get("/ledger").json()["items"]] == [7, 100]


def test_a_plan_is_changed_field_by_field(owner: httpx.Client) -> None:
    owner.post("/plans", json={"name": "basic", "credits": 100, "prices": {"play": 1, "message": 2}})

    changed = owner.patch("/plans/basic", json={"prices": {"play": None}, "credits": 200}, headers={"If-Match": "*"})

    plan = changed.json()
    assert (plan["credits"], plan["ceiling"], plan["prices"]) == (200, 200, {"message": 2})
    assert owner.delete("/plans/basic", headers={"If-Match": "*"}).status_code == 204


def test_words_that_plans_do_not_have_are_named(owner: httpx.Client) -> None:
    answer = owner.post("/plans", json={"name": "basic", "prices": {"plays": 1}})

    assert answer.status_code == 422
    assert "plays" in answer.text
