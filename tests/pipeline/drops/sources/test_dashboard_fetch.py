"""The dashboard's source: its requests to Twitch, and the records that it reads from the answers."""

import json
from datetime import timedelta

import msgspec
import pytest

from pipeline.drops.sources.dashboard import TwitchDashboard, TwitchDashboardRewards
from pipeline.ingest.source import Validators
from tests.pipeline.builders import campaign, campaigns, drop, quest
from tests.pipeline.drops.sources.asking import DAY, FixedAccount, failure, fetch, older, records, snapshot
from tests.twitch.dashboard import DASHBOARD, DETAILS, HASHES, Dashboard, Json, Question, Raw

# Requests


def test_a_first_fetch_asks_for_the_dashboard_and_then_for_all_details_in_batches_of_twenty(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(*campaigns(*(f"{n:02}" for n in range(45))))

    answer = fetch(dashboard)

    assert [len(request) for request in twitch.requests] == [1, 20, 20, 5]
    assert twitch.requests[0] == [Question(DASHBOARD, {"fetchRewardCampaigns": True}, HASHES[DASHBOARD])]
    assert twitch.requests[1][0] == Question(DETAILS, {"dropID": "camp-00", "channelLogin": "424242"}, HASHES[DETAILS])
    assert len(records(dashboard, answer)) == 45
    assert answer.refresh_after == timedelta(minutes=15)


def test_a_request_says_who_asks_and_keeps_to_one_device(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(campaign("a"))
    fetch(dashboard)

    for headers in twitch.headers:
        assert headers["Authorization"] == f"OAuth {twitch.grants[0].access_token}"
        assert headers["Client-Id"] == twitch.grants[0].client_id
        assert (headers["X-Device-Id"], headers["Client-Session-Id"]) == ("device", "session")
        assert headers["Content-Type"] == "application/json"


def test_a_dashboard_without_campaigns_needs_no_details(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    answer = fetch(dashboard)

    assert len(twitch.requests) == 1
    assert list(snapshot(dashboard, answer).items) == []
    assert snapshot(dashboard, answer).scope is None


def test_what_did_not_change_is_not_asked_about_again_and_counts_as_unchanged(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))
    first = fetch(dashboard)
    second = fetch(dashboard, first)
    third = fetch(dashboard, second)

    assert twitch.asked_details() == [["camp-a", "camp-b"]]
    digests = [[item.digest for item in snapshot(dashboard, answer).items] for answer in (first, second, third)]
    assert digests[0] == digests[1] == digests[2]


def test_only_new_and_changed_campaigns_are_asked_about(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))
    first = fetch(dashboard)
    twitch.list_campaigns(campaign("a"), campaign("b", name="Longer nights"), campaign("c"))
    second = fetch(dashboard, first)

    assert twitch.asked_details()[1:] == [["camp-b", "camp-c"]]
    assert records(dashboard, second)["camp-b"].name == "Longer nights"


def test_details_older_than_a_day_are_asked_for_again_and_news_in_them_is_seen(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))
    first = fetch(dashboard)
    twitch.list_campaigns(campaign("a", drops=[drop("a"), drop("more")]), campaign("b"))
    second = fetch(dashboard, older(first, DAY, "camp-a"))

    assert twitch.asked_details()[1:] == [["camp-a"]]
    assert len(records(dashboard, second)["camp-a"].drops or ()) == 2
    before, after = ([item.digest for item in snapshot(dashboard, answer).items] for answer in (first, second))
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True]


def test_details_not_quite_a_day_old_are_left_alone(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(campaign("a"))
    fetch(dashboard, older(fetch(dashboard), DAY - 600))

    assert len(twitch.asked_details()) == 1


def test_new_campaigns_come_before_old_details_and_the_oldest_of_those_first(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(*campaigns("a", "b", "c"))
    first = fetch(dashboard)
    twitch.list_campaigns(*campaigns("a", "b", "c", "d"))
    fetch(dashboard, older(older(first, 2 * DAY, "camp-b"), DAY, "camp-a"))

    assert twitch.asked_details()[1:] == [["camp-d", "camp-b", "camp-a"]]


def test_what_is_over_is_asked_about_once(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(campaign("a", status="EXPIRED"))
    first = fetch(dashboard)
    fetch(dashboard, older(first, 30 * DAY))

    assert twitch.asked_details() == [["camp-a"]]
    assert records(dashboard, first)["camp-a"].status == "ended"


def test_what_is_not_listed_any_more_is_forgotten(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))
    first = fetch(dashboard)
    twitch.list_campaigns(campaign("b"))

    assert list(fetch(dashboard, first).validators.cursor["asked"]) == ["camp-b"]


def test_after_an_answer_that_was_not_believed_all_details_are_asked_for_again(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(campaign("a"))
    first = fetch(dashboard)
    # The pipeline stores no validators of an answer that it sets aside.
    refused = msgspec.structs.replace(first, validators=Validators(cursor=first.validators.cursor))
    fetch(dashboard, refused)

    assert twitch.asked_details() == [["camp-a"], ["camp-a"]]


def test_a_cursor_that_makes_no_sense_is_the_same_as_none(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(campaign("a"))
    first = fetch(dashboard)
    cursor = {"asked": {"camp-a": "yesterday"}, "hashes": {DASHBOARD: "gone"}}
    fetch(
        dashboard, msgspec.structs.replace(first, validators=msgspec.structs.replace(first.validators, cursor=cursor))
    )

    assert len(twitch.asked_details()) == 2


# Records


def test_details_fill_what_the_entry_leaves_open_and_the_entry_what_they_leave_open(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(campaign("a", channels=[1, 2], drops=[drop("one", 60), drop("two", 120)]))

    (record,) = records(dashboard, fetch(dashboard)).values()

    assert [(d.name, d.required_minutes) for d in record.drops or ()] == [("Drop one", 60), ("Drop two", 120)]
    assert [c.login for c in record.channels or ()] == ["keeper1", "keeper2"]
    assert record.description == "Watch and get loot."
    # Only the entry has a picture of the game.
    assert record.game is not None
    assert record.game.box_art_url == "https://art.example.org/7001.jpg"


def test_a_campaign_without_details_is_read_from_its_entry_alone(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(campaign("a"))
    twitch.spoil = without_campaign

    answer = fetch(dashboard)
    (record,) = records(dashboard, answer).values()

    assert (record.name, record.drops, record.channels) == ("Campaign a", None, None)
    assert snapshot(dashboard, answer).complete


def without_campaign(question: Question, answer: Json) -> Json:
    if question.operation == DETAILS:
        answer["data"]["user"]["dropCampaign"] = None
    return answer


def test_a_campaign_that_has_no_details_is_asked_about_once_a_day(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(campaign("a"))
    twitch.spoil = without_campaign
    first = fetch(dashboard)
    second = fetch(dashboard, first)
    fetch(dashboard, older(second, DAY))

    assert len(twitch.asked_details()) == 2


@pytest.mark.parametrize(
    ("fields", "blank"),
    [({"owner": None}, "organization"), ({"game": None}, "game"), ({"owner": ...}, "organization")],
)
def test_a_campaign_of_nobody_or_of_no_game_is_a_campaign(
    twitch: Dashboard, dashboard: TwitchDashboard, fields: Json, blank: str
) -> None:
    twitch.list_campaigns(campaign("a", **fields))

    (record,) = records(dashboard, fetch(dashboard)).values()

    assert getattr(record, blank) is None


def test_upcoming_active_and_expired_campaigns_are_told_apart(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(*(campaign(status.lower(), status=status) for status in ("UPCOMING", "ACTIVE", "EXPIRED")))

    campaigns_by_key = records(dashboard, fetch(dashboard))

    assert {key: record.status for key, record in campaigns_by_key.items()} == {
        "camp-upcoming": "upcoming",
        "camp-active": "active",
        "camp-expired": "ended",
    }


def test_reward_campaigns_come_with_the_dashboard(twitch: Dashboard, rewards: TwitchDashboardRewards) -> None:
    twitch.list_campaigns(campaign("a"))
    twitch.rewards = [quest("soup"), quest("bread")]

    answer = fetch(rewards)
    reward_records = [rewards.parse(item) for item in snapshot(rewards, answer).items]

    assert [record.name for record in reward_records] == ["Quest soup", "Quest bread"]
    assert [request[0].operation for request in twitch.requests] == [DASHBOARD]


def test_a_token_is_in_no_error_no_payload_and_no_repr(
    twitch: Dashboard, dashboard: TwitchDashboard, account: FixedAccount
) -> None:
    twitch.list_campaigns(campaign("a"))
    answer = fetch(dashboard)
    twitch.instead = [Raw(b"", 403)]
    error = failure(dashboard)
    seen = [
        repr(account),
        str(error),
        repr(error),
        str(answer),
        json.dumps(answer.validators.cursor),
    ]

    for secret in twitch.secrets():
        assert not any(secret in text for text in seen)
