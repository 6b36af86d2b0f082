"""The clock starts and ends campaigns and rewards on time, without any fetch."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from models import CampaignDeadline, DropCampaign, Event
from pipeline.programs.clock_jump import put_right
from pipeline.runtime.heartbeat import beat_clock
from tests.pipeline.builders import END, NOON, campaign, drop, drops, encode, kick, kick_campaign, quest, stamp
from tests.pipeline.world import KICK, REWARDS, Ingesting

SOON = NOON + timedelta(hours=1)
CLOCK_KINDS = ("campaign.started", "campaign.ended", "reward.ended")


def turn_clock(world: Ingesting, at: datetime) -> list[tuple[str, Any]]:
    """Turn the clock to a time; return the kinds and times of the starts and ends that it records."""
    before = {row.id for row in world.rows(Event)}
    world.advance(seconds=(at - world.now).total_seconds())
    new = [row for row in world.rows(Event) if row.id not in before]
    return [(row.kind, row.occurred_at) for row in new if row.kind in CLOCK_KINDS]


def test_an_upcoming_campaign_starts_at_its_start_and_only_once(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", status="UPCOMING", startAt=stamp(SOON)), campaign("b")))

    assert turn_clock(world, SOON - timedelta(seconds=1)) == []
    assert turn_clock(world, SOON + timedelta(minutes=7)) == [("campaign.started", SOON)]
    assert world.campaign().started_at == SOON
    assert turn_clock(world, SOON + timedelta(minutes=8)) == []
    assert world.event("campaign.started").silent is False


@pytest.mark.parametrize(
    ("starts_after", "status", "behind"),
    [
        pytest.param(-1, "ACTIVE", 0, id="running when it was added"),
        pytest.param(-1, "ACTIVE", 1, id="running, but added by a clock that was a day behind"),
        pytest.param(1, "UPCOMING", 0, id="upcoming when it was added"),
    ],
)
def test_a_clock_that_is_set_back_and_forth_tells_no_start_of_what_had_started(
    world: Ingesting, starts_after: int, status: str, behind: int
) -> None:
    starts_at = NOON + timedelta(hours=starts_after)
    world.ingest(drops(campaign("a", startAt=stamp(starts_at), status=status)), days=-behind)
    world.advance(days=behind, hours=2)
    events = world.kinds()
    beat_clock(world.engine, world.now)

    world.later(days=-1)
    put_right(world.engine, world.now)
    world.advance(minutes=1)
    world.later(days=1)
    world.advance(minutes=1)

    assert world.kinds() == events
    assert world.campaign("a").started_at is not None


def test_a_start_that_the_clock_told_is_not_told_again_by_the_source(world: Ingesting) -> None:
    upcoming, active = (
        kick(kick_campaign(status=status, start=SOON), kick_campaign("other")) for status in ("upcoming", "active")
    )
    world.ingest(upcoming, source=KICK)
    assert turn_clock(world, SOON) == [("campaign.started", SOON)]
    world.ingest(active, source=KICK, minutes=5)

    assert len(world.events("campaign.started")) == 1


def test_a_campaign_that_no_source_was_asked_about_since_ends_at_its_end(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=SOON), campaign("b")))

    assert turn_clock(world, SOON - timedelta(seconds=1)) == []
    assert turn_clock(world, SOON) == [("campaign.ended", SOON)]
    assert (world.state("a"), world.campaign("a").ended_at) == ("ended", SOON)
    assert turn_clock(world, SOON + timedelta(hours=5)) == []


def test_a_campaign_that_is_still_listed_after_its_end_gets_an_hour_for_an_extension(world: Ingesting) -> None:
    listed = drops(campaign("a", end=SOON), campaign("b"))
    world.ingest(listed)
    world.ingest(listed, at=SOON + timedelta(minutes=1))

    assert turn_clock(world, SOON + timedelta(minutes=59)) == []
    assert turn_clock(world, SOON + timedelta(minutes=60)) == [("campaign.ended", SOON)]


def test_an_extension_within_that_hour_keeps_the_campaign_open_without_a_word_of_its_end(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=SOON), campaign("b")))
    world.ingest(drops(campaign("a", end=SOON), campaign("b")), at=SOON + timedelta(minutes=1))
    world.ingest(drops(campaign("a", end=END), campaign("b")), at=SOON + timedelta(minutes=30))

    assert turn_clock(world, SOON + timedelta(hours=3)) == []
    assert world.state("a") == "open"
    assert world.kinds().count("campaign.returned") == 0


def test_an_end_that_the_clock_told_is_not_told_again_by_the_source(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=SOON), campaign("b")))
    assert turn_clock(world, SOON) == [("campaign.ended", SOON)]
    for _ in range(2):
        world.ingest(drops(campaign("b")), hours=1)

    assert len(world.events("campaign.ended")) == 1


def test_a_campaign_that_is_extended_after_the_clock_ended_it_has_returned(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=SOON), campaign("b")))
    world.advance(hours=3)
    world.ingest(drops(campaign("a", end=END), campaign("b")), minutes=5)

    assert world.state("a") == "open"
    assert len(world.events("campaign.returned")) == 1
    assert turn_clock(world, END) == [("campaign.ended", END)] * 2


def test_a_withdrawn_campaign_does_not_start_or_end_any_more(world: Ingesting) -> None:
    listed = [campaign(key) for key in "bcdefghij"]
    world.ingest(drops(campaign("a", status="UPCOMING", startAt=stamp(NOON + timedelta(hours=9))), *listed))
    for _ in range(3):
        world.ingest(drops(*listed), hours=1)
    assert world.state("a") == "withdrawn"

    kinds = [kind for kind, _ in turn_clock(world, END + timedelta(days=1))]
    assert kinds == ["campaign.ended"] * 9


def test_a_reward_ends_at_its_end_and_only_once(world: Ingesting) -> None:
    world.ingest(encode([quest("q", end=SOON), quest("r")]), source=REWARDS)

    assert turn_clock(world, SOON) == [("reward.ended", SOON)]
    assert world.quest().ended_at == SOON
    assert turn_clock(world, SOON + timedelta(hours=1)) == []
    world.ingest(encode([quest("r")]), source=REWARDS, hours=1)
    assert len(world.events("reward.ended")) == 1


def test_an_end_that_passed_long_ago_is_recorded_but_told_to_nobody(world: Ingesting) -> None:
    """An imported history leaves the campaigns of its last snapshot open; their ends are no news months later."""
    world.ingest(drops(*[campaign(key) for key in "abcde"]))
    world.advance(days=100)

    assert [row.silent for row in world.events("campaign.ended")] == [True] * 5


def test_more_ends_than_one_turn_takes_are_told_by_the_next_turns(world: Ingesting) -> None:
    world.ingest(drops(*[campaign(f"n{number}", end=SOON, drops=[]) for number in range(210)], campaign("b")))

    first = turn_clock(world, SOON)
    second = turn_clock(world, SOON + timedelta(seconds=30))

    assert (len(first), len(second)) == (200, 10)


def started_at(world: Ingesting) -> datetime | None:
    at: datetime | None = world.campaign().started_at
    return at


def test_a_start_that_moves_within_the_past_moves_the_stored_one(world: Ingesting) -> None:
    earlier, earliest = (NOON - timedelta(days=days) for days in (1, 2))
    world.ingest(drops(campaign("a", startAt=stamp(earlier)), campaign("b")))
    assert started_at(world) == earlier

    world.ingest(drops(campaign("a", startAt=stamp(earliest)), campaign("b")), minutes=5)

    assert started_at(world) == earliest
    assert world.events("campaign.started") == []


def test_a_campaign_whose_start_is_put_off_is_upcoming_again_and_starts_then(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", startAt=stamp(NOON - timedelta(hours=1))), campaign("b")))

    world.ingest(drops(campaign("a", status="UPCOMING", startAt=stamp(SOON)), campaign("b")), minutes=5)

    assert started_at(world) is None
    assert turn_clock(world, SOON) == [("campaign.started", SOON)]
    assert started_at(world) == SOON


def test_a_campaign_that_is_listed_as_running_has_started_whatever_start_it_gives(world: Ingesting) -> None:
    began = NOON - timedelta(hours=1)
    world.ingest(drops(campaign("a", startAt=stamp(began)), campaign("b")))

    world.ingest(drops(campaign("a", startAt=stamp(SOON)), campaign("b")), minutes=5)

    assert started_at(world) == began


def test_a_campaign_whose_start_is_put_off_before_its_state_follows_is_upcoming_again(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", startAt=stamp(NOON - timedelta(hours=1))), campaign("b")))
    world.ingest(drops(campaign("a", startAt=stamp(SOON)), campaign("b")), minutes=5)

    world.ingest(drops(campaign("a", status="UPCOMING", startAt=stamp(SOON)), campaign("b")), minutes=10)

    assert started_at(world) is None
    assert turn_clock(world, SOON) == [("campaign.started", SOON)]


UPCOMING: dict[str, Any] = {"status": "UPCOMING", "startAt": stamp(SOON)}
OVER_AT = SOON + timedelta(hours=2)


def story(world: Ingesting) -> list[tuple[str, Any]]:
    return [(row.kind, row.occurred_at) for row in world.rows(Event) if row.kind.startswith("campaign.")]


def test_a_campaign_that_was_last_seen_upcoming_starts_before_it_ends_by_its_absence(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=OVER_AT, **UPCOMING)))
    world.ingest(drops(campaign("b")), days=1)

    kinds = [kind for kind, _ in story(world)]
    assert [event for event in story(world) if event[0] != "campaign.added"] == [
        ("campaign.started", SOON),
        ("campaign.ended", OVER_AT),
    ]
    assert kinds.index("campaign.added") < kinds.index("campaign.started") < kinds.index("campaign.ended")
    assert started_at(world) == SOON


def test_a_campaign_that_was_last_seen_upcoming_starts_before_its_source_says_that_it_is_over(world: Ingesting) -> None:
    for status, hours in (("upcoming", 0), ("expired", 24)):
        listed = kick(kick_campaign(status=status, start=SOON, end=OVER_AT), kick_campaign("other"))
        world.ingest(listed, source=KICK, hours=hours)

    assert story(world)[2:] == [("campaign.started", SOON), ("campaign.ended", OVER_AT)]


def test_a_campaign_that_starts_and_ends_within_one_pause_of_the_clock_does_each_once(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=OVER_AT, **UPCOMING), campaign("b")))

    assert turn_clock(world, OVER_AT + timedelta(hours=5)) == [("campaign.started", SOON), ("campaign.ended", OVER_AT)]


def test_an_upcoming_campaign_of_an_old_snapshot_that_is_over_by_now_starts_and_ends(world: Ingesting) -> None:
    world.ingest(drops(campaign("b")), days=2)
    world.ingest(drops(campaign("a", end=OVER_AT, **UPCOMING)), at=NOON)

    assert story(world)[1:] == [
        ("campaign.added", NOON),
        ("campaign.started", SOON),
        ("campaign.ended", OVER_AT),
    ]


def test_a_campaign_that_was_called_off_before_its_start_never_started(world: Ingesting) -> None:
    for status in ("upcoming", "expired"):
        world.ingest(kick(kick_campaign(status=status, start=SOON), kick_campaign("other")), source=KICK, minutes=1)

    assert [kind for kind, _ in story(world)] == ["campaign.added", "campaign.added", "campaign.ended"]


def test_deadlines_that_older_rules_reckoned_are_set_anew_at_the_first_tick(world: Ingesting) -> None:
    chain = [drop("1", 120), drop("2", 120, preconditionDrops=[{"id": "drop-1"}])]
    world.ingest(drops(campaign("a", drops=chain), campaign("b")))
    right = {(row.campaign_id, row.kind): row.due_at for row in world.rows(CampaignDeadline)}
    with world.engine.begin() as connection:
        connection.execute(update(DropCampaign).values(deadlines_version=0))
        too_late = update(CampaignDeadline).where(CampaignDeadline.kind == "last_chance")
        connection.execute(too_late.values(due_at=END - timedelta(hours=2)))
        connection.execute(delete(CampaignDeadline).where(CampaignDeadline.kind != "last_chance"))

    world.advance(minutes=1)

    assert {(row.campaign_id, row.kind): row.due_at for row in world.rows(CampaignDeadline)} == right
    assert world.kinds() == ["campaign.added"] * 2


def test_a_last_chance_that_an_older_version_set_too_late_is_told_in_time_after_the_upgrade(world: Ingesting) -> None:
    chain = [drop("1", 120), drop("2", 120, preconditionDrops=[{"id": "drop-1"}])]
    world.ingest(drops(campaign("a", drops=chain)))
    with world.engine.begin() as connection:
        connection.execute(update(DropCampaign).values(deadlines_version=0))
        connection.execute(update(CampaignDeadline).values(due_at=END - timedelta(hours=2)))

    world.advance(minutes=1)
    world.advance(seconds=(END - timedelta(hours=4, minutes=10) - world.now).total_seconds())

    assert world.event("campaign.last_chance").occurred_at == END - timedelta(hours=4, minutes=10)


def test_a_last_chance_that_older_rules_would_tell_in_a_few_minutes_is_told_at_the_upgrade(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", drops=[drop("1", 120)])))
    with world.engine.begin() as connection:
        connection.execute(update(DropCampaign).values(deadlines_version=1))
        connection.execute(delete(CampaignDeadline).where(CampaignDeadline.kind != "last_chance"))
        connection.execute(update(CampaignDeadline).values(due_at=END - timedelta(hours=2)))

    at = END - timedelta(hours=2, minutes=4)
    world.advance(seconds=(at - world.now).total_seconds())
    world.advance(seconds=20)

    assert [event.recorded_at for event in world.events("campaign.last_chance")] == [at + timedelta(seconds=20)]


@pytest.mark.parametrize(
    "changed",
    [{"channels": [302]}, {"name": "Other"}, {"drops": [drop("a"), drop("new")]}],
    ids=["channels", "name", "drops"],
)
def test_what_is_over_tells_no_change_of_its_details(world: Ingesting, changed: dict[str, Any]) -> None:
    world.ingest(drops(campaign("a", channels=[301], end=SOON), campaign("b")))
    turn_clock(world, SOON + timedelta(hours=2))
    events = world.kinds()

    world.ingest(drops(campaign("a", end=SOON, **{"channels": [301], **changed}), campaign("b")), minutes=5)

    assert (world.state("a"), world.kinds()) == ("ended", events)


def test_what_is_over_and_goes_on_tells_its_changes(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=SOON), campaign("b")))
    turn_clock(world, SOON + timedelta(hours=2))

    result = world.ingest(drops(campaign("a", end=END, name="Other"), campaign("b")), minutes=5)

    assert result.events == {"campaign.returned": 1, "campaign.changed": 1}
