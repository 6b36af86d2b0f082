"""Commands on the targets, subscriptions and messages of somebody else than the owner."""

from datetime import datetime

import pytest
from sqlalchemy import insert, update

from models import Delivery, Person
from pipeline.demo.sinks import WebhookSink
from tests.pipeline.cli.operator import Operator

ADA = ("--person", "ada")


@pytest.fixture
def shared(operator: Operator, hook: WebhookSink, now: datetime) -> Operator:
    """An installation on which the owner and ada each have a target called hook."""
    with operator.engine.begin() as connection:
        connection.execute(insert(Person).values(name="ada", created_at=now))
    address = f"json{hook.url.removeprefix('http')}"
    for whose in ((), ADA):
        assert operator.run("targets", "add", "hook", address, "--private", *whose).code == 0
    assert operator.run("subscriptions", "add", "--to", "hook", "--kind", "stream.*", "--name", "loot").code == 0
    added = operator.run("subscriptions", "add", "--to", "hook", "--kind", "campaign.*", "--name", "loot", *ADA)
    assert added.code == 0
    return operator


def test_each_person_has_targets_and_subscriptions_of_the_same_names(shared: Operator) -> None:
    assert shared.run("targets", "set", "hook", "--timezone", "Asia/Tokyo", *ADA).code == 0
    assert shared.run("targets", "mute", "hook", "3h", *ADA).code == 0
    assert shared.run("targets", "pause", "hook", *ADA).code == 0

    [mine], [hers] = (shared.run("targets", "list", "--json", *whose).lines for whose in ((), ADA))

    assert (mine["timezone"], mine["disabled_at"], mine["mutes"]) == ("UTC", None, [])
    assert (hers["timezone"], len(hers["mutes"])) == ("Asia/Tokyo", 1)
    assert hers["disabled_at"] is not None
    subscribed = [shared.run("subscriptions", "list", "--json", *whose).lines for whose in ((), ADA)]
    assert [[each["kinds"] for each in lines] for lines in subscribed] == [[["stream.*"]], [["campaign.*"]]]
    assert shared.run("subscriptions", "remove", str(subscribed[1][0]["id"])).code == 2
    assert shared.run("targets", "resume", "hook", *ADA).code == 0
    assert shared.run("targets", "unmute", "hook", *ADA).code == 0
    assert shared.run("targets", "test", "hook", *ADA).code == 0
    assert shared.run("targets", "remove", "hook", "--yes", *ADA).code == 0
    assert shared.run("targets", "--json", *ADA).lines == []
    assert [each["name"] for each in shared.run("targets", "--json").lines] == ["hook"]


def test_each_person_has_their_own_messages(shared: Operator, hook: WebhookSink, now: datetime) -> None:
    shared.run("import", str(shared.snapshots(now)))
    hers = shared.run("deliveries", "list", "--json", *ADA).lines
    number, event = str(hers[0]["id"]), str(hers[0]["event_id"])

    assert shared.run("deliveries", "--json").lines == []
    assert shared.run("why", number).code == 2
    assert shared.run("why", number, "--json", *ADA).lines[0]["target"] == "hook"
    assert "stream.*" in shared.run("why-not", "-t", "hook", "-e", event).out
    assert "about to be sent" in shared.run("why-not", "-t", "hook", "-e", event, *ADA).out
    assert shared.run("inbox", "hook", "--json").lines == []
    assert len(shared.run("inbox", "hook", "--json", *ADA).lines) == len(hers)
    tried = {each["id"] for each in shared.run("subscriptions", "try", "hook", "--json", *ADA).lines}
    assert {each["event_id"] for each in hers} <= tried
    assert shared.run("subscriptions", "try", "hook", "--json").lines == []


def test_one_delivery_is_sent_again(shared: Operator, hook: WebhookSink, now: datetime) -> None:
    shared.run("import", str(shared.snapshots(now)))
    number = str(shared.run("deliveries", "--json", *ADA).lines[0]["id"])
    waits = shared.run("deliveries", "replay", number, *ADA)
    with shared.engine.begin() as connection:
        connection.execute(update(Delivery).values(state="sent", sent_at=now))

    assert (waits.code, "is pending" in waits.errors) == (2, True)
    assert shared.run("deliveries", "replay", number).code == 2
    again = shared.run("deliveries", "replay", number, *ADA)
    assert (again.code, "goes to hook again" in again.out) == (0, True)
    states = {str(each["id"]): each["state"] for each in shared.run("deliveries", "--json", *ADA).lines}
    assert states.pop(number) == "pending"
    assert set(states.values()) <= {"sent"}


def test_deliveries_are_filtered(shared: Operator, now: datetime) -> None:
    shared.run("import", str(shared.snapshots(now)))
    everything = len(shared.run("deliveries", "--json", *ADA).lines)
    assert everything

    def count(*options: str) -> int:
        return len(shared.run("deliveries", "--json", *ADA, *options).lines)

    assert count("--target", "hook", "--kind", "campaign.*", "--since", "1d") == everything
    assert count("--kind", "game.*") == 0
    assert shared.run("deliveries", "--kind", "campaign.nothing").code == 2
    assert shared.run("deliveries", "--target", "nobody").code == 2
    assert shared.run("deliveries", "--replay", "--target", "hook").code == 2


def test_a_person_belongs_behind_the_command(shared: Operator) -> None:
    for noun, word in (("targets", "list"), ("subscriptions", "list"), ("deliveries", "list")):
        refused = shared.run(noun, *ADA, word)
        assert (refused.code, f"{noun} {word} --person 'ada'" in refused.errors) == (2, True)
    assert "there is no person 'eve'" in shared.run("targets", "--person", "eve").errors


def test_rules_are_the_owners_and_touch_nothing_of_anybody_else(shared: Operator, hook: WebhookSink) -> None:
    exported = shared.run("rules", "export").out
    assert (exported.count("[[target]]"), "campaign.*" in exported) == (1, False)
    rules = f'[[target]]\nname = "hook"\nurl = "json{hook.url.removeprefix("http")}"\n'
    (shared.folder / "lootwire.toml").write_text(rules, encoding="utf-8")

    applied = shared.run("apply")

    assert applied.code == 0
    [hers] = shared.run("targets", "--json", *ADA).lines
    assert (hers["origin"], hers["settings"]) == (None, {"private": True})
    assert shared.run("targets", "--json").lines[0]["origin"] is not None


def test_a_message_of_somebody_else_is_shown_before_it_is_sent(shared: Operator) -> None:
    shared.run("targets", "set", "hook", "--name", "tablet", *ADA)
    shown = shared.run("templates", "preview", "campaign.added", "--to", "tablet", "--json", *ADA)
    assert shown.code == 0
    assert shared.run("templates", "preview", "campaign.added", "--to", "tablet").code == 2
