"""Whose a key is, looked up for each request."""

import secrets
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, insert, text, update
from sqlalchemy.exc import OperationalError

from models import Person, Plan
from models.people import OWNER_ID
from pipeline.people.keys import PREFIX, _compose, make_key, read_id
from pipeline.people.records import SCOPES
from pipeline.people.store.holders import HolderOfKey, find_holder_of
from pipeline.people.store.keys import USED_TO, add_key, note_use, revoke_key, rotate_key
from pipeline.runtime.runtime import utc_now

NOW = utc_now()
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
# Of each way to be wrong; together ten thousand.
MANY = 2_500


def holder(engine: Engine, key: str, *, after: timedelta = timedelta(0)) -> HolderOfKey | None:
    public_id = read_id(key)
    if public_id is None:
        return None
    with engine.begin() as connection:
        return find_holder_of(connection, public_id, key, NOW + after)


def is_held(connection: Connection, key: str) -> bool:
    public_id = read_id(key)
    looked_up = public_id and find_holder_of(connection, public_id, key, NOW)
    return bool(looked_up)


def new_key(engine: Engine, **named: object) -> str:
    with engine.begin() as connection:
        return add_key(connection, OWNER_ID, "a test", SCOPES, NOW, **named).key  # type: ignore[arg-type]


def test_a_valid_key_is_its_persons(engine: Engine) -> None:
    looked_up = holder(engine, new_key(engine))

    assert looked_up is not None
    assert (looked_up.person_id, looked_up.role, looked_up.scopes) == (OWNER_ID, "owner", frozenset(SCOPES))


def test_what_is_forged_or_cut_is_nobodys(engine: Engine) -> None:
    key = new_key(engine)
    public_id = key.split("_")[1]
    cut = [key[: -1 - number % (len(key) - 1)] for number in range(MANY)]
    mistyped = [_with_another_letter(key, number) for number in range(MANY)]
    invented = [make_key().key for _ in range(MANY)]
    of_its_id = [_compose(public_id, secrets.token_bytes(32)).key for _ in range(MANY)]

    with engine.begin() as connection:
        opening = [each for each in (*cut, *mistyped, *invented, *of_its_id) if is_held(connection, each)]
    assert opening == []


def _with_another_letter(key: str, number: int) -> str:
    place = len(PREFIX) + number % (len(key) - len(PREFIX))
    letter = LETTERS[number % len(LETTERS)]
    return key[:place] + (letter if letter != key[place] else "_") + key[place + 1 :]


def test_a_key_of_the_right_id_with_another_secret_is_nobodys(engine: Engine) -> None:
    with engine.begin() as connection:
        key, other = (add_key(connection, OWNER_ID, "a test", SCOPES, NOW) for _ in range(2))
        assert find_holder_of(connection, key.public_id, other.key, NOW) is None


def test_what_expired_or_was_revoked_or_is_of_somebody_disabled_is_nobodys(engine: Engine) -> None:
    expiring, revoked, of_disabled = (
        new_key(engine, expires_at=NOW + timedelta(hours=1)),
        new_key(engine),
        new_key(engine),
    )
    assert holder(engine, expiring) is not None
    assert holder(engine, expiring, after=USED_TO) is None

    with engine.begin() as connection:
        revoke_key(connection, read_id(revoked) or "", NOW)
    assert holder(engine, revoked) is None

    with engine.begin() as connection:
        connection.execute(update(Person).values(disabled_at=NOW))
    assert holder(engine, of_disabled) is None


def test_a_key_that_was_rotated_has_an_hour(engine: Engine) -> None:
    old = new_key(engine)
    with engine.begin() as connection:
        new = rotate_key(connection, read_id(old) or "", NOW).key

    assert holder(engine, old, after=timedelta(minutes=59)) is not None
    assert holder(engine, old, after=timedelta(minutes=61)) is None
    assert holder(engine, new, after=timedelta(minutes=61)) is not None


def test_the_last_use_is_noted_once_an_hour(engine: Engine) -> None:
    key = new_key(engine)
    first = holder(engine, key)
    assert first is not None
    assert first.is_unused
    with engine.begin() as connection:
        note_use(connection, first.key_id, NOW)

    again = [holder(engine, key, after=after) for after in (timedelta(0), USED_TO / 2, USED_TO * 2)]
    assert [each.is_unused for each in again if each is not None] == [False, False, True]


def test_a_plan_says_how_often_a_key_may_ask(engine: Engine) -> None:
    with engine.begin() as connection:
        row = {"name": "small", "gauges": {"requests_per_minute": 30}, "created_at": NOW}
        plan_id = connection.execute(insert(Plan).values(row).returning(Plan.id)).scalar_one()
        connection.execute(update(Person).values(plan_id=plan_id))

    looked_up = holder(engine, new_key(engine))
    assert looked_up is not None
    assert looked_up.requests_per_minute == 30


def test_a_session_that_postgresql_ended_is_told_as_one(engine: Engine) -> None:
    key = new_key(engine)
    with engine.connect() as connection, engine.begin() as other:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(OperationalError) as caught:
            find_holder_of(connection, read_id(key) or "", key, NOW)

    assert caught.value.connection_invalidated
    assert holder(engine, key) is not None
