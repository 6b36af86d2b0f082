"""Twitch's inventory of the account that signed in: what is watched, claimed and linked."""

import json
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from models import AccountLink, Delivery, DropCampaign, DropProgress, Event, TimeBasedDrop
from notifiers import targets
from notifiers.conditions.conditions import Conditions
from notifiers.subscriptions import add_subscription
from pipeline.drops.sources.inventory import read_inventory
from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from tests.paths import CHECKOUT, RECORDINGS
from tests.pipeline.builders import campaign, drop
from tests.pipeline.drops.sources.installation import SignedIn, die, now
from tests.twitch.dashboard import Dashboard, Json, Question, fault

GRAPHQL = RECORDINGS / "twitch_gql_drops"
PAYLOADS = CHECKOUT / "tests" / "payloads" / "twitch_gql" / "inventory"
HATS = campaign("a", drops=[drop("hat", 60, "Hat"), drop("coat", 120, "Coat")])


def progress(installation: SignedIn) -> dict[str, tuple[int, bool]]:
    """Return minutes and claims by the drops' ids."""
    query = select(TimeBasedDrop.external_id, DropProgress.minutes, DropProgress.claimed_at).join(
        DropProgress, DropProgress.drop_id == TimeBasedDrop.id
    )
    with installation.engine.connect() as connection:
        return {row[0]: (row[1], row[2] is not None) for row in connection.execute(query)}


def links(installation: SignedIn) -> dict[str, bool]:
    query = select(DropCampaign.external_id, AccountLink.is_linked).join(
        AccountLink, AccountLink.campaign_id == DropCampaign.id
    )
    with installation.engine.connect() as connection:
        return dict(connection.execute(query).all())


def test_what_is_watched_and_claimed_lands_and_nothing_is_written_where_nothing_changed(
    installation: SignedIn, twitch: Dashboard
) -> None:
    twitch.list_campaigns(HATS)
    installation.fetch()
    twitch.watched, twitch.claimed = {"drop-hat": 60, "drop-coat": 75}, {"drop-hat"}
    first, second = installation.fetch(installation.inventory), installation.fetch(installation.inventory)
    assert first is not None
    assert second is not None
    assert (first.outcome, first.items, first.changed) == ("ok", 2, 2)
    assert (second.outcome, second.changed) == ("unchanged", 0)
    assert progress(installation) == {"drop-hat": (60, True), "drop-coat": (75, False)}


def test_an_inventory_makes_no_events(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(HATS)
    installation.fetch()
    before = installation.count(Event)
    twitch.watched = {"drop-hat": 60}
    installation.fetch(installation.inventory)
    assert installation.count(Event) == before


def test_an_empty_inventory_is_one_and_forgets_nothing(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(HATS)
    installation.fetch()
    twitch.watched = {"drop-hat": 30}
    installation.fetch(installation.inventory)
    twitch.watched = {}
    fetched = installation.fetch(installation.inventory)
    assert fetched is not None
    assert fetched.outcome == "unchanged"
    assert progress(installation)["drop-hat"] == (30, False)


def test_a_drop_that_nobody_listed_yet_waits_for_the_next_answer(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(HATS)
    twitch.watched = {"drop-hat": 30}
    installation.fetch(installation.inventory)
    assert progress(installation) == {}
    installation.fetch()
    installation.fetch(installation.inventory)
    assert progress(installation)["drop-hat"] == (30, False)


@pytest.mark.parametrize(
    ("awarded", "expected"),
    [
        pytest.param("2031-03-02T10:00:00Z", {"drop-hat": (60, True)}, id="while the drop was open"),
        pytest.param("2030-03-02T10:00:00Z", {}, id="in a campaign before"),
    ],
)
def test_what_was_awarded_is_claimed_where_its_time_fits(
    installation: SignedIn, twitch: Dashboard, awarded: str, expected: dict[str, tuple[int, bool]]
) -> None:
    twitch.list_campaigns(HATS)
    installation.fetch()
    twitch.awarded = {"benefit-Hat": awarded}
    installation.fetch(installation.inventory)
    assert progress(installation) == expected


def test_one_award_of_a_benefit_that_several_drops_give_claims_none_of_them(
    installation: SignedIn, twitch: Dashboard
) -> None:
    twitch.list_campaigns(campaign("a", drops=[drop("one", 60, "Box"), drop("two", 120, "Box")]))
    installation.fetch()
    twitch.awarded = {"benefit-Box": "2031-03-02T10:00:00Z"}
    installation.fetch(installation.inventory)
    assert progress(installation) == {}


def test_what_the_inventory_says_of_a_drop_counts_for_more_than_an_award(
    installation: SignedIn, twitch: Dashboard
) -> None:
    twitch.list_campaigns(HATS)
    installation.fetch()
    twitch.awarded, twitch.watched = {"benefit-Hat": "2031-03-02T10:00:00Z"}, {"drop-hat": 12}
    installation.fetch(installation.inventory)
    assert progress(installation)["drop-hat"] == (12, False)


def test_the_dashboard_says_with_which_games_the_account_is_linked(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(HATS, campaign("b"))
    twitch.linked = {"camp-a"}
    installation.fetch()
    assert links(installation) == {"camp-a": True, "camp-b": False}
    twitch.linked = {"camp-b"}
    installation.fetch()
    assert links(installation) == {"camp-a": False, "camp-b": True}


def test_a_campaign_is_matched_with_its_link_known(installation: SignedIn, twitch: Dashboard) -> None:
    installation.fetch()
    with installation.engine.begin() as connection:
        targets.add_target(connection, installation.vault, "phone", "json://127.0.0.1:9/x", now())
        add_subscription(connection, "phone", now(), conditions=Conditions(kinds=("campaign.added",), linked=True))
        connection.execute(update(Event).values(silent=True))
    twitch.list_campaigns(HATS, campaign("b"))
    twitch.linked = {"camp-a"}
    installation.fetch()
    query = select(DropCampaign.external_id).join(Event, Event.campaign_id == DropCampaign.id)
    with installation.engine.connect() as connection:
        assert list(connection.scalars(query.join(Delivery, Delivery.event_id == Event.id))) == ["camp-a"]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        pytest.param(lambda _: fault("service error", "currentUser", "inventory"), SourceUnavailable, id="a fault"),
        pytest.param(lambda _: {"data": {"currentUser": None}}, SourceRefused, id="nobody"),
        pytest.param(lambda _: {"data": {"currentUser": {"id": "1"}}}, SourceChanged, id="no inventory"),
        pytest.param(lambda _: fault("failed integrity check"), SourceRefused, id="an application that is refused"),
        pytest.param(lambda _: {"data": {"currentUser": {"dropCampaigns": []}}}, SourceChanged, id="a dashboard"),
    ],
)
def test_what_is_no_inventory_is_told_by_its_cure(spoil: Any, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        read_inventory(msgspec.Raw(json.dumps(spoil(None)).encode()))


def test_a_part_that_a_fault_left_null_says_nothing(installation: SignedIn, twitch: Dashboard) -> None:
    twitch.list_campaigns(HATS, campaign("b", drops=[drop("cap", 30)]))
    installation.fetch()
    twitch.watched = {"drop-hat": 20, "drop-coat": 20, "drop-cap": 20}
    installation.fetch(installation.inventory)
    twitch.watched = {"drop-hat": 30, "drop-coat": 30, "drop-cap": 30}

    def spoil(_: Question, answer: Json) -> Json:
        first, second = answer["data"]["currentUser"]["inventory"]["dropCampaignsInProgress"]
        first["timeBasedDrops"][0]["self"], first["timeBasedDrops"][1]["self"]["currentMinutesWatched"] = None, "many"
        first["self"], second["timeBasedDrops"] = None, [None, *second["timeBasedDrops"]]
        return answer

    twitch.spoil = spoil
    installation.fetch(installation.inventory)
    assert progress(installation) == {"drop-hat": (20, False), "drop-coat": (20, False), "drop-cap": (30, False)}


def test_a_sign_in_that_died_is_told_by_the_dashboard_alone(installation: SignedIn, twitch: Dashboard) -> None:
    die(twitch)
    fetched = installation.fetch(installation.inventory)
    assert fetched is not None
    assert fetched.outcome == "failed"
    assert "lootwire sources login twitch" in (fetched.error or "")
    assert installation.headlines("source.failing") == []


@pytest.mark.parametrize("name", ["form_of_2022.json", "lists_null.json", "parts_missing.json"])
def test_every_form_of_an_inventory_is_read(name: str) -> None:
    record, unreadable = read_inventory(msgspec.Raw((PAYLOADS / name).read_bytes()))
    assert unreadable == 0
    assert record.progress or name != "form_of_2022.json"


@pytest.mark.recordings
@pytest.mark.skipif(not GRAPHQL.is_dir(), reason=f"no recordings at {GRAPHQL}")
@pytest.mark.parametrize(
    ("name", "claimed", "linked"),
    [
        pytest.param("derived/Inventory_envelope_2022-03.json", 6, {True, False}, id="2022"),
        pytest.param("synthetic_thozoz/gql_inventory.json", 1, {True}, id="2026"),
    ],
)
def test_a_recorded_inventory_is_read(name: str, claimed: int, linked: set[bool]) -> None:
    record, unreadable = read_inventory(msgspec.Raw((GRAPHQL / name).read_bytes()))
    assert unreadable == 0
    assert sum(drop.is_claimed for drop in record.progress) == claimed
    assert set(record.linked.values()) == linked
