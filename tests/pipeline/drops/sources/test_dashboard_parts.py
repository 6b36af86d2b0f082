"""Answers from which Twitch left out a part because of an error."""

from typing import Any

import pytest

from pipeline.drops.sources.dashboard import TwitchDashboard, TwitchDashboardRewards
from pipeline.errors import SourceRefused, SourceUnavailable
from tests.pipeline.builders import campaign, campaigns, drop, quest
from tests.pipeline.drops.sources.asking import failure, fetch, records, snapshot
from tests.twitch.dashboard import DASHBOARD, DETAILS, Dashboard, Json, Question, Raw, answers, fault


def failing(*keys: str, message: str = "service error") -> Any:
    def spoil(question: Question, answer: Json) -> Json:
        if question.variables.get("dropID") in keys:
            answer["data"]["user"]["dropCampaign"] = None
            answer["errors"] = [{"message": message, "path": ["user", "dropCampaign"]}]
        return answer

    return spoil


def test_one_failing_detail_of_twenty_lets_the_others_land_and_is_asked_for_again(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))
    twitch.spoil = failing("camp-b")
    first = fetch(dashboard)
    twitch.spoil = None
    second = fetch(dashboard, first)

    assert records(dashboard, first)["camp-a"].drops
    assert records(dashboard, first)["camp-b"].drops is None
    assert twitch.asked_details() == [["camp-a", "camp-b"], ["camp-b"]]
    assert records(dashboard, second)["camp-b"].drops
    # A campaign without details does not make the list of campaigns incomplete.
    assert snapshot(dashboard, first).complete


def test_when_all_details_fail_time_must_cure_it(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))
    twitch.spoil = failing("camp-a", "camp-b")

    assert isinstance(failure(dashboard), SourceUnavailable)


def test_details_that_came_before_the_service_failed_are_kept(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(*campaigns(*(f"{n:02}" for n in range(25))))
    twitch.instead = [None, None, Raw(b"", 503)]
    first = fetch(dashboard)
    fetch(dashboard, first)

    detailed = [key for key, record in records(dashboard, first).items() if record.drops]
    assert detailed == [f"camp-{n:02}" for n in range(20)]
    assert twitch.asked_details()[-1] == [f"camp-{n:02}" for n in range(20, 25)]


def test_an_integrity_check_between_details_is_a_refusal(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(campaign("a"))
    twitch.instead = [None, *answers(fault("failed integrity check"))]

    assert isinstance(failure(dashboard), SourceRefused)


def test_a_detail_with_an_unknown_error_is_set_aside_and_not_asked_for_at_every_fetch(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))

    def spoil(question: Question, answer: Json) -> Json:
        return fault("the moon is in the way") if question.variables.get("dropID") == "camp-b" else answer

    twitch.spoil = spoil
    first = fetch(dashboard)
    fetch(dashboard, first)

    assert [reason for _, reason in snapshot(dashboard, first).broken] == [
        "ViewerDropsDashboard: no data (the moon is in the way)"
    ]
    assert len(records(dashboard, first)) == 2
    assert len(twitch.asked_details()) == 1


@pytest.mark.parametrize("viewer_id", [None, True, 1.5, [], {"id": 7}, ""], ids=str)
def test_a_viewers_id_that_cannot_be_read_costs_the_details_alone_and_the_reason_is_kept(
    twitch: Dashboard, dashboard: TwitchDashboard, viewer_id: Any
) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))

    def spoil(question: Question, answer: Json) -> Json:
        if question.operation == DASHBOARD:
            answer["data"]["currentUser"]["id"] = viewer_id
        return answer

    twitch.spoil = spoil
    answer = fetch(dashboard)

    assert set(records(dashboard, answer)) == {"camp-a", "camp-b"}
    ((_, reason),) = snapshot(dashboard, answer).broken
    assert "viewer's id" in reason
    assert twitch.asked_details() == []


@pytest.mark.parametrize("details", [7, None, "odd", [], {"errors": 7}], ids=str)
def test_details_that_are_no_answer_are_set_aside_and_the_others_land(
    twitch: Dashboard, dashboard: TwitchDashboard, details: Any
) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))

    def spoil(question: Question, answer: Json) -> Any:
        return details if question.variables.get("dropID") == "camp-b" else answer

    twitch.spoil = spoil
    answer = fetch(dashboard)

    assert set(records(dashboard, answer)) == {"camp-a", "camp-b"}
    assert len(snapshot(dashboard, answer).broken) == 1


# Data beside errors


def nulled(operation: str, *path: str | int, message: str = "service error", null: tuple[str | int, ...] = ()) -> Any:
    """Let a field fail: Twitch reports an error at `path` and null there, or further up at `null`."""

    def spoil(question: Question, answer: Json) -> Json:
        if question.operation != operation:
            return answer
        *above, last = null or path
        place: Any = answer["data"]
        for key in above:
            place = place[key]
        place[last] = None
        return answer | {"errors": [{"message": message, "path": list(path)}]}

    return spoil


def test_an_answer_with_data_and_errors_is_not_complete(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))
    twitch.spoil = nulled(DASHBOARD, "currentUser", "dropCampaigns", 1, "owner")

    answer = fetch(dashboard)

    assert not snapshot(dashboard, answer).complete
    assert snapshot(dashboard, answer).scope is None
    assert len(records(dashboard, answer)) == 2


def test_an_entry_that_failed_is_not_listed_and_the_answer_is_not_complete(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))
    twitch.spoil = nulled(DASHBOARD, "currentUser", "dropCampaigns", 0)

    answer = fetch(dashboard)

    assert list(records(dashboard, answer)) == ["camp-b"]
    assert not snapshot(dashboard, answer).complete


def test_a_fault_among_the_rewards_says_nothing_of_the_campaigns(
    twitch: Dashboard, dashboard: TwitchDashboard, rewards: TwitchDashboardRewards
) -> None:
    twitch.list_campaigns(campaign("a"))
    twitch.rewards = [quest("soup"), quest("bread")]
    twitch.spoil = nulled(DASHBOARD, "rewardCampaignsAvailableToUser", 0)

    assert snapshot(dashboard, fetch(dashboard)).complete
    partial = snapshot(rewards, fetch(rewards))
    assert not partial.complete
    assert len(partial.items) == 1


OF_DROPS = ("user", "dropCampaign", "timeBasedDrops")
OF_CHANNELS = ("user", "dropCampaign", "allow", "channels")


@pytest.mark.parametrize(
    ("path", "null", "field"),
    [
        ((*OF_DROPS, 1), (), "drops"),
        ((*OF_DROPS, 1, "id"), OF_DROPS, "drops"),
        ((*OF_DROPS, 0, "benefitEdges", 0), (), "drops"),
        ((*OF_DROPS, 0, "benefitEdges", 0, "benefit"), (), "drops"),
        (OF_CHANNELS, (), "channels"),
        ((*OF_CHANNELS, 1), (), "channels"),
        ((*OF_CHANNELS, 1, "name"), (), "channels"),
        ((*OF_CHANNELS, 1, "id"), ("user", "dropCampaign", "allow"), "channels"),
    ],
)
def test_half_a_list_is_no_list(
    twitch: Dashboard,
    dashboard: TwitchDashboard,
    path: tuple[str | int, ...],
    null: tuple[str | int, ...],
    field: str,
) -> None:
    twitch.list_campaigns(campaign("a", channels=[1, 2], drops=[drop("one"), drop("two")]))
    twitch.spoil = nulled(DETAILS, *path, null=null)

    first = fetch(dashboard)
    (record,) = records(dashboard, first).values()

    assert getattr(record, field) is None
    assert getattr(record, "channels" if field == "drops" else "drops")
    # The source asks for it again at once and gets the whole.
    twitch.spoil = None
    (again,) = records(dashboard, fetch(dashboard, first)).values()
    assert len(getattr(again, field)) == 2


@pytest.mark.parametrize("leaf", ["imageAssetURL", "ownerOrganization"])
def test_a_failing_leaf_does_not_cost_the_list(twitch: Dashboard, dashboard: TwitchDashboard, leaf: str) -> None:
    twitch.list_campaigns(campaign("a", drops=[drop("one"), drop("two")]))
    twitch.spoil = nulled(DETAILS, *OF_DROPS, 0, "benefitEdges", 0, "benefit", leaf)

    (record,) = records(dashboard, fetch(dashboard)).values()

    assert len(record.drops or ()) == 2
