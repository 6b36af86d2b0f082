"""`/drops` over HTTP."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import Engine, insert

from models import DropProgress
from models.vault import Vault
from notifiers.targets import add_target
from pipeline.people.records import Role
from pipeline.runtime.runtime import utc_now
from tests.feeds.world import Publishing
from tests.pipeline.web.api.conftest import ClientFor, KeyFor


@pytest.fixture
def ada(add_person: Callable[[str, Role], int]) -> int:
    return add_person("ada", "member")


@pytest.fixture
def of_ada(ada: int, key_for: KeyFor, client_for: ClientFor) -> httpx.Client:
    return client_for(key_for(ada, role="member"))


def settled(client: httpx.Client) -> list[tuple[str, str, str | None]]:
    answer = client.get("/drops").json()
    return [(each["name"], each["state"], each["target"]) for each in answer["items"]]


def test_a_thing_is_claimed_ignored_and_wanted_again_by_each_person_for_themselves(
    owner: httpx.Client, of_ada: httpx.Client, world: Publishing
) -> None:
    campaign_id = world.campaign("Winter Trawl")

    first = of_ada.put(f"/drops/campaign:{campaign_id}", json={"state": "claimed"})
    again = of_ada.put("/drops/winter%20trawl", json={"state": "claimed"})
    other = of_ada.put("/drops/Winter%20Trawl", json={"state": "ignored"})

    assert [answer.json()["new"] for answer in (first, again, other)] == [True, False, True]
    assert settled(of_ada) == [("Winter Trawl", "ignored", None)]
    assert settled(owner) == []
    assert owner.delete("/drops/Winter%20Trawl").status_code == 204
    assert settled(of_ada) == [("Winter Trawl", "ignored", None)]
    assert of_ada.delete("/drops/Winter%20Trawl").status_code == 204
    assert settled(of_ada) == []


def test_it_may_be_for_one_target_of_the_person(
    owner: httpx.Client, of_ada: httpx.Client, world: Publishing, engine: Engine, vault: Vault
) -> None:
    world.campaign("Winter Trawl")
    with engine.begin() as connection:
        add_target(connection, vault, "phone", "json://hooks.example.org/x", utc_now())
    body = {"state": "claimed", "target": "phone"}

    assert owner.put("/drops/Winter%20Trawl", json=body).status_code == 200
    assert settled(owner) == [("Winter Trawl", "claimed", "phone")]
    assert of_ada.put("/drops/Winter%20Trawl", json=body).status_code == 404
    assert owner.delete("/drops/Winter%20Trawl?target=phone").status_code == 204
    assert settled(owner) == []


def test_what_may_be_several_things_is_refused_with_what_they_are(owner: httpx.Client, world: Publishing) -> None:
    first, second = world.campaign("Winter Trawl"), world.campaign("Winter Trawl", service="kick")

    answer = owner.put("/drops/Winter%20Trawl", json={"state": "claimed"})

    assert answer.status_code == 422
    assert f"campaign:{first}" in answer.text
    assert f"campaign:{second}" in answer.text
    assert owner.put("/drops/Nothing", json={"state": "claimed"}).status_code == 404
    assert owner.put("/drops/game:99999999999999999999", json={"state": "claimed"}).status_code == 404


def test_progress_is_that_of_the_person(owner: httpx.Client, of_ada: httpx.Client, ada: int, world: Publishing) -> None:
    drop_id = world.drop(world.campaign("Winter Trawl"), minutes=60)
    with world.engine.begin() as connection:
        row = {"person_id": ada, "drop_id": drop_id, "minutes": 12, "seen_at": world.now}
        connection.execute(insert(DropProgress).values(row))

    [line] = of_ada.get("/drops/progress").json()["items"]

    assert (line["campaign"], line["minutes"], line["required_minutes"]) == ("Winter Trawl", 12, 60)
    assert owner.get("/drops/progress").json()["items"] == []
