"""Targets and subscriptions from the command line, up to the message and its reason."""

import io
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, literal, select

from models import Channel, Follow, Source
from models.details import StreamDetail
from models.events import EventKind
from notifiers.deliver import deliver_due
from pipeline.demo.sinks import WebhookSink
from pipeline.events.append import NewEvent, append_events
from pipeline.runtime.runtime import open_runtime, utc_now
from tests.pipeline.cli.operator import Operator


@pytest.fixture
def subscribed(operator: Operator, hook: WebhookSink) -> Operator:
    assert operator.run("targets", "add", "hook", address(hook)).code == 0
    assert operator.run("subscriptions", "add", "--to", "hook", "--kind", "campaign.added").code == 0
    return operator


def address(hook: WebhookSink) -> str:
    return f"json{hook.url.removeprefix('http')}/secret-path"


def test_a_target_is_shown_by_its_label_and_never_by_its_address(subscribed: Operator) -> None:
    for result in (subscribed.run("targets"), subscribed.run("targets", "--json")):
        assert result.code == 0
        assert "hook" in result.out
        assert "secret-path" not in result.out + result.errors


def test_an_address_can_be_read_from_standard_input(
    operator: Operator, hook: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(address(hook) + "\n"))
    assert operator.run("targets", "add", "hook", "-").code == 0
    assert operator.run("targets", "test", "hook").code == 0
    assert len(hook.messages) == 1


def test_a_test_message_that_is_refused_says_why(subscribed: Operator, hook: WebhookSink) -> None:
    hook.fail_next(1, 403)
    result = subscribed.run("targets", "test", "hook")
    assert result.code == 1
    assert "HTTP 403" in result.errors
    assert "secret-path" not in result.errors


def test_a_name_that_is_taken_is_refused(subscribed: Operator, hook: WebhookSink) -> None:
    result = subscribed.run("targets", "add", "hook", address(hook))
    assert result.code == 1
    assert "'hook' already" in result.errors


def test_past_events_can_be_tried_without_sending_anything(
    subscribed: Operator, hook: WebhookSink, now: datetime
) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    tried = subscribed.run("subscriptions", "try", "hook", "--json").lines
    added = subscribed.run("events", "--json", "--kind", "campaign.added").lines
    assert [event["id"] for event in tried] == [event["id"] for event in added]
    assert hook.messages == []


def test_why_tells_the_event_and_the_subscription_that_asked_for_it(
    subscribed: Operator, hook: WebhookSink, now: datetime
) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    delivery = subscribed.run("deliveries", "--json").lines[0]
    result = subscribed.run("why", str(delivery["id"]))
    assert result.code == 0
    assert delivery["title"] in result.out.replace("\n", " ")
    assert "subscription 1 of hook: kinds campaign.added" in result.out
    subscribed.run("subscriptions", "remove", "1")
    assert "has been removed since" in subscribed.run("why", str(delivery["id"])).out


def go_live(operator: Operator, login: str, at: datetime, *, formerly: str = "nobody") -> None:
    """Append the event of a channel that goes live."""
    with operator.engine.begin() as connection:
        channel = {"service": "twitch", "external_id": login, "login": login, "former_logins": [formerly]}
        channel_id = connection.scalar(insert(Channel).values(**channel, first_seen_at=at).returning(Channel.id))
        source = insert(Source).values(name=f"twitch.{login}", service="twitch", next_due_at=at).returning(Source.id)
        event = NewEvent(
            kind=EventKind.STREAM_ONLINE,
            subject=login,
            occurred_at=at,
            service="twitch",
            detail=StreamDetail(name="Ranked", channel=login.title(), channel_login=login),
            channel_id=channel_id,
        )
        append_events(connection, [event], source_id=connection.scalars(source).one(), silent=False, now=at)


def test_streams_of_a_channel_are_told_to_those_who_asked_for_it(
    operator: Operator, hook: WebhookSink, now: datetime
) -> None:
    operator.run("targets", "add", "hook", address(hook))
    result = operator.run("subscriptions", "add", "--to", "hook", "--channel", "Old_Name", "--kind", "stream.*")
    assert result.code == 0
    assert "Old_Name is not followed yet: lootwire channels add Old_Name" in result.out
    assert operator.run("subscriptions", "--json").lines[0]["channel"] == "Old_Name"
    go_live(operator, "shroud", now, formerly="old_name")
    go_live(operator, "tarik", now)
    (delivery,) = operator.run("deliveries", "--json").lines
    assert delivery["title"] == "Shroud is live: Ranked"
    assert "subscription 1 of hook: channel Old_Name; kinds stream.*" in operator.run("why", str(delivery["id"])).out


def test_a_channel_that_is_followed_is_asked_for_without_a_hint(
    subscribed: Operator, hook: WebhookSink, now: datetime
) -> None:
    go_live(subscribed, "shroud", now)
    with subscribed.engine.begin() as connection:
        shroud = select(literal("channel"), Channel.id, literal(now)).where(Channel.login == "shroud")
        connection.execute(insert(Follow).from_select(["kind", "channel_id", "created_at"], shroud))
    result = subscribed.run("subscriptions", "add", "--to", "hook", "--channel", "https://www.twitch.tv/Shroud")
    assert "is told from now on" in result.out
    assert "not followed" not in result.out


def test_events_of_a_channel_are_found_by_its_logins(operator: Operator, now: datetime) -> None:
    go_live(operator, "shroud", now)
    go_live(operator, "tarik", now - timedelta(hours=1), formerly="old_name")
    (event,) = operator.run("events", "--json", "--subject", "Shroud", "--kind", "stream.*").lines
    assert event["subjects"] == {"channel": "shroud", "service": "twitch"}
    (other,) = operator.run("events", "--json", "--subject", "old_name").lines
    assert other["subjects"]["channel"] == "tarik"
    assert operator.run("events", "--json", "--subject", "shroud", "--kind", "video.*").lines == []


def test_the_help_says_that_streams_come_only_of_channels_that_one_follows(operator: Operator) -> None:
    text = " ".join(operator.run("subscriptions", "add", "--help").out.replace("│", " ").split())
    assert "Streams and videos are told of channels that you follow" in text
    assert "badge.*, campaign.*" in text


def test_dead_deliveries_are_seen_and_replayed(subscribed: Operator, hook: WebhookSink, now: datetime) -> None:
    subscribed.run("import", str(subscribed.snapshots(now)))
    runtime = open_runtime()
    hook.fail_next(100, 410)
    deliver_due(runtime.engine, runtime.vault, utc_now)
    dead = subscribed.run("deliveries", "--json", "--state", "dead").lines
    assert dead
    assert {delivery["last_error"] for delivery in dead} == {
        "the service answered with HTTP 410: what was at that address is gone"
    }
    assert subscribed.run("status", "--json").lines[0]["deliveries_dead"] == len(dead)
    assert f"{len(dead)} dead deliveries will be sent again" in subscribed.run("deliveries", "--replay").out
    assert subscribed.run("deliveries", "--json", "--state", "dead").lines == []
    runtime.engine.dispose()


def test_removing_a_target_removes_its_subscriptions(subscribed: Operator) -> None:
    assert subscribed.run("targets", "remove", "hook").code == 0
    assert subscribed.run("subscriptions", "--json").lines == []
