"""Payloads with a broken item: the source sets that item aside and reads the rest."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.drops.records import CampaignRecord, RewardCampaignRecord
from pipeline.drops.sources.badges import Badges
from pipeline.drops.sources.dashboard_campaigns import Campaigns, DashboardCampaigns, DashboardRewards
from pipeline.errors import InvalidItem, SourceChanged
from pipeline.ingest.source import ListSource
from tests.pipeline.builders import (
    Json,
    campaign,
    channel,
    chzzk,
    chzzk_content,
    drop,
    drops,
    encode,
    group,
    kick,
    kick_campaign,
    quest,
    version_2,
)
from tests.pipeline.world import CHZZK, DROPS, KICK, REWARDS

TOO_LARGE = 2**31
Builder = Callable[..., bytes]
DASHBOARD, DASHBOARD_REWARDS, DETAILS, BADGES = DashboardCampaigns(), DashboardRewards(), Campaigns(), Badges()


def twitch_drops(*listed: Json) -> bytes:
    return encode([group("7001", listed)])


def twitch_rewards(*listed: Json) -> bytes:
    return encode(list(listed))


def chzzk_answers(*listed: Json) -> bytes:
    return encode([{"code": 200, "message": None, "content": content} for content in listed])


def dashboard_of(*listed: Json) -> bytes:
    return encode({"data": {"currentUser": {"id": "1", "dropCampaigns": listed}}})


def rewards_of(*listed: Json) -> bytes:
    user = {"id": "1", "dropCampaigns": []}
    return encode({"data": {"currentUser": user, "rewardCampaignsAvailableToUser": listed}})


def details_of(*listed: Json) -> bytes:
    return encode([{"data": {"user": {"id": "1", "dropCampaign": item}}} for item in with_ids(listed)])


def inventory_of(*listed: Json) -> bytes:
    in_progress = with_ids(listed)
    return encode({"data": {"currentUser": {"id": "1", "inventory": {"dropCampaignsInProgress": in_progress}}}})


def bare_campaigns(*listed: Json) -> bytes:
    return encode(with_ids(listed))


def with_ids(listed: Iterable[Json]) -> list[Json]:
    return [item | {"id": f"{n}"} for n, item in enumerate(listed)]


def read_items(source: ListSource, payload: bytes) -> tuple[list[str], list[str]]:
    """Return the names of the items that the source reads, and its reasons for refusing the others."""
    names, reasons = [], []
    snapshot = source.split(payload)
    for item in snapshot.items:
        try:
            record = source.parse(item)
        except InvalidItem as error:
            reasons.append(str(error))
            continue
        assert isinstance(record, CampaignRecord | RewardCampaignRecord)
        names.append(record.name)
    return names, reasons + [reason for _, reason in snapshot.broken]


def benefit(**fields: Any) -> Json:
    return {"timeBasedDrops": [drop(benefitEdges=[{"benefit": {"id": "b", "name": "B"} | fields}])]}


# A broken item, and a part of the reason that a person is shown.
TWITCH_DROPS: dict[str, tuple[Json, str]] = {
    "id missing": ({"id": ...}, "`id`"),
    "id null": ({"id": None}, "$.id"),
    "id empty": ({"id": ""}, "`id` is empty"),
    "id of NUL alone": ({"id": "\0"}, "`id` is empty"),
    "id a list": ({"id": ["a"]}, "$.id"),
    "name missing": ({"name": ...}, "`name`"),
    "name null": ({"name": None}, "$.name"),
    "name blank": ({"name": " \t\0 "}, "`name` is empty"),
    "name a number": ({"name": 7}, "$.name"),
    "start missing": ({"startAt": ...}, "`startAt`"),
    "end null": ({"endAt": None}, "$.endAt"),
    "end no time": ({"endAt": "soon"}, "$.endAt"),
    "time without zone": ({"startAt": "2031-03-01T00:00:00"}, "$.startAt"),
    "time before all calendars": ({"startAt": "0001-01-01T00:30:00+01:00"}, "out of range"),
    "time after all calendars": ({"endAt": "9999-12-31T23:30:00-01:00"}, "out of range"),
    "drop without id": ({"timeBasedDrops": [{"name": "nameless"}]}, "$.timeBasedDrops[0]"),
    "drop id empty": ({"timeBasedDrops": [drop() | {"id": " "}]}, "timeBasedDrops.id"),
    "minutes too large": ({"timeBasedDrops": [drop(minutes=TOO_LARGE)]}, "requiredMinutesWatched"),
    "minutes negative": ({"timeBasedDrops": [drop(minutes=-1)]}, "requiredMinutesWatched"),
    "minutes a text": ({"timeBasedDrops": [drop() | {"requiredMinutesWatched": "60"}]}, "requiredMinutesWatched"),
    "subs beyond 64 bits": ({"timeBasedDrops": [drop(requiredSubs=10**30)]}, "requiredSubs"),
    "drop's naive time": ({"timeBasedDrops": [drop(endAt="2031-03-01T00:00:00")]}, "endAt"),
    "drops an object": ({"timeBasedDrops": {"0": drop()}}, "$.timeBasedDrops"),
    "benefit without id": ({"timeBasedDrops": [drop(benefitEdges=[{"benefit": {"name": "B"}}])]}, "benefit"),
    "benefit of year 1": (benefit(createdAt="0001-01-01T00:00:00+02:00"), "out of range"),
    "limit too large": (
        {"timeBasedDrops": [drop(benefitEdges=[{"benefit": {"id": "b"}, "entitlementLimit": TOO_LARGE}])]},
        "entitlementLimit",
    ),
    "owner a text": ({"owner": "Tide Works"}, "$.owner"),
    "game a list": ({"game": []}, "$.game"),
    "channels a text": ({"allow": {"channels": "all"}}, "$.allow.channels"),
    "channel without id": ({"allow": {"channels": [{"name": "keeper"}]}}, "$.allow.channels[0]"),
}
REWARDS_WRONG: dict[str, tuple[Json, str]] = {
    "id missing": ({"id": ...}, "`id`"),
    "name null": ({"name": None}, "$.name"),
    "start missing": ({"startsAt": ...}, "`startsAt`"),
    "naive time": ({"endsAt": "2031-03-01T00:00:00"}, "$.endsAt"),
    "goal too large": ({"unlockRequirements": {"minuteWatchedGoal": TOO_LARGE}}, "minuteWatchedGoal"),
    "reward without name": ({"rewards": [{"id": "r"}]}, "rewards.name"),
    "reward's name blank": ({"rewards": [{"id": "r", "name": " "}]}, "rewards.name"),
}
KICK_WRONG: dict[str, tuple[Json, str]] = {
    "id missing": ({"id": ...}, "`id`"),
    "name missing": ({"name": ...}, "`name`"),
    "start missing": ({"starts_at": ...}, "`starts_at`"),
    "naive time": ({"ends_at": "2031-03-01T00:00:00"}, "$.ends_at"),
    "year 1": ({"starts_at": "0001-01-01T00:00:00+05:00"}, "out of range"),
    "units too large": ({"rewards": [{"id": "r", "required_units": TOO_LARGE}]}, "required_units"),
    "reward without id": ({"rewards": [{"name": "r"}]}, "$.rewards[0]"),
    "category a number": ({"category": 53}, "$.category"),
}
CHZZK_WRONG: dict[str, tuple[Json, str]] = {
    "number missing": ({"campaignNo": ...}, "`campaignNo`"),
    "title missing": ({"title": ...}, "`title`"),
    "title empty": ({"title": ""}, "`title` is empty"),
    "start missing": ({"startDate": ...}, "`startDate`"),
    "start no time": ({"startDate": "내일"}, "$.startDate"),
    "year 1": ({"startDate": "0001-01-01 00:00:00"}, "out of range"),
    "minutes too large": ({"rewardList": [{"rewardNo": 1, "conditionForMinutes": TOO_LARGE}]}, "conditionForMinutes"),
    "reward without number": ({"rewardList": [{"title": "r"}]}, "$.rewardList[0]"),
}
WRONG = [
    pytest.param(source, wrap, good, bad, reason, id=f"{source.name}: {case}")
    for source, wrap, build, cases in (
        (DROPS, twitch_drops, campaign, TWITCH_DROPS),
        (REWARDS, twitch_rewards, quest, REWARDS_WRONG),
        (KICK, kick, kick_campaign, KICK_WRONG),
        (CHZZK, chzzk_answers, chzzk_content, CHZZK_WRONG),
    )
    for case, (fields, reason) in cases.items()
    for good, bad in [(build(), build(**fields))]
]


@pytest.mark.parametrize(("source", "wrap", "good", "bad", "reason"), WRONG)
def test_an_item_with_something_wrong_is_set_aside_alone_and_its_reason_names_the_field(
    source: ListSource, wrap: Builder, good: Json, bad: Json, reason: str
) -> None:
    names, reasons = read_items(source, wrap(good, bad, good))

    assert len(names) == 2
    (why,) = reasons
    assert reason in why


@pytest.mark.parametrize("item", [None, 7, "text", [], ["list"], {}], ids=str)
@pytest.mark.parametrize(
    ("source", "wrap", "good"),
    [
        (DROPS, twitch_drops, campaign()),
        (REWARDS, twitch_rewards, quest()),
        (KICK, kick, kick_campaign()),
        (CHZZK, chzzk_answers, chzzk_content()),
    ],
    ids=["drops", "rewards", "kick", "chzzk"],
)
def test_an_item_that_is_no_campaign_at_all_is_set_aside_alone(
    source: ListSource, wrap: Builder, good: Json, item: Any
) -> None:
    names, reasons = read_items(source, wrap(good, item, good))

    assert len(names) == 2
    # CHZZK answers null for a number that does not exist, so null is no broken campaign.
    assert len(reasons) == (0 if source is CHZZK and item is None else 1)


def test_bytes_that_are_not_utf_8_set_their_campaign_aside_and_no_other() -> None:
    payload = drops(campaign("a"), campaign("b"), campaign("c")).replace(b"Campaign b", b"Campaign \xff\xfe")

    names, reasons = read_items(DROPS, payload)

    assert names == ["Campaign a", "Campaign c"]
    assert len(reasons) == 1


# What a field may hold that is no JSON to a strict reader.
BAD_VALUES = {
    "a lone high half": b'"\\ud83d"',
    "a lone low half": b'"\\udc00"',
    "NUL as an escape": b'"\\u0000"',
    "NUL as a byte": b'"\x00"',
    "an escape of nothing": b'"\\x"',
    "a byte that is not UTF-8": b'"\xff"',
    "a value nested too deep": b"[" * 5000 + b"]" * 5000,
    "a value nested nearly too deep": b"[" * 930 + b"]" * 930,
    "a number of another universe": b"1e400",
    "a number of ten thousand digits": b"9" * 10_000,
}
LISTS: dict[str, tuple[ListSource, Builder, Callable[..., Json]]] = {
    "mirror": (DROPS, twitch_drops, campaign),
    "mirror, version 2": (DROPS, lambda *listed: version_2(twitch_drops(*listed)), campaign),
    "mirror's rewards": (REWARDS, twitch_rewards, quest),
    "dashboard": (DASHBOARD, dashboard_of, campaign),
    "gathered dashboard": (DASHBOARD, lambda *listed: b'{"dashboard": %s}' % dashboard_of(*listed), campaign),
    "dashboard's rewards": (DASHBOARD_REWARDS, rewards_of, quest),
    "details": (DETAILS, details_of, campaign),
    "inventory": (DETAILS, inventory_of, campaign),
    "campaigns without an envelope": (DETAILS, bare_campaigns, campaign),
    "Kick": (KICK, kick, kick_campaign),
    "CHZZK": (CHZZK, chzzk_answers, chzzk_content),
}


@pytest.mark.parametrize("value", BAD_VALUES)
@pytest.mark.parametrize("name", LISTS)
def test_one_bad_value_costs_no_other_campaign(name: str, value: str) -> None:
    source, wrap, build = LISTS[name]
    raw = BAD_VALUES[value]
    listed = [build(), build() | {"unknown": "BAD"}, build() | {"more": 1}]

    names, reasons = read_items(source, wrap(*listed).replace(b'"BAD"', raw))

    assert (len(names), reasons) == (3, [])


@pytest.mark.parametrize("name", LISTS)
def test_a_name_with_half_an_emoji_is_kept_without_it(name: str) -> None:
    source, wrap, build = LISTS[name]
    title = next(key for key in ("name", "title") if key in build())
    listed = [build(), build() | {title: "Lamp BAD"}, build() | {"more": 1}]

    names, reasons = read_items(source, wrap(*listed).replace(b"BAD", b"\\ud83d"))

    assert (names[1], reasons) == ("Lamp", [])


@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=list(BAD_VALUES))
def test_one_bad_value_costs_no_other_badge(value: bytes) -> None:
    version = {"id": "1", "title": "Lamp", "image_url_1x": "https://art.example.org/1"}
    payload = encode({"data": [{"set_id": key, "versions": [version | {"unknown": key}]} for key in ("a", "BAD", "c")]})
    payload = payload.replace(b'"unknown": "BAD"', b'"unknown": ' + value)

    snapshot = BADGES.split(payload)

    titles = [BADGES.parse(item).title for item in snapshot.items]
    assert (titles, list(snapshot.broken)) == (["Lamp"] * 3, [])


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        7,
        "group",
        {"gameDisplayName": "No list"},
        {"gameId": "7002", "rewards": None},
        {"gameId": "7002", "rewards": {}},
        {"gameId": 7002, "rewards": []},
    ],
    ids=str,
)
def test_a_group_that_cannot_be_read_is_set_aside_and_the_other_groups_land(broken: Any) -> None:
    payload = encode([group("7001", [campaign("a")]), broken, group("7003", [campaign("b", game_id="7003")])])

    names, reasons = read_items(DROPS, payload)

    assert names == ["Campaign a", "Campaign b"]
    assert len(reasons) == 1


@pytest.mark.parametrize("rewards", [None, {}, "none", 7], ids=str)
def test_a_broken_group_that_still_tells_its_game_judges_none_of_its_campaigns(rewards: Any) -> None:
    payload = encode([group("7001", [campaign("a")]), {"gameId": "7002", "rewards": rewards}])

    assert DROPS.split(payload).empty_groups == {"7002"}


def test_control_characters_do_not_harm_and_nul_is_taken_out() -> None:
    bad = campaign(
        name="Big\0 \x07\x1b[31m\x7f\u202e drop",
        description="\0",
        owner={"id": "org\0-tide", "name": "\0"},
        game={"id": "70\x0001", "displayName": "Har\0bour"},
        allow={"channels": [{"id": "30\x001", "name": "kee\0per", "displayName": "\0"}]},
        timeBasedDrops=[drop(preconditionDrops=[{"id": "drop\0-x"}])],
    )
    (item,) = DROPS.split(encode([group("70\x0001", [bad])])).items

    record: Any = DROPS.parse(item)

    assert record.name == "Big \x07\x1b[31m\x7f\u202e drop"
    assert record.description is None
    assert (record.organization.external_id, record.organization.name) == ("org-tide", "org-tide")
    assert (record.game.external_id, record.game.name) == ("7001", "Harbour")
    (channel,) = record.channels
    assert (channel.external_id, channel.login, channel.display_name) == ("301", "keeper", None)
    assert record.drops[0].precondition_drop_ids == ("drop-x",)
    assert item.group_id == "7001"


def test_kicks_ids_are_cleaned_of_nul_too() -> None:
    bad = kick_campaign(
        organization={"id": "01\0T1DE", "name": "Tide"},
        category={"id": "5\x003", "name": "H"},
        channels=[{"id": "4\x004", "slug": "s"}],
    )
    (item,) = KICK.split(kick(bad)).items

    record = KICK.parse(item)

    assert record.organization is not None
    assert record.game is not None
    assert record.channels is not None
    ids = [record.organization.external_id, record.game.external_id, record.channels[0].external_id]
    assert ids == ["01T1DE", "53", "44"]


def test_a_title_of_four_thousand_characters_is_kept_as_it_is() -> None:
    (item,) = DROPS.split(drops(campaign(name="@everyone <script>" + "x" * 4000))).items

    assert len(DROPS.parse(item).name) == 4018


def test_times_with_other_offsets_become_utc() -> None:
    (item,) = DROPS.split(drops(campaign(startAt="2031-03-01T23:30:00-05:00"))).items

    assert DROPS.parse(item).start_at == datetime(2031, 3, 2, 4, 30, tzinfo=UTC)


GOOD: dict[ListSource, bytes] = {
    DROPS: drops(campaign()),
    REWARDS: encode([quest()]),
    KICK: kick(kick_campaign()),
    CHZZK: chzzk(),
}
UNREADABLE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "blank": lambda _: b" \r\n\t",
    "truncated": lambda good: good[: len(good) // 2],
    "without its last byte": lambda good: good[:-1],
    "followed by rubbish": lambda good: good + b"]}",
    "HTML": lambda _: b"<!doctype html><title>Down</title>",
    "an error page in JSON": lambda _: b'{"error":"Not Found","status":404}',
    "a number": lambda _: b"42",
    "null": lambda _: b"null",
    "UTF-16": lambda good: good.decode().encode("utf-16"),
    "gzip": lambda _: b"\x1f\x8b\x08\x00rubbish",
    "never closed": lambda _: b"[" * 1_500,
}


@pytest.mark.parametrize("source", GOOD, ids=lambda source: source.name)
@pytest.mark.parametrize("case", UNREADABLE)
def test_a_payload_that_is_no_list_of_campaigns_is_refused_as_a_whole_and_kept(source: ListSource, case: str) -> None:
    payload = UNREADABLE[case](GOOD[source])

    with pytest.raises(SourceChanged) as caught:
        source.split(payload)

    assert caught.value.payload == payload


@pytest.mark.parametrize("depth", [50, 500])
def test_a_field_that_nobody_knows_may_be_nested_deeply(depth: int) -> None:
    deep: Any = []
    for _ in range(depth):
        deep = [deep]

    names, reasons = read_items(DROPS, drops(campaign("a", extra=deep), campaign("b")))

    assert (names, reasons) == (["Campaign a", "Campaign b"], [])


@pytest.mark.parametrize("field", ["lastUpdatedAt", "refreshIntervalSeconds"])
@pytest.mark.parametrize("value", [*BAD_VALUES.values(), b"7.5", b"{}"], ids=[*BAD_VALUES, "a fraction", "an object"])
def test_a_bad_value_beside_the_list_costs_nothing_of_it(field: str, value: bytes) -> None:
    payload = b'{"%s": %s, "data": %s}' % (field.encode(), value, drops(campaign("a")))

    assert read_items(DROPS, payload) == (["Campaign a"], [])


def test_a_reward_of_a_drops_group_may_come_without_its_name() -> None:
    groups = [{"id": "g", "unlockRequirements": {"minuteWatchedGoal": 60}, "rewards": [{"id": "r"}]}]
    (item,) = DROPS.split(drops(campaign(drops=[drop(benefitEdges=[], rewardGroups=groups)]))).items

    record: Any = DROPS.parse(item)

    assert [(b.external_id, b.name) for d in record.drops for b in d.benefits] == [("r", None)]


@pytest.mark.parametrize("source", [DROPS, REWARDS], ids=["drops", "rewards"])
def test_an_empty_list_is_an_empty_snapshot_and_no_error(source: ListSource) -> None:
    snapshot = source.split(b"[]")

    assert (list(snapshot.items), list(snapshot.broken), snapshot.scope) == ([], [], None)


def test_channels_without_any_name_are_known_by_their_id() -> None:
    (item,) = DROPS.split(drops(campaign(channels=[channel(7) | {"name": "", "displayName": "\0"}]))).items

    record: Any = DROPS.parse(item)

    assert [c.login for c in record.channels] == ["7"]
