"""`/targets` over HTTP."""

from collections.abc import Callable

import httpx
from sqlalchemy import Engine

from models import Target
from models.vault import Vault
from notifiers.targets import add_target
from pipeline.people.records import Role
from pipeline.runtime.runtime import utc_now
from tests.pipeline.web.api.conftest import ClientFor, KeyFor


def add(engine: Engine, vault: Vault, *names: str) -> None:
    with engine.begin() as connection:
        for name in names:
            add_target(connection, vault, name, "json://hooks.example.org/secret", utc_now())


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
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (
        owner.get("/targets/unknown").json()["detail"] == "There is no target of that name. There are no targets yet."
    )


def test_the_document_describes_every_route(owner: httpx.Client) -> None:
    document = owner.get("/openapi.json").json()

    assert document["openapi"] == "3.1.0"
    assert document["paths"]["/targets"]["get"]["responses"]["200"]["content"]["application/json"]
