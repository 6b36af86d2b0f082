import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.demo import history

NOW = datetime(2031, 5, 4, 12, 34, 56, 789_000, tzinfo=UTC)
BASE = "http://127.0.0.1:9"
EVERY_STEP = range(history.STEPS)
NUMBERS = range(1190, 1220)

# The mirror's shape of August 2026, written down here once more so that the demo cannot drift from it unseen.
# fmt: off
GROUP_KEYS = {
    "endAt", "gameBoxArtURL", "gameDisplayName", "gameId", "rewards", "startAt",
}
CAMPAIGN_KEYS = {
    "accountLinkURL", "allow", "description", "detailsURL", "endAt", "eventBasedDrops", "game", "id",
    "imageURL", "name", "owner", "startAt", "status", "timeBasedDrops",
}
DROP_KEYS = {
    "benefitEdges", "endAt", "id", "name", "preconditionDrops", "requiredMinutesWatched", "requiredSubs",
    "startAt",
}
BENEFIT_KEYS = {
    "createdAt", "distributionType", "entitlementLimit", "game", "id", "imageAssetURL", "isIosAvailable",
    "name", "ownerOrganization",
}
REWARD_CAMPAIGN_KEYS = {
    "aboutURL", "brand", "endsAt", "externalURL", "id", "image", "instructions", "isSitewide", "name",
    "rewards", "rewardValueURLParam", "startsAt", "status", "summary", "unlockRequirements",
}
REWARD_KEYS = {
    "bannerImage", "earnableUntil", "id", "name", "redemptionInstructions", "redemptionURL",
    "thumbnailImage",
}
KICK_KEYS = {
    "id", "name", "status", "starts_at", "ends_at", "created_at", "updated_at", "connect_url", "url",
    "category", "organization", "channels", "rewards", "rule",
}
KICK_REWARD_KEYS = {
    "id", "name", "image_url", "required_units", "category_id", "organization_id",
}
CHZZK_KEYS = {
    "campaignNo", "title", "imageUrl", "description", "categoryType", "categoryId", "categoryValue",
    "pcLinkUrl", "mobileLinkUrl", "serviceId", "state", "startDate", "endDate", "rewardList",
    "hasIosBasedReward", "dropsCampaignNotStarted", "accountLinkUrl",
}
CHZZK_REWARD_KEYS = {
    "rewardNo", "imageUrl", "title", "rewardType", "conditionType", "conditionForMinutes",
    "iosBasedReward", "codeRemainingCount",
}
# fmt: on
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def groups(step: int) -> list[dict[str, Any]]:
    return history.mirror_drops(NOW, step, BASE)


def campaigns(step: int) -> list[dict[str, Any]]:
    return [campaign for group in groups(step) for campaign in group["rewards"]]


def kick(step: int) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = history.kick_campaigns(NOW, step, BASE)["data"]
    return listed


def chzzk(step: int, version: int = 2) -> dict[int, dict[str, Any]]:
    answers = {no: history.chzzk_campaign(NOW, step, no, BASE, version=version) for no in NUMBERS}
    return {no: answer for no, answer in answers.items() if answer is not None}


def benefits(step: int) -> list[dict[str, Any]]:
    return [
        edge["benefit"]
        for campaign in campaigns(step)
        for drop in campaign["timeBasedDrops"]
        for edge in drop["benefitEdges"]
    ]


def texts(value: Any) -> Iterator[str]:
    """Every string in a payload, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def all_payloads(step: int) -> list[Any]:
    return [
        groups(step),
        history.mirror_rewards(NOW, step, BASE),
        history.kick_campaigns(NOW, step, BASE),
        list(chzzk(step).values()),
        list(chzzk(step, version=1).values()),
    ]


@pytest.mark.parametrize("step", EVERY_STEP)
def test_mirror_groups_and_campaigns_have_exactly_the_keys_of_the_real_shape(step: int) -> None:
    for group in groups(step):
        assert set(group) == GROUP_KEYS
        for campaign in group["rewards"]:
            assert set(campaign) == CAMPAIGN_KEYS
            assert set(campaign["allow"]) in ({"isEnabled"}, {"isEnabled", "channels"})
            assert campaign["owner"] is None or set(campaign["owner"]) == {"id", "name"}
            assert campaign["game"] is None or set(campaign["game"]) == {"displayName", "id", "slug"}
            for channel in campaign["allow"].get("channels", []):
                assert set(channel) == {"displayName", "id", "name"}
            for drop in campaign["timeBasedDrops"]:
                assert set(drop) == DROP_KEYS
                assert all(set(edge) == {"benefit", "entitlementLimit"} for edge in drop["benefitEdges"])
    for benefit in benefits(step):
        assert set(benefit) == BENEFIT_KEYS


@pytest.mark.parametrize("step", EVERY_STEP)
def test_mirror_reward_campaigns_have_exactly_the_keys_of_the_real_shape(step: int) -> None:
    for campaign in history.mirror_rewards(NOW, step, BASE):
        assert set(campaign) - {"game"} == REWARD_CAMPAIGN_KEYS
        assert set(campaign["unlockRequirements"]) == {"minuteWatchedGoal", "subsGoal"}
        assert all(set(reward) == REWARD_KEYS for reward in campaign["rewards"])


@pytest.mark.parametrize("step", EVERY_STEP)
def test_kick_campaigns_have_the_keys_of_the_real_shape_but_for_one_without_a_category(step: int) -> None:
    answer = history.kick_campaigns(NOW, step, BASE)
    assert set(answer) == {"data", "message"}
    for campaign in answer["data"]:
        uncategorised = campaign["name"] == "Mystery Lane"
        assert set(campaign) == KICK_KEYS - ({"category"} if uncategorised else set())
        assert all(set(reward) == KICK_REWARD_KEYS for reward in campaign["rewards"])
        assert ULID.fullmatch(campaign["id"])


@pytest.mark.parametrize("step", EVERY_STEP)
def test_chzzk_campaigns_have_exactly_the_keys_of_each_version_of_the_service(step: int) -> None:
    for campaign in chzzk(step).values():
        assert set(campaign) == CHZZK_KEYS | {"rewardType"}
        assert all(set(reward) == CHZZK_REWARD_KEYS for reward in campaign["rewardList"])
    for campaign in chzzk(step, version=1).values():
        assert set(campaign) == CHZZK_KEYS | {"campaignRewardType"}
        assert all(set(reward) == CHZZK_REWARD_KEYS | {"campaignRewardType"} for reward in campaign["rewardList"])
        assert {reward["rewardType"] for reward in campaign["rewardList"]} == {"TIME_BASED"}


@pytest.mark.parametrize("step", EVERY_STEP)
def test_times_are_written_as_each_service_writes_them(step: int) -> None:
    for group in groups(step):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", group["startAt"])
        for campaign in group["rewards"]:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z", campaign["startAt"])
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:59\.999Z", campaign["endAt"])
    for campaign in kick(step):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z", campaign["starts_at"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", campaign["created_at"])
    for campaign in chzzk(step).values():
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", campaign["startDate"])


@pytest.mark.parametrize("step", EVERY_STEP)
def test_ids_are_unique_and_a_benefit_id_means_one_thing_only(step: int) -> None:
    ids = [campaign["id"] for campaign in campaigns(step)]
    ids += [drop["id"] for campaign in campaigns(step) for drop in campaign["timeBasedDrops"]]
    ids += [campaign["id"] for campaign in history.mirror_rewards(NOW, step, BASE)]
    assert len(ids) == len(set(ids))
    assert all(UUID.fullmatch(id_) for id_ in ids)
    meanings = {(benefit["id"], benefit["name"], json.dumps(benefit["game"])) for benefit in benefits(step)}
    assert len({meaning[0] for meaning in meanings}) == len(meanings)
    kick_ids = [campaign["id"] for campaign in kick(step)]
    assert len(kick_ids) == len(set(kick_ids))


@pytest.mark.parametrize("step", EVERY_STEP)
def test_every_address_is_a_picture_of_the_demo_server_or_ends_nowhere(step: int) -> None:
    addresses = [text for text in texts(all_payloads(step)) if text.startswith(("http:", "https:"))]
    assert addresses or step == 3
    for address in addresses:
        host = address.split("/")[2]
        assert address.startswith(BASE + "/") or host.endswith(".example")
