"""When a campaign's end is worth a message."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, insert

from models import CampaignDeadline, Event
from pipeline.drops.deadlines import deadlines, is_pointless
from pipeline.drops.records import CampaignRecord, DropRecord
from tests.details import campaign_detail
from tests.pipeline.builders import END, NOON, campaign, drop, drops, stamp
from tests.pipeline.world import Ingesting

HOUR = timedelta(hours=1)
# In hours: so long before the last moment to begin a last chance is told.
SLACK = 1 / 6


def record(end_at: datetime | None, minutes: int | None = None, start_at: datetime = NOON) -> CampaignRecord:
    listed = () if minutes is None else (DropRecord(external_id="d", required_minutes=minutes),)
    return CampaignRecord(service="twitch", external_id="a", name="A", start_at=start_at, end_at=end_at, drops=listed)


def hours_before(end_at: datetime, warnings: dict[str, datetime]) -> dict[str, float]:
    return {kind: (end_at - at) / HOUR for kind, at in warnings.items()}


@pytest.mark.parametrize(
    ("lasts", "minutes", "expected"),
    [
        (48, 120, {"ending_soon:24h": 24, "ending_soon:3h": 3, "last_chance": 2 + SLACK}),
        (24, 240, {"ending_soon:3h": 3, "last_chance": 4 + SLACK}),
        (4, None, {}),
        (6, 0, {"ending_soon:3h": 3}),
        (6, 360, {"ending_soon:3h": 3}),
        (2, 90, {"last_chance": 1.5 + SLACK}),
    ],
)
def test_a_campaign_gets_the_warnings_that_its_length_has_room_for(
    lasts: float, minutes: int | None, expected: dict[str, float]
) -> None:
    end_at = NOON + lasts * HOUR
    assert hours_before(end_at, deadlines(record(end_at, minutes), NOON)) == pytest.approx(expected)


def test_a_campaign_without_an_end_gets_no_warning() -> None:
    assert deadlines(record(None, 60), NOON) == {}


def test_a_campaign_seen_late_gets_no_warning_that_its_announcement_has_just_given() -> None:
    end_at = NOON + 30 * HOUR
    assert hours_before(end_at, deadlines(record(end_at, 60), NOON + 6 * HOUR)) == pytest.approx(
        {"ending_soon:3h": 3, "last_chance": 1 + SLACK}
    )


@pytest.mark.parametrize(
    ("lasts", "minutes", "due"),
    [
        pytest.param(60, 45, 5, id="there are ten minutes to begin"),
        pytest.param(60, 50, 0, id="there are just ten"),
        pytest.param(60, 57, 0, id="there are three: told at once"),
        pytest.param(60, 60, None, id="its announcement is its last chance"),
    ],
)
def test_a_last_chance_leaves_ten_minutes_to_begin_where_its_campaign_does(
    lasts: int, minutes: int, due: int | None
) -> None:
    moments = deadlines(record(NOON + timedelta(minutes=lasts), minutes), NOON)

    at = moments.get("last_chance")
    assert (at - NOON) / timedelta(minutes=1) == pytest.approx(due, abs=0.001) if at else due is None
    assert at is None or at > NOON


def test_nobody_is_told_to_start_before_a_minute_counts() -> None:
    opens = lasting(step("late", 55, hours=(10, 11)))

    assert moments(opens)["last_chance:2031-03-04T23:00:00+00:00"] == 10


def test_a_chain_is_begun_as_soon_as_what_it_requires_is_open() -> None:
    chain = lasting(step("root", 60), step("next", 60, "root", hours=(24, 25)))

    assert moments(chain)["last_chance:2031-03-05T13:00:00+00:00"] == pytest.approx(23 - SLACK)


@pytest.mark.parametrize(
    ("kind", "before", "pointless"),
    [
        ("ending_soon:24h", 24, False),
        ("ending_soon:24h", 3.5, False),
        ("ending_soon:24h", 3, True),
        ("ending_soon:3h", 0.1, False),
        ("ending_soon:3h", 0, True),
        ("last_chance", 2.1, False),
        ("last_chance", 2, False),
        ("last_chance", 1.99, True),
    ],
)
def test_a_warning_is_dropped_when_its_moment_is_outdone_or_over(kind: str, before: float, pointless: bool) -> None:
    start_at = END - 2 * HOUR if kind == "last_chance" else None
    assert is_pointless(kind, END, END - before * HOUR, start_at=start_at) is pointless


def advance_to(world: Ingesting, at: datetime) -> dict[str, int]:
    return world.advance(seconds=(at - world.now).total_seconds())


def test_warnings_come_at_their_time_and_once(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", end=NOON + 48 * HOUR, drops=[drop("d", 60)])))
    end_at = NOON + 48 * HOUR

    assert advance_to(world, end_at - 24 * HOUR - timedelta(seconds=1)) == {}
    assert advance_to(world, end_at - 24 * HOUR) == {"campaign.ending_soon": 1}
    assert advance_to(world, end_at - 23 * HOUR) == {}
    assert advance_to(world, end_at - 3 * HOUR) == {"campaign.ending_soon": 1}
    assert advance_to(world, end_at - HOUR - timedelta(minutes=11)) == {}
    assert advance_to(world, end_at - HOUR - timedelta(minutes=10)) == {"campaign.last_chance": 1}
    assert advance_to(world, end_at - HOUR) == {}
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


def moments(campaign: CampaignRecord, seen_at: datetime = NOON) -> dict[str, float]:
    """Return the deadlines of a campaign in hours after noon."""
    return {kind: (at - NOON) / HOUR for kind, at in deadlines(campaign, seen_at).items()}


def lasting(*listed: DropRecord, hours: int = 96) -> CampaignRecord:
    end_at = NOON + hours * HOUR
    return CampaignRecord(service="twitch", external_id="a", name="A", start_at=NOON, end_at=end_at, drops=listed)


def step(key: str, minutes: int, *after: str, hours: tuple[int, int] | None = None, subs: int = 0) -> DropRecord:
    start_at, end_at = (NOON + hour * HOUR for hour in hours) if hours else (None, None)
    return DropRecord(
        external_id=key,
        required_minutes=minutes,
        required_subs=subs,
        precondition_drop_ids=after,
        start_at=start_at,
        end_at=end_at,
    )


def day(number: int, *, minutes: int = 60) -> DropRecord:
    return step(f"day-{number}", minutes, hours=(24 * number, 24 * number + 24))


def test_each_end_of_drops_has_a_last_chance_of_its_own_and_the_campaign_ends_with_the_last_of_them() -> None:
    assert moments(lasting(day(0), day(1), day(2))) == pytest.approx(
        {
            "last_chance:2031-03-05T12:00:00+00:00": 23 - SLACK,
            "last_chance:2031-03-06T12:00:00+00:00": 47 - SLACK,
            "ending_soon:24h": 48,
            "ending_soon:3h": 69,
            "last_chance:2031-03-07T12:00:00+00:00": 71 - SLACK,
        }
    )


def test_a_chain_is_begun_in_time_for_its_last_drop() -> None:
    chain = lasting(step("a", 120), step("b", 120, "a"), step("c", 240, "b"))

    assert moments(chain)["last_chance"] == pytest.approx(88 - SLACK)


def test_a_campaign_seen_late_warns_of_what_can_still_be_earned() -> None:
    chain = lasting(step("a", 120), step("b", 120, "a"), step("c", 240, "b"))

    assert [moments(chain, NOON + hour * HOUR).get("last_chance", 0) for hour in (87, 88, 91, 93, 95)] == pytest.approx(
        [88 - SLACK, 92 - SLACK, 92 - SLACK, 94 - SLACK, 0]
    )


def test_drops_that_take_subscriptions_as_well_have_a_last_chance() -> None:
    assert moments(lasting(step("a", 60, subs=3)))["last_chance"] == pytest.approx(95 - SLACK)
    assert "last_chance" not in moments(lasting(step("a", 0, subs=3)))


def test_two_ends_with_one_latest_start_make_one_moment() -> None:
    both = lasting(step("short", 60, hours=(0, 24)), step("long", 120, hours=(0, 25)))

    assert [kind for kind in moments(both) if kind.startswith("last")] == ["last_chance:2031-03-05T12:00:00+00:00"]


@pytest.mark.parametrize(("minutes", "due"), [(120, 22), (60, 23), (1, 24 - 1 / 60)])
def test_a_drop_that_others_require_on_a_later_day_is_their_last_chance_too(minutes: int, due: float) -> None:
    chained = lasting(day(0, minutes=minutes), step("next", 60, "day-0", hours=(24, 48)))

    assert [at for kind, at in moments(chained).items() if kind.startswith("last")] == [pytest.approx(due - SLACK)]


def daily(count: int) -> bytes:
    listed = [
        drop(
            str(number),
            60,
            startAt=stamp(NOON + 24 * number * HOUR),
            endAt=stamp(NOON + 24 * (number + 1) * HOUR),
            name=f"Day {number + 1}",
        )
        for number in range(count)
    ]
    end = NOON + 24 * (count + 1) * HOUR
    return drops(campaign("a", startAt=stamp(NOON), end=end, drops=listed))


def test_daily_drops_warn_before_each_day_ends_and_name_the_day(world: Ingesting) -> None:
    world.ingest(daily(3))

    warned = {}
    for hour in (1, 22, 23, 24, 46, 47, 48, 70, 71, 72, 95):
        if "campaign.last_chance" in advance_to(world, NOON + hour * HOUR):
            warned[hour] = world.events("campaign.last_chance")[-1]
    assert list(warned) == [23, 47, 71]
    titles = [event.title for event in warned.values()]
    assert titles[0] == "Start now: Day 1, until 05 Mar 12:00 UTC on Twitch – Harbour Lights: Campaign a"
    assert [title.partition(",")[0] for title in titles] == ["Start now: Day 1", "Start now: Day 2", "Start now: Day 3"]
    detail = campaign_detail(warned[71])
    assert (detail.drops_end_at, detail.end_at) == (NOON + 72 * HOUR, NOON + 96 * HOUR)
    assert [line.name for line in detail.drops_ending] == ["Day 3"]
    assert [line.name for line in detail.drops] == ["Day 1", "Day 2", "Day 3"]


def test_a_campaign_of_thirty_daily_drops_warns_once_a_day(world: Ingesting) -> None:
    world.ingest(daily(30))

    for number in range(30):
        assert advance_to(world, NOON + (24 * number + 22) * HOUR).get("campaign.last_chance") is None
        assert advance_to(world, NOON + (24 * number + 23) * HOUR)["campaign.last_chance"] == 1


def test_the_warning_of_an_end_is_that_of_the_last_drop(world: Ingesting) -> None:
    world.ingest(daily(3))

    advance_to(world, NOON + 47 * HOUR)
    assert advance_to(world, NOON + 48 * HOUR) == {"campaign.ending_soon": 1}
    assert world.event("campaign.ending_soon").title.startswith("Last drops end 07 Mar 12:00 UTC on Twitch")
    advance_to(world, NOON + 72 * HOUR)
    assert advance_to(world, NOON + 95 * HOUR) == {}


def test_windows_that_come_later_move_the_warnings_and_stay_when_a_source_leaves_them_out(world: Ingesting) -> None:
    plain = drop("0", 60, name="Day 1")
    end = NOON + 96 * HOUR
    world.ingest(drops(campaign("a", startAt=stamp(NOON), end=end, drops=[plain])))
    windowed = plain | {"startAt": stamp(NOON), "endAt": stamp(NOON + 24 * HOUR)}
    world.ingest(drops(campaign("a", startAt=stamp(NOON), end=end, drops=[windowed])), minutes=1)
    world.ingest(drops(campaign("a", startAt=stamp(NOON), end=end, drops=[plain | {"name": "First"}])), minutes=1)

    due = {row.kind: row.due_at for row in world.rows(CampaignDeadline) if row.kind.startswith("last")}
    assert due == {"last_chance:2031-03-05T12:00:00+00:00": NOON + 22 * HOUR + timedelta(minutes=50)}


def test_a_deadline_of_an_older_version_that_leaves_no_time_is_not_told(world: Ingesting) -> None:
    world.ingest(daily(2))
    with world.engine.begin() as connection:
        connection.execute(delete(CampaignDeadline))
        row = {"campaign_id": world.campaign().id, "kind": "last_chance", "due_at": NOON + 71 * HOUR}
        connection.execute(insert(CampaignDeadline).values(row))

    assert advance_to(world, NOON + 71 * HOUR) == {}
    assert world.rows(CampaignDeadline) == []


def test_a_chain_that_is_late_names_what_can_still_be_earned(world: Ingesting) -> None:
    chain = [
        drop("1", 120, name="First"),
        drop("2", 120, name="Second", preconditionDrops=[{"id": "drop-1"}]),
        drop("3", 240, name="Third", preconditionDrops=[{"id": "drop-2"}]),
    ]
    end = NOON + 96 * HOUR
    world.ingest(drops(campaign("a", startAt=stamp(NOON), end=end, drops=chain)), hours=90)

    assert advance_to(world, NOON + 92 * HOUR) == {"campaign.last_chance": 1}
    event = world.event("campaign.last_chance")
    assert event.title.startswith("Start now: 2 drops, until 08 Mar 12:00 UTC")
    assert [line.name for line in campaign_detail(event).drops_ending] == ["First", "Second"]


@pytest.mark.parametrize("seen", [0, 21 * 60 + 57], ids=["early", "when both are close"])
def test_last_chances_that_come_close_together_are_each_about_their_own_drops(world: Ingesting, seen: int) -> None:
    short = drop("short", 60, startAt=stamp(NOON), endAt=stamp(NOON + 23 * HOUR), name="Short")
    longer = drop("long", 115, startAt=stamp(NOON), endAt=stamp(NOON + 24 * HOUR), name="Long")
    listed = drops(campaign("a", startAt=stamp(NOON), end=NOON + 48 * HOUR, drops=[short, longer]))
    world.ingest(listed, minutes=seen)

    for minutes in (21 * 60 + 50, 21 * 60 + 55, 21 * 60 + 59):
        advance_to(world, max(NOON + timedelta(minutes=minutes), world.now))

    events = world.events("campaign.last_chance")
    ending = [[line.name for line in campaign_detail(event).drops_ending] for event in events]
    assert sorted(ending) == [["Long"], ["Short"]]
    assert {campaign_detail(event).drops_end_at for event in events} == {NOON + 23 * HOUR, NOON + 24 * HOUR}
