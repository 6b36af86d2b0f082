"""What somebody has or ignores, from the command line."""

import pytest
from sqlalchemy import insert

from models import DropCampaign, Game
from tests.pipeline.cli.operator import Operator


@pytest.fixture
def looter(operator: Operator) -> Operator:
    """An operator who knows a game with a campaign."""
    operator.run("targets", "add", "phone", "json://127.0.0.1:9/x")
    with operator.engine.begin() as connection:
        game = {"name": "Moss Runner", "name_key": "mossrunner", "public_id": "g1"}
        game_id = connection.execute(insert(Game).values(game).returning(Game.id)).scalar_one()
        campaign = {"service": "twitch", "external_id": "c1", "name": "Moss Week", "game_id": game_id}
        connection.execute(insert(DropCampaign).values(campaign | {"first_seen_at": "2026-11-20T12:00Z"}))
    return operator


def listed(operator: Operator) -> list[tuple[str, str, str, str | None]]:
    lines = operator.run("drops", "--json").lines
    return [(line["what"], line["name"], line["state"], line["target"]) for line in lines]


def test_what_is_claimed_is_listed_until_it_is_wanted_again(looter: Operator) -> None:
    said = looter.run("drops", "claimed", "moss week")
    assert (said.code, said.out.strip()) == (
        0,
        "Moss Week (campaign) is claimed from now on: nothing reminds of it",
    )
    assert listed(looter) == [("campaign", "Moss Week", "claimed", None)]
    assert "already" in looter.run("drops", "claimed", "Moss Week").out
    assert "reminded of again" in looter.run("drops", "wanted", "Moss Week").out
    assert listed(looter) == []
    assert "neither claimed nor ignored" in looter.run("drops", "wanted", "Moss Week").out


def test_a_game_is_ignored_for_one_target(looter: Operator) -> None:
    looter.run("drops", "ignored", "Moss Runner", "--for", "phone")
    assert listed(looter) == [("game", "Moss Runner", "ignored", "phone")]
    looter.run("drops", "wanted", "Moss Runner")
    assert listed(looter) == [("game", "Moss Runner", "ignored", "phone")]
    looter.run("targets", "remove", "phone", "--yes")
    assert listed(looter) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["Moss Weak"], "Did you mean Moss Week", id="a typo"),
        pytest.param(["Moss Week", "--for", "tablet"], "There is no target of that name. There are: phone.", id="for"),
        pytest.param(["campaign:99"], "is the name of no campaign, game or benefit", id="no such number"),
    ],
)
def test_a_mistake_is_named(looter: Operator, arguments: list[str], expected: str) -> None:
    refused = looter.run("drops", "claimed", *arguments)
    assert refused.code == 2
    assert expected in refused.errors
    assert listed(looter) == []


def test_where_nothing_is_known_of_what_is_watched_the_way_to_know_is_said(looter: Operator) -> None:
    assert "lootwire sources login twitch" in looter.run("drops", "progress").out
