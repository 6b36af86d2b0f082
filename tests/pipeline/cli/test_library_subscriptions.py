"""Subscriptions to what a player has, from the command line: what they say, what they would have told, and why."""

import tomllib
from datetime import datetime

import pytest
from sqlalchemy import func, select

from models import Event
from models.details import CampaignDetail, ReleaseDetail
from models.events import EventKind
from pipeline.events.append import NewEvent, append_events
from tests.notifiers.shelves import Shelves
from tests.pipeline.cli.operator import Operator


@pytest.fixture
def shelves(operator: Operator) -> Shelves:
    return Shelves(operator.engine)


@pytest.fixture
def subscribed(operator: Operator) -> Operator:
    operator.run("targets", "add", "hook", "json://127.0.0.1:9/x", "--private")
    added = operator.run(
        *("subscriptions", "add", "--to", "hook", "--name", "mine", "--kind", "campaign.*"),
        *("--library", "owned,playing", "--except", "finished", "--except", "abandoned", "--my-platforms"),
    )
    assert added.code == 0, added.errors
    assert "you have named no platform yet" in added.out
    return operator


def drops(shelves: Shelves, game_id: int | None, now: datetime) -> int:
    event = NewEvent(
        kind=EventKind.CAMPAIGN_ADDED,
        subject=f"camp-{game_id}",
        occurred_at=now,
        detail=CampaignDetail(name="Hats"),
        service="twitch",
        game_id=game_id,
    )
    return happened(shelves, event, now)


def happened(shelves: Shelves, event: NewEvent, now: datetime) -> int:
    with shelves.engine.begin() as connection:
        append_events(connection, [event], source_id=None, silent=False, now=now)
        return connection.execute(select(func.max(Event.id))).scalar_one()


def test_a_subscription_says_in_words_what_it_asks_of_a_library(subscribed: Operator) -> None:
    (line,) = subscribed.run("subscriptions", "--json").lines
    assert line["conditions"] == {
        "kinds": ["campaign.*"],
        "library": ["owned", "playing"],
        "library_except": ["finished", "abandoned"],
        "my_platforms": True,
    }
    said = subscribed.run("subscriptions").out
    assert "in your library: owned, playing; except finished, abandoned; on your platforms; kinds" in " ".join(
        said.split()
    )


def test_a_word_that_no_game_can_be_is_named_with_those_that_it_can(subscribed: Operator) -> None:
    result = subscribed.run("subscriptions", "add", "--to", "hook", "--library", "owned,finnished")
    assert result.code == 2
    assert "'finnished' is nothing that a game is to you; it is owned, playing, backlog, wished" in result.errors
    assert "Did you mean finished?" in result.errors


def test_rules_are_exported_with_what_they_ask_of_a_library(subscribed: Operator) -> None:
    (block,) = tomllib.loads(subscribed.run("rules", "export").out)["subscription"]
    assert (block["library"], block["library_except"]) == (["owned", "playing"], ["finished", "abandoned"])
    assert block["my_platforms"] is True


def test_trying_names_why_each_event_would_have_been_sent(
    subscribed: Operator, shelves: Shelves, now: datetime
) -> None:
    rust, palia = shelves.game("Rust", 1), shelves.game("Palia", 2)
    shelves.has(rust)
    wanted = drops(shelves, rust, now)
    drops(shelves, palia, now)
    lines = subscribed.run("subscriptions", "try", "mine", "--json").lines
    assert [(line["id"], line["because"]) for line in lines] == [(wanted, "you own it on Steam")]
    assert "you own it on Steam" in subscribed.run("subscriptions", "try", "hook").out


def test_why_and_why_not_name_what_the_game_is_to_the_player(
    subscribed: Operator, shelves: Shelves, now: datetime
) -> None:
    rust, rez = shelves.game("Rust", 1), shelves.game("Rez", 2)
    shelves.has(rust)
    shelves.has(rez, "gog")
    shelves.finished(rez, "2022")
    drops(shelves, rust, now)
    silent = drops(shelves, rez, now)
    (delivery,) = subscribed.run("deliveries", "--json").lines
    why = subscribed.run("why", str(delivery["id"]))
    assert "on your platforms; kinds campaign.* – you own it on Steam" in why.out
    (subscription,) = subscribed.run("why", str(delivery["id"]), "--json").lines[0]["subscriptions"]
    assert subscription["because"] == "you own it on Steam"
    why_not = subscribed.run("why-not", "--target", "hook", "--event", str(silent))
    assert "subscription mine: you finished it: you said except finished" in why_not.out


def test_platforms_are_said_once_for_all_subscriptions(operator: Operator) -> None:
    assert "no platform: all count as yours" in operator.run("subscriptions", "platforms").out
    said = operator.run("subscriptions", "platforms", "PC", "PlayStation 5")
    assert "you play on PC, PlayStation 5" in said.out
    assert "no platform named 'PlayStation 5' is known yet" in said.errors
    assert operator.run("subscriptions", "platforms", "PC", "--any").code == 2
    assert operator.run("subscriptions", "platforms", "--any").code == 0
    assert "no platform" in operator.run("subscriptions", "platforms").out


def test_a_release_on_another_platform_is_silent_and_says_why(
    subscribed: Operator, shelves: Shelves, now: datetime
) -> None:
    subscribed.run("subscriptions", "platforms", "PC")
    subscribed.run("subscriptions", "add", "--to", "hook", "--name", "ports", "--kind", "release.*", "--my-platforms")
    event = NewEvent(
        kind=EventKind.RELEASE_OUT,
        subject="1",
        occurred_at=now,
        detail=ReleaseDetail(name="Rust", game="Rust", platforms=("Nintendo Switch",)),
    )
    event_id = happened(shelves, event, now)
    why_not = subscribed.run("why-not", "--target", "hook", "--event", str(event_id))
    assert "subscription ports: it is for Nintendo Switch, and you play on PC" in why_not.out
