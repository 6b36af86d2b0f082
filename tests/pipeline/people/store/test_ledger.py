import threading
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, Executable, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from models import Balance, LedgerEntry
from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.people.store.ledger import grant, list_entries, price_of, refund, reserve, settle
from pipeline.people.store.people import change_plan
from pipeline.people.store.plans import QuotaError
from tests.pipeline.people.store.people import NOON, add_ada, balance_of, entries_of, sum_of
from tests.waiting import wait_for


def test_what_is_reserved_is_settled_with_what_it_cost_in_the_end(connection: Connection) -> None:
    ada = add_ada(connection, credits_=100)

    assert reserve(connection, ada, "extraction", "extraction:1", 60, NOON) == 40
    assert settle(connection, "extraction", "extraction:1", 45, NOON) == 55

    assert entries_of(connection, ada)[1:] == [
        ("extraction", "extraction:1", -60, 40),
        ("extraction.settled", "extraction:1", 15, 55),
    ]
    assert balance_of(connection, ada) == sum_of(connection, ada) == 55


def test_the_same_work_is_charged_once_and_given_back_once(connection: Connection) -> None:
    ada = add_ada(connection, credits_=100)

    for _ in range(3):
        reserve(connection, ada, "extraction", "extraction:1", 60, NOON)
    assert balance_of(connection, ada) == 40
    for _ in range(3):
        refund(connection, "extraction", "extraction:1", NOON)

    assert balance_of(connection, ada) == sum_of(connection, ada) == 100


def test_what_is_settled_is_neither_given_back_nor_charged_again(connection: Connection) -> None:
    ada = add_ada(connection, credits_=100)
    reserve(connection, ada, "extraction", "extraction:1", 60, NOON)
    settle(connection, "extraction", "extraction:1", 60, NOON)

    assert refund(connection, "extraction", "extraction:1", NOON) is None
    assert settle(connection, "extraction", "extraction:1", 0, NOON) is None
    assert reserve(connection, ada, "extraction", "extraction:1", 60, NOON) == 40


def test_work_that_is_tried_anew_after_a_refund_is_charged_anew(connection: Connection) -> None:
    ada = add_ada(connection, credits_=100)
    reserve(connection, ada, "extraction", "extraction:1", 60, NOON)
    refund(connection, "extraction", "extraction:1", NOON)

    assert reserve(connection, ada, "extraction", "extraction:1", 50, NOON) == 50
    assert settle(connection, "extraction", "extraction:1", 20, NOON) == 80


def test_a_balance_is_never_below_zero_and_the_error_says_what_is_missing(connection: Connection) -> None:
    ada = add_ada(connection, credits_=100)

    with pytest.raises(QuotaError, match=r"costs 130 credits and you have 100: 30 are missing\. More come 2026-12-01"):
        reserve(connection, ada, "extraction", "extraction:1", 130, NOON)

    assert balance_of(connection, ada) == 100


def test_what_work_cost_beyond_its_reserve_is_taken_as_far_as_the_balance_has_it(connection: Connection) -> None:
    ada = add_ada(connection, credits_=100)
    reserve(connection, ada, "extraction", "extraction:1", 60, NOON)

    assert settle(connection, "extraction", "extraction:1", 300, NOON) == 0
    assert sum_of(connection, ada) == 0


def test_without_a_plan_nothing_is_written(connection: Connection) -> None:
    assert price_of(connection, OWNER_ID, "play") is None
    assert reserve(connection, OWNER_ID, "extraction", "extraction:1", 10, NOON) is None
    assert settle(connection, "extraction", "extraction:1", 10, NOON) is None
    assert refund(connection, "extraction", "extraction:1", NOON) is None

    for table in (LedgerEntry, Balance):
        assert connection.scalar(select(func.count()).select_from(table)) == 0


def test_who_lost_their_plan_is_still_given_back_what_was_reserved(connection: Connection) -> None:
    ada = add_ada(connection, credits_=100)
    reserve(connection, ada, "extraction", "extraction:1", 60, NOON)

    change_plan(connection, ada, "none", NOON)

    assert refund(connection, "extraction", "extraction:1", NOON) == 100


def test_credits_are_given_once_a_reference(connection: Connection) -> None:
    ada = add_ada(connection, credits_=100)

    assert grant(connection, ada, 50, "grant:1", NOON, detail={"by": "owner"}) == 150
    assert grant(connection, ada, 50, "grant:1", NOON) == 150
    with pytest.raises(UsageError, match="has no plan"):
        grant(connection, OWNER_ID, 50, "grant:2", NOON)
    with pytest.raises(UsageError, match="1 credit or more"):
        grant(connection, ada, 0, "grant:3", NOON)


def test_history_comes_by_pages_the_newest_first(connection: Connection) -> None:
    ada = add_ada(connection, credits_=100)
    for number in range(5):
        reserve(connection, ada, "play", f"play:{number}", 1, NOON + timedelta(minutes=number))

    first = list_entries(connection, ada, limit=2)
    second = list_entries(connection, ada, limit=2, before_id=first[-1].id)

    assert [line.reference for line in [*first, *second]] == ["play:4", "play:3", "play:2", "play:1"]


@pytest.mark.parametrize("how", ["update", "delete", "truncate"])
def test_the_ledger_is_append_only(engine: Engine, how: str) -> None:
    with engine.begin() as connection:
        ada = add_ada(connection, credits_=100)
    changes: dict[str, Executable] = {
        "update": update(LedgerEntry).values(amount=1),
        "delete": delete(LedgerEntry).where(LedgerEntry.person_id == ada),
        "truncate": text("TRUNCATE ledger_entries"),
    }

    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(changes[how])


def test_of_two_that_spend_at_once_the_second_waits_for_the_first(engine: Engine) -> None:
    with engine.begin() as connection:
        ada = add_ada(connection, credits_=100)
    refused = []

    def spend() -> None:
        with engine.begin() as other:
            try:
                reserve(other, ada, "play", "play:2", 60, NOON)
            except QuotaError as error:
                refused.append(error.missing)

    second = threading.Thread(target=spend)
    with engine.begin() as connection:
        reserve(connection, ada, "play", "play:1", 60, NOON)
        second.start()
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        with engine.connect() as watching:
            wait_for(lambda: watching.execute(waiting).scalar_one() == 1)
    second.join()

    assert refused == [20]
