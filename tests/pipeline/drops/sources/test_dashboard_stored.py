"""The dashboard's answers in the database, and the operator's notices when they fail."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, func, select

from models import Base, Credential, DropCampaign, Event, QuarantinedPayload, RewardCampaign, Sighting, Source
from pipeline.ingest.fetching import due
from pipeline.ingest.turn import lock_source
from tests.pipeline.builders import campaign, campaigns, drop, quest
from tests.pipeline.drops.sources.installation import SignedIn, die, now
from tests.twitch.dashboard import DASHBOARD, DETAILS, Dashboard, Json, Question, Raw, answers, fault


def test_campaigns_and_rewards_of_the_dashboard_land_and_stay_quiet_when_nothing_changes(
    installation: SignedIn, twitch: Dashboard
) -> None:
    twitch.list_campaigns(*campaigns("a", "b", status="UPCOMING"))
    twitch.rewards = [quest("soup")]

    first, of_rewards = installation.fetch(), installation.fetch(installation.rewards)
    second = installation.fetch()

    assert first is not None
    assert of_rewards is not None
    assert second is not None
    assert (first.outcome, first.items, first.changed) == ("ok", 2, 2)
    assert (of_rewards.outcome, of_rewards.items) == ("ok", 1)
    assert (second.outcome, second.changed) == ("unchanged", 0)
    assert installation.count(RewardCampaign) == 1
    assert installation.campaign("a")["started_at"] is None


def test_a_change_that_only_the_details_show_is_reported(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(campaign("a", name="Nights"))
    installation.fetch()
    twitch.list_campaigns(campaign("a", name="Long nights", drops=[drop("a"), drop("b")]))
    installation.fetch()

    assert len(installation.headlines("campaign.changed")) == 1
    assert len(installation.headlines("campaign.drop_added")) == 1


def test_details_that_could_not_be_asked_for_take_nothing_away(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(campaign("a", channels=[1, 2]), campaign("b"))
    installation.fetch()

    def spoil(question: Question, answer: Json) -> Json:
        if question.operation == DETAILS and question.variables["dropID"] == "camp-a":
            return fault("service error", "user", "dropCampaign", operation=DETAILS)
        return answer

    twitch.spoil = spoil
    twitch.list_campaigns(campaign("a", name="Renamed", channels=[1, 2]), campaign("b", name="Renamed too"))
    installation.fetch()

    assert installation.campaign("a")["description"] == "Watch and get loot."
    assert installation.headlines("campaign.channels_changed") == []
    assert len(installation.headlines("campaign.changed")) == 2


def test_what_a_fault_made_null_does_not_overwrite_what_is_known(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(campaign("a", channels=[1, 2], drops=[drop("one"), drop("two")]))
    installation.fetch()

    def spoil(question: Question, answer: Json) -> Json:
        if question.operation == DASHBOARD:
            answer["data"]["currentUser"]["dropCampaigns"][0]["owner"] = None
            return answer | {"errors": [fault_at("currentUser", "dropCampaigns", 0, "owner")]}
        details = answer["data"]["user"]["dropCampaign"]
        details["owner"], details["allow"]["channels"], details["timeBasedDrops"][1] = None, None, None
        faulty = [("owner",), ("allow", "channels"), ("timeBasedDrops", 1)]
        return answer | {"errors": [fault_at("user", "dropCampaign", *path) for path in faulty]}

    twitch.spoil = spoil
    for _ in range(4):
        installation.fetch()

    assert installation.campaign("a")["organization_id"] is not None
    assert [kind for kind in ("campaign.changed", "campaign.channels_changed") if installation.headlines(kind)] == []


def fault_at(*path: str | int) -> Json:
    return {"message": "service error", "path": list(path)}


def test_an_answer_in_parts_adds_and_updates_but_never_removes(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(*campaigns(*"abcdefgh"))
    installation.fetch()
    twitch.list_campaigns(campaign("a", name="Renamed"), campaign("new"))
    twitch.spoil = lambda question, answer: (
        answer | {"errors": [fault_at("currentUser", "dropCampaigns", 1, "owner")]}
        if question.operation == DASHBOARD
        else answer
    )

    fetched = installation.fetch()

    assert fetched is not None
    assert fetched.outcome == "ok"
    assert installation.campaign("a")["name"] == "Renamed"
    assert installation.count(DropCampaign) == 9
    # Neither set aside nor reported: Twitch said itself that its answer is incomplete.
    assert installation.count(QuarantinedPayload) == 0
    assert installation.headlines("source.changed") == []
    with installation.engine.connect() as connection:
        assert absences(connection) == 0


def absences(connection: Connection) -> int:
    return connection.scalar(select(func.count()).where(Sighting.absent_count > 0)) or 0


def test_an_empty_list_is_suspected_and_a_null_is_not_even_looked_at(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(*campaigns(*"abcdefgh"))
    installation.fetch()
    twitch.list_campaigns()
    empty = installation.fetch()
    twitch.spoil = lambda *_: {"data": {"currentUser": {"id": "1", "dropCampaigns": None}}}
    null = installation.fetch()

    assert empty is not None
    assert null is not None
    assert (empty.outcome, null.outcome) == ("quarantined", "failed")
    assert null.error is not None
    assert "not an empty list" in null.error
    assert installation.campaign("a")["withdrawn_at"] is None


def test_after_an_answer_that_was_set_aside_everything_is_asked_for_anew(
    installation: SignedIn, twitch: Dashboard
) -> None:
    twitch.list_campaigns(*campaigns(*"abcdefgh"))
    installation.fetch()
    twitch.list_campaigns(campaign("a", name="Renamed", drops=[drop("a"), drop("b")]))
    shrunken = installation.fetch()
    twitch.list_campaigns(campaign("a", name="Renamed", drops=[drop("a"), drop("b")]), *campaigns(*"bcdefgh"))
    installation.fetch()

    assert shrunken is not None
    assert shrunken.outcome == "quarantined"
    assert len(installation.headlines("campaign.drop_added")) == 1


def test_an_unknown_query_keeps_what_is_known_is_told_once_and_switches_nothing_off(
    installation: SignedIn, twitch: Dashboard
) -> None:
    twitch.list_campaigns(*campaigns("a", "b"))
    installation.fetch()
    known = dict(twitch.hashes)
    twitch.hashes[DASHBOARD] = "f" * 64
    for _ in range(3):
        installation.fetch()

    (headline,) = installation.headlines("source.changed")
    assert "PersistedQueryNotFound" in headline
    assert installation.row()["enabled"]
    assert installation.campaign("a")["withdrawn_at"] is None

    twitch.hashes = known
    installation.fetch()
    assert installation.row()["changed_since"] is None
    assert len(installation.headlines("source.recovered")) == 1


def test_html_is_kept_aside_for_a_person_to_look_at(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.instead = [Raw(b"<html>Just a moment</html>", content_type="text/html")]
    installation.fetch()

    assert installation.count(QuarantinedPayload) == 1
    assert len(installation.headlines("source.changed")) == 1


@pytest.mark.parametrize("answer", [fault("failed integrity check"), {"data": {"currentUser": None}}])
def test_a_refusal_is_told_once_and_leaves_the_sign_in_alone(
    installation: SignedIn, twitch: Dashboard, answer: Json
) -> None:
    twitch.instead = answers(*[answer] * 3)
    for _ in range(3):
        installation.fetch()

    (headline,) = installation.headlines("source.failing")
    assert "lootwire sources login twitch" in headline
    assert installation.count(select(Credential).where(Credential.dead_at.is_not(None)).subquery()) == 0


@pytest.mark.parametrize("first", ["dashboard", "rewards"])
def test_a_dead_sign_in_is_reported_once_whichever_source_meets_it_and_twitch_is_left_alone(
    installation: SignedIn, twitch: Dashboard, first: str
) -> None:
    twitch.list_campaigns(campaign("a"))
    installation.fetch()
    installation.fetch(installation.rewards)
    die(twitch)
    sources = [installation.dashboard, installation.rewards]
    for source in [*(sources if first == "dashboard" else reversed(sources)), *sources, *sources]:
        installation.fetch(source)
    requests_before = len(twitch.requests)
    installation.fetch()

    (headline,) = installation.headlines("source.failing")
    assert "twitch.dashboard " in headline
    assert "Twitch signed lamplighter out" in headline
    assert "`lootwire sources login twitch` signs in again" in headline
    assert len(twitch.requests) == requests_before
    assert installation.row()["enabled"]
    assert not installation.row(installation.rewards)["enabled"]


def test_signing_in_again_cures_a_dead_sign_in(installation: SignedIn, twitch: Dashboard) -> None:
    installation.fetch()
    device = installation.credential()["device_id"]
    die(twitch)
    installation.fetch()
    installation.sign_in()

    with installation.engine.connect() as connection:
        assert due(connection, now()) == ["twitch.dashboard", "twitch.dashboard_rewards", "twitch.inventory"]
    installation.fetch()
    installation.fetch(installation.rewards)
    assert len(installation.headlines("source.recovered")) == 1
    assert installation.row(installation.rewards)["last_error"] is None
    # A new sign-in uses the same device.
    assert installation.credential()["device_id"] == device
    assert {headers["X-Device-Id"] for headers in twitch.headers} == {device}


def test_no_secret_is_anywhere_in_the_database(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(campaign("a"))
    installation.fetch()
    die(twitch)
    installation.fetch()

    models: list[type[Base]] = [Credential, Source, Event, QuarantinedPayload]
    with installation.engine.connect() as connection:
        text = "".join(str(list(connection.execute(select(*model.__table__.c)))) for model in models)
    assert not any(secret in text for secret in twitch.secrets())


def test_a_source_that_only_files_tell_of_gets_a_row_that_is_never_due(engine: Engine) -> None:
    with engine.begin() as connection:
        row = lock_source(connection, "twitch.details")

    assert (row["service"], row["enabled"]) == ("twitch", False)
    with engine.begin() as connection:
        assert lock_source(connection, "twitch.details")["id"] == row["id"]
        assert due(connection, now() + timedelta(days=1)) == []
