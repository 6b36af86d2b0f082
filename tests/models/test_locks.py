"""Advisory locks are held, seen, waited for and given back."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import BigInteger, Engine, cast, func, select, text

from models.locks import AT_ONCE, LockKey, hashed_key, hold, is_held, lock_key, lock_transaction
from tests.paths import CHECKOUT
from tests.waiting import wait_for

KEY = lock_key("lootwire test")
ROOMS = ("models", "notifiers", "feeds", "pipeline", "tasks")
SQL_FUNCTION = re.compile(r"\bpg_\w*advisory_\w*lock")


def held_by_somebody(engine: Engine, key: LockKey = KEY) -> bool:
    with engine.begin() as connection:
        return is_held(connection, key)


@pytest.mark.parametrize("key", [KEY, hashed_key("lootwire test")], ids=["ours", "of PostgreSQL's hash"])
def test_a_lock_of_a_session_holds_without_a_transaction_and_is_free_at_once_afterwards(
    engine: Engine, key: LockKey
) -> None:
    with hold(engine, key) as ours:
        assert ours
        assert held_by_somebody(engine, key)
    assert not held_by_somebody(engine, key)


def test_keys_are_the_numbers_that_older_workers_take(engine: Engine) -> None:
    assert lock_key("lootwire publish") == 6641929178935237374
    with engine.connect() as connection:
        hashed = connection.scalar(select(cast(hashed_key("lootwire migrations"), BigInteger)))
        assert hashed == connection.scalar(text("SELECT hashtext('lootwire migrations')"))


def test_somebody_without_patience_does_not_get_a_lock_that_is_held(engine: Engine) -> None:
    with hold(engine, KEY):
        with hold(engine, KEY, AT_ONCE) as ours:
            assert not ours
        with hold(engine, KEY, timedelta(milliseconds=50)) as ours:
            assert not ours
        assert held_by_somebody(engine)
    with hold(engine, KEY, AT_ONCE) as ours:
        assert ours


def in_a_transaction(engine: Engine) -> None:
    with engine.begin() as connection:
        lock_transaction(connection, KEY)


def in_a_session(engine: Engine) -> None:
    with hold(engine, KEY):
        pass


@pytest.mark.parametrize("take", [in_a_transaction, in_a_session])
def test_a_second_one_waits_for_the_first(engine: Engine, take: Callable[[Engine], None]) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with hold(engine, KEY):
        second = threading.Thread(target=take, args=(engine,))
        second.start()

        def waits() -> bool:
            with engine.connect() as connection:
                return bool(connection.scalar(waiting))

        wait_for(waits)
    second.join(60)
    assert not held_by_somebody(engine)


def test_a_lock_of_a_transaction_ends_with_it(engine: Engine) -> None:
    with engine.begin() as connection:
        lock_transaction(connection, KEY)
        assert held_by_somebody(engine)
    assert not held_by_somebody(engine)


def test_an_error_gives_a_lock_back(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), hold(engine, KEY):
        raise ZeroDivisionError
    assert not held_by_somebody(engine)


def test_a_session_that_broke_is_no_problem_of_whoever_held_its_lock(engine: Engine) -> None:
    others = select(func.pg_terminate_backend(text("pid"))).select_from(text("pg_locks"))
    with hold(engine, KEY), engine.connect() as connection:
        connection.execute(others.where(text("locktype = 'advisory' AND pid <> pg_backend_pid()")))
    wait_for(lambda: not held_by_somebody(engine))


def test_no_other_module_takes_or_gives_back_a_lock_by_itself() -> None:
    modules = [path for room in ROOMS for path in (CHECKOUT / room).rglob("*.py")]
    assert [path.name for path in modules if SQL_FUNCTION.search(path.read_text())] == ["locks.py"]
