"""`/library` over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from pipeline.people.records import Role
from pipeline.runtime.runtime import Runtime
from tests.igdb import LocalIgdb
from tests.igdb.tokens import tokens_of
from tests.pipeline.library.shelf import Shelf
from tests.pipeline.web.api.conftest import ClientFor, KeyFor
from tests.twitch import LocalTwitch

GAMES: list[dict[str, Any]] = [
    {"id": 21, "name": "Harbour Lights", "slug": "harbour-lights", "total_rating_count": 100, "updated_at": 1},
    {"id": 23, "name": "Quiet Orbit", "slug": "quiet-orbit--1", "updated_at": 1},
    {"id": 24, "name": "Quiet Orbit", "slug": "quiet-orbit", "updated_at": 1},
]
TABLE = b"title,hours,rating\nHarbour Lights,12,4\nQuiet Orbit,,\nNothing Like It,,\n"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def owner(owner: httpx.Client) -> httpx.Client:
    """A client of the owner that changes whatever is there."""
    owner.headers["If-Match"] = "*"
    return owner


@pytest.fixture
def runtime(runtime: Runtime, engine: Engine) -> Iterator[Runtime]:
    """A runtime that asks a local IGDB."""
    with LocalTwitch() as twitch, LocalIgdb(GAMES, accepts=tokens_of(twitch)) as igdb:
        addresses = {
            "twitch_client_id": twitch.client_id,
            "twitch_client_secret": SecretStr(twitch.client_secret),
            "twitch_auth_url": twitch.auth_url,
            "igdb_url": igdb.url,
        }
        settings = runtime.settings.model_copy(update=addresses)
        asking = Runtime(settings=settings, database_url=runtime.database_url, redis_url=runtime.redis_url)
        asking.__dict__.update({"engine": engine, "reading_engine": runtime.reading_engine})
        yield asking


@pytest.fixture
def shelf(engine: Engine) -> Shelf:
    """A shelf with a game that is played, one that waits, and one that is wished for."""
    shelf = Shelf(engine, NOW)
    shelf.entry(shelf.game("Ico", 1), playtime_seconds=45000)
    shelf.entry(shelf.game("Rez", 2), "gog")
    shelf.entry(shelf.game("Okami", 3), "playstation", platform="PlayStation 4", ownership="wished")
    return shelf


def names(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.get("/library", params=query)
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["items"]]


def work_id(client: httpx.Client, name: str) -> int:
    numbers: dict[str, int] = {each["name"]: each["work_id"] for each in client.get("/library").json()["items"]}
    return numbers[name]


@pytest.mark.usefixtures("shelf")
def test_the_library_is_listed_by_conditions(owner: httpx.Client) -> None:
    assert names(owner) == ["Ico", "Okami", "Rez"]
    assert names(owner, status=["wished", "backlog"]) == ["Okami", "Rez"]
    assert names(owner, platform="pc") == ["Ico", "Rez"]
    assert names(owner, store="gog") == names(owner, never_played="true") == ["Rez"]
    assert names(owner, sort="hours", limit=1) == ["Ico"]
    assert names(owner, hidden="true") == []
    refused = owner.get("/library", params={"status": "done", "sort": "name"})
    assert (refused.status_code, "'done' is no status" in refused.json()["detail"]) == (422, True)


@pytest.mark.usefixtures("shelf")
def test_each_order_is_read_in_pages(owner: httpx.Client) -> None:
    for order in ("name", "hours", "rating", "last-played", "added"):
        read, cursor = [], None
        while True:
            query = {"sort": order, "limit": 1} | ({"cursor": cursor} if cursor else {})
            page = owner.get("/library", params=query).json()
            read += [each["name"] for each in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert read == names(owner, sort=order)


@pytest.mark.usefixtures("shelf")
def test_a_game_is_shown_by_its_number_its_title_and_igdbs_number(owner: httpx.Client) -> None:
    number = work_id(owner, "Ico")
    pages = [owner.get(f"/library/{named}").json() for named in (number, "Ico", "igdb:1")]
    assert [page["work"]["work_id"] for page in pages] == [number] * 3
    assert pages[0]["entries"][0]["playtime_seconds"] == 45000
    absent = owner.get("/library/Icoo")
    assert (absent.status_code, "did you mean Ico?" in absent.json()["detail"]) == (404, True)


def test_figures_are_always_a_works_number(owner: httpx.Client, shelf: Shelf) -> None:
    shelf.entry(shelf.game("1942", 1942), "gog")
    assert owner.get(f"/library/{work_id(owner, 'Ico')}").json()["work"]["name"] == "Ico"
    assert owner.get("/library/1942").status_code == 404
    assert owner.get("/library/igdb:1942").json()["work"]["name"] == "1942"


def test_a_game_that_igdb_knows_is_added(owner: httpx.Client) -> None:
    answer = owner.post("/library", json={"game": "Harbour Lights", "store": "gog", "acquired_on": "2020-11-21"})

    assert (answer.status_code, answer.json()["outcome"], answer.json()["igdb_id"]) == (201, "added", 21)
    again = owner.post("/library", json={"game": answer.json()["work_id"], "store": "gog"})
    assert again.json()["outcome"] == "same"
    unclear = owner.post("/library", json={"game": "Quiet Orbit"})
    assert (unclear.status_code, "may be several games" in unclear.json()["detail"]) == (422, True)
    assert owner.post("/library", json={"game": "My Own Game", "own": True}).json()["igdb_id"] is None


@pytest.mark.usefixtures("shelf")
def test_what_you_say_of_a_game_changes_by_the_fields_that_are_given(owner: httpx.Client) -> None:
    path = f"/library/{work_id(owner, 'Ico')}"
    said = owner.patch(path, json={"rating": 90, "rating_scale": 5, "tags_added": ["Quiet"], "notes": "!"})
    assert [each["field"] for each in said.json()["changes"]] == ["rating", "tags", "notes"]
    assert owner.patch(path, json={"notes": None}).json()["changes"] == [{"field": "notes", "old": "!", "new": None}]
    work = owner.get(path).json()["work"]
    assert (work["rating"], work["rating_scale"], work["tags"], work["notes"]) == (90, 5, ["Quiet"], None)
    wrong = owner.patch(path, json={"rating": 101, "colour": "red"})
    assert {each["pointer"] for each in wrong.json()["errors"]} == {"/rating", "/colour"}


@pytest.mark.usefixtures("shelf")
def test_a_game_is_hidden_shown_again_and_forgotten(owner: httpx.Client) -> None:
    path = f"/library/{work_id(owner, 'Ico')}"
    assert owner.post(f"{path}/hide").json()["is_hidden"] is True
    assert (names(owner), names(owner, hidden="true")) == (["Okami", "Rez"], ["Ico"])
    assert owner.post(f"{path}/unhide").json()["is_hidden"] is False
    assert owner.delete(path).status_code == 204
    assert (names(owner), owner.get(path).status_code) == (["Okami", "Rez"], 404)


@pytest.mark.usefixtures("shelf")
def test_figures_remarks_origins_and_platforms_are_told(owner: httpx.Client) -> None:
    assert owner.get("/library/stats").json()["owned"] == 2
    assert owner.get("/library/stats", params={"year": 1999}).json()["games"] == 0
    assert [each["name"] for each in owner.get("/library/remarks").json()["items"]] == ["Rez"]
    origins = owner.get(f"/library/{work_id(owner, 'Ico')}/origins").json()["origins"]
    assert {"owned", "time"} <= {each["what"] for each in origins}
    assert owner.put("/library/platforms", json={"platforms": ["pc"]}).json() == {"platforms": ["PC"]}
    assert owner.get("/library/platforms").json() == {"platforms": ["PC"]}


@pytest.mark.usefixtures("shelf")
def test_the_library_of_another_person_is_not_there(
    owner: httpx.Client, add_person: Callable[[str, Role], int], key_for: KeyFor, client_for: ClientFor
) -> None:
    ada = client_for(key_for(add_person("ada", "member"), role="member"))
    ada.headers["If-Match"] = "*"
    path = f"/library/{work_id(owner, 'Ico')}"

    assert names(ada) == []
    assert ada.get("/library/stats").json()["games"] == 0
    statuses = [
        ada.get(path).status_code,
        ada.patch(path, json={"notes": "mine"}).status_code,
        ada.delete(path).status_code,
        ada.post(f"{path}/hide").status_code,
        ada.get(f"{path}/origins").status_code,
    ]
    assert statuses == [404] * 5
    ada.post("/library", json={"game": "igdb:1"})
    assert (names(ada), len(names(owner))) == (["Ico"], 3)


def test_a_file_is_rehearsed_imported_settled_and_undone(owner: httpx.Client) -> None:
    query: dict[str, str | int] = {"name": "games.csv", "store": "gog", "rating_scale": 5}
    dry = owner.post("/library/imports", params=query | {"dry_run": True}, content=TABLE)
    assert (dry.status_code, dry.json()["is_rehearsed"], names(owner)) == (200, True, [])
    real = owner.post("/library/imports", params=query, content=TABLE).json()
    assert real["counts"] == dry.json()["counts"] == {"new": 1, "unsure": 1, "unknown": 1}
    assert real["taken_for"] == dry.json()["taken_for"]

    waiting = owner.get("/library/waiting").json()["items"]
    assert [line["written"] for line in waiting] == ["Quiet Orbit", "Nothing Like It"]
    lines = [line["line"] for line in waiting]
    settled = owner.post("/library/waiting/settle", json={"lines": lines[:1], "game": "igdb:24"}).json()
    assert [(line["line"], line["igdb_id"]) for line in settled] == [(lines[0], 24)]
    assert owner.post("/library/waiting/settle", json={"lines": lines[1:], "skip": True}).status_code == 200
    assert owner.get("/library/waiting").json()["items"] == []
    again = owner.post(f"/library/waiting/{lines[0]}/undo").json()
    assert [line["line"] for line in again] == lines[:1]
    assert names(owner) == ["Harbour Lights"]


def test_what_cannot_be_imported_or_settled_is_refused(owner: httpx.Client) -> None:
    unnamed = owner.post("/library/imports", content=TABLE)
    assert [each["pointer"] for each in unnamed.json()["errors"]] == ["/query/name"]
    assert owner.post("/library/imports", params={"name": "x", "map": "hours"}, content=TABLE).status_code == 422
    assert owner.post("/library/imports", params={"name": "x"}, content=b"\x00\x01\x02").status_code == 422
    both = owner.post("/library/waiting/settle", json={"lines": [1], "own": True, "skip": True})
    assert (both.status_code, "give one of" in both.text) == (422, True)
    assert owner.post("/library/waiting/settle", json={"lines": [404], "skip": True}).status_code == 404
    assert owner.post("/library/waiting/404/undo").status_code == 404
    assert owner.post("/library/waiting/x/undo").status_code == 422


def test_a_file_that_is_too_large_is_refused(owner: httpx.Client) -> None:
    answer = owner.post("/library/imports", params={"name": "x"}, content=b"x" * (32 * 1024 * 1024 + 1))
    assert answer.status_code == 413


def test_the_document_says_that_an_import_is_the_file_itself(owner: httpx.Client) -> None:
    described = owner.get("/openapi.json").json()["paths"]["/library/imports"]["post"]
    assert described["requestBody"]["content"] == {"*/*": {"schema": {}}}
    assert "32 MB at most" in described["description"]


@pytest.mark.parametrize("key", [None, "lw_wrong"])
def test_nothing_of_a_file_is_read_before_it_is_known_who_sends_it(address: str, key: str | None) -> None:
    place = urlsplit(address)
    with closing(HTTPConnection(place.hostname or "", place.port)) as connection:
        connection.putrequest("POST", f"{place.path}/library/imports?name=x")
        # None of it comes.
        connection.putheader("Content-Length", str(32 * 1024 * 1024))
        if key:
            connection.putheader("Authorization", f"Bearer {key}")
        connection.endheaders()
        answer = connection.getresponse()

        assert (answer.status, answer.headers["connection"]) == (401, "close")
