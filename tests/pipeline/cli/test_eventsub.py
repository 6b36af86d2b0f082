"""EventSub from the command line, at a local Twitch."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import insert

from models import Source
from pipeline.channels.eventsub.source_row import NAME
from tests.channels import Channels
from tests.pipeline.cli.operator import Operator
from tests.twitch import LocalTwitch


@pytest.fixture
def twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch(client_id="eventsub0at0the0prompt") as running:
        yield running


@pytest.fixture
def listener(operator: Operator, twitch: LocalTwitch, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator with an application at Twitch, and a conduit."""
    monkeypatch.setenv("TWITCH_CLIENT_ID", twitch.client_id)
    monkeypatch.setenv("TWITCH_CLIENT_SECRET", twitch.client_secret)
    monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
    monkeypatch.setenv("LOOTWIRE_HELIX_URL", twitch.helix_url)
    Channels(operator.engine, now).channel("lanternwake")
    cursor = {"conduit_id": twitch.add_conduit().id, "wanted": 4}
    row = {"name": NAME, "service": "twitch", "next_due_at": now, "cursor": cursor}
    with operator.engine.begin() as connection:
        connection.execute(insert(Source).values(row))
    return operator


def test_how_messages_come_in_is_said(listener: Operator) -> None:
    (figures,) = listener.run("eventsub", "--json").lines
    assert (figures["way"], figures["wanted"], figures["failed"]) == ("websocket", 4, 4)
    assert listener.run("eventsub", "status", "--json").lines[0]["wanted"] == 4
    assert "by websocket" in listener.run("eventsub").out


def test_messages_are_counted(listener: Operator) -> None:
    assert listener.run("eventsub", "messages", "--json").lines[0]["received"] == 0
    assert "No message has come" in listener.run("eventsub", "messages").out


def test_what_is_missing_is_named_and_the_command_fails(listener: Operator) -> None:
    result = listener.run("eventsub", "verify")
    assert result.code == 1
    assert "stream.online of lanternwake" in result.out


def test_a_foreign_subscription_goes_only_where_it_is_named(listener: Operator, twitch: LocalTwitch) -> None:
    foreign = twitch.add_subscription("stream.online", {"broadcaster_user_id": "99"})
    ours = twitch.add_subscription("stream.online", {"broadcaster_user_id": "1001"}, conduit_id=twitch.conduits[0].id)
    assert ours.id in listener.run("eventsub", "subscriptions", "--ours").out
    assert listener.run("eventsub", "remove", "--ours", "--yes").out == "1 subscriptions deleted\n"
    assert listener.run("eventsub", "remove").code == 2
    assert listener.run("eventsub", "remove", foreign.id).out == f"{foreign.id} deleted\n"
    assert listener.run("eventsub", "remove", foreign.id).code == 2
    assert twitch.subscriptions == []
