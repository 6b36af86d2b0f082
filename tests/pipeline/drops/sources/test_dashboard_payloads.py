"""Answers of Twitch's GraphQL, each beside its expected records under tests/payloads/twitch_gql."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.errors import SourceChanged
from pipeline.importer.recognise import recognise_all
from tests.paths import PAYLOADS
from tests.pipeline.builders import campaign, drops, kick, kick_campaign, quest, version_2
from tests.pipeline.world import SOURCES
from tests.twitch.dashboard import fault

GRAPHQL = PAYLOADS / "twitch_gql"
CASES = sorted(path for path in GRAPHQL.glob("*/*.json") if not path.name.endswith(".expected.json"))


def as_json(record: Any) -> Any:
    """Return a record as JSON without its empty fields."""
    return without_nulls(msgspec.to_builtins(record))


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_answer_is_taken_for_what_it_is_and_becomes_the_records_beside_it(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_bytes())
    payload = path.read_bytes()

    recognised = recognise_all(payload, "anything.json", [])

    assert recognised.taken_for == expected["taken_for"]
    assert [source.name for source in recognised.sources] == list(expected["sources"])
    for source in recognised.sources:
        beside = expected["sources"][source.name]
        snapshot = source.split(payload)
        assert [as_json(source.parse(item)) for item in snapshot.items] == beside["records"]
        assert list(snapshot.broken) == []
        assert snapshot.scope == (frozenset(beside["scope"]) if "scope" in beside else None)
        assert snapshot.complete == beside.get("complete", True)


def test_every_answer_has_its_expectation() -> None:
    expectations = {path.name.replace(".expected.json", ".json") for path in GRAPHQL.glob("*/*.expected.json")}
    assert expectations == {path.name for path in CASES}


def encode(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_an_answer_in_a_list_is_the_same_as_the_answer_alone() -> None:
    answer = json.loads((GRAPHQL / "details" / "single.json").read_bytes())

    alone, listed = (recognise_all(encode(payload), "", []) for payload in (answer, [answer]))

    digests = [
        [item.digest for item in r.sources[0].split(encode(p)).items] for r, p in ((alone, answer), (listed, [answer]))
    ]
    assert (alone.taken_for, digests[0]) == (listed.taken_for, digests[1])


def test_one_answer_of_several_that_tells_nothing_is_set_aside_alone() -> None:
    payload = encode([json.loads((GRAPHQL / "details" / "single.json").read_bytes()), fault("service error")])
    (source,) = recognise_all(payload, "", []).sources

    snapshot = source.split(payload)

    assert len(snapshot.items) == 1
    assert [reason for _, reason in snapshot.broken] == ["ViewerDropsDashboard: service error"]


ANSWERS_WITHOUT_CAMPAIGNS: dict[str, tuple[Any, str]] = {
    "denied": ({"data": {"currentUser": {"id": "1", "dropCampaigns": None}}}, "dropCampaigns is null"),
    "logged out": ({"data": {"currentUser": None, "rewardCampaignsAvailableToUser": None}}, "currentUser is null"),
    "no such viewer": ({"data": {"user": None}}, "no such viewer"),
    "integrity": ({"errors": [{"message": "failed integrity check"}]}, "failed integrity check"),
    "unknown query": ([{"errors": [{"message": "PersistedQueryNotFound"}]}], "PersistedQueryNotFound"),
    "passing fault": (fault("service timeout", "user", "dropCampaign"), "service timeout"),
    "unauthorized": ({"error": "Unauthorized", "status": 401, "message": "no"}, "Unauthorized"),
    "another operation": (
        {"data": {"channel": {"viewerDropCampaigns": []}}, "extensions": {"operationName": "AvailableDrops"}},
        "AvailableDrops: no answer that lists campaigns",
    ),
    "nothing": ({"data": {}}, "no answer that lists campaigns"),
}


@pytest.mark.parametrize("case", ANSWERS_WITHOUT_CAMPAIGNS)
def test_an_answer_that_tells_of_no_campaigns_is_set_aside_with_its_reason(case: str) -> None:
    answer, reason = ANSWERS_WITHOUT_CAMPAIGNS[case]

    with pytest.raises(SourceChanged) as caught:
        recognise_all(encode(answer), "", [])

    assert reason in str(caught.value)
    # Advice on signing in would puzzle a person who imports a file.
    assert "lootwire sources login" not in str(caught.value)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"<!DOCTYPE html>", "HTML or XML, not JSON"),
        (b"", "the file is empty"),
        (b'{"data":{"currentUser":{"dropCampaigns":[{"id"', "not JSON that we know"),
        (b'[{"gameId":"1","gameDisplayName":"Chess"}]', "a list of games without campaigns"),
        (b'{"access_token":"x","token_type":"bearer"}', "a JSON object of no source that we know"),
        (b'[{"hello":"world"}]', "a list of no source that we know"),
        (b"Name,ID\nChess,743\n", "not JSON that we know"),
    ],
)
def test_what_is_no_answer_says_what_it_seems_to_be(payload: bytes, reason: str) -> None:
    with pytest.raises(SourceChanged, match=reason):
        recognise_all(payload, "", [])


@pytest.mark.parametrize(
    ("payload", "taken_for", "name"),
    [
        (drops(campaign("a")), "drops of the Twitch mirror", "twitch.drops"),
        (version_2(drops(campaign("a"))), "drops of the Twitch mirror, version 2", "twitch.drops"),
        (encode([quest("a")]), "rewards of the Twitch mirror", "twitch.rewards"),
        (kick(kick_campaign("a")), "Kick campaigns", "kick.drops"),
    ],
)
def test_other_services_answers_are_named_too(payload: bytes, taken_for: str, name: str) -> None:
    recognised = recognise_all(payload, "", SOURCES)

    assert (recognised.taken_for, [source.name for source in recognised.sources]) == (taken_for, [name])


def test_a_reward_campaign_that_comes_first_in_a_dashboard_does_not_make_it_a_list_of_rewards() -> None:
    dashboard = {"data": {"rewardCampaignsAvailableToUser": [quest("a")], "currentUser": {"dropCampaigns": []}}}

    assert recognise_all(encode([dashboard]), "", []).taken_for == "Twitch drops dashboard"
