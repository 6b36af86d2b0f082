from datetime import timedelta
from typing import Any

import pytest

from notifiers import match, targets
from tests.notifiers.world import Notifying

# A subscription, an event, and whether the subscription matches it.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "no filter hears of a campaign": ({}, {}, True),
    "no filter hears of a source": ({}, {"kind": "source.failing"}, True),
    "the same kind": ({"kinds": ["campaign.added"]}, {}, True),
    "another kind": ({"kinds": ["campaign.ended"]}, {}, False),
    "one kind of several": ({"kinds": ["campaign.ended", "campaign.added"]}, {}, True),
    "the kind's family": ({"kinds": ["campaign.*"]}, {}, True),
    "another family": ({"kinds": ["reward.*"]}, {}, False),
    "the same service": ({"service": "twitch"}, {}, True),
    "a service in capitals": ({"service": "Twitch"}, {}, True),
    "another service": ({"service": "kick"}, {}, False),
    "a service hears of its source": ({"service": "twitch"}, {"kind": "source.failing"}, True),
    "a service does not hear of another's source": ({"service": "kick"}, {"kind": "source.failing"}, False),
    "a service does not hear of an event without one": ({"service": "kick"}, {"service": None}, False),
    "the same game": ({"game": "Rust"}, {"game": "Rust"}, True),
    "the game in another spelling": ({"game": "tom clancys xdefiant"}, {"game": "Tom Clancy's™ XDefiant"}, True),
    "a Korean game": ({"game": "로스트아크"}, {"game": "로스트아크"}, True),
    "another game": ({"game": "Rust"}, {"game": "Rusty Lake"}, False),
    "a game and an event without one": ({"game": "Rust"}, {}, False),
    "a game and a source": ({"game": "Rust"}, {"kind": "source.failing"}, False),
    "a game and explicitly sources": ({"game": "Rust", "kinds": ["source.*"]}, {"kind": "source.failing"}, False),
    "the same organization": ({"organization": "facepunch"}, {"organization": "Facepunch"}, True),
    "another organization": ({"organization": "Facepunch"}, {"organization": "Amazon"}, False),
    "an organization and a source": ({"organization": "Facepunch"}, {"kind": "source.failing"}, False),
    "the same channel": ({"channel": "shroud"}, {"kind": "stream.online", "channel": "shroud"}, True),
    "the channel in capitals": ({"channel": "Shroud"}, {"kind": "stream.online", "channel": "sHroud"}, True),
    "the channel by its address": (
        {"channel": "https://www.twitch.tv/shroud"},
        {"kind": "stream.offline", "channel": "shroud"},
        True,
    ),
    "the channel by a name it had": (
        {"channel": "Shroudy"},
        {"kind": "stream.online", "channel": "shroud", "former_logins": ["first", "shroudy"]},
        True,
    ),
    "another channel": (
        {"channel": "shroud"},
        {"kind": "stream.online", "channel": "shroud2", "former_logins": ["shroud3"]},
        False,
    ),
    "a channel and an event without one": ({"channel": "shroud"}, {}, False),
    "a channel and a campaign to earn there": (
        {"channel": "shroud"},
        {"kind": "campaign.watchable", "channel": "shroud"},
        True,
    ),
    "a channel and another family": (
        {"channel": "shroud", "kinds": ["video.*"]},
        {"kind": "stream.online", "channel": "shroud"},
        False,
    ),
    "streams of a game": ({"game": "Rust", "kinds": ["stream.*"]}, {"kind": "stream.online", "game": "Rust"}, True),
    "everything, and a rerun": ({}, {"kind": "stream.rerun", "channel": "shroud"}, False),
    "streams, and a rerun": ({"kinds": ["stream.*"]}, {"kind": "stream.rerun", "channel": "shroud"}, False),
    "the channel, and its rerun": ({"channel": "shroud"}, {"kind": "stream.rerun", "channel": "shroud"}, False),
    "reruns by name": (
        {"channel": "shroud", "kinds": ["stream.online", "stream.rerun"]},
        {"kind": "stream.rerun", "channel": "shroud"},
        True,
    ),
    "badges": ({"kinds": ["badge.*"]}, {"kind": "badge.added"}, True),
    "all filters hold": (
        {"kinds": ["campaign.*"], "service": "twitch", "game": "Rust", "organization": "Facepunch"},
        {"game": "Rust", "organization": "Facepunch"},
        True,
    ),
    "one filter of several does not hold": (
        {"kinds": ["campaign.*"], "service": "kick", "game": "Rust"},
        {"game": "Rust"},
        False,
    ),
}


@pytest.mark.parametrize(("subscription", "event", "hears"), CASES.values(), ids=CASES.keys())
def test_a_subscription_hears_of_what_all_its_filters_match(
    world: Notifying, subscription: dict[str, Any], event: dict[str, Any], hears: bool
) -> None:
    world.target(**subscription)
    event_id = world.event(**event)
    assert world.event_ids() == ([event_id] if hears else [])


def test_three_matching_subscriptions_of_a_target_make_one_delivery_that_names_them(world: Notifying) -> None:
    world.target()
    others = [world.subscribe(kinds=["campaign.*"]), world.subscribe(service="twitch"), world.subscribe(game="Rust")]
    world.event()
    (delivery,) = world.deliveries()
    # The first one has no filter; the last asks for a game that the event has not.
    assert delivery.subscription_ids == [others[0] - 1, *others[:2]]


def test_each_target_gets_its_own_delivery(world: Notifying) -> None:
    world.target("phone")
    world.target("mail", kinds=["campaign.added"])
    event_id = world.event()
    assert world.event_ids("phone") == world.event_ids("mail") == [event_id]


def test_a_silent_event_is_delivered_to_nobody(world: Notifying) -> None:
    world.target()
    world.event(silent=True)
    assert world.deliveries() == []


def test_a_disabled_target_is_told_nothing(world: Notifying) -> None:
    world.target()
    world.change_target("phone", disabled_at=world.now)
    world.event()
    assert world.deliveries() == []


def test_events_are_put_into_the_outbox_in_their_order_and_only_once(world: Notifying) -> None:
    event_ids = [world.event(title) for title in "abc"]
    world.target()
    with world.engine.begin() as connection:
        assert match.fan_out(connection, event_ids, world.now) == 3
        assert match.fan_out(connection, event_ids, world.now) == 0
    assert world.event_ids() == event_ids


def test_no_events_make_no_deliveries(world: Notifying) -> None:
    world.target()
    with world.engine.begin() as connection:
        assert match.fan_out(connection, [], world.now) == 0


def test_a_transaction_that_is_rolled_back_leaves_neither_event_nor_delivery(world: Notifying) -> None:
    event_id = world.event()
    world.target()
    with world.engine.connect() as connection:
        match.fan_out(connection, [event_id], world.now)
        connection.rollback()
    assert world.deliveries() == []


def test_past_events_that_a_target_would_have_heard_of_are_found(world: Notifying) -> None:
    # Imported history is silent, yet a new subscription is tried on it.
    expected = {world.event(silent=True), world.event()}
    world.event(service="kick")
    world.target(service="twitch")
    world.subscribe(kinds=["campaign.added"], service="twitch")
    with world.engine.begin() as connection:
        target_id = targets.target_id_of(connection, "phone")
        assert set(match.matching(connection, target_id, world.now - timedelta(days=1))) == expected
