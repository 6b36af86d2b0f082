"""`/playthroughs` over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime

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


@pytest.fixture
def shelf(engine: Engine) -> Shelf:
    """A shelf with two games."""
    shelf = Shelf(engine, NOW)
    shelf.entry(shelf.game("Ico", 1), "physical", platform="PlayStation 2")
    shelf.entry(shelf.game("Rez", 2))
    return shelf


@pytest.mark.usefixtures("shelf")
def test_a_playthrough_of_long_ago_keeps_the_year_that_a_person_knows(owner: httpx.Client) -> None:
    body = {"game": "ico", "finished": "2003", "hours": "7:30", "rating": "9/10", "completion": "all"}
    written = owner.post("/playthroughs", json=body)
    assert (written.status_code, written.json()["finished"], written.json()["seconds"]) == (201, "2003", 27000)
    shown = owner.get(f"/playthroughs/{written.json()['id']}").json()
    assert (shown["rating"], shown["rating_scale"], shown["platform"]) == (90, 10, "")


@pytest.mark.usefixtures("shelf")
def test_a_game_is_begun_and_finished(owner: httpx.Client) -> None:
    begun = owner.post("/playthroughs", json={"game": "igdb:1"}).json()
    finished = owner.post("/playthroughs/finish", json={"game": begun["work_id"], "hours": "90 min"}).json()
    assert (begun["status"], finished["id"], finished["status"]) == ("playing", begun["id"], "finished")
    again = owner.post("/playthroughs/finish", json={"game": "Ico"})
    assert (again.status_code, "is finished already" in again.json()["detail"]) == (422, True)


@pytest.mark.usefixtures("shelf")
def test_a_playthrough_is_changed_by_the_fields_that_are_given_and_removed(owner: httpx.Client) -> None:
    number = owner.post("/playthroughs", json={"game": "Ico", "finished": "2003"}).json()["id"]
    path = f"/playthroughs/{number}"
    assert owner.patch(path, json={"finished": "nov 2004", "is_replay": True}).json()["finished"] == "2004-11"
    assert owner.patch(path, json={"finished": None, "status": "paused"}).json()["finished"] is None
    assert (owner.get(path).json()["is_replay"], owner.get(path).json()["status"]) == (True, "paused")
    assert owner.patch(path, json={}).status_code == 422
    assert owner.patch(path, json={"finished": "someday"}).status_code == 422
    assert owner.delete(path).status_code == 204
    assert owner.get(path).status_code == 404


@pytest.mark.usefixtures("shelf")
def test_the_journal_is_read_in_pages_the_last_first(owner: httpx.Client) -> None:
    for finished in ("2003", "2012-05-01", "1999-Q3"):
        owner.post("/playthroughs", json={"game": "Ico", "finished": finished, "is_replay": True})
    owner.post("/playthroughs", json={"game": "Rez"})
    whole = [each["finished"] for each in owner.get("/playthroughs").json()["items"]]
    assert whole == [None, "2012-05-01", "2003", "1999-Q3"]
    first = owner.get("/playthroughs", params={"limit": 3}).json()
    second = owner.get("/playthroughs", params={"limit": 3, "cursor": first["next"]}).json()
    assert [each["finished"] for each in first["items"] + second["items"]] == whole
    assert [each["game"] for each in owner.get("/playthroughs", params={"game": "rez"}).json()["items"]] == ["Rez"]
    assert [each["finished"] for each in owner.get("/playthroughs", params={"year": 2003}).json()["items"]] == ["2003"]


@pytest.mark.usefixtures("shelf")
def test_the_journal_of_another_person_is_not_there(
    owner: httpx.Client, add_person: Callable[[str, Role], int], key_for: KeyFor, client_for: ClientFor
) -> None:
    ada = client_for(key_for(add_person("ada", "member"), role="member"))
    ada.headers["If-Match"] = "*"
    path = f"/playthroughs/{owner.post('/playthroughs', json={'game': 'Ico'}).json()['id']}"

    assert ada.get("/playthroughs").json()["items"] == []
    assert ada.get("/playthroughs", params={"game": "Ico"}).status_code == 404
    statuses = {ada.get(path).status_code, ada.patch(path, json={"notes": "!"}).status_code}
    assert statuses | {ada.delete(path).status_code} == {404}
    assert owner.get(path).json()["notes"] is None
