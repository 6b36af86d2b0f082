"""What a file of rules follows, at a local Twitch and a local IGDB."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from models import Channel
from tests.igdb import LocalIgdb
from tests.igdb.tokens import tokens_of
from tests.pipeline.cli.operator import Operator, Result
from tests.pipeline.cli.test_following import GAMES
from tests.twitch import LocalTwitch

AGREES = "all is as the rules say"
FOLLOWS = """
[[follow]]
channels = ["ann", "https://www.twitch.tv/bob"]
games = ["harbour lights", "igdb:3"]
drops = true

[[follow]]
categories = ["Rust"]
top = 5
"""


@pytest.fixture
def twitch(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalTwitch]:
    with LocalTwitch() as twitch, LocalIgdb(GAMES, accepts=tokens_of(twitch)) as igdb:
        monkeypatch.setenv("TWITCH_CLIENT_ID", twitch.client_id)
        monkeypatch.setenv("TWITCH_CLIENT_SECRET", twitch.client_secret)
        monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
        monkeypatch.setenv("LOOTWIRE_HELIX_URL", twitch.helix_url)
        monkeypatch.setenv("LOOTWIRE_IGDB_URL", igdb.url)
        for login in ("ann", "bob", "carla"):
            twitch.add_user(login)
        twitch.add_category("1", "Rust")
        yield twitch


@pytest.fixture
def rules(operator: Operator, twitch: LocalTwitch) -> "Rules":
    return Rules(operator)


class Rules:
    """A file of rules, and what is followed by it."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.path = operator.folder / "lootwire.toml"

    def apply(self, text: str) -> Result:
        self.path.write_text(text)
        return self.operator.run("apply", str(self.path))

    def channels(self) -> set[str]:
        return {line["login"] for line in self.operator.run("channels", "list", "--json").lines}

    def games(self) -> set[str]:
        return {line["name"] for line in self.operator.run("games", "followed", "--json").lines}


def test_channels_categories_games_and_all_drops_are_followed_and_the_second_time_nothing_is_left(rules: Rules) -> None:
    first = rules.apply(FOLLOWS)
    assert first.code == 0, first
    assert rules.channels() == {"ann", "bob"}
    assert rules.games() == {"Harbour Lights", "Quiet Orbit"}
    assert rules.apply(FOLLOWS).out.strip() == AGREES


def test_what_a_file_names_no_more_is_followed_no_more_and_what_was_followed_by_hand_stays(rules: Rules) -> None:
    rules.operator.run("channels", "add", "carla")
    rules.apply(FOLLOWS)
    assert rules.apply('[[follow]]\nchannels = ["ann", "carla"]\n').code == 0
    assert rules.channels() == {"ann", "carla"}
    assert rules.games() == set()
    rules.apply("")
    assert rules.channels() == {"carla"}


def test_a_channel_that_is_called_otherwise_since_is_followed_still(rules: Rules) -> None:
    rules.apply(FOLLOWS)
    with rules.operator.engine.begin() as connection:
        connection.execute(update(Channel).where(Channel.login == "ann").values(login="anna", former_logins=["ann"]))
    assert rules.channels() == {"anna", "bob"}
    assert rules.apply(FOLLOWS).out.strip() == AGREES
    assert rules.apply(FOLLOWS.replace('"ann"', '"anna"')).out.strip() == AGREES


def test_a_channel_that_nobody_has_is_said_and_the_rest_is_followed(rules: Rules) -> None:
    result = rules.apply(FOLLOWS.replace('"ann"', '"nobody_at_all"'))
    assert result.code == 3
    assert "nobody_at_all" in result.out + result.errors
    assert "6 changes, 5 made" in result.out
    assert rules.channels() == {"bob"}


def test_more_streams_of_a_category_are_a_change(rules: Rules) -> None:
    rules.apply(FOLLOWS)
    assert "top: 5 → 9" in rules.apply(FOLLOWS.replace("top = 5", "top = 9")).out
    assert rules.apply(FOLLOWS.replace("top = 5", "top = 9")).out.strip() == AGREES
