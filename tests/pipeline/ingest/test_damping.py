"""A change that flaps is told once each way in a day; what was told last comes true when that day is over."""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from models import Delivery, DropCampaign, Event, HeldChange
from models.vault import Vault
from notifiers.subscriptions import add_subscription
from notifiers.targets import add_target
from pipeline.events.damping import DAMPING_WINDOW
from pipeline.importer.run import import_paths
from pipeline.importer.times import time_parser
from tests.pipeline.builders import END, NOON, Json, campaign, drop, drops
from tests.pipeline.world import SOURCES, Ingesting, take_in

KEEPER = "keeper301"


def channels(*numbers: int, **fields: Any) -> bytes:
    """A campaign that names a channel which stays, and these."""
    return drops(campaign(channels=[300, *numbers], **fields))


def named(name: str) -> bytes:
    return drops(campaign(name=name))


def with_drops(*listed: Json) -> bytes:
    return drops(campaign(drops=[drop("z", 600), *listed]))


def flap(world: Ingesting, *payloads: bytes) -> None:
    """Take in a snapshot an hour."""
    for payload in payloads:
        world.ingest(payload, hours=1)


def comes_and_goes(world: Ingesting) -> None:
    """A channel comes, goes, comes and stays: at 14, 15 and 16 o'clock."""
    flap(world, channels(), channels(301), channels(), channels(301))


Told = tuple[datetime, list[str], list[str]]


def told_of_channels(world: Ingesting) -> list[Told]:
    return [
        (row.occurred_at, row.detail.get("channels_added", []), row.detail.get("channels_removed", []))
        for row in world.events("campaign.channels_changed")
    ]


def told_of_names(world: Ingesting) -> list[tuple[str, str]]:
    changes = [change for row in world.events("campaign.changed") for change in row.detail["changes"]]
    return [(change["old"], change["new"]) for change in changes]


CAME, WENT = NOON + timedelta(hours=2), NOON + timedelta(hours=3)
COMES_AND_GOES: list[Told] = [(CAME, [KEEPER], []), (WENT, [], [KEEPER])]
TRUTH: Told = (CAME + DAMPING_WINDOW, [KEEPER], [])


def test_a_channel_that_comes_and_goes_and_comes_is_told_to_be_there_when_the_day_is_over(world: Ingesting) -> None:
    comes_and_goes(world)
    assert told_of_channels(world) == COMES_AND_GOES

    world.ingest(channels(301), hours=21, minutes=59)
    assert told_of_channels(world) == COMES_AND_GOES
    world.ingest(channels(301), minutes=1)
    assert told_of_channels(world) == [*COMES_AND_GOES, TRUTH]
    world.ingest(channels(301), days=2)
    assert told_of_channels(world) == [*COMES_AND_GOES, TRUTH]
    assert world.rows(HeldChange) == []


def test_the_clock_tells_it_at_the_same_moment_and_once(world: Ingesting) -> None:
    comes_and_goes(world)

    assert world.advance(hours=21, minutes=59) == {}
    assert world.advance(minutes=2) == {"campaign.channels_changed": 1}
    assert world.advance(minutes=1) == {}
    assert told_of_channels(world) == [*COMES_AND_GOES, TRUTH]


def test_what_a_snapshot_changes_at_that_moment_comes_after_what_was_held_back(world: Ingesting) -> None:
    comes_and_goes(world)
    world.ingest(channels(301, 302), days=2)

    # The second event does not tell the first one's channel again.
    assert told_of_channels(world)[2:] == [TRUTH, (world.now, ["keeper302"], [])]


def test_nothing_is_told_of_what_is_as_it_was_told_again(world: Ingesting) -> None:
    comes_and_goes(world)
    flap(world, channels())
    assert world.rows(HeldChange) == []

    world.advance(days=2)
    assert told_of_channels(world) == COMES_AND_GOES


def test_a_channel_that_flaps_for_a_week_is_told_once_a_day_each_way_and_truly_in_the_end(world: Ingesting) -> None:
    for number in range(7 * 8):
        world.ingest(channels(301) if number % 2 else channels(), hours=3)
    world.advance(days=1)

    changes = told_of_channels(world)
    for came in ([KEEPER], []):
        times = [at for at, added, _ in changes if added == came]
        assert 6 <= len(times) <= 8
        assert min(later - earlier for earlier, later in pairwise(times)) >= DAMPING_WINDOW
    assert changes[-1][1:] == ([KEEPER], [])
    assert KEEPER in world.channels()


def test_a_list_that_flaps_to_none_is_told_as_it_is(world: Ingesting) -> None:
    emptied = [drops(campaign())] * 3
    flap(world, channels(), *emptied, channels(), *emptied)
    world.advance(days=1)

    changes = [came_and_went for _, *came_and_went in told_of_channels(world)]
    assert changes == [[[], ["keeper300"]], [["keeper300"], []], [[], ["keeper300"]]]
    assert world.channels() == set()


def test_a_change_after_one_that_was_held_back_begins_at_what_was_told(world: Ingesting) -> None:
    flap(world, *[named(name) for name in ("Sun", "Moon", "Sun", "Moon")])
    assert told_of_names(world) == [("Sun", "Moon"), ("Moon", "Sun")]

    flap(world, named("Star"))
    world.advance(days=2)
    assert told_of_names(world) == [("Sun", "Moon"), ("Moon", "Sun"), ("Sun", "Star")]


LATER = END + timedelta(hours=5)
FIELDS: dict[str, tuple[Json, Json, str, str]] = {
    "name": ({"name": "Sun"}, {"name": "Moon"}, "Sun", "Moon"),
    "end_at": ({"end": END}, {"end": LATER}, END.isoformat(), LATER.isoformat()),
    "organization": ({}, {"owner": {"id": "org-moss", "name": "Moss & Co"}}, "Tide Works", "Moss & Co"),
    "game": ({}, {"game_id": "7002"}, "Harbour Lights", "Moss Runner"),
    "benefits": ({}, {"drops": [drop("a", 60, "Hat")]}, "Prize a", "Hat"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_rests_is_told_from_the_value_that_was_told_last(world: Ingesting, field: str) -> None:
    first, second, old, new = FIELDS[field]
    flap(world, *[drops(campaign(**fields)) for fields in (first, second, first, second)])
    world.advance(days=1)

    changes = [change for row in world.events("campaign.changed") for change in row.detail["changes"]]
    assert {change["field"] for change in changes} == {field}
    values = [(plain(change["old"]), plain(change["new"])) for change in changes]
    assert values == [(old, new), (new, old), (old, new)]


def plain(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def test_a_drop_that_flaps_is_told_to_be_there_with_what_it_asks_for_now(world: Ingesting) -> None:
    flap(world, with_drops(), with_drops(drop("a")), with_drops(), with_drops(drop("a")), with_drops(drop("a", 90)))
    world.advance(days=1)

    assert world.kinds("campaign") == [
        "campaign.added",
        "campaign.drop_added",
        "campaign.changed",
        # The change of its minutes tells that it is there.
        "campaign.drop_added",
    ]
    assert world.events("campaign.drop_added")[-1].detail["drops_added"][0]["required_minutes"] == 90


def test_a_drop_that_goes_again_is_told_to_be_gone(world: Ingesting) -> None:
    flap(world, with_drops(drop("a")), with_drops(), with_drops(drop("a")), with_drops())
    world.advance(days=1)

    kinds = [row.kind for row in world.rows(Event) if row.kind != "campaign.added"]
    assert kinds == ["campaign.changed", "campaign.drop_added", "campaign.changed"]
    assert world.drops().keys() == {"drop-z"}


@pytest.mark.parametrize("listed", [True, False])
def test_a_campaign_that_was_said_to_be_withdrawn_or_back_is_told_as_it_is(world: Ingesting, *, listed: bool) -> None:
    world.ingest(named("Sun"))
    hold(world, "listed", not listed, due_at=NOON + timedelta(hours=1))
    if not listed:
        set_campaign(world, withdrawn_at=NOON)

    world.advance(hours=2)
    world.advance(hours=2)
    assert world.kinds("campaign")[1:] == ["campaign.returned" if listed else "campaign.withdrawn"]


def hold(world: Ingesting, item: str, announced: object, *, due_at: datetime) -> None:
    row = {"family": "campaign", "subject": "twitch:camp-a", "item": item, "announced": announced, "silent": False}
    with world.engine.begin() as connection:
        connection.execute(insert(HeldChange).values(row | {"held_at": world.now, "due_at": due_at}))


def set_campaign(world: Ingesting, **values: object) -> None:
    with world.engine.begin() as connection:
        connection.execute(update(DropCampaign).values(values))


def test_a_campaign_that_was_extended_and_ends_as_it_was_to_end_at_first_is_told_to_have_ended(
    world: Ingesting,
) -> None:
    soon = NOON + timedelta(hours=3)
    others = [campaign("b"), campaign("c")]
    world.ingest(drops(campaign(end=soon), *others))
    world.ingest(drops(*others), hours=4)
    world.ingest(drops(campaign(end=END), *others), hours=1)
    world.ingest(drops(campaign(end=soon), *others), hours=1)
    world.ingest(drops(*others), hours=1)

    kinds = [row.kind for row in world.rows(Event, campaign_id=world.campaign().id)]
    assert [kind for kind in kinds if kind in {"campaign.ended", "campaign.returned"}] == [
        "campaign.ended",
        "campaign.returned",
        "campaign.ended",
    ]
    assert world.state() == "ended"


def test_of_a_campaign_that_is_over_it_is_told_to_nobody_aloud(world: Ingesting) -> None:
    ends = world.now + timedelta(hours=10)
    flap(world, *[channels(*numbers, end=ends) for numbers in ((), (301,), (), (301,))])
    world.advance(hours=30)

    assert told_of_channels(world)[-1] == TRUTH
    assert [row.silent for row in world.events("campaign.channels_changed")] == [False, False, True]


def test_a_machine_that_was_off_when_it_was_due_tells_it_aloud(world: Ingesting) -> None:
    comes_and_goes(world)
    world.advance(days=3)

    assert told_of_channels(world)[-1] == TRUTH
    assert world.events("campaign.channels_changed")[-1].silent is False


def test_what_an_import_held_back_long_ago_is_told_to_nobody_when_it_is_over(world: Ingesting, tmp_path: Path) -> None:
    for hour, payload in enumerate([channels(), channels(301), channels(), channels(301)]):
        (tmp_path / f"{NOON - timedelta(days=14, hours=-hour):%Y-%m-%dT%H%M%SZ}.json").write_bytes(payload)
    running = import_paths(world.engine, SOURCES, [tmp_path], parse_time=time_parser(), now=lambda: world.now)

    for _ in running:
        # The import may go on, and tell it by itself.
        assert world.advance() == {}
    assert len(world.events("campaign.channels_changed")) == 2
    assert world.advance() == {"campaign.channels_changed": 1}
    assert [row.silent for row in world.events("campaign.channels_changed")] == [True, True, True]


def import_old(world: Ingesting, payload: bytes, hour: int, days: int = 0) -> None:
    """Take in a snapshot of two weeks ago."""
    at = NOON - timedelta(days=14) + timedelta(days=days, hours=hour)
    with world.engine.begin() as connection:
        take_in(connection, payload, at, silent=True, now=world.now)


def test_an_imported_history_makes_the_events_of_a_live_one(world: Ingesting) -> None:
    payloads = [channels(), channels(301), channels(), channels(301)]
    for hour, payload in enumerate(payloads):
        import_old(world, payload, hour)
    import_old(world, payloads[-1], 3, days=4)
    imported = [(at - told_of_channels(world)[0][0], *change) for at, *change in told_of_channels(world)]

    assert imported == [(at - CAME, *change) for at, *change in [*COMES_AND_GOES, TRUTH]]
    for hour, payload in enumerate(payloads):
        import_old(world, payload, hour)
    import_old(world, payloads[-1], 3, days=4)
    assert len(told_of_channels(world)) == 3


def test_a_transaction_that_is_killed_tells_it_the_next_time(world: Ingesting) -> None:
    comes_and_goes(world)
    at = world.later(days=1)
    with world.engine.connect() as connection, connection.begin() as transaction:
        take_in(connection, channels(301), at)
        transaction.rollback()
    assert told_of_channels(world) == COMES_AND_GOES

    world.ingest(channels(301))
    assert told_of_channels(world) == [*COMES_AND_GOES, TRUTH]


@pytest.mark.parametrize("days", [1.1, 400])
def test_a_clock_that_was_ahead_delays_nothing_for_longer_than_a_day(world: Ingesting, days: float) -> None:
    world.later(days=days)
    comes_and_goes(world)
    world.now = NOON
    world.advance(minutes=1)
    world.advance(days=1)

    assert world.rows(HeldChange) == []
    assert told_of_channels(world)[-1][1:] == ([KEEPER], [])
    assert told_of_channels(world)[-1][0] <= world.now


def test_an_event_of_a_clock_that_was_ahead_damps_nothing(world: Ingesting) -> None:
    world.ingest(channels())
    world.later(days=400)
    flap(world, channels(301), channels())
    world.now = NOON
    world.set_source(last_snapshot_at=NOON)
    flap(world, channels(301))

    assert told_of_channels(world)[-1] == (world.now, [KEEPER], [])


def test_it_is_sent_as_any_event_is(world: Ingesting, vault: Vault) -> None:
    with world.engine.begin() as connection:
        add_target(connection, vault, "phone", "json://127.0.0.1:9/x", NOON, private=True)
        add_subscription(connection, "phone", NOON)
    comes_and_goes(world)
    before = world.count(Delivery)
    world.advance(days=1)

    assert world.count(Delivery) == before + 1
