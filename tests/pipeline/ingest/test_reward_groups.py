"""Groups of rewards of a drop come, go, are alone, and get their ids later: each is told once."""

import pytest

from models import Event, TimeBasedDrop
from tests.details import campaign_detail
from tests.pipeline.builders import Json, campaign, drop, drops
from tests.pipeline.world import Ingesting


def rewards_at(**minutes: int) -> list[Json]:
    """Groups of rewards, each with the minutes that it asks for; one whose key begins with `no_id` has no id."""
    return [
        {"unlockRequirements": {"minuteWatchedGoal": goal}, "rewards": [{"id": f"r{goal}", "name": f"Lamp {goal}"}]}
        | ({} if key.startswith("no_id") else {"id": key})
        for key, goal in minutes.items()
    ]


def in_groups(groups: list[Json], *, other: bool = True) -> bytes:
    """A campaign with a drop in groups; the other drop is there so that no list of drops is empty."""
    listed = [drop("a", benefitEdges=[], rewardGroups=groups), *([drop("other")] if other else [])]
    return drops(campaign("a", drops=listed))


def told(world: Ingesting) -> list[tuple[str, list[str], list[str]]]:
    """Return each event after the first: its kind, the drops that it adds, and the fields that it changes."""
    return [
        (
            row.kind,
            [line.name or "" for drop_line in campaign_detail(row).drops_added for line in drop_line.benefits],
            [change.field for change in campaign_detail(row).changes],
        )
        for row in world.rows(Event)[1:]
    ]


def minutes_stored(world: Ingesting) -> list[int]:
    return sorted(row.required_minutes for row in world.rows(TimeBasedDrop, last_seen_at=None))


def test_a_second_group_of_rewards_is_told_as_added_and_the_first_stays_itself(world: Ingesting) -> None:
    world.ingest(in_groups(rewards_at(g1=30)))
    world.ingest(in_groups(rewards_at(g1=30, g2=90)), hours=1)
    world.ingest(in_groups(rewards_at(g1=30, g2=90)), hours=1)

    assert told(world) == [("campaign.drop_added", ["Lamp 90"], [])]
    assert minutes_stored(world) == [30, 60, 90]


@pytest.mark.parametrize(("stays", "goes"), [("g1", "g2"), ("g2", "g1")])
def test_of_two_groups_the_one_that_goes_is_told_and_the_other_stays_itself(
    world: Ingesting, stays: str, goes: str
) -> None:
    goals = {"g1": 30, "g2": 90}
    world.ingest(in_groups(rewards_at(**goals)))
    world.ingest(in_groups(rewards_at(**{stays: goals[stays]})), hours=1)
    world.ingest(in_groups(rewards_at(**{stays: goals[stays]})), hours=1)

    assert told(world) == [("campaign.changed", [], ["drop"])]
    assert minutes_stored(world) == sorted([goals[stays], 60])
    world.ingest(in_groups(rewards_at(**goals)), days=2)
    assert told(world)[1:] == [("campaign.drop_added", [f"Lamp {goals[goes]}"], [])]
    assert minutes_stored(world) == [30, 60, 90]


def test_through_one_group_and_back_each_change_is_told_once(world: Ingesting) -> None:
    for groups in ({"g1": 30}, {"g1": 30, "g2": 90}, {"g2": 90}, {"g2": 90, "g3": 120}):
        world.ingest(in_groups(rewards_at(**groups)), days=2)

    assert told(world) == [
        ("campaign.drop_added", ["Lamp 90"], []),
        ("campaign.changed", [], ["drop"]),
        ("campaign.drop_added", ["Lamp 120"], []),
    ]
    assert minutes_stored(world) == [60, 90, 120]


def test_groups_that_get_their_ids_later_are_the_same(world: Ingesting) -> None:
    world.ingest(in_groups(rewards_at(no_id_1=30, no_id_2=90)))
    for _ in range(2):
        world.ingest(in_groups(rewards_at(g1=30, g2=90)), hours=1)

    assert told(world) == []
    assert minutes_stored(world) == [30, 60, 90]


def test_a_group_without_an_id_that_asks_for_more_has_changed_and_is_no_other(world: Ingesting) -> None:
    groups = rewards_at(no_id_1=30, no_id_2=90)
    world.ingest(in_groups(groups))
    groups[1]["unlockRequirements"]["minuteWatchedGoal"] = 100
    world.ingest(in_groups(groups), hours=1)

    assert told(world) == [("campaign.changed", [], ["required_minutes"])]
    assert minutes_stored(world) == [30, 60, 100]


def test_a_drop_that_is_listed_whole_between_says_nothing_of_its_groups(world: Ingesting) -> None:
    whole = drops(campaign("a", drops=[drop("a", 90, benefitEdges=[]), drop("other")]))
    world.ingest(in_groups(rewards_at(g1=30, g2=90)))
    world.ingest(whole, hours=1)
    world.ingest(in_groups(rewards_at(g1=30, g2=90)), hours=1)

    assert told(world) == []
    assert minutes_stored(world) == [30, 60, 90]


def test_a_drop_that_was_listed_whole_is_split_in_silence(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", drops=[drop("a", 90, benefitEdges=[]), drop("other")])))
    world.ingest(in_groups(rewards_at(g1=30, g2=90)), hours=1)

    assert told(world) == []
    assert minutes_stored(world) == [30, 60, 90]
