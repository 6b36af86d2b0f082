"""Two sources list one campaign: the better placed one wins (docs/decisions/0006)."""

from datetime import timedelta

import pytest

from models import Event
from pipeline.drops.records import CampaignRecord
from pipeline.drops.sources.mirror import TwitchDrops
from pipeline.ingest.fetching import register
from pipeline.ingest.source import Item
from tests.pipeline.builders import campaign, drop, drops, stamp
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
