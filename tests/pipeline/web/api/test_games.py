"""`/games` over HTTP: what is known, what is private, and what is followed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert

from models import Follow, Person, Plan
from models.people import OWNER_ID
from pipeline.games.store.games import store_games
from pipeline.people.records import Role
from pipeline.runtime.runtime import Runtime
from tests.feeds.libraries import Libraries
from tests.feeds.world import Publishing
from tests.igdb import LocalIgdb
from tests.igdb.tokens import tokens_of
from tests.pipeline.games.documents import doc, game
from tests.pipeline.web.api.conftest import ClientFor, KeyFor
from tests.twitch import LocalTwitch

AddPerson = Callable[[str, Role], int]
T0 = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def igdb() -> Iterator[tuple[LocalIgdb, LocalTwitch]]:
    with (
        LocalTwitch() as twitch,
        LocalIgdb([game(9, "Gloomtide"), game(10, "Gloomtide II")], accepts=tokens_of(twitch)) as igdb,
    ):
        yield igdb, twitch


@pytest.fixture
def asking(runtime: Runtime, igdb: tuple[LocalIgdb, LocalTwitch]) -> Runtime:
    """The runtime of the server, which may ask IGDB."""
    service, twitch = igdb
    changes = {
        "twitch_client_id": twitch.client_id,
        "twitch_client_secret": SecretStr(twitch.client_secret),
        "twitch_auth_url": twitch.auth_url,
        "igdb_url": service.url,
    }
    object.__setattr__(runtime, "settings", runtime.settings.model_copy(update=changes))
    return runtime


@pytest.fixture
def ada(add_person: AddPerson) -> int:
    return add_person("ada", "member")


@pytest.fixture
def of_ada(ada: int, key_for: KeyFor, client_for: ClientFor) -> httpx.Client:
    return client_for(key_for(ada, role="member"))


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["items"]]


def test_games_are_listed_in_pages_as_they_became_known(owner: httpx.Client, world: Publishing) -> None:
    for title in ("Gloomtide", "Marshlight", "Quiet Orbit"):
        world.campaign(game_id=world.game(title))

    first = owner.get("/games", params={"limit": 2})
    second = owner.get("/games", params={"limit": 2, "cursor": first.json()["next"]})

    assert names(first) + names(second) == ["Gloomtide", "Marshlight", "Quiet Orbit"]
    assert first.json()["items"][0]["campaigns"] == 1
    assert names(owner.get("/games?service=kick")) == []


def test_a_game_is_shown_with_its_page_its_campaigns_and_its_feeds(owner: httpx.Client, libraries: Libraries) -> None:
    world = libraries.world
    game_id = libraries.own("Gloomtide")
    campaign_id = world.campaign("Winter Trawl", game_id=game_id)
    world.drop(campaign_id, "Lantern")
    world.event("drops", game_id=game_id, campaign_id=campaign_id)
    world.take_in()

    shown = owner.get("/games/gloomtide").json()

    assert (shown["name"], shown["campaigns"], shown["igdb"]["name"]) == ("Gloomtide", 1, "Gloomtide")
    assert [each["name"] for each in shown["open_campaigns"]] == ["Winter Trawl"]
    assert [each["reward"] for each in shown["rewards"]] == ["Lantern"]
    assert {each["scope"] for each in shown["feeds"]} >= {"game"}
    assert shown["igdb"]["releases"]
    assert owner.get(f"/games/{shown['public_id']}").json() == shown
    assert owner.get(f"/games/igdb:{shown['igdb']['igdb_id']}").json() == shown


def test_a_game_of_another_persons_library_is_not_there(
    owner: httpx.Client, of_ada: httpx.Client, libraries: Libraries
) -> None:
    libraries.own("Marshlight")
    mine = owner.get("/games/Marshlight").json()
    paths = ["Marshlight", mine["public_id"], f"igdb:{mine['igdb']['igdb_id']}", "marshlight"]

    answers = [of_ada.get(f"/games/{path}{more}") for path in paths for more in ("", "/link")]
    answers += [of_ada.post(f"/games/{path}/sync") for path in paths]

    assert {answer.status_code for answer in answers} == {404}
    assert "Marshlight" not in of_ada.get("/games/Marshligh").text
    assert names(of_ada.get("/games")) == []
    assert of_ada.get("/games/search?q=Marshlight").json() == []
    assert names(owner.get("/games")) == ["Marshlight"]
    assert of_ada.delete("/games/Marshlight/follow").status_code == 404


def test_a_game_that_something_public_names_is_there_for_everybody(of_ada: httpx.Client, libraries: Libraries) -> None:
    libraries.world.campaign(game_id=libraries.own("Marshlight"))

    assert names(of_ada.get("/games")) == ["Marshlight"]
    assert of_ada.get("/games/Marshlight").status_code == 200


def test_a_search_asks_igdb_and_keeps_what_it_finds(
    asking: Runtime, owner: httpx.Client, igdb: tuple[LocalIgdb, LocalTwitch]
) -> None:
    answer = owner.get("/games/search", params={"q": "Gloomtide", "limit": 1})

    assert [each["name"] for each in answer.json()] == ["Gloomtide"]
    assert owner.get("/games/search").json()["errors"][0]["pointer"] == "/query/q"


def test_a_person_follows_and_unfollows_games_of_their_own(
    asking: Runtime, owner: httpx.Client, of_ada: httpx.Client
) -> None:
    first = of_ada.put("/games/igdb:9/follow").json()
    again = of_ada.put("/games/igdb:9/follow").json()

    assert (first["name"], first["new"], again["new"]) == ("Gloomtide", True, False)
    assert names(of_ada.get("/games/followed")) == ["Gloomtide"]
    assert names(owner.get("/games/followed")) == []
    assert of_ada.get("/games/igdb:9").json()["is_followed"] is True
    assert owner.delete("/games/igdb:9/follow").status_code == 404
    public_id = of_ada.get("/games/igdb:9").json()["public_id"]
    assert of_ada.delete(f"/games/{public_id}/follow").status_code == 204
    assert names(of_ada.get("/games/followed")) == []


def test_a_title_that_may_be_several_games_is_refused_with_them(
    asking: Runtime, owner: httpx.Client, engine: Engine
) -> None:
    answer = owner.put("/games/Nothing%20of%20the%20kind/follow")

    assert answer.status_code == 422
    assert "is no game that is known" in answer.json()["detail"]


def test_who_follows_as_much_as_their_plan_allows_follows_no_more(
    asking: Runtime, of_ada: httpx.Client, ada: int, world: Publishing
) -> None:
    plan_id = world.add(Plan, name="small", gauges={"follows": 1}, created_at=world.now)
    with world.engine.begin() as connection:
        connection.execute(Person.__table__.update().where(Person.id == ada).values(plan_id=plan_id))

    assert of_ada.put("/games/igdb:9/follow").status_code == 200
    assert of_ada.put("/games/igdb:10/follow").status_code == 402
    assert of_ada.put("/games/igdb:9/follow").status_code == 200
    assert names(of_ada.get("/games/followed")) == ["Gloomtide"]


def test_a_game_is_asked_for_anew(
    asking: Runtime, owner: httpx.Client, igdb: tuple[LocalIgdb, LocalTwitch], engine: Engine
) -> None:
    with engine.begin() as connection:
        store_games(connection, [doc(9, "Gloomtyde"), doc(77, "Gone")], T0)

    assert owner.post("/games/igdb:9/sync").json()["igdb"]["name"] == "Gloomtide"
    assert owner.post("/games/igdb:77/sync").status_code == 422


def test_the_owner_pins_which_entry_a_game_is(
    asking: Runtime, owner: httpx.Client, of_ada: httpx.Client, world: Publishing
) -> None:
    world.campaign(game_id=world.game("Gloomtide"))

    pinned = owner.put("/games/Gloomtide/link", json={"igdb_id": 10}, headers={"If-Match": "*"}).json()

    assert (pinned["link"]["igdb_id"], pinned["link"]["how"], pinned["entry"]) == (10, "hand", "Gloomtide II")
    assert of_ada.get("/games/Gloomtide/link").json()["link"]["igdb_id"] == 10
    assert of_ada.put("/games/Gloomtide/link", json={"igdb_id": 10}).status_code == 403
    assert owner.put("/games/Gloomtide/link", json={"igdb_id": 4711}, headers={"If-Match": "*"}).status_code == 422
    assert owner.delete("/games/Gloomtide/link", headers={"If-Match": "*"}).status_code == 204
    assert owner.get("/games/Gloomtide/link").json()["link"] is None


def test_the_catalogue_says_how_it_stands(owner: httpx.Client) -> None:
    answer = owner.get("/igdb").json()

    assert (answer["games"], answer["mirror"], answer["asked_last_hour"]) == (0, "none", 0)


def test_whose_follow_a_row_is_shows_in_no_other_persons_list(
    owner: httpx.Client, of_ada: httpx.Client, libraries: Libraries
) -> None:
    game_id = libraries.own("Marshlight")
    with libraries.world.engine.begin() as connection:
        row = {"person_id": OWNER_ID, "kind": "game", "game_id": game_id, "created_at": libraries.world.now}
        connection.execute(insert(Follow).values(row))
    libraries.list_of("Wishes", game_id)

    [followed] = owner.get("/games/followed").json()["items"]

    assert (followed["name"], followed["lists"]) == ("Marshlight", ["Wishes"])
    assert of_ada.get("/games/followed").json()["items"] == []
