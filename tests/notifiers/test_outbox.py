from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import update

from models import DeliveryState, Event
from notifiers import deliveries, outbox
from tests.notifiers.world import NOON, Notifying


def test_a_claim_writes_the_attempt_down_before_anything_is_sent(world: Notifying) -> None:
    world.target()
    world.event("Rust 40")
    (claimed,) = world.claim(lease_seconds=60)
    (row,) = world.deliveries()
    assert (row.state, row.attempts, row.first_attempt_at) == ("sending", 1, NOON)
    assert (row.lease_until, row.lease_token) == (NOON + timedelta(seconds=60), claimed.lease_token)
    assert [event.title for event in claimed.events] == ["Rust 40"]
    assert claimed.lease_token not in repr(claimed)
    assert repr(claimed.url_encrypted) not in repr(claimed)


def test_a_burst_becomes_one_message_of_at_most_twenty_in_their_order(world: Notifying) -> None:
    world.target()
    events = [world.event(f"Event {n}") for n in range(25)]
    (first,) = world.claim()
    assert world.event_ids() == events
    assert [event.title for event in first.events] == [f"Event {n}" for n in range(20)]
    with world.engine.begin() as connection:
        assert outbox.settle_sent(connection, first, world.now) == 20
    (second,) = world.claim()
    assert [event.title for event in second.events] == [f"Event {n}" for n in range(20, 25)]


def test_a_target_has_one_message_under_way_at_a_time(world: Notifying) -> None:
    world.target()
    world.event("first")
    (claimed,) = world.claim()
    world.event("second")
    assert world.claim() == []
    with world.engine.begin() as connection:
        outbox.settle_sent(connection, claimed, world.now)
    (claimed,) = world.claim()
    assert claimed.events[0].title == "second"


def test_messages_of_one_claim_are_for_different_targets_the_longest_waiting_first(world: Notifying) -> None:
    for name in ("c", "b", "a"):
        world.target(name, kinds=["campaign.added"])
    world.event()
    world.later(minutes=1)
    world.target("d")
    world.event()
    assert [claimed.target for claimed in world.claim(limit=3)] == ["c", "b", "a"]
    assert [claimed.target for claimed in world.claim(limit=3)] == ["d"]


def test_a_second_claimer_skips_what_the_first_holds_locked(world: Notifying) -> None:
    world.target("a")
    world.target("b")
    world.event()
    with world.engine.begin() as connection, world.engine.begin() as other_connection:
        (first,) = outbox.claim(connection, world.now)
        (second,) = outbox.claim(other_connection, world.now)
        # Neither has committed, and the second did not wait for the first.
        assert {first.target, second.target} == {"a", "b"}
        assert outbox.claim(other_connection, world.now) == []


def test_new_deliveries_may_be_added_while_a_claim_is_open(world: Notifying) -> None:
    world.target()
    world.event()
    with world.engine.begin() as connection:
        connection.exec_driver_sql("SET lock_timeout = '5s'")
        outbox.claim(connection, world.now)
        world.event()
    assert len(world.event_ids()) == 2


def test_claimers_that_race_never_get_the_same_delivery(world: Notifying) -> None:
    for name in "abc":
        world.target(name)
    events = [world.event() for _ in range(30)]
    start = Barrier(4)

    def work() -> list[int]:
        delivery_ids: list[int] = []
        start.wait()
        for _ in range(40):
            for claimed in world.claim(limit=2):
                with world.engine.begin() as connection:
                    settled = outbox.settle_sent(connection, claimed, world.now)
                assert settled == len(claimed.deliveries)
                delivery_ids += [delivery.id for delivery in claimed.deliveries]
        return delivery_ids

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work) for _ in range(4)]
        claims = Counter(id_ for worker in workers for id_ in worker.result())
    assert set(claims.values()) == {1}
    assert len(claims) == 3 * len(events)
    assert {row.attempts for row in world.deliveries()} == {1}


def test_a_lease_that_ran_out_is_claimed_again_and_its_old_token_changes_nothing(world: Notifying) -> None:
    world.target()
    world.event()
    (stale,) = world.claim(lease_seconds=60)
    world.later(seconds=59)
    assert world.claim() == []
    world.later(seconds=1)
    (fresh,) = world.claim(lease_seconds=60)
    before = world.deliveries()
    with world.engine.begin() as connection:
        assert outbox.settle_sent(connection, stale, world.now) == 0
        assert outbox.settle_failed(connection, stale, world.now, "late", permanent=True) == 0
    assert world.deliveries() == before
    with world.engine.begin() as connection:
        assert outbox.settle_sent(connection, fresh, world.now) == 1
        assert outbox.settle_sent(connection, fresh, world.now) == 0
    (row,) = world.deliveries()
    assert (row.state, row.attempts, row.sent_at, row.lease_token) == ("sent", 2, world.now, None)


def test_a_worker_that_is_late_but_not_replaced_may_still_settle(world: Notifying) -> None:
    world.target()
    world.event()
    (claimed,) = world.claim(lease_seconds=60)
    world.later(hours=1)
    with world.engine.begin() as connection:
        assert outbox.settle_sent(connection, claimed, world.now) == 1


def test_after_a_group_failed_each_delivery_goes_alone(world: Notifying) -> None:
    world.target()
    for n in range(3):
        world.event(f"Event {n}")
    (group,) = world.claim()
    assert len(group.deliveries) == 3
    world.fail(group)
    world.later(minutes=1)
    alone = world.claim()
    while claimed := world.claim():
        alone += claimed
    # One at a time, too: the others wait for the first.
    assert [len(claimed.deliveries) for claimed in alone] == [1]


def test_new_events_are_not_mixed_with_those_that_failed(world: Notifying) -> None:
    world.target()
    world.event("old")
    (claimed,) = world.claim()
    world.fail(claimed)
    world.event("new 1")
    world.event("new 2")
    (claimed,) = world.claim()
    assert [event.title for event in claimed.events] == ["new 1", "new 2"]


def test_an_outage_costs_one_attempt_a_pause_and_not_one_for_each_delivery(world: Notifying) -> None:
    world.target()
    for _ in range(10):
        world.event()
    (group,) = world.claim()
    world.fail(group)
    world.later(seconds=30)
    (first,) = world.claim()
    world.fail(first)
    assert world.claim() == []
    world.later(seconds=60)
    (second,) = world.claim()
    # The delivery with the fewest attempts goes first, so no event waits behind one that always fails.
    assert second.deliveries[0].attempts == 2
    assert second.deliveries[0].id != first.deliveries[0].id


@pytest.mark.parametrize("unanswered", [True, False])
def test_new_events_that_fail_as_well_do_not_put_off_what_waits_for_its_next_attempt(
    world: Notifying, unanswered: bool
) -> None:
    world.target()
    world.event("first")
    attempts = 0
    # A new one each half an hour, and none of them is taken.
    for _ in range(8):
        world.event("next")
        for claimed in world.claim():
            attempts = max([attempts, *(each.attempts for each in claimed.deliveries)])
            world.fail(claimed, unanswered=unanswered)
        world.later(minutes=31)
    assert attempts >= 2


def test_one_poisonous_event_does_not_keep_its_companions(world: Notifying) -> None:
    world.target()
    for title in ("poison", "b", "c", "d"):
        world.event(title)
    arrived = []
    for _ in range(12):
        for claimed in world.claim():
            titles = [event.title for event in claimed.events]
            if "poison" in titles:
                world.fail(claimed)
                continue
            arrived += titles
            with world.engine.begin() as connection:
                outbox.settle_sent(connection, claimed, world.now)
        world.later(minutes=5)
    assert sorted(arrived) == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("attempts", "fraction", "seconds"),
    [(1, 1, 30), (1, 0.5, 15), (2, 1, 60), (3, 1, 120), (7, 1, 1920), (8, 1, 3600), (500, 1, 3600), (9, 0, 5)],
)
def test_pauses_double_from_half_a_minute_to_an_hour_with_full_jitter(
    attempts: int, fraction: float, seconds: int
) -> None:
    assert outbox.backoff(attempts, fraction) == timedelta(seconds=seconds)


def test_a_failure_is_tried_again_for_72_hours_and_then_dead(world: Notifying) -> None:
    world.target()
    world.event()
    attempts = 0
    while claimed := world.claim():
        attempts += 1
        age = world.now - NOON
        dead = world.fail(claimed[0])
        (row,) = world.deliveries()
        assert dead == (row.state == "dead") == (age >= timedelta(hours=72))
        assert (row.attempts, row.last_error, row.lease_token) == (attempts, "HTTP 500", None)
        if not dead:
            assert row.next_attempt_at == world.now + outbox.backoff(attempts, 1)
        world.now = row.next_attempt_at
    assert 75 < attempts < 85


def test_a_clock_that_jumps_a_year_ahead_does_not_use_up_the_attempts(world: Notifying) -> None:
    world.target()
    world.event()
    world.fail(world.claim()[0])
    world.later(days=366)
    attempts, jumped_at = 1, world.now
    while claimed := world.claim():
        attempts += 1
        dead = world.fail(claimed[0])
        (row,) = world.deliveries()
        assert dead == (row.state == "dead") == (attempts == 6)
        world.now = row.next_attempt_at if not dead else world.now
    assert world.now - jumped_at > timedelta(minutes=5)


def test_a_permanent_failure_is_dead_at_once(world: Notifying) -> None:
    world.target()
    world.event()
    world.event()
    (claimed,) = world.claim()
    assert world.fail(claimed, permanent=True) == 2
    assert {row.state for row in world.deliveries()} == {"dead"}
    world.later(days=30)
    assert world.claim() == []


def test_a_delivery_that_kills_its_workers_ends_as_well(world: Notifying) -> None:
    world.target()
    world.event()
    for _ in range(outbox.LOST_ATTEMPTS):
        assert world.claim(lease_seconds=60)
        world.later(hours=8)
    assert world.claim() == []
    (row,) = world.deliveries()
    assert (row.state, row.last_error) == ("dead", "no worker lived to finish sending it")


def test_a_delivery_that_lay_while_the_machine_slept_is_tried_again(world: Notifying) -> None:
    world.target()
    world.event()
    world.claim()
    world.later(days=30)
    assert len(world.claim()) == 1


def test_dead_deliveries_are_replayed_as_if_new_all_or_some(world: Notifying) -> None:
    world.target()
    for _ in range(3):
        world.event()
    (claimed,) = world.claim()
    world.fail(claimed, permanent=True)
    world.later(days=9)
    ids = [delivery.id for delivery in claimed.deliveries]
    with world.engine.begin() as connection:
        assert deliveries.replay(connection, world.now, [ids[1], 999]) == 1
    (message,) = world.claim()
    assert [(d.id, d.attempts, d.first_attempt_at) for d in message.deliveries] == [(ids[1], 1, world.now)]
    with world.engine.begin() as connection:
        # What is not dead is left alone.
        assert deliveries.replay(connection, world.now) == 2
        outbox.settle_sent(connection, message, world.now)
    assert len(world.claim()[0].deliveries) == 2


def test_deliveries_are_listed_newest_first_by_state(world: Notifying) -> None:
    world.target("phone", "discord://123456/s3cr3t")
    world.event("first")
    (claimed,) = world.claim()
    world.fail(claimed, permanent=True)
    world.event("second")
    with world.engine.begin() as connection:
        both = deliveries.list_deliveries(connection)
        dead = deliveries.list_deliveries(connection, DeliveryState.DEAD)
        newest = deliveries.list_deliveries(connection, limit=1)
    assert [line.title for line in both] == ["second", "first"]
    assert [(line.title, line.target, line.label, line.last_error) for line in dead] == [
        ("first", "phone", "Discord", "HTTP 500")
    ]
    assert [line.title for line in newest] == ["second"]
    assert "s3cr3t" not in repr(both)


def test_the_next_due_time_is_that_of_an_attempt_or_of_a_lease(world: Notifying) -> None:
    def due() -> object:
        with world.engine.begin() as connection:
            return deliveries.next_due_at(connection)

    world.target()
    assert due() is None
    world.event()
    assert due() == NOON
    (claimed,) = world.claim(lease_seconds=60)
    assert due() == NOON + timedelta(seconds=60)
    world.fail(claimed)
    assert due() == NOON + timedelta(seconds=30)
    world.change_target("phone", disabled_at=NOON)
    assert due() is None


def test_a_disabled_target_keeps_what_waits_until_it_is_enabled(world: Notifying) -> None:
    world.target()
    world.event()
    world.change_target("phone", disabled_at=NOON)
    assert world.claim() == []
    world.change_target("phone", disabled_at=None)
    assert len(world.claim()) == 1


def test_an_error_is_kept_short_and_without_anything_like_an_address(world: Notifying) -> None:
    world.target()
    world.event()
    (claimed,) = world.claim()
    with world.engine.begin() as connection:
        outbox.settle_failed(connection, claimed, world.now, f"at discord://1/s3cr3t\n{'x' * 999}")
    (row,) = world.deliveries()
    assert row.last_error.startswith("at … xxx")
    assert len(row.last_error) == outbox.ERROR_LENGTH


def test_an_event_whose_detail_cannot_be_read_is_told_by_its_title(world: Notifying) -> None:
    world.target()
    event_id = world.event("Rust 40")
    with world.engine.begin() as connection:
        connection.execute(update(Event).where(Event.id == event_id).values(detail={"drops": "none", "end_at": 5}))
    (claimed,) = world.claim()
    assert claimed.events[0].title == "Rust 40"


def test_targets_that_took_messages_come_before_those_that_failed_or_are_slow(world: Notifying) -> None:
    for name in ("failed", "slow", "unknown", "quick"):
        world.target(name)
    world.event("first")
    world.change_target("unknown", disabled_at=NOON)
    for claimed in world.claim(limit=4):
        if claimed.target == "failed":
            world.fail(claimed)
        else:
            with world.engine.begin() as connection:
                outbox.settle_sent(connection, claimed, world.now, is_quick=claimed.target == "quick")
    world.change_target("unknown", disabled_at=None)
    world.later(hours=1)
    world.event("second")
    with world.engine.begin() as connection:
        messages = outbox.claim(connection, world.now, limit=4, for_slow=2)
    # Of those that may be slow two are taken, and the one that waits longest first.
    assert [(message.target, message.is_quick) for message in messages] == [
        ("quick", True),
        ("unknown", False),
        ("failed", False),
    ]
