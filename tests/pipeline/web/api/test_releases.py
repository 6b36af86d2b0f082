"""`/releases` over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import insert

from models import Follow, Platform, ReleaseDate
from models.people import OWNER_ID
from pipeline.people.records import Role
from tests.feeds.libraries import Libraries
from tests.pipeline.web.api.conftest import ClientFor, KeyFor

YEAR = datetime.now(UTC).year + 1
AddPerson = Callable[[str, Role], int]


@pytest.fixture
def dated(libraries: Libraries) -> dict[str, int]:
    """Games with a day, a month, a quarter and a year, that everybody may see."""
    world = libraries.world
    with world.engine.begin() as connection:
        connection.execute(insert(Platform), [{"igdb_id": 6, "name": "PC (Microsoft Windows)", "abbreviation": "PC"}])
        connection.execute(insert(Platform), [{"igdb_id": 130, "name": "Nintendo Switch", "abbreviation": "Switch"}])
        connection.execute(ReleaseDate.__table__.delete())
    dates = {
        "Day": {"precision": "day", "date": datetime(YEAR, 2, 3, tzinfo=UTC).date(), "platform_id": 6},
        "Month": {"precision": "month", "month": 2, "platform_id": 130},
        "Quarter": {"precision": "quarter", "quarter": 1},
        "Year": {"precision": "year"},
        "Never": {"precision": "tbd"},
        "Lost": {"precision": "day"},
    }
    games = {}
    for number, (title, columns) in enumerate(dates.items(), 1):
        games[title] = libraries.own(title)
        world.campaign(game_id=games[title])
        with world.engine.begin() as connection:
            named = "SELECT igdb_id FROM game_metadata WHERE name = %(name)s"
            igdb_id = connection.exec_driver_sql(named, {"name": title}).scalar_one()
            connection.execute(ReleaseDate.__table__.delete().where(ReleaseDate.game_igdb_id == igdb_id))
            row = {"game_igdb_id": igdb_id, "igdb_id": number, "year": YEAR, "first_seen_at": world.now}
            connection.execute(insert(ReleaseDate).values(row | columns))
    return games


def games_of(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["game"] for each in answer.json()["items"]]


def test_releases_are_listed_by_their_last_days_in_pages(owner: httpx.Client, dated: dict[str, int]) -> None:
    first = owner.get("/releases", params={"limit": 2})
    second = owner.get("/releases", params={"limit": 2, "cursor": first.json()["next"]})
    third = owner.get("/releases", params={"limit": 2, "cursor": second.json()["next"]})

    assert games_of(first) + games_of(second) + games_of(third) == ["Day", "Month", "Quarter", "Year", "Lost"]
    whens = [each["when"] for answer in (first, second) for each in answer.json()["items"]]
    assert whens == [f"{YEAR}-02-03", f"{YEAR}-02", f"{YEAR}-Q1", f"{YEAR}"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"until={YEAR}-01-31", ["Quarter", "Year", "Lost"]),
        (f"since={YEAR}-02-04&until={YEAR}-03-01", ["Month", "Quarter", "Year", "Lost"]),
        (f"since={YEAR}-04-01", ["Year", "Lost"]),
        ("platform=PC", ["Day"]),
        ("platform=switch", ["Month"]),
        ("followed=true", ["Quarter"]),
    ],
)
def test_releases_are_chosen(
    owner: httpx.Client, libraries: Libraries, dated: dict[str, int], query: str, expected: list[str]
) -> None:
    row = {"person_id": OWNER_ID, "kind": "game", "game_id": dated["Quarter"], "created_at": libraries.world.now}
    with libraries.world.engine.begin() as connection:
        connection.execute(insert(Follow).values(row))

    assert games_of(owner.get(f"/releases?{query}")) == expected


def test_a_platform_that_nothing_is_on_is_named(owner: httpx.Client, dated: dict[str, int]) -> None:
    answer = owner.get("/releases?platform=Swich")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/platform"


def test_dates_of_games_that_only_another_persons_library_has_are_not_there(
    libraries: Libraries, add_person: AddPerson, key_for: KeyFor, client_for: ClientFor, owner: httpx.Client
) -> None:
    libraries.own("Marshlight")
    ada = client_for(key_for(add_person("ada", "member"), role="member"))

    assert games_of(ada.get("/releases?since=2020-01-01")) == []
    assert games_of(owner.get("/releases?since=2020-01-01")) == ["Marshlight"]
