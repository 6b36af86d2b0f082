"""Which snapshots the pipeline believes, and what it does with the others."""

import pytest

from models import DropCampaign, Event, QuarantinedPayload
from tests.pipeline.builders import Json, campaign, campaigns, drops, encode, group
from tests.pipeline.world import Ingesting

NINE = campaigns(*"abcdefghi")


def test_a_campaign_is_withdrawn_when_it_was_missed_three_times_half_an_hour_apart(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for number in range(3):
        assert world.state("a") == "open", f"after {number} absences"
        result = world.ingest(drops(*NINE[1:]), minutes=30)

    assert result.events == {"campaign.withdrawn": 1}
    assert (world.state("a"), world.campaign("a").withdrawn_at) == ("withdrawn", world.now)
    assert world.event("campaign.withdrawn").campaign_id == world.campaign("a").id
    world.ingest(drops(*NINE[1:]), hours=5)
    assert len(world.events("campaign.withdrawn")) == 1


def test_absences_that_are_close_together_count_once(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for _ in range(12):
        world.ingest(drops(*NINE[1:]), minutes=4)

    # Absences count at 4 and 36 minutes; the third, at 68, has not come yet.
    assert world.state("a") == "open"
    world.ingest(drops(*NINE[1:]), minutes=20)
    assert world.state("a") == "withdrawn"


def test_a_campaign_that_was_missed_twice_and_is_back_was_never_gone(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for _ in range(3):
        world.ingest(drops(*NINE[1:]), hours=1)
        world.ingest(drops(*NINE[1:]), hours=1)
        world.ingest(drops(*NINE), hours=1)

    assert world.kinds() == ["campaign.added"] * 9
    assert world.state("a") == "open"


def test_a_campaign_that_comes_back_changed_was_never_gone_either(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    world.ingest(drops(*NINE[1:]), hours=1)
    world.ingest(drops(*NINE[1:]), hours=1)
    world.ingest(drops(campaign("a", name="Renamed"), *NINE[1:]), hours=1)
    world.ingest(drops(*NINE[1:]), hours=1)

    assert world.kinds() == ["campaign.added"] * 9 + ["campaign.changed"]
    assert world.state("a") == "open"


@pytest.mark.parametrize("changed", [{}, {"name": "Renamed"}], ids=["unchanged", "renamed"])
def test_a_withdrawn_campaign_that_is_listed_again_has_returned(world: Ingesting, changed: Json) -> None:
    world.ingest(drops(*NINE))
    for _ in range(3):
        world.ingest(drops(*NINE[1:]), hours=1)
    result = world.ingest(drops(campaign("a", **changed), *NINE[1:]), hours=1)

    assert result.events["campaign.returned"] == 1
    assert world.state("a") == "open"
    for _ in range(3):
        world.ingest(drops(*NINE[1:]), hours=1)
    assert len(world.events("campaign.withdrawn")) == 2


def test_an_empty_answer_is_kept_aside_told_once_and_ends_nothing(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    before = world.written()

    results = [world.ingest(b"[]", hours=1) for _ in range(4)]

    assert [result.outcome for result in results] == ["quarantined"] * 4
    assert results[0].quarantined == [("empty", "the answer was empty while 9 were open")]
    assert world.kinds("source") == ["source.changed"]
    after = world.written()
    assert {name: rows for name, rows in after.items() if name != "events"} == {
        name: rows for name, rows in before.items() if name != "events"
    }
    assert world.source().last_error == "the answer was empty while 9 were open"
    (kept,) = {(row.reason, row.payload_gzip[:2]) for row in world.rows(QuarantinedPayload)}
    assert kept == ("empty", b"\x1f\x8b")


def test_when_the_answers_are_whole_again_that_is_told_once(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    world.ingest(b"[]", hours=1)
    for _ in range(3):
        world.ingest(drops(*NINE), hours=1)

    assert world.kinds() == ["campaign.added"] * 9 + ["source.changed", "source.recovered"]
    assert (world.source().changed_since, world.source().last_error) == (None, None)
    world.ingest(b"[]", hours=1)
    assert world.kinds("source") == ["source.changed", "source.recovered", "source.changed"]


def test_an_empty_answer_is_believed_where_hardly_anything_was_open(world: Ingesting) -> None:
    world.ingest(drops(*campaigns(*"abc")))
    for _ in range(3):
        world.ingest(b"[]", hours=1)

    assert [world.state(key) for key in "abc"] == ["withdrawn"] * 3


def test_an_answer_of_nothing_but_empty_groups_is_an_empty_answer(world: Ingesting) -> None:
    world.ingest(drops(*NINE))

    assert world.ingest(drops(empty_groups=["7001", "7002"]), hours=1).outcome == "quarantined"
    assert world.kinds("source") == ["source.changed"]


def test_a_shrunken_answer_is_kept_aside_and_adds_nothing(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for _ in range(4):
        result = world.ingest(drops(*NINE[6:], campaign("new")), hours=1)

    assert result.quarantined == [("shrunken", "6 of 9 open ones were missing before their end")]
    assert world.count(DropCampaign) == 9
    assert world.kinds() == ["campaign.added"] * 9 + ["source.changed"]
    assert {world.state(key) for key in "abcdefghi"} == {"open"}


def test_an_empty_group_judges_none_of_its_campaigns(world: Ingesting) -> None:
    moss = campaigns("x", "y", game_id="7002")
    world.ingest(drops(*NINE, *moss))
    for _ in range(5):
        world.ingest(drops(*NINE, empty_groups=["7002"]), hours=1)

    assert [world.state(key) for key in "xy"] == ["open", "open"]
    for _ in range(3):
        world.ingest(drops(*NINE), hours=1)
    assert [world.state(key) for key in "xy"] == ["withdrawn", "withdrawn"]


def test_a_group_that_cannot_be_read_judges_none_of_its_campaigns(world: Ingesting) -> None:
    others = [campaign(f"n{number}", game_id="7001") for number in range(30)]
    moss = campaigns("x", "y", game_id="7002")
    world.ingest(drops(*others, *moss))
    for _ in range(4):
        result = world.ingest(encode([group("7001", others), {"gameId": "7002", "rewards": None}]), hours=1)

    assert (result.outcome, result.invalid) == ("unchanged", 1)
    assert [world.state(key) for key in "xy"] == ["open", "open"]


def test_an_item_that_turns_unreadable_is_not_absent(world: Ingesting) -> None:
    others = [campaign(f"n{number}") for number in range(30)]
    world.ingest(drops(campaign("a"), *others))
    for _ in range(4):
        world.ingest(drops(campaign("a", name=None), *others), hours=1)

    assert world.state("a") == "open"
    assert [reason for reason, _ in world.quarantine()] == ["invalid_item"]


def test_too_many_unreadable_items_make_an_answer_that_adds_and_updates_but_never_removes(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    broken = [campaign(f"broken{number}", name=None) for number in range(2)]
    partial = drops(*broken, *NINE[2:], campaign("new"), campaign("a", name="Renamed"))
    for _ in range(4):
        result = world.ingest(partial, hours=1)

    assert [reason for reason, _ in result.quarantined] == ["invalid_item", "invalid_item", "too_many_invalid"]
    assert (world.state("b"), world.campaign("a").name, world.state("new")) == ("open", "Renamed", "open")
    assert world.kinds()[9:] == ["campaign.added", "campaign.changed", "source.changed"]
    world.ingest(drops(*NINE), hours=1)
    assert world.kinds("source") == ["source.changed", "source.recovered"]


def test_a_payload_that_comes_again_and_again_is_kept_once_and_counted(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for _ in range(3):
        world.ingest(b"[]", minutes=5)

    (row,) = world.rows(QuarantinedPayload)
    assert (row.times_seen, row.last_seen_at - row.first_seen_at) == (3, world.now - row.first_seen_at)


def channels_of(world: Ingesting, *lists: list[int], hours: float = 1) -> list[set[str]]:
    """Ingest a campaign with each of these lists of channels; return its stored channels after each."""
    seen = []
    for listed in lists:
        world.ingest(drops(campaign("a", channels=listed), campaign("b")), hours=hours)
        seen.append(world.channels())
    return seen


def test_a_channel_list_that_came_empty_is_believed_at_the_third_snapshot(world: Ingesting) -> None:
    both = {"keeper301", "keeper302"}

    assert channels_of(world, [301, 302], [], [], []) == [both, both, both, set()]
    (event,) = world.events("campaign.channels_changed")
    assert set(event.detail["channels_removed"]) == both
    # Every channel counts now, and the event names none.
    assert not {"channels", "channels_total"} & set(event.detail)
    assert channels_of(world, [], []) == [set(), set()]
    assert len(world.events("campaign.channels_changed")) == 1


def test_a_channel_list_that_was_empty_twice_and_is_back_is_no_event(world: Ingesting) -> None:
    channels_of(world, [301], [], [], [301], [], [], [301])

    assert world.kinds() == ["campaign.added"] * 2
    assert world.channels() == {"keeper301"}


def test_a_campaign_that_changes_while_its_channels_are_missing_keeps_them(world: Ingesting) -> None:
    channels_of(world, [301])
    world.ingest(drops(campaign("a", name="Renamed"), campaign("b")), hours=1)

    assert world.channels() == {"keeper301"}
    assert [row.detail.get("channels_total") for row in world.rows(Event, kind="campaign.changed")] == [1]
