"""Refusals by Twitch, and the errors that the dashboard's source raises for them."""

from datetime import timedelta
from typing import Any

import pytest

from pipeline.drops.sources.dashboard import TwitchDashboard, TwitchDashboardRewards
from pipeline.errors import SourceChanged, SourceError, SourceRefused, SourceUnavailable
from pipeline.services.twitch.graphql_answers import SignedOut
from tests.pipeline.builders import campaign
from tests.pipeline.drops.sources.asking import FixedAccount, failure, fetch, hashes, records
from tests.twitch.dashboard import (
    DASHBOARD,
    DETAILS,
    HASHES,
    Dashboard,
    Json,
    Question,
    Raw,
    answers,
    fault,
)

# Persisted queries


def test_a_hash_that_twitch_does_not_know_is_followed_by_the_alternatives(
    twitch: Dashboard, account: FixedAccount
) -> None:
    alternatives = hashes(**{DASHBOARD: ("0" * 64, "1" * 64, HASHES[DASHBOARD])})
    source = TwitchDashboard(twitch.gql_url, account, poll_every=timedelta(minutes=15), hashes=alternatives)
    twitch.list_campaigns(campaign("a"))

    first = fetch(source)
    fetch(source, first)

    tried = [request[0].sha[0] for request in twitch.requests if request[0].operation == DASHBOARD]
    # The source tries the hash that worked first from then on.
    assert tried == ["0", "1", "d", "d"]
    assert len(records(source, first)) == 1


def test_when_no_hash_is_known_the_source_has_changed_and_names_the_setting(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.hashes[DASHBOARD] = "f" * 64

    error = failure(dashboard)

    assert isinstance(error, SourceChanged)
    assert "PersistedQueryNotFound" in str(error)
    assert "LOOTWIRE_TWITCH_DASHBOARD_HASHES" in str(error)
    assert b"PersistedQueryNotFound" in error.payload


def test_details_whose_hash_is_unknown_change_the_source_too(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.list_campaigns(campaign("a"))
    twitch.hashes[DETAILS] = "f" * 64

    error = failure(dashboard)

    assert isinstance(error, SourceChanged)
    assert "LOOTWIRE_TWITCH_DETAILS_HASHES" in str(error)


def test_an_outage_that_says_the_query_is_unknown_is_over_when_it_is_over(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    twitch.list_campaigns(campaign("a"))
    twitch.instead = answers(fault("PersistedQueryNotFound"))

    failure(dashboard)

    assert len(records(dashboard, fetch(dashboard))) == 1


# Refusals


INTEGRITY: Json = {"errors": [{"message": "failed integrity check"}]}


@pytest.mark.parametrize(
    "answer",
    [INTEGRITY, INTEGRITY | {"extensions": {"challenge": {"type": "integrity"}}}, [INTEGRITY]],
    ids=["bare", "with a challenge", "in a list"],
)
def test_a_failed_integrity_check_is_a_refusal_with_the_way_out(
    twitch: Dashboard, dashboard: TwitchDashboard, answer: Any
) -> None:
    twitch.instead = answers(answer)

    error = failure(dashboard)

    assert isinstance(error, SourceRefused)
    assert "failed integrity check" in str(error)
    assert "LOOTWIRE_TWITCH_DEVICE_CLIENT_ID" in str(error)
    assert "lootwire sources login twitch" in str(error)


def test_null_in_place_of_the_campaigns_is_a_refusal_and_not_an_empty_list(
    twitch: Dashboard, dashboard: TwitchDashboard
) -> None:
    def deny(question: Question, answer: Json) -> Json:
        answer["data"]["currentUser"]["dropCampaigns"] = None
        return answer

    twitch.spoil = deny

    error = failure(dashboard)

    assert isinstance(error, SourceRefused)
    assert "dropCampaigns is null, which is not an empty list" in str(error)


def test_whoever_is_not_known_to_twitch_must_sign_in_again(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.instead = answers({"data": {"currentUser": None, "rewardCampaignsAvailableToUser": None}})

    error = failure(dashboard)

    assert isinstance(error, SourceRefused)
    assert "lootwire sources login twitch" in str(error)


def test_a_refused_token_is_renewed_and_the_question_asked_again(
    twitch: Dashboard, dashboard: TwitchDashboard, account: FixedAccount
) -> None:
    account.sessions.insert(0, twitch.session(alive=False))
    twitch.list_campaigns(campaign("a"))

    answer = fetch(dashboard)

    assert account.refused == [twitch.grants[-1].access_token]
    assert len(records(dashboard, answer)) == 1


def test_a_token_that_dies_between_two_requests_is_renewed_there(
    twitch: Dashboard, dashboard: TwitchDashboard, account: FixedAccount
) -> None:
    account.sessions.append(twitch.session())
    twitch.list_campaigns(campaign("a"))

    def die(question: Question, answer: Json) -> Json:
        twitch.grants[0].alive = False
        return answer

    twitch.spoil = die

    assert len(records(dashboard, fetch(dashboard))) == 1
    assert account.refused == [twitch.grants[0].access_token]


def test_a_token_that_cannot_be_renewed_is_the_end_of_the_sign_in(
    twitch: Dashboard, dashboard: TwitchDashboard, rewards: TwitchDashboardRewards
) -> None:
    twitch.grants[0].alive = False

    assert isinstance(failure(dashboard), SignedOut)
    # Reported once: the source of the rewards only says that it has to wait.
    assert isinstance(failure(rewards), SourceUnavailable)


def test_a_refusal_that_is_not_about_the_token_does_not_spend_it(
    twitch: Dashboard, dashboard: TwitchDashboard, account: FixedAccount
) -> None:
    twitch.instead = [Raw(b"<html>blocked</html>", 403, "text/html")]

    error = failure(dashboard)

    assert isinstance(error, SourceRefused)
    assert "(403). Sign in again: `lootwire sources login twitch`" in str(error)
    assert account.refused == []


def test_a_fresh_token_that_is_refused_too_is_a_refusal_and_not_an_endless_round(
    twitch: Dashboard, dashboard: TwitchDashboard, account: FixedAccount
) -> None:
    account.sessions.append(twitch.session())
    for granted in twitch.grants:
        granted.alive = False

    error = failure(dashboard)

    assert isinstance(error, SourceRefused)
    assert len(twitch.requests) == 2
    assert "lootwire sources login twitch" in str(error)


@pytest.mark.parametrize(
    "graphql_error", [{"message": "service timeout", "path": ["rewardCampaignsAvailableToUser"]}, None]
)
def test_null_in_place_of_the_rewards_is_never_an_empty_list(
    twitch: Dashboard, rewards: TwitchDashboardRewards, graphql_error: Json | None
) -> None:
    twitch.rewards = None
    twitch.spoil = lambda _, answer: answer | ({"errors": [graphql_error]} if graphql_error else {})

    assert isinstance(failure(rewards), SourceUnavailable if graphql_error else SourceRefused)


# Passing faults


PASSING = ("service error", "service timeout", "service unavailable", "server error", "context deadline exceeded")


@pytest.mark.parametrize("message", PASSING)
def test_a_passing_fault_without_data_is_cured_by_time(
    twitch: Dashboard, dashboard: TwitchDashboard, message: str
) -> None:
    twitch.instead = answers(fault(message))

    error = failure(dashboard)

    assert isinstance(error, SourceUnavailable)
    assert message in str(error)


@pytest.mark.parametrize(
    "path", [("currentUser",), ("currentUser", "dropCampaigns"), ("currentUser", "dropCampaigns", 3, "id")]
)
@pytest.mark.parametrize("null", ["currentUser", "dropCampaigns"])
def test_a_null_that_a_passing_fault_explains_is_cured_by_time(
    twitch: Dashboard, dashboard: TwitchDashboard, path: tuple[str | int, ...], null: str
) -> None:
    viewer = None if null == "currentUser" else {"id": "1", "dropCampaigns": None}
    twitch.instead = answers({"data": {"currentUser": viewer}, "errors": [{"message": "service error", "path": path}]})

    assert isinstance(failure(dashboard), SourceUnavailable)


def test_a_fault_that_nobody_knows_is_a_change(twitch: Dashboard, dashboard: TwitchDashboard) -> None:
    twitch.instead = answers(fault("the moon is in the way"))

    error = failure(dashboard)

    assert isinstance(error, SourceChanged)
    assert "the moon is in the way" in str(error)


@pytest.mark.parametrize(
    ("raw", "kind", "reason"),
    [
        (Raw(b"<!DOCTYPE html><title>Just a moment</title>", content_type="text/html"), SourceChanged, "HTML"),
        (Raw(b" \n"), SourceUnavailable, "empty"),
        (Raw(b"gateway says no"), SourceChanged, "not JSON"),
        (Raw(b'{"data":{"currentUser":{"id":'), SourceChanged, "not JSON"),
        (Raw(b"[]"), SourceChanged, "0 answers for 1"),
        (Raw(b"[7]"), SourceChanged, "GraphQL"),
        (Raw(b"42"), SourceChanged, "GraphQL"),
        (Raw(b"{}"), SourceChanged, "no data"),
        (Raw(b'{"data":{"currentUser":{"id":"1"}}}'), SourceChanged, "without `dropCampaigns`"),
        (Raw(b'{"data":{"currentUser":{"id":"1","dropCampaigns":{}}}}'), SourceChanged, "dropCampaigns"),
        (Raw(b'{"error":"Unauthorized","status":401,"message":"no"}'), SourceRefused, "Unauthorized"),
        (Raw(b"", 500), SourceUnavailable, "500"),
        (Raw(b"", 429), SourceUnavailable, "429"),
        (Raw(b"", 400), SourceChanged, "400"),
        (Raw(b"", 302), SourceChanged, "302"),
    ],
)
def test_an_answer_that_is_none_says_by_its_error_what_cures_it(
    twitch: Dashboard, dashboard: TwitchDashboard, raw: Raw, kind: type[SourceError], reason: str
) -> None:
    twitch.instead = [raw]

    error = failure(dashboard)

    assert type(error) is kind
    assert reason in str(error)
