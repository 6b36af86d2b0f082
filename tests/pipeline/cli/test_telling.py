"""Targets and subscriptions from the command line, up to the message and its reason."""

import io
from datetime import datetime

import pytest

from notifiers.deliver import deliver_due
from pipeline.demo.sinks import WebhookSink
from pipeline.runtime import open_runtime, utc_now
from tests.pipeline.cli.operator import Operator


@pytest.fixture
def subscribed(operator: Operator, hook: WebhookSink) -> Operator:
    assert operator.run("targets", "add", "hook", address(hook)).code == 0
    assert operator.run("subscriptions", "add", "--to", "hook", "--kind", "campaign.added").code == 0
    return operator


def address(hook: WebhookSink) -> str:
    return f"json{hook.url.removeprefix('http')}/secret-path"


def test_a_target_is_shown_by_its_label_and_never_by_its_address(subscribed: Operator) -> None:
    for said in (subscribed.run("targets"), subscribed.run("targets", "--json")):
        assert said.code == 0
        assert "hook" in said.out
        assert "secret-path" not in said.out + said.errors


def test_an_address_can_be_read_from_standard_input(
    operator: Operator, hook: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(address(hook) + "\n"))
    assert operator.run("targets", "add", "hook", "-").code == 0
    assert operator.run("targets", "test", "hook").code == 0
    assert len(hook.messages) == 1


def test_a_test_message_that_is_refused_says_why(subscribed: Operator, hook: WebhookSink) -> None:
    hook.fail_next(1, 403)
    said = subscribed.run("targets", "test", "hook")
    assert said.code == 1
    assert "HTTP 403" in said.errors
    assert "secret-path" not in said.errors


def test_a_name_that_is_taken_is_refused(subscribed: Operator, hook: WebhookSink) -> None:
    said = subscribed.run("targets", "add", "hook", address(hook))
    assert said.code == 1
    assert "'hook' already" in said.errors


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
    said = subscribed.run("why", str(delivery["id"]))
    assert said.code == 0
    assert delivery["title"] in said.out.replace("\n", " ")
    assert "subscription 1 of hook: kinds campaign.added" in said.out
    subscribed.run("subscriptions", "remove", "1")
    assert "has been removed since" in subscribed.run("why", str(delivery["id"])).out


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
