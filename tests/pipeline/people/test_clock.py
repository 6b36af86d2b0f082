from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, insert, select

from models import Delivery, Event, Target
from models.people import OWNER_ID
from pipeline.people.clock import advance
from pipeline.people.store.ledger import reserve
from pipeline.people.store.people import add_person, change_plan
from tests.pipeline.people.store.people import NOON, add_ada, balance_of, entries_of, sum_of

DAY = timedelta(days=1)


def test_each_period_gives_its_credits_once(engine: Engine) -> None:
    with engine.begin() as connection:
        ada = add_ada(connection, credits_=10, ceiling=25, period="day")

    advance(engine, NOON)
    advance(engine, NOON + DAY)
    advance(engine, NOON + DAY)

    with engine.connect() as connection:
        assert balance_of(connection, ada) == sum_of(connection, ada) == 20
        references = [reference for _, reference, _, _ in entries_of(connection, ada)]
    assert references == [f"person:{ada}:day:2026-11-20", f"person:{ada}:day:2026-11-21"]


def test_days_that_nothing_ran_are_given_up_to_the_ceiling(engine: Engine) -> None:
    with engine.begin() as connection:
        ada = add_ada(connection, credits_=10, ceiling=35, period="day")

    advance(engine, NOON + 9 * DAY)

    with engine.connect() as connection:
        assert balance_of(connection, ada) == 35


def test_a_clock_that_jumps_ahead_and_back_gives_nothing_twice(engine: Engine) -> None:
    with engine.begin() as connection:
        ada = add_ada(connection, credits_=10, ceiling=1000, period="day")

    advance(engine, NOON + 5 * DAY)
    advance(engine, NOON)
    for number in range(1, 7):
        advance(engine, NOON + number * DAY)

    with engine.connect() as connection:
        assert balance_of(connection, ada) == sum_of(connection, ada) == 70


def test_a_plan_is_taken_up_with_the_credits_of_its_present_period_once(engine: Engine) -> None:
    with engine.begin() as connection:
        ada = add_ada(connection, credits_=10)
        change_plan(connection, ada, "none", NOON)
        change_plan(connection, ada, "adas", NOON)

        assert balance_of(connection, ada) == 10


def _target(engine: Engine, person_id: int, name: str) -> int:
    row = {"name": name, "url_encrypted": b"", "label": "json", "created_at": NOON, "person_id": person_id}
    with engine.begin() as connection:
        return connection.execute(insert(Target).values(row).returning(Target.id)).scalar_one()


def test_who_has_few_credits_left_is_told_once_until_more_come(engine: Engine) -> None:
    with engine.begin() as connection:
        ada = add_ada(connection, credits_=100)
        bob = add_person(connection, "bob", "member", NOON).id
    phone, _ = _target(engine, ada, "phone"), _target(engine, bob, "phone")
    _target(engine, OWNER_ID, "mail")
    with engine.begin() as connection:
        reserve(connection, ada, "play", "play:1", 95, NOON)

    assert dict(advance(engine, NOON)) == {"quota.low": 1}
    assert not advance(engine, NOON + timedelta(minutes=1))

    with engine.begin() as connection:
        (event,) = connection.execute(select(Event)).all()
        assert (event.title, event.person_id, event.is_private) == ("Few credits left – adas: 5 of 100", ada, True)
        assert connection.scalars(select(Delivery.target_id)).all() == [phone]
    advance(engine, datetime(2026, 12, 1, tzinfo=UTC))
    with engine.begin() as connection:
        reserve(connection, ada, "play", "play:2", 98, NOON)
    assert dict(advance(engine, datetime(2026, 12, 2, tzinfo=UTC))) == {"quota.low": 1}


def test_where_nobody_has_a_plan_nothing_happens(engine: Engine) -> None:
    assert not advance(engine, NOON)
