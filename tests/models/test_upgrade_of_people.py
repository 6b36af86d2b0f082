"""An installation of the migration before people shared it comes up with all that it has, as the owner's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, inspect, text

from pipeline.database.connecting import alembic_config, migrate

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def before(engine: Engine) -> Iterator[Engine]:
    """A database as 0020 left it: two people, each with a target and what it hears."""
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0020")
        connection.execute(text("UPDATE people SET name = 'ann', platforms = '{PC}' WHERE id = 1"))
        connection.execute(text("INSERT INTO people (name, created_at) VALUES ('bob', :at)"), {"at": NOON})
        for name, person_id, is_paused in (("mail", 1, False), ("phone", 2, False), ("old", 1, True)):
            values = {"name": name, "person": person_id, "at": NOON, "paused": NOON if is_paused else None}
            connection.execute(_TARGET, values)
            connection.execute(_SUBSCRIPTION, {"name": f"all to {name}", "target": name, "at": NOON})
    yield engine
    migrate(engine)


_TARGET = text(
    "INSERT INTO targets (name, person_id, url_encrypted, label, timezone, settings, created_at, disabled_at) "
    "VALUES (:name, :person, 'secret', 'json', 'UTC', '{\"burst\": 30}', :at, :paused)"
)
_SUBSCRIPTION = text(
    "INSERT INTO subscriptions (name, target_id, conditions, is_exact, created_at) "
    'SELECT :name, id, \'{"kinds": ["campaign.added"]}\', true, :at FROM targets WHERE name = :target'
)


def _rows(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(statement))]


def test_an_installation_of_before_comes_up_with_all_that_it_had(before: Engine) -> None:
    old = "SELECT name, person_id, url_encrypted, label, settings, created_at, disabled_at FROM targets ORDER BY id"
    with before.connect() as connection:
        targets = _rows(connection, old)
        wishes = _rows(connection, "SELECT id, name, target_id, conditions FROM subscriptions ORDER BY id")
        people = _rows(connection, "SELECT id, name, platforms, created_at FROM people ORDER BY id")

    migrate(before)

    with before.connect() as connection:
        assert _rows(connection, old) == targets
        assert _rows(connection, "SELECT id, name, target_id, conditions FROM subscriptions ORDER BY id") == wishes
        assert _rows(connection, "SELECT id, name, platforms, created_at FROM people ORDER BY id") == people


def test_the_owner_is_one_and_the_others_are_members_without_a_plan(before: Engine) -> None:
    migrate(before)

    with before.connect() as connection:
        people = _rows(connection, "SELECT name, role, plan_id, disabled_at FROM people ORDER BY id")
        assert people == [("ann", "owner", None, None), ("bob", "member", None, None)]
        for table in ("plans", "balances", "ledger_entries", "api_keys", "invitations", "audit_entries"):
            assert _rows(connection, f"SELECT * FROM {table}") == []  # noqa: S608 - our own words


def test_what_a_target_hears_belongs_to_its_person(before: Engine) -> None:
    migrate(before)

    with before.connect() as connection:
        owners = _rows(connection, "SELECT name, person_id FROM subscriptions ORDER BY id")
    assert owners == [("all to mail", 1), ("all to phone", 2), ("all to old", 1)]


def test_from_then_on_two_people_may_give_a_target_the_same_name(before: Engine) -> None:
    migrate(before)

    with before.begin() as connection:
        connection.execute(_TARGET, {"name": "mail", "person": 2, "at": NOON, "paused": None})
        assert len(_rows(connection, "SELECT id FROM targets WHERE name = 'mail'")) == 2


def test_it_goes_back_to_before_with_what_is_the_owners(before: Engine) -> None:
    migrate(before)
    with before.begin() as connection:
        command.downgrade(alembic_config(connection), "0020")

    with before.connect() as connection:
        assert "ledger_entries" not in inspect(connection).get_table_names()
        assert _rows(connection, "SELECT name FROM targets WHERE person_id = 1 ORDER BY id") == [("mail",), ("old",)]
