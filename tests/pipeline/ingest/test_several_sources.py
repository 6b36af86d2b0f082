"""Two sources list one campaign: the better placed one wins (docs/decisions/0006)."""

from datetime import timedelta
from typing import Any

import pytest

from models import CampaignDeadline, DropBenefit, Event, Game
from pipeline.drops.records import CampaignRecord
from pipeline.drops.sources.mirror import TwitchDrops
from pipeline.ingest.fetching import register
from pipeline.ingest.source import Item
from tests.pipeline.builders import END, Json, campaign, drop, drops, encode, group, stamp
from tests.pipeline.world import DROPS, Ingesting

MIRROR = DROPS


class Dashboard(TwitchDrops):
    """A better placed source with the mirror's payloads: these tests are about its rank, not its format."""

    name = "twitch.dashboard"
    outranked_by = ()

    def parse(self, item: Item) -> CampaignRecord:
        return super().parse(item)


DASHBOARD = Dashboard("http://dashboard.invalid")


@pytest.fixture
def two(world: Ingesting) -> Ingesting:
    with world.engine.begin() as connection:
        register(connection, [DASHBOARD], world.now)
    world.set_source(DASHBOARD.name, known_since=world.now - timedelta(days=30))
    return world


def test_one_campaign_seen_by_two_sources_is_one_row_and_one_event(two: Ingesting) -> None:
    two.ingest(drops(campaign("a")), source=MIRROR)
    two.ingest(drops(campaign("a")), source=DASHBOARD, minutes=1)

    assert two.kinds("campaign") == ["campaign.added"]


def test_a_better_placed_source_wins_and_a_lesser_one_changes_nothing(two: Ingesting) -> None:
    later = two.now + timedelta(days=9)
    two.ingest(drops(campaign("a")), source=MIRROR)
    two.ingest(drops(campaign("a", end=later, drops=[drop("hat", endAt=stamp(later))])), source=DASHBOARD, minutes=1)
    events_before = len(two.rows(Event))
    assert two.campaign().end_at == later

    two.ingest(drops(campaign("a", name="Mirror's name", drops=[drop("other")])), source=MIRROR, minutes=1)

    assert two.campaign().end_at == later
    assert two.campaign().name == "Campaign a"
    assert set(two.drops()) >= {"drop-hat"}
    assert len(two.rows(Event)) == events_before


def test_a_lesser_source_fills_blanks(two: Ingesting) -> None:
    two.ingest(drops(campaign("a", description="", detailsURL="")), source=DASHBOARD)
    two.ingest(drops(campaign("a", description="From the mirror")), source=MIRROR, minutes=1)

    assert two.campaign().description == "From the mirror"


BARE: dict[str, Any] = {"description": "", "imageURL": ""}


def bare_drop(key: str, minutes: int) -> Json:
    return {"id": f"drop-{key}", "requiredMinutesWatched": minutes, "requiredSubs": 0, "requiredTurboSubs": 0}


@pytest.mark.parametrize("second", [MIRROR, DASHBOARD], ids=["the mirror", "the dashboard itself"])
@pytest.mark.parametrize(
    "listed",
    [{"drops": [bare_drop("one", 60), bare_drop("two", 120)]}, {"timeBasedDrops": ...}],
    ids=["drops without names", "an entry without drops"],
)
def test_what_is_known_later_of_a_campaign_fills_its_blanks_and_tells_nothing(
    two: Ingesting, listed: dict[str, Any], second: TwitchDrops
) -> None:
    two.ingest(drops(campaign("a", **BARE, allow=..., **listed)), source=DASHBOARD)
    known = campaign("a", channels=[1, 2], drops=[drop("one", 60, "Hat"), drop("two", 120, "Cap", "Coat")])

    two.ingest(drops(known), source=second, minutes=1)

    assert two.kinds("campaign") == ["campaign.added"]
    assert {key: row.name for key, row in two.drops().items()} == {"drop-one": "Drop one", "drop-two": "Drop two"}
    assert {row.name for row in two.rows(DropBenefit)} == {"Hat", "Cap", "Coat"}
    assert two.campaign().description == "Watch and get loot."
    due = {row.kind: row.due_at for row in two.rows(CampaignDeadline)}
    assert due["last_chance"] == END - timedelta(minutes=130)
    assert two.channels() == {"keeper1", "keeper2"}

    more = campaign("a", channels=[1, 2], drops=[*known["timeBasedDrops"], drop("three")])
    two.ingest(drops(more), source=DASHBOARD, minutes=1)
    assert two.kinds("campaign") == ["campaign.added", "campaign.drop_added"]


def test_a_lesser_source_names_drops_and_changes_nothing_else_of_them(two: Ingesting) -> None:
    two.ingest(drops(campaign("a", **BARE, drops=[bare_drop("one", 60)])), source=DASHBOARD)

    two.ingest(drops(campaign("a", drops=[drop("one", 90, "Hat"), drop("two", 120)])), source=MIRROR, minutes=1)

    assert {key: (row.name, row.required_minutes) for key, row in two.drops().items()} == {"drop-one": ("Drop one", 60)}
    assert two.kinds("campaign") == ["campaign.added"]


def test_a_campaign_whose_channels_were_known_to_be_all_is_restricted_aloud(two: Ingesting) -> None:
    two.ingest(drops(campaign("a")), source=DASHBOARD)
    two.ingest(drops(campaign("a", channels=[1])), source=DASHBOARD, minutes=1)

    assert two.kinds("campaign") == ["campaign.added", "campaign.channels_changed"]


def test_an_event_shows_what_is_known_also_where_its_source_says_less(two: Ingesting) -> None:
    two.ingest(drops(campaign("a", channels=[1], drops=[drop("one", 60, "Hat")])), source=DASHBOARD)

    bare = campaign("a", **BARE, name="Renamed", allow=..., drops=[bare_drop("one", 60)])
    two.ingest(drops(bare), source=DASHBOARD, minutes=1)

    detail = two.event("campaign.changed").detail
    (line,) = detail["drops"]
    assert (line["name"], line["benefits"][0]["name"], detail["channels"]) == ("Drop one", "Hat", ["keeper1"])
    assert [change["field"] for change in detail["changes"]] == ["name"]


def test_what_one_campaign_does_not_say_of_a_benefit_another_one_in_the_same_list_does(world: Ingesting) -> None:
    nameless = drop("one", benefitEdges=[{"benefit": {"id": "benefit-Hat"}}])
    world.ingest(drops(campaign("a", drops=[nameless]), campaign("b", drops=[drop("two", 60, "Hat")])))

    assert [row.name for row in world.rows(DropBenefit)] == ["Hat"]


def test_a_game_that_was_known_by_its_id_alone_gets_its_name(world: Ingesting) -> None:
    world.ingest(encode([group("7009", [campaign("a", game={"id": "7009"})], gameDisplayName=None)]))
    world.ingest(encode([group("7009", [campaign("a", game={"id": "7009", "displayName": "Moss"})])]), minutes=1)

    assert [(row.name, row.name_key) for row in world.rows(Game)] == [("Moss", "moss")]
    assert world.kinds("campaign") == ["campaign.added"]


def miss(world: Ingesting, source: TwitchDrops, times: int) -> None:
    for _ in range(times):
        world.ingest(drops(campaign("b")), source=source, hours=1)


def test_a_campaign_is_withdrawn_only_when_both_have_missed_it(two: Ingesting) -> None:
    for source in (MIRROR, DASHBOARD):
        two.ingest(drops(campaign("a"), campaign("b")), source=source, minutes=1)

    miss(two, DASHBOARD, 4)
    assert two.state() == "open"

    miss(two, MIRROR, 3)
    assert two.state() == "withdrawn"
    assert [kind for kind in two.kinds("campaign") if kind == "campaign.withdrawn"] == ["campaign.withdrawn"]


def test_a_source_that_fell_silent_holds_nothing_back(two: Ingesting) -> None:
    two.ingest(drops(campaign("a"), campaign("b")), source=MIRROR)
    two.ingest(drops(campaign("a"), campaign("b")), source=DASHBOARD, minutes=1)
    two.later(hours=12)

    miss(two, DASHBOARD, 3)

    assert two.state() == "withdrawn"
