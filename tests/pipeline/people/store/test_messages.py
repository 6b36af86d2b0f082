from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from models import Delivery, Target
from models.people import OWNER_ID
from models.vault import Vault
from notifiers import outbox
from notifiers.metering import Asked
from notifiers.outbox import ClaimedMessage
from pipeline.people.clock import advance
from pipeline.people.store import messages
from pipeline.people.store.ledger import reserve
from tests.notifiers.world import NOON, Notifying
from tests.pipeline.people.store.people import add_ada, balance_of, entries_of

TOMORROW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def world(engine: Engine, vault: Vault) -> Notifying:
    notifying = Notifying(engine, vault)
    notifying.target("phone")
    return notifying


@pytest.fixture
def ada(engine: Engine, world: Notifying) -> Callable[..., int]:
    """Gives the target to a person who has a plan."""

    def give(**plan: object) -> int:
        with engine.begin() as connection:
            person_id = add_ada(connection, **plan)  # type: ignore[arg-type]
            connection.execute(update(Target).values(person_id=person_id))
        return person_id

    return give


def claim(world: Notifying) -> list[ClaimedMessage]:
    with world.engine.begin() as connection:
        return outbox.claim(connection, world.now, meter=messages.take)


def send(world: Notifying) -> bool:
    """Make an event, and send the message of it; returns whether it may go."""
    world.event()
    claimed = claim(world)
    with world.engine.begin() as connection:
        for message in claimed:
            outbox.settle_sent(connection, message, world.now)
    return bool(claimed)


def test_messages_beyond_a_days_number_cost_their_price(world: Notifying, ada: Callable[..., int]) -> None:
    person_id = ada(credits_=10, prices={"message": 4}, gauges={"messages_per_day": 2})

    assert [send(world) for _ in range(5)] == [True, True, True, True, False]

    with world.engine.connect() as connection:
        assert balance_of(connection, person_id) == 2
        assert [amount for _, _, amount, _ in entries_of(connection, person_id)] == [10, -4, -4]


def test_what_nobody_pays_for_waits_for_the_next_day_and_says_so(world: Notifying, ada: Callable[..., int]) -> None:
    ada(credits_=0, prices={"message": 4}, gauges={"messages_per_day": 1})
    assert [send(world), send(world)] == [True, False]

    (waiting,) = [row for row in world.deliveries() if row.state == "pending"]
    assert (waiting.held_for, waiting.next_attempt_at) == ("quota", TOMORROW)
    world.now = TOMORROW
    assert len(claim(world)) == 1


def test_without_a_days_number_it_waits_until_more_credits_come(world: Notifying, ada: Callable[..., int]) -> None:
    ada(credits_=4, ceiling=4, period="day", prices={"message": 4})
    assert [send(world), send(world)] == [True, False]

    world.now = TOMORROW
    advance(world.engine, world.now)

    assert len(claim(world)) == 1


def test_a_number_without_a_price_is_the_most_of_a_day(world: Notifying, ada: Callable[..., int]) -> None:
    ada(credits_=100, gauges={"messages_per_day": 1})

    assert [send(world), send(world)] == [True, False]


def test_a_message_that_comes_again_is_charged_once(world: Notifying, ada: Callable[..., int]) -> None:
    person_id = ada(credits_=10, prices={"message": 4})
    world.event()
    for _ in range(3):
        (message,) = claim(world)
        world.fail(message)
        world.later(hours=2)

    with world.engine.connect() as connection:
        assert balance_of(connection, person_id) == 6


def test_what_a_message_cost_that_is_given_up_comes_back(world: Notifying, ada: Callable[..., int]) -> None:
    person_id = ada(credits_=10, prices={"message": 4})
    world.event()
    (message,) = claim(world)
    ids = [delivery.id for delivery in message.deliveries]

    with world.engine.begin() as connection:
        messages.give_back(connection, ids, NOON)
        messages.give_back(connection, ids, NOON)

        assert message.is_metered
        assert balance_of(connection, person_id) == 10


def test_of_people_without_a_plan_no_message_is_counted(world: Notifying) -> None:
    asked: list[Asked] = []

    def count(_connection: object, some: Sequence[Asked], _now: datetime) -> dict[int, datetime]:
        asked.extend(some)
        return {}

    world.event()
    with world.engine.begin() as connection:
        (message,) = outbox.claim(connection, world.now, meter=count)

    assert (asked, message.is_metered) == ([], False)
    with world.engine.connect() as connection:
        assert entries_of(connection, OWNER_ID) == []


def test_what_is_said_of_ones_own_credits_costs_nothing(world: Notifying, ada: Callable[..., int]) -> None:
    person_id = ada(credits_=100, prices={"message": 4})
    with world.engine.begin() as connection:
        connection.execute(update(Target).values(person_id=person_id))
        reserve(connection, person_id, "play", "play:1", 98, NOON)
    advance(world.engine, NOON)

    (message,) = claim(world)

    assert message.rules == ("plan",)
    with world.engine.connect() as connection:
        assert balance_of(connection, person_id) == 2
        assert connection.scalars(select(Delivery.state)).all() == ["sending"]


def test_a_burst_is_one_message(world: Notifying, ada: Callable[..., int]) -> None:
    person_id = ada(credits_=10, prices={"message": 4})
    for _ in range(3):
        world.event()
    world.now += timedelta(seconds=1)

    (message,) = claim(world)

    assert len(message.deliveries) == 3
    with world.engine.connect() as connection:
        assert balance_of(connection, person_id) == 6
