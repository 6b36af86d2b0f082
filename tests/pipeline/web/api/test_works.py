"""`/games/{game}/work` over HTTP."""

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


@pytest.fixture(autouse=True)
def shelf(engine: Engine) -> Shelf:
    """Two games, each a work of its own."""
    shelf = Shelf(engine, NOW)
    shelf.game("Ico", 1)
    shelf.game("Rez", 2)
    return shelf


def members(client: httpx.Client, game: str) -> set[str]:
    return {each["name"] for each in client.get(f"/games/{game}/work").json()["members"]}


def test_games_are_pinned_together_and_apart_again(owner: httpx.Client) -> None:
    assert members(owner, "Rez") == {"Rez"}
    assert owner.put("/games/Rez/work", json={"with": "Ico"}).status_code == 200
    assert members(owner, "Rez") == members(owner, "Ico") == {"Ico", "Rez"}
    assert owner.put("/games/Rez/work", json={"alone": True}).status_code == 200
    assert members(owner, "Ico") == {"Ico"}
    assert owner.delete("/games/Rez/work").status_code == 204
    assert owner.put("/games/Rez/work", json={"with": "rez"}).status_code == 422
    assert owner.put("/games/Rez/work", json={}).status_code == 422
    assert owner.get("/games/Nothing/work").status_code == 404


def test_only_the_owner_pins_works_which_all_libraries_go_by(
    add_person: Callable[[str, Role], int], key_for: KeyFor, client_for: ClientFor
) -> None:
    ada = client_for(key_for(add_person("ada", "member"), role="member"))
    ada.headers["If-Match"] = "*"

    assert members(ada, "Ico") == {"Ico"}
    assert ada.put("/games/Ico/work", json={"alone": True}).status_code == 403
    assert ada.delete("/games/Ico/work").status_code == 403
