"""Every bad value in every place of a payload: it costs at most the campaign, the group or the answer it stands in."""

import random
import string
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from models import Sighting
from pipeline.drops.sources.badges import Badges
from pipeline.drops.sources.dashboard_campaigns import Campaigns, DashboardCampaigns, DashboardRewards
from pipeline.errors import InvalidItem, SourceChanged, SourceError
from pipeline.ingest.fetching import register
from pipeline.ingest.source import ListSource
from tests.pipeline.builders import (
    END,
    START,
    Json,
    campaign,
    channel,
    chzzk_content,
    drop,
    group,
    kick_campaign,
    quest,
    stamp,
)
from tests.pipeline.sweep import Path, sweep
from tests.pipeline.world import CHZZK, DROPS, KICK, REWARDS, Ingesting

GOALS = {"minuteWatchedGoal": 60, "subsGoal": 1, "turboSubsGoal": 0}
IMAGE = {"image1xURL": "https://art.example.org/1"}
REWARD = {
    "id": "r1",
    "name": "Lamp",
    "thumbnailImage": IMAGE,
    "earnableUntil": stamp(END),
    "redemptionURL": "https://x",
}
GROUPS = [{"id": "g1", "unlockRequirements": GOALS, "rewards": [REWARD]}, {"id": "g2", "rewards": [REWARD | {"id": 2}]}]
BENEFIT = {"id": "b", "name": "B", "imageAssetURL": "https://x", "isIosAvailable": True, "createdAt": stamp(START)}
DROP = drop(
    startAt=stamp(START),
    endAt=stamp(END),
    requiredTurboSubs=0,
    preconditionDrops=[{"id": "drop-x"}],
    benefitEdges=[{"entitlementLimit": 1, "benefit": BENEFIT}],
    rewardGroups=GROUPS,
)
GAME = {"id": "7001", "displayName": "Harbour", "name": "Harbour", "boxArtURL": "https://art.example.org/7001"}


def rich_campaign(key: str) -> Json:
    return campaign(key, channels=[channel(1)], drops=[DROP], game=GAME)


def rich_quest(key: str) -> Json:
    return quest(key, rewardGroups=GROUPS, image=IMAGE, isSitewide=True, summary="s", rewards=[REWARD | {"id": "q"}])


def rich_kick(key: str) -> Json:
    user = {"username": "Keeper"}
    return kick_campaign(key, channels=[{"id": 4, "slug": "keeper", "user": user}], url="https://x")


def rich_chzzk(key: str) -> Json:
    return chzzk_content(1200 + ord(key), description="d", imageUrl="https://x", pcLinkUrl="https://x")


def badge_set(key: str) -> Json:
    version = {"id": "1", "title": key, "description": "d", "image_url_1x": "https://x", "click_url": None}
    return {"set_id": key, "versions": [version]}


def mirror(*listed: Json) -> Any:
    return [group(f"700{n}", [item]) for n, item in enumerate(listed)]


def version_2(*listed: Json) -> Any:
    return {"lastUpdatedAt": stamp(START), "refreshIntervalSeconds": 60, "data": mirror(*listed)}


def rewards_version_2(*listed: Json) -> Any:
    return {"lastUpdatedAt": stamp(START), "refreshIntervalSeconds": 60, "data": list(listed)}


def dashboard(*listed: Json) -> Any:
    user = {"id": "1", "login": "viewer", "dropCampaigns": list(listed)}
    fault = {"message": "service error", "path": ["currentUser", "dropCampaigns", 9, "allow"]}
    extensions = {"durationMilliseconds": 7, "operationName": "ViewerDropsDashboard", "requestID": "r"}
    data = {"currentUser": user, "rewardCampaignsAvailableToUser": [quest()]}
    return {"data": data, "errors": [fault], "extensions": extensions}


def rewards_of_dashboard(*listed: Json) -> Any:
    answer = dashboard()
    return answer | {"data": answer["data"] | {"rewardCampaignsAvailableToUser": list(listed)}}


def details_of(item: Json) -> Any:
    extensions = {"durationMilliseconds": 7, "operationName": "DropCampaignDetails", "requestID": "r"}
    return {"data": {"user": {"id": "1", "dropCampaign": item, "__typename": "User"}}, "extensions": extensions}


def details(*listed: Json) -> Any:
    return [details_of(item) for item in listed]


def gathered(*listed: Json) -> Any:
    entries = [campaign(item["id"].removeprefix("camp-")) for item in listed]
    return {"dashboard": dashboard(*entries), "details": details(*listed), "remembered": {}}


def inventory(*listed: Json) -> Any:
    return {"data": {"currentUser": {"id": "1", "inventory": {"dropCampaignsInProgress": list(listed)}}}}


def kick(*listed: Json) -> Any:
    return {"data": list(listed), "message": "Success"}


def answer_of_chzzk(content: Json) -> Json:
    return {"code": 200, "message": None, "content": content}


def chzzk(*listed: Json) -> Any:
    return {"asked": ["1297", "1298", "1299"], "answers": [answer_of_chzzk(content) for content in listed]}


def badges(*listed: Json) -> Any:
    return {"data": list(listed)}


# Without a viewer, or with none of its campaigns, Twitch refuses the whole answer.
REFUSALS = (("data", "currentUser"), ("data", "currentUser", "dropCampaigns"))
# By the payload: its source, what it is made of, and the paths of its lists, of which the middle item is attacked.
Wrap = Callable[..., Any]
PAYLOADS: dict[str, tuple[ListSource, Wrap, Callable[[str], Json], tuple[Path, ...]]] = {
    "mirror": (DROPS, mirror, rich_campaign, ((),)),
    "mirror, version 2": (DROPS, version_2, rich_campaign, (("data",),)),
    "mirror's rewards": (REWARDS, rewards_version_2, rich_quest, (("data",),)),
    "dashboard": (DashboardCampaigns(), dashboard, rich_campaign, (("data", "currentUser", "dropCampaigns"),)),
    "gathered dashboard": (
        DashboardCampaigns(),
        gathered,
        rich_campaign,
        (("dashboard", "data", "currentUser", "dropCampaigns"), ("details",)),
    ),
    "dashboard's rewards": (
        DashboardRewards(),
        rewards_of_dashboard,
        rich_quest,
        (("data", "rewardCampaignsAvailableToUser"),),
    ),
    "details": (Campaigns(), details, rich_campaign, ((),)),
    "inventory": (
        Campaigns(),
        inventory,
        rich_campaign,
        (("data", "currentUser", "inventory", "dropCampaignsInProgress"),),
    ),
    "Kick": (KICK, kick, rich_kick, (("data",),)),
    "CHZZK": (CHZZK, chzzk, rich_chzzk, (("answers",),)),
    "badges": (Badges(), badges, badge_set, (("data",),)),
}


def ids_in(source: ListSource, payload: bytes) -> set[str]:
    """Return the ids of what can be read, and of what is set aside with a readable id; raises `SourceError`."""
    ids = set()
    for item in source.split(payload).items:
        try:
            record: Any = source.parse(item)
        except InvalidItem:
            continue
        # What is read can be stored and told.
        assert "\0" not in msgspec.json.encode(record).decode()
        assert b"\\u0000" not in msgspec.json.encode(record)
        ids.add(record.external_id)
    return ids


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_bad_value_costs_nothing_but_the_item_that_it_stands_in(name: str) -> None:
    source, wrap, build, lists = PAYLOADS[name]
    payload = wrap(build("a"), build("b"), build("c"))
    sound = ids_in(source, msgspec.json.encode(payload))
    attacked = next(iter(sound - ids_in(source, msgspec.json.encode(wrap(build("a"), build("c"))))))
    lost = []
    for path, bad, sent in sweep(payload):
        own = [(*way, 1) == path[: len(way) + 1] for way in lists]
        if any(len(path) > len(way) and way == path[: len(way)] for way in lists) and not any(own):
            continue  # the first and the last are as the middle one
        may_be_refused = any(path == way[: len(path)] for way in lists) or (path in REFUSALS and bad == "null")
        expected = sound - {attacked} if any(own) else sound
        try:
            ids = ids_in(source, sent)
        except SourceError as error:
            if not may_be_refused or (isinstance(error, SourceChanged) and not error.payload):
                lost.append((path, bad, repr(error)))
            continue
        if not ids >= expected and not may_be_refused:
            lost.append((path, bad, str(sorted(ids))))

    assert lost == []


def attacked_items(build: Callable[[str], Json]) -> list[bytes]:
    """Return items with bad values in every place: of each place three, and of the whole item all."""
    # Five and sixteen values have no divisor in common, so that each value has its turn somewhere.
    sent = [raw for _, _, raw in sweep(build("a"))][::5]
    sent += [msgspec.json.encode(item) for item in long_items(build("a"))]
    return sent


def long_items(item: Any) -> list[Any]:
    """Return an item with a text that is too long for an index in the place of each value."""
    return [msgspec.json.decode(raw.replace(b'"odd"', LONG)) for _, name, raw in sweep(item) if name == "a text"]


# Not compressible, as an index would compress it.
LONG = msgspec.json.encode("".join(random.Random(7).choices(string.ascii_letters + string.digits, k=20_000)))  # noqa: S311


@pytest.mark.parametrize("name", ["mirror", "mirror's rewards", "Kick", "CHZZK", "badges"])
def test_what_can_be_read_of_an_attacked_payload_is_stored_and_costs_no_other_item(world: Ingesting, name: str) -> None:
    source, wrap, build, _ = PAYLOADS[name]
    with world.engine.begin() as connection:
        register(connection, [source], world.now)
    raws = [msgspec.Raw(raw) for raw in attacked_items(build)]

    for start in range(0, len(raws), 100):
        world.ingest(
            msgspec.json.encode(wrap(build("b"), *raws[start : start + 100], build("c"))), source=source, hours=1
        )

    sound = ids_in(source, msgspec.json.encode(wrap(build("b"), build("c"))))
    assert {row.external_id for row in world.rows(Sighting)} >= sound
