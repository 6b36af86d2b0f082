"""`/campaigns`, `/rewards`, `/badges` and `/organizations` over HTTP."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import insert, update

from models import CampaignDeadline, ChatBadge, Organization, Reward, RewardCampaign, TimeBasedDrop
from models.names import name_key
from tests.feeds.world import Publishing

DAY = timedelta(days=1)


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["items"]]


@pytest.fixture
def campaigns(world: Publishing) -> dict[str, int]:
    """A campaign of each state."""
    game_id, organization_id = world.game("Gloomtide"), world.organization("Tidewarden")
    past, ahead = world.now - DAY, world.now + DAY
    return {
        "upcoming": world.campaign("upcoming", start_at=ahead, started_at=None, end_at=ahead + DAY),
        "running": world.campaign("running", game_id=game_id, organization_id=organization_id),
        "ended": world.campaign("ended", end_at=past, ended_at=past, game_id=game_id),
        "withdrawn": world.campaign("withdrawn", withdrawn_at=past, service="kick"),
    }


def test_campaigns_are_listed_in_pages_the_newest_first(owner: httpx.Client, campaigns: dict[str, int]) -> None:
    first = owner.get("/campaigns", params={"limit": 3})
    second = owner.get("/campaigns", params={"limit": 3, "cursor": first.json()["next"]})

    assert names(first) + names(second) == list(reversed(campaigns))


@pytest.mark.parametrize("state", ["upcoming", "running", "ended", "withdrawn"])
def test_campaigns_are_chosen_by_how_they_stand(owner: httpx.Client, campaigns: dict[str, int], state: str) -> None:
    assert names(owner.get(f"/campaigns?state={state}")) == [state]
    assert owner.get(f"/campaigns/{campaigns[state]}").json()["campaign"]["state"] == state


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("game=gloomtide", ["ended", "running"]),
        ("organization=Tidewarden", ["running"]),
        ("service=kick", ["withdrawn"]),
        ("has_subscription=true", ["running"]),
        ("game=gloomtide&has_subscription=false", ["ended"]),
    ],
)
def test_campaigns_are_chosen_by_what_they_are_about(
    owner: httpx.Client, world: Publishing, campaigns: dict[str, int], query: str, expected: list[str]
) -> None:
    world.drop(campaigns["ended"])
    drop = world.drop(campaigns["running"])
    with world.engine.begin() as connection:
        connection.execute(update(TimeBasedDrop).where(TimeBasedDrop.id == drop).values(required_subs=1))

    assert names(owner.get(f"/campaigns?{query}")) == expected


def test_a_campaign_is_shown_with_all_that_hangs_on_it(
    owner: httpx.Client, world: Publishing, campaigns: dict[str, int]
) -> None:
    campaign_id = campaigns["running"]
    world.drop(campaign_id, "Lantern", minutes=45)
    world.allow(campaign_id, ["captbrine", "mossy"])
    world.event("New drops", campaign_id=campaign_id)
    world.event("Others", campaign_id=campaigns["ended"])
    with world.engine.begin() as connection:
        due = {"campaign_id": campaign_id, "kind": "last_chance", "due_at": world.now + DAY}
        connection.execute(insert(CampaignDeadline).values(due))

    shown = owner.get(f"/campaigns/{campaign_id}").json()

    assert shown["campaign"]["game"]["name"] == "Gloomtide"
    assert (shown["campaign"]["drops"], shown["campaign"]["channels"]) == (1, 2)
    assert [benefit["name"] for drop in shown["drops"] for benefit in drop["benefits"]] == ["Lantern"]
    assert [channel["login"] for channel in shown["channels"]] == ["captbrine", "mossy"]
    assert [deadline["kind"] for deadline in shown["deadlines"]] == ["last_chance"]
    assert [event["title"] for event in shown["changes"]] == ["New drops"]
    assert owner.get(f"/campaigns/{shown['campaign']['external_id']}").json() == shown


def test_the_channels_of_a_campaign_come_in_pages(
    owner: httpx.Client, world: Publishing, campaigns: dict[str, int]
) -> None:
    world.allow(campaigns["running"], [f"channel{number}" for number in range(5)])
    path = f"/campaigns/{campaigns['running']}/channels"

    first = owner.get(path, params={"limit": 3}).json()
    second = owner.get(path, params={"limit": 3, "cursor": first["next"]}).json()

    logins = [each["login"] for page in (first, second) for each in page["items"]]
    assert logins == [f"channel{number}" for number in range(5)]


@pytest.mark.parametrize("path", ["campaigns", "campaigns/{}/channels", "rewards", "badges", "organizations"])
@pytest.mark.parametrize("number", ["4711", "99999999999999999999", "nothing"])
def test_what_is_not_there_is_not_found(owner: httpx.Client, path: str, number: str) -> None:
    answer = owner.get(f"/{path.format(number)}" if "{}" in path else f"/{path}/{number}")

    is_number_wrong = path == "badges" and number != "4711"
    assert answer.status_code == (422 if is_number_wrong else 404)


def test_reward_campaigns_are_listed_and_shown_with_what_they_give(owner: httpx.Client, world: Publishing) -> None:
    usual = {"service": "twitch", "brand": "Soup Brand", "first_seen_at": world.now}
    running = world.add(
        RewardCampaign, external_id="q1", name="Quest", game_id=world.game(), required_subs=2, about_url="x", **usual
    )
    world.add(RewardCampaign, external_id="q2", name="Over", ended_at=world.now, **usual)
    world.add(Reward, reward_campaign_id=running, external_id="r", name="Bowl", first_seen_at=world.now)

    assert names(owner.get("/rewards")) == ["Over", "Quest"]
    assert names(owner.get("/rewards?state=running&game=Gloomtide&has_subscription=true")) == ["Quest"]
    shown = owner.get("/rewards/q1").json()
    assert shown == owner.get(f"/rewards/{running}").json()
    assert [reward["name"] for reward in shown["rewards"]] == ["Bowl"]


def test_badges_are_listed_and_shown(owner: httpx.Client, world: Publishing) -> None:
    badge = {"service": "twitch", "external_id": "moss/1", "title": "Moss", "first_seen_at": world.now}
    badge_id = world.add(ChatBadge, **badge)

    [listed] = owner.get("/badges").json()["items"]

    assert listed["title"] == "Moss"
    assert owner.get(f"/badges/{badge_id}").json() == listed


def test_organizations_are_listed_and_shown_with_their_games(
    owner: httpx.Client, world: Publishing, campaigns: dict[str, int]
) -> None:
    row = {"service": "kick", "external_id": "other", "name": "Other", "name_key": name_key("Other"), "public_id": "o1"}
    world.add(Organization, **row)

    assert names(owner.get("/organizations")) == ["Tidewarden", "Other"]
    assert names(owner.get("/organizations?service=kick")) == ["Other"]
    shown = owner.get("/organizations/tidewarden").json()
    assert shown["organization"]["open"] == 1
    assert [each["game"]["name"] for each in shown["games"]] == ["Gloomtide"]
    assert owner.get("/organizations/o1").json()["games"] == []
