"""Which snapshots make which events."""

from datetime import timedelta

import pytest

from models import Event
from tests.details import campaign_detail
from tests.pipeline.builders import (
    END,
    NOON,
    START,
    campaign,
    campaigns,
    channel,
    chzzk,
    drop,
    drops,
    encode,
    kick,
    kick_campaign,
    quest,
    stamp,
)
from tests.pipeline.world import CHZZK, KICK, REWARDS, Ingesting

LATER = END + timedelta(days=1)


def test_the_first_import_is_recorded_and_published_but_silent(world: Ingesting) -> None:
    result = world.ingest(drops(*campaigns("a", "b")))

    assert result.outcome == "ok"
    assert (result.items, result.changed, result.invalid, result.events.total()) == (2, 2, 0, 2)
    assert [(row.kind, row.silent) for row in world.rows(Event)] == [("campaign.added", True)] * 2


def test_a_campaign_that_comes_later_is_added_aloud_with_all_its_details(world: Ingesting) -> None:
    world.ingest(drops(campaign("a")))
    new = campaign("b", channels=[301, 302], drops=[drop("hat", 60, "Hat"), drop("cap", 30, "Cap")])

    result = world.ingest(drops(campaign("a"), new), hours=1)

    assert result.events == {"campaign.added": 1}
    event = world.rows(Event)[-1]
    assert (event.silent, event.service, event.occurred_at) == (False, "twitch", world.now)
    assert event.campaign_id == world.campaign("b").id
    assert event.title == "New drops on Twitch – Harbour Lights: Campaign b"
    detail = campaign_detail(event)
    assert [line.name for line in detail.drops] == ["Drop cap", "Drop hat"]
    assert (detail.channels_total, set(detail.channels)) == (2, {"keeper301", "keeper302"})
    assert (detail.organization, detail.end_at) == ("Tide Works", END)


def test_a_changed_field_is_one_event_with_old_and_new_value(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", drops=[drop(endAt=stamp(END))])))
    result = world.ingest(drops(campaign("a", end=LATER, drops=[drop(endAt=stamp(LATER))])), hours=1)

    assert result.events == {"campaign.changed": 1}
    detail = campaign_detail(world.event("campaign.changed"))
    assert [(c.field, c.old, c.new) for c in detail.changes] == [("end_at", END.isoformat(), LATER.isoformat())]
    assert detail.end_at == LATER
    assert world.campaign().end_at == LATER


def test_a_drop_that_is_added_is_an_event_of_its_own(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", drops=[drop("hat")])))
    result = world.ingest(drops(campaign("a", drops=[drop("hat"), drop("crown", 240, "Crown")])), hours=1)

    assert result.events == {"campaign.drop_added": 1}
    detail = campaign_detail(world.event("campaign.drop_added"))
    assert [(d.name, d.required_minutes) for d in detail.drops_added] == [("Drop crown", 240)]
    assert set(world.drops()) == {"drop-hat", "drop-crown"}


def test_a_drop_that_is_taken_away_is_a_change_and_kept_with_the_time(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", drops=[drop("hat"), drop("cap")])))
    result = world.ingest(drops(campaign("a", drops=[drop("hat")])), hours=1)

    assert result.events == {"campaign.changed": 1}
    assert set(world.drops()) == {"drop-hat"}

    world.ingest(drops(campaign("a", drops=[drop("hat"), drop("cap")])), hours=30)
    assert set(world.drops()) == {"drop-hat", "drop-cap"}


def test_a_benefit_that_is_exchanged_is_a_change(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", drops=[drop("hat", 60, "Hat", "Cap")])))
    world.ingest(drops(campaign("a", drops=[drop("hat", 60, "Hat", "Crown")])), hours=1)

    (change,) = campaign_detail(world.event("campaign.changed")).changes
    assert (change.field, set(change.old), set(change.new)) == ("benefits", {"Hat", "Cap"}, {"Hat", "Crown"})
    # The way back is another change than the way there.
    world.ingest(drops(campaign("a", drops=[drop("hat", 60, "Hat", "Cap")])), hours=1)
    assert len(world.events("campaign.changed")) == 2


def test_channels_that_come_and_go_are_one_event(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", channels=[301, 302])))
    result = world.ingest(drops(campaign("a", channels=[302, 303, 304])), hours=1)

    assert result.events == {"campaign.channels_changed": 1}
    detail = campaign_detail(world.event("campaign.channels_changed"))
    assert (set(detail.channels_added), detail.channels_removed) == ({"keeper303", "keeper304"}, ("keeper301",))
    assert detail.channels_total == 3
    assert world.channels() == {"keeper302", "keeper303", "keeper304"}


def test_one_snapshot_may_change_fields_drops_and_channels_of_one_campaign(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", channels=[301], drops=[drop("hat")])))
    changed = campaign("a", name="Renamed", channels=[302], drops=[drop("hat"), drop("cap")])

    assert world.ingest(drops(changed), hours=1).events == {
        "campaign.changed": 1,
        "campaign.drop_added": 1,
        "campaign.channels_changed": 1,
    }


def test_a_login_that_changes_is_a_rename_and_no_change_of_channels(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", channels=[channel(301, "keeper")])))
    world.ingest(drops(campaign("a", channels=[channel(301, "lighthouse")])), hours=1)

    assert world.kinds() == ["campaign.added"]
    assert world.channels() == {"lighthouse"}


def test_display_names_that_flip_to_null_and_back_are_no_event_and_keep_the_name(world: Ingesting) -> None:
    names = [channel(301, "keeper", "Keeper"), channel(301, "keeper", None)]
    for number in range(4):
        world.ingest(drops(campaign("a", channels=[names[number % 2]])), hours=1)

    assert world.kinds() == ["campaign.added"]
    # The login is still there, and the display name is the last that was not null.
    assert world.channels() == {"keeper"}


def test_a_campaign_ends_when_it_is_gone_after_its_own_end(world: Ingesting) -> None:
    soon = NOON + timedelta(minutes=30)
    world.ingest(drops(campaign("a", end=soon), campaign("b")))
    result = world.ingest(drops(campaign("b")), hours=1)

    assert result.events == {"campaign.ended": 1}
    assert (world.event("campaign.ended").occurred_at, world.campaign().ended_at) == (soon, soon)
    world.ingest(drops(campaign("b")), hours=1)
    assert len(world.events("campaign.ended")) == 1


def test_a_campaign_that_is_still_listed_as_active_after_its_end_has_not_ended(world: Ingesting) -> None:
    listed = drops(campaign("a", end=NOON + timedelta(minutes=30)), campaign("b"))
    world.ingest(listed)
    world.ingest(listed, hours=1)

    assert world.state() == "open"
    assert world.kinds("campaign") == ["campaign.added"] * 2


def test_a_campaign_whose_end_is_moved_after_it_ended_has_returned(world: Ingesting) -> None:
    soon = NOON + timedelta(minutes=30)
    world.ingest(drops(campaign("a", end=soon), campaign("b")))
    world.ingest(drops(campaign("b")), hours=1)
    assert world.state() == "ended"

    result = world.ingest(drops(campaign("a", end=LATER), campaign("b")), hours=1)

    assert result.events == {"campaign.returned": 1, "campaign.changed": 1}
    assert (world.state(), world.campaign().end_at) == ("open", LATER)


def test_an_ended_campaign_that_is_listed_again_with_the_same_end_stays_ended(world: Ingesting) -> None:
    old = campaign("a", end=NOON + timedelta(minutes=30))
    world.ingest(drops(old, campaign("b")))
    world.ingest(drops(campaign("b")), hours=1)
    world.ingest(drops(old, campaign("b")), hours=1)
    world.ingest(drops(campaign("b")), hours=1)

    assert world.state() == "ended"
    assert world.kinds("campaign") == ["campaign.added", "campaign.added", "campaign.ended"]


def test_kick_tells_itself_what_is_upcoming_active_and_expired(world: Ingesting) -> None:
    start, end = NOON + timedelta(hours=1), NOON + timedelta(hours=5)

    def listing(status: str) -> bytes:
        return kick(kick_campaign(status=status, start=start, end=end), kick_campaign("other"))

    world.ingest(listing("upcoming"), source=KICK)
    assert (world.kick_campaign().started_at, world.kinds()) == (None, ["campaign.added"] * 2)
    world.ingest(listing("active"), source=KICK, hours=2)
    assert (world.kick_campaign().started_at, world.kinds()[2:]) == (start, ["campaign.started"])
    world.ingest(listing("active"), source=KICK, hours=1)
    world.ingest(listing("expired"), source=KICK, hours=3)
    assert (world.kick_campaign().ended_at, world.kinds()[3:]) == (end, ["campaign.ended"])
    world.ingest(listing("expired"), source=KICK, hours=1)
    assert world.kinds()[4:] == []


def test_a_campaign_that_kick_expires_before_its_time_ends_then(world: Ingesting) -> None:
    world.ingest(kick(kick_campaign()), source=KICK)
    world.ingest(kick(kick_campaign(status="expired")), source=KICK, hours=1)

    assert world.event("campaign.ended").occurred_at == world.now
    assert world.kick_campaign().ended_at == world.now


def test_history_that_kick_still_lists_is_recorded_but_no_news(world: Ingesting) -> None:
    old = kick_campaign(status="expired", start=START - timedelta(days=30), end=START)

    result = world.ingest(kick(old), source=KICK)

    assert (result.changed, result.events.total()) == (1, 0)
    assert world.kick_campaign().ended_at == START


def test_rewards_are_added_and_end_and_nothing_else(world: Ingesting) -> None:
    soon = NOON + timedelta(hours=1)
    world.ingest(encode([quest("q", end=soon), quest("r")]), source=REWARDS)
    world.ingest(encode([quest("q", end=soon, name="Renamed"), quest("r")]), source=REWARDS, minutes=30)
    assert world.quest().name == "Renamed"
    result = world.ingest(encode([quest("r")]), source=REWARDS, hours=1)

    assert result.events == {"reward.ended": 1}
    assert world.kinds() == ["reward.added", "reward.added", "reward.ended"]
    assert world.quest().ended_at == soon


def test_chzzks_campaigns_are_added_and_judged_only_by_what_was_asked_for(world: Ingesting) -> None:
    def gathered(numbers: str, *answers: bytes) -> bytes:
        return b'{"asked":%s,"answers":[%s]}' % (numbers.encode(), b",".join(answers))

    world.ingest(gathered('["1201","1202"]', chzzk(1201), chzzk(1202)), source=CHZZK)
    assert world.kinds() == ["campaign.added"] * 2

    for _ in range(4):
        world.ingest(gathered('["1202"]', chzzk(1202)), source=CHZZK, hours=1)
    assert world.kinds("campaign") == ["campaign.added"] * 2

    for _ in range(3):
        world.ingest(gathered('["1201","1202"]', chzzk(1202)), source=CHZZK, hours=1)
    assert world.kinds("campaign") == ["campaign.added", "campaign.added", "campaign.withdrawn"]


@pytest.mark.parametrize("turns", [2, 5])
def test_a_value_that_flaps_makes_one_event_each_way_within_a_day(world: Ingesting, turns: int) -> None:
    ways = [
        drops(campaign("a", name="Lantern", channels=[301])),
        drops(campaign("a", name="Lamp", channels=[301, 302])),
    ]
    world.ingest(ways[0])
    for number in range(2 * turns):
        world.ingest(ways[(number + 1) % 2], hours=1)

    assert len(world.events("campaign.changed")) == 2
    assert len(world.events("campaign.channels_changed")) == 2
    assert (world.campaign().name, world.channels()) == ("Lantern", {"keeper301"})


def test_a_value_that_flaps_again_after_a_day_is_told_again(world: Ingesting) -> None:
    ways = [drops(campaign("a", name="Lantern")), drops(campaign("a", name="Lamp"))]
    for hours, way in ((0, 0), (1, 1), (1, 0), (25, 1)):
        world.ingest(ways[way], hours=hours)

    assert len(world.events("campaign.changed")) == 3
