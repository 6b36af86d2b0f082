"""People, keys, plans and credits from the command line."""

import io
import re

import pytest
from sqlalchemy import select

from models import ApiKey, Invitation
from pipeline.people.store.keys import find_holder
from pipeline.runtime.runtime import utc_now
from tests.pipeline.cli.operator import Operator

KEY = re.compile(r"lw_[a-z2-7]{12}_[a-z2-7]{58}")


@pytest.fixture
def ada(operator: Operator) -> str:
    """A member who has a plan."""
    assert (
        operator.run("plans", "add", "basic", "--credits", "100", "--price", "play=2", "--gauge", "targets=3").code == 0
    )
    assert operator.run("people", "add", "ada", "--plan", "basic").code == 0
    return "ada"


def test_a_key_is_printed_once_and_alone(operator: Operator) -> None:
    result = operator.run("keys", "add", "--name", "laptop", "--scope", "read", "--expires", "90d")

    assert KEY.fullmatch(result.out.strip())
    with operator.engine.connect() as connection:
        holder = find_holder(connection, result.out.strip(), utc_now())
    assert holder is not None
    assert holder.scopes == {"read"}
    for command in (("keys",), ("keys", "--json"), ("keys", "history"), ("people", "show", "owner")):
        assert result.out.strip() not in operator.run(*command).out


def test_keys_are_listed_rotated_and_revoked(operator: Operator) -> None:
    operator.run("keys", "add", "--name", "laptop")
    (line,) = operator.run("keys", "list", "--json").lines

    rotated = operator.run("keys", "rotate", line["key"])
    assert KEY.fullmatch(rotated.out.strip())
    assert operator.run("keys", "revoke", line["key"]).code == 0

    with operator.engine.connect() as connection:
        assert find_holder(connection, rotated.out.strip(), utc_now()) is not None
    assert operator.run("keys", "revoke", line["key"]).code == 2


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("keys", "add", "--name", "x", "--scope", "raed"), "did you mean read?"),
        (("keys", "add", "--name", "x", "--person", "nobody"), "there is no person"),
        (("people", "show", "onwer"), "owner"),
        (("people", "add", "owner"), "there is a person 'owner' already"),
        (("people", "set", "owner"), "give what is to change"),
        (("plans", "add", "basic", "--price", "play"), "write it as extraction=5"),
        (("plans", "add", "basic", "--gauge", "tragets=5"), "did you mean targets?"),
        (("plans", "add", "basic", "--credits", "10", "--ceiling", "5"), "the ceiling is not below"),
        (("plans", "remove", "basic"), "there are none yet"),
        (("credits", "grant", "owner", "5"), "has no plan"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(operator: Operator, arguments: tuple[str, ...], hint: str) -> None:
    result = operator.run(*arguments)

    assert result.code == 2
    assert hint in " ".join(result.errors.split())


def test_an_invitation_is_printed_alone_and_adds_who_is_new(operator: Operator) -> None:
    assert operator.run("people", "invite", "ada").code == 2
    result = operator.run("people", "invite", "ada", "--role", "member", "--json")

    (line,) = result.lines
    assert line["person"] == "ada"
    name = line["address"].rpartition("/invite/")[2]
    with operator.engine.connect() as connection:
        assert name.encode() not in connection.scalars(select(Invitation.digest)).one()
    (_, ada) = operator.run("people", "--json").lines
    assert (ada["name"], ada["role"]) == ("ada", "member")


def test_the_only_owner_cannot_be_demoted_disabled_or_deleted(operator: Operator) -> None:
    for arguments in (
        ("set", "owner", "--role", "member"),
        ("set", "owner", "--disable"),
        ("remove", "owner", "--yes"),
    ):
        result = operator.run("people", *arguments)
        assert result.code == 1
        assert "owner" in result.errors


def test_who_is_disabled_has_no_valid_key_until_they_are_let_in_again(operator: Operator, ada: str) -> None:
    key = operator.run("keys", "add", "--name", "phone", "--person", ada).out.strip()

    for switch, works in (("--disable", False), ("--enable", True)):
        assert operator.run("people", "set", ada, switch).code == 0
        with operator.engine.connect() as connection:
            assert (find_holder(connection, key, utc_now()) is not None) == works


def test_credits_are_shown_given_and_accounted_for(operator: Operator, ada: str) -> None:
    assert operator.run("credits", "grant", ada, "20", "--note", "thanks").out == "ada has 120 credits\n"

    (standing,) = operator.run("credits", "show", "--person", ada, "--json").lines
    assert (standing["credits"], standing["prices"]) == (120, {"play": 2})
    assert "120 credits left" in operator.run("credits", "show", "--person", ada).out
    history = operator.run("credits", "history", "--person", ada, "--json").lines
    assert [(each["action"], each["amount"]) for each in history] == [("grant", 20), ("replenish", 100)]
    assert "nothing is counted" in operator.run("credits").out


def test_a_plan_is_changed_and_goes_when_nobody_has_it(operator: Operator, ada: str) -> None:
    changed = operator.run("plans", "change", "basic", "--price", "play=none", "--credits", "200", "--json")
    (plan,) = changed.lines
    assert (plan["credits"], plan["prices"], plan["people"]) == (200, {}, 1)
    assert operator.run("plans", "remove", "basic").code == 2
    assert operator.run("people", "set", ada, "--plan", "none").code == 0
    assert operator.run("plans", "remove", "basic").code == 0
    assert "No plans" in operator.run("plans").out


def test_who_is_deleted_is_gone_with_their_keys(operator: Operator, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operator.run("keys", "add", "--name", "phone", "--person", ada)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    result = operator.run("people", "remove", ada)

    assert (result.code, "1 keys" in result.out) == (0, True)
    with operator.engine.connect() as connection:
        assert connection.scalars(select(ApiKey.id)).all() == []
    assert operator.run("people", "show", ada).code == 2
