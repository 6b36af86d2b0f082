import re
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest

from pipeline.demo import history

NOW = datetime(2031, 5, 4, 12, 34, 56, 789_000, tzinfo=UTC)
BASE = "http://127.0.0.1:9"
EVERY_STEP = range(history.STEPS)
TOLD_STEPS = [step for step in EVERY_STEP if step != 3]
NUMBERS = range(1190, 1220)


def groups(step: int) -> list[dict[str, Any]]:
    return history.mirror_drops(NOW, step, BASE)


def campaigns(step: int) -> dict[str, dict[str, Any]]:
    """The mirror's campaigns of a step by name."""
    return {campaign["name"]: campaign for group in groups(step) for campaign in group["rewards"]}


def kick(step: int) -> dict[str, dict[str, Any]]:
    return {campaign["name"]: campaign for campaign in history.kick_campaigns(NOW, step, BASE)["data"]}


def chzzk(step: int) -> dict[int, dict[str, Any]]:
    answers = {no: history.chzzk_campaign(NOW, step, no, BASE) for no in NUMBERS}
    return {no: answer for no, answer in answers.items() if answer is not None}


def benefits(step: int) -> list[dict[str, Any]]:
    return [
        edge["benefit"]
        for campaign in campaigns(step).values()
        for drop in campaign["timeBasedDrops"]
        for edge in drop["benefitEdges"]
    ]


def drop_names(step: int, name: str) -> list[str]:
    return [drop["name"] for drop in campaigns(step)[name]["timeBasedDrops"]]


def logins(step: int, name: str) -> set[str]:
    return {channel["name"] for channel in campaigns(step)[name]["allow"].get("channels", [])}


def test_the_same_now_gives_the_same_history_and_any_time_zone_will_do() -> None:
    korean = NOW.astimezone(timezone(timedelta(hours=9)))
    for step in EVERY_STEP:
        assert history.mirror_drops(korean, step, BASE) == groups(step)
        assert history.kick_campaigns(korean, step, BASE) == history.kick_campaigns(NOW, step, BASE)


def test_a_now_without_a_zone_and_a_step_that_does_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        history.mirror_drops(NOW.replace(tzinfo=None), 0, BASE)
    with pytest.raises(ValueError, match="steps 0 to 8"):
        history.mirror_drops(NOW, history.STEPS, BASE)


# The world's variety


def test_there_are_at_least_44_campaigns_of_18_games_and_12_organisations() -> None:
    twitch = {name for step in EVERY_STEP for name in campaigns(step)}
    kicks = {name for step in EVERY_STEP for name in kick(step)}
    koreans = {number for step in EVERY_STEP for number in chzzk(step)}
    assert (len(twitch), len(kicks), len(koreans)) == (31, 8, 8)
    twitch_games = {group["gameDisplayName"] for step in EVERY_STEP for group in groups(step)}
    kick_games = {campaign["category"]["name"] for campaign in kick(8).values() if "category" in campaign}
    chzzk_games = {campaign["categoryValue"] for campaign in chzzk(8).values()}
    assert len(twitch_games | kick_games | chzzk_games) >= 18
    assert len(twitch_games & kick_games) >= 2
    assert "Sporeways Online" in twitch_games & kick_games & chzzk_games
    owners = {(campaign["owner"] or {}).get("name") for step in EVERY_STEP for campaign in campaigns(step).values()}
    owners |= {campaign["organization"]["name"] for campaign in kick(8).values()}
    owners |= {campaign["serviceId"] for campaign in chzzk(8).values()}
    assert len(owners - {None}) >= 12


def test_benefits_come_in_all_four_kinds_and_some_are_shared_between_drops() -> None:
    kinds = {benefit["distributionType"] for step in EVERY_STEP for benefit in benefits(step)}
    assert kinds == {"DIRECT_ENTITLEMENT", "BADGE", "EMOTE", "CODE"}
    assert max(Counter(benefit["id"] for benefit in benefits(8)).values()) >= 2


def test_drops_differ_in_number_minutes_and_what_they_ask_for() -> None:
    lists = [campaign["timeBasedDrops"] for campaign in campaigns(4).values()]
    drops = [drop for campaign_drops in lists for drop in campaign_drops]
    assert {len(campaign_drops) for campaign_drops in lists} >= {1, 2, 3, 4, 6}
    minutes = {drop["requiredMinutesWatched"] for drop in drops}
    assert minutes >= {15, 360}
    assert max(minutes) == 360
    assert [d for d in drops if d["requiredSubs"] > 0 and d["requiredMinutesWatched"] == 0]
    assert all(d["requiredMinutesWatched"] >= 15 for d in drops if d["requiredSubs"] == 0)
    assert sum(not drop["benefitEdges"] for drop in drops) == 1
    assert max(len(drop["benefitEdges"]) for drop in drops) >= 3


def test_some_campaigns_are_open_and_others_name_3_to_40_channels() -> None:
    sizes = Counter(len(logins(2, name)) for name in campaigns(2))
    assert sizes[0] >= 5
    assert min(size for size in sizes if size) == 3
    assert max(sizes) == 40


def test_one_campaign_has_no_owner_and_one_has_no_game_though_its_group_names_it() -> None:
    assert [name for name, campaign in campaigns(0).items() if campaign["owner"] is None] == ["Night Express"]
    [group] = [group for group in groups(0) if any(campaign["game"] is None for campaign in group["rewards"])]
    assert group["gameDisplayName"] == "Paper Dragon Tactics"


def test_titles_try_ampersands_emoji_hangul_and_markup() -> None:
    names = list(campaigns(1))
    assert "Honey & Harvest" in names
    assert any("🏮" in name for name in names)
    assert "@everyone <script>alert(1)</script>" in names
    assert all(re.search(r"[가-힣]", campaign["title"]) for campaign in chzzk(8).values())


# The story


def test_snapshots_are_one_hour_apart_and_the_last_is_now() -> None:
    times = [history.snapshot_time(NOW, step) for step in EVERY_STEP]
    assert times[-1] == NOW.replace(microsecond=0)
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(hours=1)}


def test_the_answer_is_empty_in_exactly_one_step_and_comes_back() -> None:
    assert [step for step in EVERY_STEP if not groups(step)] == [3]
    assert set(campaigns(2)) <= set(campaigns(4)) | {"Agents Wanted"}


def test_one_group_is_empty_in_exactly_one_step_and_its_campaign_comes_back() -> None:
    empty = [(step, group["gameDisplayName"]) for step in EVERY_STEP for group in groups(step) if not group["rewards"]]
    assert empty == [(6, "Pocket Colossus")]
    assert "Colossus Day One" in campaigns(5)
    assert "Colossus Day One" in campaigns(7)


@pytest.mark.parametrize("step", TOLD_STEPS)
def test_the_mirror_shows_only_campaigns_that_run_at_its_snapshot(step: int) -> None:
    seen_at = history.snapshot_time(NOW, step)
    for campaign in campaigns(step).values():
        assert datetime.fromisoformat(campaign["startAt"]) <= seen_at
        assert seen_at < datetime.fromisoformat(campaign["endAt"])
        assert campaign["status"] == "ACTIVE"


def test_the_first_step_holds_two_thirds_of_the_campaigns_and_each_later_one_something_new() -> None:
    known = set(campaigns(0))
    assert 0.6 <= len(known) / 31 <= 0.7
    for step in TOLD_STEPS[1:]:
        assert set(campaigns(step)) - known
        known |= set(campaigns(step))


def test_no_step_but_the_empty_one_loses_enough_to_look_like_an_outage() -> None:
    for earlier, later in pairwise(TOLD_STEPS):
        assert len(set(campaigns(earlier)) - set(campaigns(later))) <= 2


@pytest.mark.parametrize(("name", "last_seen"), [("Meridian GP Qualifier", 1), ("Rook & Rapier Open: Day 1", 5)])
def test_two_campaigns_end_by_their_own_clock(name: str, last_seen: int) -> None:
    ends_at = datetime.fromisoformat(campaigns(last_seen)[name]["endAt"])
    assert history.snapshot_time(NOW, last_seen) < ends_at < history.snapshot_time(NOW, last_seen + 1)
    assert not any(name in campaigns(step) for step in range(last_seen + 1, history.STEPS))


def test_one_campaign_vanishes_long_before_its_end_and_stays_away() -> None:
    assert [step for step in EVERY_STEP if "Agents Wanted" in campaigns(step)] == [0, 1, 2]
    ends_at = datetime.fromisoformat(campaigns(0)["Agents Wanted"]["endAt"])
    assert ends_at > NOW + timedelta(days=3)
    # Its game is still there, so that the absence is judged.
    assert all(any(group["gameDisplayName"] == "Whisker Protocol" for group in groups(s)) for s in TOLD_STEPS)


def test_one_campaign_vanishes_for_three_complete_steps_and_returns() -> None:
    present = [step for step in EVERY_STEP if "Founders' Fortnight" in campaigns(step)]
    assert present == [0, 6, 7, 8]


def test_drops_are_added_to_running_campaigns() -> None:
    assert set(drop_names(2, "Maiden Voyage")) - set(drop_names(1, "Maiden Voyage")) == {"Kraken Figurehead"}
    assert set(drop_names(5, "Storm Season")) - set(drop_names(4, "Storm Season")) == {"Tempest Figurehead"}


def test_channels_are_gained_and_lost() -> None:
    assert logins(1, "Guild Weekend") - logins(0, "Guild Weekend") == {"pebbletess", "wrenandstimpy"}
    assert logins(6, "Guild Weekend") - logins(7, "Guild Weekend") == {"ambermoth", "capt_brine", "fjordfinn"}
    cup = "Tin Cup: Group Stage"
    assert (logins(2, cup) - logins(4, cup), logins(4, cup) - logins(2, cup)) == ({"nutkin9"}, {"umbrauma"})


def test_one_channel_list_is_missing_for_one_step_and_comes_back_the_same() -> None:
    name = "1st Ashen Anniversary 🏮✨"
    assert campaigns(5)[name]["allow"] == {"isEnabled": True}
    assert logins(4, name) == logins(6, name) != set()


def test_display_names_turn_null_and_back_but_logins_and_ids_never_change() -> None:
    seen: dict[str, set[tuple[str, str | None]]] = {}
    for step in TOLD_STEPS:
        for campaign in campaigns(step).values():
            for channel in campaign["allow"].get("channels", []):
                seen.setdefault(channel["id"], set()).add((channel["name"], channel["displayName"]))
    assert any(None in {name for _, name in names} and len(names) == 2 for names in seen.values())
    assert all(len({login for login, _ in names}) == 1 for names in seen.values())


def test_one_end_date_moves() -> None:
    moved = [
        (step, name)
        for earlier, step in pairwise(TOLD_STEPS)
        for name, campaign in campaigns(step).items()
        if campaigns(earlier).get(name, campaign)["endAt"] != campaign["endAt"]
    ]
    assert moved == [(5, "The Long Thaw")]


def test_one_reward_campaign_appears_and_one_ends() -> None:
    names = [{campaign["name"] for campaign in history.mirror_rewards(NOW, step, BASE)} for step in EVERY_STEP]
    assert len(set().union(*names)) == 3
    assert names[4] - names[3] == {"Courier's Tea Break"}
    assert names[6] - names[7] == {"A Month of Biscuit Pass"}


def test_kick_knows_all_three_statuses_and_two_campaigns_pass_from_one_to_the_next() -> None:
    assert {campaign["status"] for campaign in kick(0).values()} == {"active", "upcoming", "expired"}
    assert [kick(step)["Spores on Kick"]["status"] for step in (3, 4)] == ["upcoming", "active"]
    assert [kick(step)["League Night"]["status"] for step in (4, 5)] == ["active", "expired"]


def test_chzzk_numbers_are_dense_with_one_gap_and_grow() -> None:
    assert list(chzzk(0)) == [1201, 1202, 1203, 1204, 1206, 1207]
    assert list(chzzk(8)) == [1201, 1202, 1203, 1204, 1206, 1207, 1208, 1209]


def test_chzzk_tells_korean_time_and_whether_a_campaign_has_started() -> None:
    future = chzzk(8)[1207]
    starts_at = datetime.fromisoformat(future["startDate"] + "+09:00")
    assert starts_at == NOW.replace(second=0, microsecond=0) + timedelta(hours=20)
    assert [no for no, campaign in chzzk(8).items() if campaign["dropsCampaignNotStarted"]] == [1207]
