"""`/lists` over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from pipeline.people.records import Role
from tests.pipeline.library.shelf import Shelf
from tests.pipeline.web.api.conftest import ClientFor, KeyFor

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def owner(owner: httpx.Client) -> httpx.Client:
    """A client of the owner that changes whatever is there."""
    owner.headers["If-Match"] = "*"
    return owner


@pytest.fixture(autouse=True)
def games(engine: Engine) -> None:
    """The catalogue, with three games."""
    shelf = Shelf(engine, NOW)
    for number, name in enumerate(("Harbour Lights", "Moss Runner", "Quiet Orbit"), 1):
        shelf.catalogue(number, name, total_rating_count=100)


@pytest.fixture
def path(owner: httpx.Client) -> str:
    """A list of the owner with two games."""
    made = owner.post("/lists", json={"name": "To play", "description": "soon"})
    assert made.status_code == 201
    path = f"/lists/{made.json()['slug']}"
    for title in ("igdb:1", "igdb:2"):
        assert owner.post(f"{path}/entries", json={"title": title}).status_code == 201
    return path


def entries(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    return client.get(f"{path}/entries", params=query).json()["items"]  # type: ignore[no-any-return]


def test_a_list_is_made_changed_and_removed(owner: httpx.Client, path: str) -> None:
    assert [each["name"] for each in owner.get("/lists").json()["items"]] == ["To play"]
    assert owner.get("/lists/To play").json()["entries"] == 2
    changed = owner.patch(path, json={"ranked": True, "description": None}).json()
    assert (changed["ranked"], changed["wants"], changed["description"]) == (True, True, None)
    assert owner.post("/lists", json={"name": "To play"}).status_code == 422
    assert owner.post("/lists", json={"name": "Best", "ranked": True}).json()["wants"] is False
    assert owner.delete(path).status_code == 204
    assert owner.get(path).status_code == 404


def test_entries_are_named_by_their_numbers_wherever_they_are_moved(owner: httpx.Client, path: str) -> None:
    [first, second] = [each["id"] for each in entries(owner, path)]
    moved = owner.post(f"{path}/entries/{second}/move", json={"place": 1}).json()
    assert (moved["name"], moved["place"], moved["place_before"]) == ("Moss Runner", 1, 2)
    assert [each["id"] for each in entries(owner, path)] == [second, first]
    assert owner.put(f"{path}/entries/{first}/note", json={"notes": "on a boat"}).json()["notes"] == "on a boat"
    assert owner.delete(f"{path}/entries/igdb:2").status_code == 204
    assert [(each["id"], each["notes"]) for each in entries(owner, path)] == [(first, "on a boat")]
    assert owner.post(f"{path}/entries/{second}/move", json={"place": 1}).status_code == 404
    assert owner.post(f"{path}/entries/{first}/move", json={"place": 7}).status_code == 422


def test_a_line_that_igdb_lacks_is_added_and_another_settled(owner: httpx.Client, path: str) -> None:
    owner.post(f"{path}/entries", json={"title": "Boat Game", "own": True, "at": 1})
    [line, *_] = entries(owner, path)
    assert (line["written"], line["igdb_id"]) == ("Boat Game", None)
    settled = owner.post(f"{path}/entries/{line['id']}/settle", json={"game": "igdb:3"}).json()
    assert settled == {"position": 1, "igdb_id": 3, "name": "Quiet Orbit"}
    assert entries(owner, path)[0]["name"] == "Quiet Orbit"
    assert owner.post(f"{path}/entries/{line['id']}/settle", json={}).status_code == 422


def test_what_happened_to_a_list_is_read_in_pages_the_oldest_first(owner: httpx.Client, path: str) -> None:
    first = owner.get(f"{path}/log", params={"limit": 2}).json()
    second = owner.get(f"{path}/log", params={"limit": 2, "cursor": first["next"]}).json()
    assert [each["verb"] for each in first["items"] + second["items"]] == ["created", "added", "added"]
    assert second["next"] is None
    assert [each["position"] for each in entries(owner, path, limit=1)] == [1]


def test_a_file_becomes_a_list(owner: httpx.Client) -> None:
    lines = b"Harbour Lights\nigdb:3\n"
    imported = owner.post("/lists/imports", params={"name": "From a file"}, content=lines)
    assert [(line["written"], line["igdb_id"]) for line in imported.json()["lines"]] == [
        ("Harbour Lights", 1),
        ("igdb:3", 3),
    ]
    assert [line["igdb_id"] for line in entries(owner, "/lists/from-a-file")] == [1, 3]


def test_the_list_of_another_person_is_not_there(
    path: str, add_person: Callable[[str, Role], int], key_for: KeyFor, client_for: ClientFor, owner: httpx.Client
) -> None:
    ada = client_for(key_for(add_person("ada", "member"), role="member"))
    ada.headers["If-Match"] = "*"
    number = entries(owner, path)[0]["id"]

    assert ada.get("/lists").json()["items"] == []
    statuses = [
        ada.get(path).status_code,
        ada.patch(path, json={"ranked": True}).status_code,
        ada.delete(path).status_code,
        ada.get(f"{path}/log").status_code,
        ada.get(f"{path}/entries").status_code,
        ada.post(f"{path}/entries", json={"title": "igdb:3"}).status_code,
        ada.delete(f"{path}/entries/{number}").status_code,
        ada.post(f"{path}/entries/{number}/move", json={"place": 1}).status_code,
        ada.put(f"{path}/entries/{number}/note", json={"notes": "!"}).status_code,
        ada.post(f"{path}/entries/{number}/settle", json={"own": True}).status_code,
    ]
    assert statuses == [404] * 10
