"""Which targets are looked at, and when: the rows of deliveries say it, whoever changes them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import event, func, select, text

from models import Target, Wake
from notifiers import deliveries, due, outbox
from notifiers.settings import change_settings
from notifiers.targets import Address, change_target
from notifiers.timing.settings import Digest, Window
from pipeline.database.connecting import alembic_config, migrate
from tests.notifiers.world import NOON, Notifying

HOUR = timedelta(hours=1)


def look_at(world: Notifying, target: str = "phone") -> datetime | None:
    """Follow all wakes; returns when the target is to be looked at then."""
    with world.engine.begin() as connection:
        due.gather(connection, world.now)
        return connection.scalar(select(Target.due_at).where(Target.name == target))


def write(world: Notifying, statement: str) -> None:
    """Change rows as a person at a prompt would, past all functions."""
    with world.engine.begin() as connection:
        connection.execute(text(statement), {"now": world.now})


def settle(world: Notifying, claimed: outbox.ClaimedMessage) -> None:
    with world.engine.begin() as connection:
        outbox.settle_sent(connection, claimed, world.now)


def test_a_target_is_due_by_what_waits_at_it_from_the_event_to_the_last_attempt(world: Notifying) -> None:
    world.target()
    assert look_at(world) is None
    world.event()
    assert look_at(world) == NOON
    (claimed,) = world.claim(lease_seconds=60)
    assert look_at(world) == NOON + timedelta(seconds=60)
    world.fail(claimed)
    assert look_at(world) == NOON + timedelta(seconds=30)
    world.later(seconds=30)
    (claimed,) = world.claim()
    settle(world, claimed)
    assert look_at(world) is None


def test_what_is_held_is_looked_at_once_and_then_when_it_may_go(world: Notifying) -> None:
    world.target()
    with world.engine.begin() as connection:
        change_settings(connection, "phone", {"digest": Digest(at="15:00")}, world.now)
    for _ in range(3):
        world.event()
    assert world.claim() == []
    assert look_at(world) == NOON + 3 * HOUR
    with world.engine.begin() as connection:
        change_settings(connection, "phone", {"digest": None}, world.now)
    assert len(world.claim()[0].deliveries) == 3


def test_a_rest_is_waited_for_and_its_end_by_hand_is_noticed(world: Notifying) -> None:
    world.target()
    world.event()
    (claimed,) = world.claim()
    settle(world, claimed)
    with world.engine.begin() as connection:
        outbox.let_rest(connection, claimed.target_id, world.now, HOUR)
    world.event()
    assert world.claim() == []
    assert look_at(world) == NOON + HOUR
    world.change_target("phone", rests_until=None)
    assert len(world.claim()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deliveries SET next_attempt_at = :now",
        "UPDATE deliveries SET state = 'pending', next_attempt_at = :now, attempts = 0 WHERE state = 'pending'",
    ],
)
def test_rows_changed_by_hand_are_noticed(world: Notifying, statement: str) -> None:
    world.target()
    world.event()
    world.fail(world.claim()[0])
    assert world.claim() == []
    write(world, statement)
    assert len(world.claim()) == 1


def test_a_lease_that_is_ended_by_hand_is_noticed(world: Notifying) -> None:
    world.target()
    world.event()
    assert world.claim()
    assert world.claim() == []
    write(world, "UPDATE deliveries SET lease_until = :now")
    assert len(world.claim()) == 1


@pytest.mark.parametrize("state", ["dead", "sent", "dropped"])
def test_what_was_over_and_waits_again_is_noticed(world: Notifying, state: str) -> None:
    world.target()
    world.event()
    write(world, f"UPDATE deliveries SET state = '{state}'")  # noqa: S608 - our own words
    assert world.claim() == []
    world.later(hours=1)
    write(world, "UPDATE deliveries SET state = 'pending', next_attempt_at = :now")
    assert len(world.claim()) == 1


def test_an_event_whose_transaction_ends_after_the_settling_of_another_is_sent(world: Notifying) -> None:
    world.target()
    world.event("first")
    (claimed,) = world.claim()
    with world.engine.begin() as connection:
        row = {"now": world.now, "then": claimed.deliveries[0].id}
        copied = "kind, event_key || 'b', occurred_at, recorded_at, 'second', silent, detail FROM events"
        names = "kind, event_key, occurred_at, recorded_at, title, silent, detail"
        connection.execute(text(f"INSERT INTO events ({names}) SELECT {copied}"))
        connection.execute(
            text(
                "INSERT INTO deliveries (event_id, target_id, subscription_ids, created_at, next_attempt_at) "
                "SELECT max(e.id), d.target_id, d.subscription_ids, :now, :now FROM deliveries d, events e "
                "WHERE d.id = :then GROUP BY d.id"
            ),
            row,
        )
        # Neither waits for the other.
        settle(world, claimed)
        assert world.claim() == []
    (second,) = world.claim()
    assert [each.title for each in second.events] == ["second"]


def test_after_a_clock_was_set_back_what_waits_is_due_by_the_right_one(world: Notifying) -> None:
    world.target()
    world.later(days=400)
    events = [world.event() for _ in range(25)]
    assert world.claim()
    world.now = NOON
    # The lease is of next year, and so is all that waits: neither can be.
    sent: list[int] = []
    while messages := world.claim():
        sent += [each.id for each in messages[0].deliveries]
        settle(world, messages[0])
    assert sorted(sent) == sorted(events)


def test_a_clock_that_jumps_back_by_hours_keeps_nothing_waiting_that_was_due(world: Notifying) -> None:
    world.target()
    world.event()
    assert look_at(world) == NOON
    world.later(hours=-5)
    assert len(world.claim()) == 1


def test_a_target_that_nothing_can_be_sent_to_costs_one_look_and_not_one_a_claim(world: Notifying) -> None:
    for name in ("paused", "resting", "digest"):
        world.target(name)
    with world.engine.begin() as connection:
        change_settings(connection, "digest", {"quiet": (Window(begins="00:00", ends="23:00"),)}, world.now)
    world.event()
    world.change_target("resting", rests_until=world.now + HOUR)
    world.change_target("paused", disabled_at=world.now)
    assert world.claim(limit=9) == []
    statements: list[str] = []
    remember = lambda *each: statements.append(each[2])  # noqa: E731
    event.listen(world.engine, "before_cursor_execute", remember)
    try:
        assert world.claim(limit=9) == []
    finally:
        event.remove(world.engine, "before_cursor_execute", remember)
    # Wakes, quick targets, others: all three without a row.
    assert len(statements) == 3


def test_a_claim_reads_a_few_pages_however_many_targets_are_due(world: Notifying) -> None:
    """The plan of each statement, by the pages that it reads: a scan of 3,000 targets would read more."""
    with world.engine.begin() as connection:
        made = "('t' || i, '', '', :now FROM generate_series(1, 3000) i)"
        connection.execute(
            text(f"INSERT INTO targets (name, url_encrypted, label, created_at) SELECT {made[1:-1]}"), {"now": NOON}
        )
        wished = "SELECT id, name, true, now() FROM targets"
        connection.execute(text(f"INSERT INTO subscriptions (target_id, name, is_exact, created_at) {wished}"))
        connection.execute(text("INSERT INTO subscription_keys SELECT '*||', id FROM subscriptions"))
    world.event()
    with world.engine.begin() as connection:
        due.gather(connection, world.now, 10_000)
        connection.execute(text("ANALYZE targets, deliveries, wakes"))
    pages = pages_read(world, lambda: world.claim(limit=4))
    assert 0 < pages < 600


def pages_read(world: Notifying, act: Any) -> int:
    """Return the pages of all statements of an act, as EXPLAIN counts them when each is run once more."""
    statements: list[tuple[str, Any]] = []
    remember = lambda *each: statements.append((each[2], each[3]))  # noqa: E731
    event.listen(world.engine, "before_cursor_execute", remember)
    try:
        act()
    finally:
        event.remove(world.engine, "before_cursor_execute", remember)
    pages = 0
    with world.engine.connect() as connection:
        for statement, values in statements:
            explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
            plan = explained.scalar_one()[0]["Plan"]
            pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        connection.rollback()
    return pages


def test_wakes_are_gone_once_they_were_followed(world: Notifying) -> None:
    world.target()
    for _ in range(5):
        world.event()
    for claimed in world.claim(limit=9):
        settle(world, claimed)
    look_at(world)
    with world.engine.begin() as connection:
        assert connection.scalar(select(func.count()).select_from(Wake)) == 0
        assert deliveries.next_due_at(connection) is None


def test_the_outbox_of_the_version_before_goes_on_and_targets_stay_where_they_are(world: Notifying) -> None:
    """Rows of 0010: what waits is found, quick targets are known, and what is in a private network is still told."""
    world.target("waits")
    world.target("took", kinds=["campaign.added"])
    world.event()
    settle(world, next(each for each in world.claim(limit=2) if each.target == "took"))
    with world.engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0010")
        connection.execute(text("UPDATE targets SET settings = '{\"locale\": \"de\"}' WHERE name = 'took'"))
        connection.execute(text("UPDATE deliveries SET state = 'pending', lease_until = NULL WHERE state = 'sending'"))
    migrate(world.engine)
    with world.engine.connect() as connection:
        rows = connection.execute(select(Target.name, Target.settings, Target.is_quick).order_by(Target.name)).all()
    assert [tuple(row) for row in rows] == [
        ("took", {"locale": "de", "private": True}, True),
        ("waits", {"private": True}, False),
    ]
    assert [each.target for each in world.claim(limit=2)] == ["waits"]


def test_after_failures_in_a_row_a_target_is_tried_by_one_message_a_pause(world: Notifying) -> None:
    """New events try at once, until it is plain that the service is away; then one of them tries for all."""
    world.target()
    for _ in range(due.FAILURES_THAT_BREAK):
        world.event()
        world.fail(world.claim()[0])
    world.event("new")
    assert world.claim() == []
    world.later(seconds=9)
    assert world.claim() == []
    assert look_at(world) == NOON + due.FIRST_BREAK
    world.later(seconds=1)
    world.fail(world.claim()[0])
    # Half open: the probe failed, and the pause is twice as long.
    world.event("newer")
    assert look_at(world) == world.now
    assert world.claim() == []
    assert look_at(world) == world.now + 2 * due.FIRST_BREAK
    world.later(seconds=20)
    (claimed,) = world.claim()
    settle(world, claimed)
    world.event("newest")
    assert len(world.claim()) == 1


def test_a_break_is_a_minute_at_most_and_over_where_the_address_is_another(world: Notifying) -> None:
    world.target()
    for _ in range(20):
        world.event()
        world.fail(world.claim()[0])
        world.later(minutes=1)
    world.event()
    world.fail(world.claim()[0])
    world.event()
    assert world.claim() == []
    with world.engine.begin() as connection:
        address = Address.of(world.vault, "json://127.0.0.1:9/another")
        change_target(connection, "phone", address=address)
    assert len(world.claim()) == 1


def test_what_is_refused_for_good_says_nothing_of_the_service(world: Notifying) -> None:
    world.target()
    for _ in range(2 * due.FAILURES_THAT_BREAK):
        world.event()
        world.fail(world.claim()[0], permanent=True)
    world.event()
    assert len(world.claim()) == 1
