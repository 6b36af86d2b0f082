"""Which snapshots the pipeline believes, and what it does with the others."""

from datetime import timedelta

import pytest

from models import Event, QuarantinedPayload
from pipeline.fetch.limits import MAX_ITEM
from pipeline.ingest.snapshots import MOST_KEPT
from tests.pipeline.builders import (
    NOON,
    Json,
    campaign,
    campaigns,
    drops,
    encode,
    group,
    kick,
    kick_campaign,
    quest,
)
from tests.pipeline.world import DROPS, KICK, REWARDS, Ingesting

NINE = campaigns(*"abcdefghi")


def test_a_campaign_is_withdrawn_when_it_was_missed_three_times_over_two_hours(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for number in range(3):
        assert world.state("a") == "open", f"after {number} absences"
        result = world.ingest(drops(*NINE[1:]), hours=1)

    assert result.events == {"campaign.withdrawn": 1}
    assert (world.state("a"), world.campaign("a").withdrawn_at) == ("withdrawn", world.now)
    assert world.event("campaign.withdrawn").campaign_id == world.campaign("a").id
    world.ingest(drops(*NINE[1:]), hours=5)
    assert len(world.events("campaign.withdrawn")) == 1


@pytest.mark.parametrize("minutes", [5, 20, 40])
def test_however_often_a_source_is_asked_an_absence_is_believed_after_the_same_time(
    world: Ingesting, minutes: int
) -> None:
    world.ingest(drops(*NINE))
    for passed in range(0, 120, minutes):
        world.ingest(drops(*NINE[1:]), minutes=minutes)
        assert world.state("a") == "open", f"after {passed} minutes"

    world.ingest(drops(*NINE[1:]), minutes=minutes)
    assert world.state("a") == "withdrawn"


def test_two_answers_are_too_few_whatever_the_time_between_them(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    world.ingest(drops(*NINE[1:]), hours=1)
    world.ingest(drops(*NINE[1:]), hours=20)
    world.ingest(drops(*NINE[1:]), minutes=1)

    assert world.state("a") == "open"


UNREADABLE = campaign("bad", endAt="soon")


@pytest.mark.parametrize(
    ("listed", "share"),
    [
        pytest.param([UNREADABLE, UNREADABLE | {"more": 1}], "1 of 19", id="twice, and differently"),
        pytest.param([UNREADABLE, UNREADABLE], "1 of 19", id="twice"),
        pytest.param([UNREADABLE | {"id": ""}] * 2, "1 of 19", id="twice without an id"),
        pytest.param([UNREADABLE, UNREADABLE | {"id": "other"}], "2 of 20", id="two"),
        pytest.param([UNREADABLE, campaign("bad")], None, id="readable elsewhere"),
    ],
)
def test_what_cannot_be_read_counts_once_however_often_it_is_listed(
    world: Ingesting, listed: list[Json], share: str | None
) -> None:
    result = world.ingest(drops(*campaigns(*"abcdefghijklmnopqr"), *listed))

    details = [detail for reason, detail in result.quarantined if reason == "too_many_invalid"]
    assert details == ([f"{share} items could not be read"] if share else [])


def test_an_item_that_is_larger_than_any_real_one_is_set_aside_alone(world: Ingesting) -> None:
    result = world.ingest(drops(campaign("a"), campaign("huge", description="x" * MAX_ITEM)))

    [detail] = [detail for reason, detail in result.quarantined if reason == "invalid_item"]
    assert detail.endswith("bytes: larger than 2 MiB")
    assert (world.state("a"), result.invalid) == ("open", 1)


def test_of_very_many_unreadable_items_a_hundred_are_kept_and_all_are_counted(world: Ingesting) -> None:
    unreadable = [campaign(f"bad{number}", endAt="soon") for number in range(MOST_KEPT + 7)]
    result = world.ingest(drops(campaign("a"), *unreadable))

    assert (result.items, result.invalid, len(world.quarantine())) == (MOST_KEPT + 8, MOST_KEPT + 7, MOST_KEPT + 1)
    assert ("invalid_item", "7 more could not be read, and were not kept") in result.quarantined
    assert result.quarantined[-1] == ("too_many_invalid", "107 of 108 items could not be read")
    assert world.state("a") == "open"


def test_what_is_listed_unreadable_and_readable_is_stored_and_the_former_is_set_aside(world: Ingesting) -> None:
    world.ingest(drops(*campaigns("a", "b")))
    result = world.ingest(drops(*campaigns("a", "b"), UNREADABLE | {"id": "camp-a"}), hours=1)

    assert [reason for reason, _ in result.quarantined] == ["invalid_item"]
    assert result.invalid == 1
    assert world.events("source.changed") == []


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
    assert world.event("campaign.returned").title == "Is listed again on Twitch – Harbour Lights: " + (
        changed.get("name") or "Campaign a"
    )


def test_a_campaign_that_goes_and_comes_is_told_once_each_within_a_day(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for _ in range(3):
        for _ in range(3):
            world.ingest(drops(*NINE[1:]), hours=1)
        world.set_source(returns={})
        world.ingest(drops(*NINE), hours=1)
        # Told or not, what is stored is right.
        assert (world.state("a"), world.campaign("a").withdrawn_at) == ("open", None)

    assert world.kinds("campaign")[9:] == ["campaign.withdrawn", "campaign.returned"]


def test_what_flaps_is_withdrawn_once_and_its_source_is_believed_later(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for _ in range(4):
        for _ in range(3):
            world.ingest(drops(*NINE[1:]), hours=1)
        world.ingest(drops(*NINE), hours=1)

    assert world.kinds("campaign")[9:] == ["campaign.withdrawn", "campaign.returned"]
    for hours in range(30):
        world.ingest(drops(*NINE[1:]), hours=1)
        assert world.state("a") == "open", f"after {hours} hours"
    for _ in range(12):
        world.ingest(drops(*NINE[1:]), hours=1)
    assert world.state("a") == "withdrawn"


@pytest.mark.parametrize("changed", [{}, {"name": "Renamed"}], ids=["unchanged", "renamed"])
def test_what_came_back_before_it_was_withdrawn_speaks_against_its_source_too(world: Ingesting, changed: Json) -> None:
    world.ingest(drops(*NINE))
    world.ingest(drops(*NINE[1:]), hours=1)
    world.ingest(drops(campaign("a", **changed), *NINE[1:]), hours=10)

    world.ingest(drops(*NINE[:8]), hours=1)
    for _ in range(29):
        world.ingest(drops(*NINE[:8]), hours=1)
    assert world.state("i") == "open"
    world.ingest(drops(*NINE[:8]), hours=1)
    assert world.state("i") == "withdrawn"


def test_a_source_that_was_well_for_a_week_is_believed_soon_again(world: Ingesting) -> None:
    world.ingest(drops(*campaigns(*"abcdefghi", end=NOON + timedelta(days=90))))
    nine = campaigns(*"abcdefghi", end=NOON + timedelta(days=90))
    world.ingest(drops(*nine[1:]), hours=1)
    world.ingest(drops(*nine), hours=60)
    world.ingest(drops(*nine), hours=7 * 24)
    for _ in range(3):
        world.ingest(drops(*nine[:8]), hours=1)

    assert world.state("i") == "withdrawn"


def test_a_source_that_is_new_is_only_watched_at_first(world: Ingesting) -> None:
    world.set_source(known_since=None)
    nine = campaigns(*"abcdefghi", end=NOON + timedelta(days=90))
    world.ingest(drops(*nine))
    assert world.source().known_since == world.now
    for _ in range(71):
        world.ingest(drops(*nine[1:]), hours=1)
    assert world.state("a") == "open"
    world.ingest(drops(*nine[1:]), hours=1)
    assert world.state("a") == "withdrawn"


def test_what_is_missing_when_its_own_end_comes_has_simply_ended(world: Ingesting) -> None:
    soon = NOON + timedelta(hours=5)
    world.set_source(known_since=NOON)
    world.ingest(drops(campaign("a", end=soon), *NINE[1:]))
    for _ in range(6):
        world.ingest(drops(*NINE[1:]), hours=1)

    assert (world.state("a"), world.kinds()[9:]) == ("ended", ["campaign.ended"])


def test_many_that_an_ill_source_misses_for_long_do_not_make_its_answers_shrunken(world: Ingesting) -> None:
    world.set_source(returns={NOON.date().isoformat(): 360_000})
    twenty = campaigns(*[f"n{number}" for number in range(20)])
    world.ingest(drops(*twenty))
    for gone in (5, 10, 15):
        for _ in range(3):
            result = world.ingest(drops(*twenty[gone:]), hours=1)

    assert result.outcome == "unchanged"
    assert world.kinds("source") == []
    assert {world.state(f"n{number}") for number in range(20)} == {"open"}


def test_an_empty_answer_is_kept_aside_told_once_and_ends_nothing(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    before = world.written()

    results = [world.ingest(b"[]", hours=1) for _ in range(4)]

    assert [result.outcome for result in results] == ["quarantined"] * 4
    assert results[0].quarantined == [("empty", "the answer was empty while 9 were open")]
    assert world.kinds("source") == ["source.changed"]
    after = world.written()
    assert {name: rows for name, rows in after.items() if name not in {"events", "sightings"}} == {
        name: rows for name, rows in before.items() if name not in {"events", "sightings"}
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


def test_an_empty_answer_that_stays_is_believed_after_three_days(world: Ingesting) -> None:
    nine = campaigns(*"abcdefghi", end=NOON + timedelta(days=90))
    world.ingest(drops(campaign("z", end=NOON + timedelta(days=1)), *nine))
    for hours in range(72):
        world.ingest(b"[]", hours=1)
        assert world.state("a") == "open", f"after {hours} hours"
    result = world.ingest(b"[]", hours=1)

    assert result.events == {"campaign.withdrawn": 9, "campaign.ended": 1, "source.recovered": 1}
    assert world.state("z") == "ended"
    assert world.ingest(b"[]", hours=1).outcome == "unchanged"
    assert world.kinds("source") == ["source.changed", "source.recovered"]


def test_an_outage_that_passes_says_nothing_about_single_campaigns(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for _ in range(9):
        world.ingest(b"[]", hours=1)
    world.ingest(drops(*NINE[1:]), hours=1)
    assert world.state("a") == "open"
    world.ingest(drops(*NINE[1:]), hours=1)
    assert world.state("a") == "open"
    world.ingest(drops(*NINE[1:]), hours=1)
    assert world.state("a") == "withdrawn"
    assert world.kinds("campaign")[9:] == ["campaign.withdrawn"]


def test_a_shrunken_answer_adds_and_updates_at_once_and_takes_nothing_away(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    renamed = [campaign("g", name="Renamed"), *NINE[7:]]
    result = world.ingest(drops(*renamed, campaign("new")), hours=1)

    assert result.quarantined == [("shrunken", "6 of 9 open ones were missing before their end")]
    assert result.outcome == "quarantined"
    assert world.kinds()[9:] == ["campaign.added", "campaign.changed", "source.changed"]
    assert world.campaign("g").name == "Renamed"
    assert {world.state(key) for key in ["new", *"abcdefghi"]} == {"open"}


def test_a_shrunken_answer_that_stays_is_believed_at_the_third_over_two_hours(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for _ in range(2):
        world.ingest(drops(*NINE[6:], campaign("new")), hours=1)
    # The same list in other bytes, and with one more.
    result = world.ingest(drops(campaign("newer"), *NINE[6:], campaign("new", name="Other")), hours=1)

    assert result.events == {
        "campaign.added": 1,
        "campaign.changed": 1,
        "campaign.withdrawn": 6,
        "source.recovered": 1,
    }
    assert [world.state(key) for key in "abcdefghi"] == ["withdrawn"] * 6 + ["open"] * 3
    assert "is believed again: 6 of 10 open ones were missing" in world.event("source.recovered").title
    for _ in range(5):
        assert world.ingest(drops(*NINE[6:], campaign("new", name="Other"), campaign("newer")), hours=1).outcome == (
            "unchanged"
        )
    assert world.kinds("source") == ["source.changed", "source.recovered"]


def test_three_shrunken_answers_within_two_hours_are_not_enough(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for _ in range(12):
        world.ingest(drops(*NINE[6:]), minutes=10)
    assert world.state("a") == "open"
    world.ingest(drops(*NINE[6:]), minutes=10)
    assert world.state("a") == "withdrawn"


def test_two_shrunken_answers_are_not_enough_whatever_the_time_between_them(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    world.ingest(drops(*NINE[6:]), hours=1)
    world.ingest(drops(*NINE[6:]), hours=9)

    assert world.state("a") == "open"


@pytest.mark.parametrize("then", ["more are missing", "one is back"])
def test_a_shrunken_answer_that_lists_something_else_is_another(world: Ingesting, then: str) -> None:
    world.ingest(drops(*NINE))
    other = NINE[7:] if then == "more are missing" else NINE[5:]
    world.ingest(drops(*NINE[6:]), hours=1)
    world.ingest(drops(*NINE[6:]), hours=1)
    for _ in range(2):
        world.ingest(drops(*(other if then == "more are missing" else [*other, *campaigns("x", "y")])), hours=1)
    assert world.state("a") == "open"


def test_answers_that_lack_something_else_each_time_are_never_believed(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for number in range(20):
        world.ingest(drops(*(NINE[6:] if number % 2 else NINE[:3])), hours=1)

    assert {world.state(key) for key in "abcdefghi"} == {"open"}
    assert world.kinds() == ["campaign.added"] * 9 + ["source.changed"]


def test_what_ends_while_an_answer_is_doubted_ends_and_the_rest_is_believed_in_time(world: Ingesting) -> None:
    world.ingest(drops(campaign("z", end=NOON + timedelta(minutes=90)), *NINE))
    world.ingest(drops(*NINE[6:]), hours=1)
    result = world.ingest(drops(*NINE[6:]), hours=1)
    assert (world.state("z"), result.events) == ("ended", {"campaign.ended": 1})
    world.ingest(drops(*NINE[6:]), hours=1)

    assert world.state("a") == "withdrawn"


def test_a_loss_that_was_believed_and_comes_back_has_returned(world: Ingesting) -> None:
    world.ingest(drops(*NINE))
    for _ in range(3):
        world.ingest(drops(*NINE[6:]), hours=1)
    result = world.ingest(drops(*NINE), hours=1)

    assert result.events == {"campaign.returned": 6}
    assert {world.state(key) for key in "abcdefghi"} == {"open"}


def test_rewards_that_stay_missing_are_doubted_once(world: Ingesting) -> None:
    quests = [quest(f"q{number}") for number in range(9)]
    world.ingest(encode(quests), source=REWARDS)
    results = [world.ingest(encode(quests[6:]), source=REWARDS, hours=1) for _ in range(9)]

    assert [result.outcome for result in results] == ["quarantined"] * 2 + ["ok"] + ["unchanged"] * 6
    assert world.kinds("source") == ["source.changed", "source.recovered"]


@pytest.mark.parametrize("list_source", ["twitch", "kick"])
def test_every_list_is_doubted_in_the_same_way(world: Ingesting, list_source: str) -> None:
    keys = [f"n{number}" for number in range(9)]
    source, make, item = (KICK, kick, kick_campaign) if list_source == "kick" else (DROPS, drops, campaign)
    world.ingest(make(*map(item, keys)), source=source)
    results = [world.ingest(make(*map(item, keys[6:])), source=source, hours=1) for _ in range(3)]

    kinds = [dict(result.events) for result in results]
    assert kinds == [{"source.changed": 1}, {}, {"campaign.withdrawn": 6, "source.recovered": 1}]


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


@pytest.mark.parametrize("key", ["a", None], ids=["its id is readable", "nothing of it is"])
def test_one_unreadable_item_of_nineteen_is_more_than_five_percent(world: Ingesting, key: str | None) -> None:
    others = [campaign(f"n{number}") for number in range(18)]
    world.ingest(drops(campaign("a"), *others))
    result = world.ingest(drops(campaign("a", id=key and "camp-a", name=None), *others), hours=1)

    assert result.quarantined[-1] == ("too_many_invalid", "1 of 19 items could not be read")
    assert world.kinds("source") == ["source.changed"]


def test_one_item_that_is_unreadable_is_one_of_one(world: Ingesting) -> None:
    result = world.ingest(drops(campaign("a", name=None)))

    assert result.quarantined[-1] == ("too_many_invalid", "1 of 1 items could not be read")


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
