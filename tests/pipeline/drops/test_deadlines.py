"""When a campaign's end is worth a message."""

from datetime import datetime, timedelta

import pytest

from models import CampaignDeadline, Event
from pipeline.drops.deadlines import deadlines, is_pointless
from pipeline.drops.records import CampaignRecord, DropRecord
from tests.details import campaign_detail
from tests.pipeline.builders import END, NOON, campaign, drop, drops
from tests.pipeline.world import Ingesting

HOUR = timedelta(hours=1)


def record(end_at: datetime | None, minutes: int | None = None, start_at: datetime = NOON) -> CampaignRecord:
    listed = () if minutes is None else (DropRecord(external_id="d", required_minutes=minutes),)
    return CampaignRecord(service="twitch", external_id="a", name="A", start_at=start_at, end_at=end_at, drops=listed)


def hours_before(end_at: datetime, warnings: dict[str, datetime]) -> dict[str, float]:
    return {kind: (end_at - at) / HOUR for kind, at in warnings.items()}


@pytest.mark.parametrize(
    ("lasts", "minutes", "expected"),
    [
        (48, 120, {"ending_soon:24h": 24, "ending_soon:3h": 3, "last_chance": 2}),
        (24, 240, {"ending_soon:3h": 3, "last_chance": 4}),
        (4, None, {}),
        (6, 0, {"ending_soon:3h": 3}),
        (6, 360, {"ending_soon:3h": 3}),
        (2, 90, {"last_chance": 1.5}),
    ],
)
def test_a_campaign_gets_the_warnings_that_its_length_has_room_for(
    lasts: float, minutes: int | None, expected: dict[str, float]
) -> None:
    end_at = NOON + lasts * HOUR
    assert hours_before(end_at, deadlines(record(end_at, minutes), NOON)) == expected


def test_a_campaign_without_an_end_gets_no_warning() -> None:
    assert deadlines(record(None, 60), NOON) == {}


def test_a_campaign_seen_late_gets_no_warning_that_its_announcement_has_just_given() -> None:
    end_at = NOON + 30 * HOUR
    assert hours_before(end_at, deadlines(record(end_at, 60), NOON + 6 * HOUR)) == {
        "ending_soon:3h": 3,
        "last_chance": 1,
    }


@pytest.mark.parametrize(
    ("kind", "before", "pointless"),
    [
        ("ending_soon:24h", 24, False),
        ("ending_soon:24h", 3.5, False),
        ("ending_soon:24h", 3, True),
        ("ending_soon:3h", 0.1, False),
        ("ending_soon:3h", 0, True),
        ("last_chance", 2, False),
        ("last_chance", 1.5, True),
    ],
)
def test_a_warning_is_dropped_when_its_moment_is_outdone_or_over(kind: str, before: float, pointless: bool) -> None:
    due_at = END - {"ending_soon:24h": 24, "ending_soon:3h": 3, "last_chance": 2}[kind] * HOUR
    assert is_pointless(kind, due_at, END, END - before * HOUR) is pointless


def advance_to(world: Ingesting, at: datetime) -> dict[str, int]:
    return world.advance(seconds=(at - world.now).total_seconds())


def test_warnings_come_at_their_time_and_once(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=NOON + 48 * HOUR, drops=[drop("d", 60)])))
    end_at = NOON + 48 * HOUR

    assert advance_to(world, end_at - 24 * HOUR - timedelta(seconds=1)) == {}
    assert advance_to(world, end_at - 24 * HOUR) == {"campaign.ending_soon": 1}
    assert advance_to(world, end_at - 23 * HOUR) == {}
    assert advance_to(world, end_at - 3 * HOUR) == {"campaign.ending_soon": 1}
    assert advance_to(world, end_at - HOUR) == {"campaign.last_chance": 1}
    assert world.rows(CampaignDeadline) == []


def test_a_warning_that_was_missed_is_told_once_and_says_that_it_is_late(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=NOON + 48 * HOUR, drops=[drop("d", 60)])))

    assert advance_to(world, NOON + 40 * HOUR) == {"campaign.ending_soon": 1}

    event = world.event("campaign.ending_soon")
    assert campaign_detail(event).late is True
    assert event.occurred_at == NOON + 24 * HOUR


def test_after_a_long_stop_only_what_still_helps_is_told(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=NOON + 48 * HOUR, drops=[drop("d", 240)])))

    assert advance_to(world, NOON + 47 * HOUR) == {"campaign.ending_soon": 1}
    assert [row.event_key.split(":")[0] for row in world.rows(Event)][-1] == "campaign.ending_soon"
    assert advance_to(world, NOON + 49 * HOUR) == {"campaign.ended": 1}


def test_another_end_moves_the_warnings(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=NOON + 48 * HOUR, drops=[drop("d", 60)])))
    world.ingest(drops(campaign("a", end=NOON + 72 * HOUR, drops=[drop("d", 60)])), minutes=1)

    assert "campaign.ending_soon" not in advance_to(world, NOON + 24 * HOUR)
    assert advance_to(world, NOON + 48 * HOUR) == {"campaign.ending_soon": 1}


def test_a_campaign_that_is_over_warns_nobody(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=NOON + 48 * HOUR, drops=[drop("d", 60)])))

    assert advance_to(world, NOON + 50 * HOUR) == {"campaign.ended": 1}
    assert world.rows(CampaignDeadline) == []
