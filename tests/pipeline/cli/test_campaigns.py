"""`campaigns`, `rewards`, `badges` and `organizations` at the command line."""

from datetime import datetime

import pytest

from tests.pipeline.cli.operator import Operator


@pytest.fixture
def knowing(operator: Operator, now: datetime) -> Operator:
    assert operator.run("import", str(operator.snapshots(now))).code == 0
    return operator


def test_campaigns_are_listed_and_shown_by_number_and_by_name(knowing: Operator) -> None:
    lines = knowing.run("campaigns", "--json").lines
    running = knowing.run("campaigns", "list", "--state", "running", "--json").lines

    assert 0 < len(running) < len(lines)
    assert {line["state"] for line in running} == {"running"}
    first = running[0]
    [shown] = knowing.run("campaigns", "show", str(first["id"]), "--json").lines
    assert shown["campaign"] == first
    assert first["name"] in knowing.run("campaigns", "show", f"campaign:{first['id']}").out
    assert first["name"] in knowing.run("campaigns", "list", "--game", first["game"]["name"]).out


def test_organizations_are_listed_and_shown(knowing: Operator) -> None:
    [first, *_] = knowing.run("organizations", "--json").lines

    [shown] = knowing.run("organizations", "show", first["name"], "--json").lines

    assert shown["games"]
    assert first["name"] in knowing.run("organizations", "show", first["public_id"]).out


@pytest.mark.parametrize(
    ("noun", "empty"),
    [
        ("campaigns", "No campaign is known yet"),
        ("rewards", "No reward campaign is known yet"),
        ("badges", "No badge is known yet"),
        ("organizations", "No organization is known yet"),
    ],
)
def test_on_a_new_installation_there_is_nothing(operator: Operator, noun: str, empty: str) -> None:
    assert empty in operator.run(noun).out
    result = operator.run(noun, "show", "4711")
    assert (result.code, result.errors.count("\n")) == (2, 1)
