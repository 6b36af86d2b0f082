"""`lootwire templates`: which there are, what they are made of, whether they work, and how a message looks."""

import json

import pytest
from sqlalchemy import insert

from models import Event
from pipeline.runtime.runtime import utc_now
from tests.pipeline.cli.operator import Operator


@pytest.fixture
def with_phone(operator: Operator) -> Operator:
    assert operator.run("targets", "add", "phone", "json://127.0.0.1:9/x").code == 0
    assert operator.run("subscriptions", "add", "--to", "phone", "--name", "all of it").code == 0
    return operator


def write(operator: Operator, name: str, source: str) -> None:
    path = operator.folder / "data" / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


def test_without_templates_it_says_how_to_begin(with_phone: Operator) -> None:
    assert "lootwire templates show campaign.added" in with_phone.run("templates").out
    shown = with_phone.run("templates", "show", "campaign.added", "--to", "phone")
    assert "{% for fact in event.facts %}" in shown.out
    assert "templates/phone/campaign.added.txt.j2" in shown.errors.replace("\n", "")
    assert with_phone.run("templates", "check").code == 0
    assert with_phone.run("templates", "show", "campain.added").errors == (
        "lootwire: there is no kind 'campain.added'; did you mean campaign.added?\n"
    )


def test_a_message_is_shown_as_the_target_would_get_it(with_phone: Operator) -> None:
    write(with_phone, "phone/campaign.added.txt.j2", "{{ event.title }} for {{ target }}\n{{ foot.because }}")
    event = {
        "kind": "campaign.added",
        "event_key": "key",
        "occurred_at": utc_now(),
        "recorded_at": utc_now(),
        "title": "Winter Drops",
        "silent": False,
        "detail": {},
    }
    with with_phone.engine.begin() as connection:
        number = connection.execute(insert(Event).values(event).returning(Event.id)).scalar_one()
    shown = with_phone.run("templates", "preview", "campaign.added", "--to", "phone", "--with", str(number))
    assert (shown.code, shown.out) == (0, "Winter Drops\n\nWinter Drops for phone\n“all of it”\n")
    preview = json.loads(with_phone.run("templates", "preview", "stream.online", "--to", "phone", "--json").out)
    assert preview["title"] == "ann is live: Rust – Wipe day"
    assert preview["payload"]["events"][0]["event"]["kind"] == "stream.online"
    other = with_phone.run("templates", "preview", "stream.online", "--to", "phone", "--with", str(number))
    assert f"Event {number} is campaign.added, not stream.online" in other.errors
    several = with_phone.run("templates", "preview", "several", "--to", "phone")
    assert "- Source twitch.drops is failing" in several.out


def test_templates_are_tried_and_a_mistake_is_named(with_phone: Operator) -> None:
    write(with_phone, "any.txt.j2", "{{ event.title }}")
    write(with_phone, "campaign.any.txt.j2", "\n{{ event.titel }}")
    checked = with_phone.run("templates", "check", "--json")
    rows = {row["file"]: row["problem"] for row in map(json.loads, checked.out.splitlines())}
    assert checked.code == 1
    assert rows["any.txt.j2"] is None
    assert rows["campaign.any.txt.j2"].startswith("template campaign.any.txt.j2, line 2: ")
    failed = with_phone.run("templates", "preview", "campaign.added", "--to", "phone")
    assert failed.code == 1
    assert "in the house's own words, for template campaign.any.txt.j2, line 2" in failed.out.replace("\n", " ")
    listed = with_phone.run("templates", "--json").out.splitlines()
    assert [json.loads(line)["kind"] for line in listed] == ["any", "campaign.any"]
    write(with_phone, "oops.txt.j2", "x")
    stray = with_phone.run("templates", "--json")
    assert stray.code == 3
    assert stray.errors.startswith("lootwire: oops.txt.j2 is not called as templates are: [TARGET/]KIND.PART.j2")
    assert [line["kind"] for line in stray.lines] == ["any", "campaign.any"]
    misnamed = with_phone.run("templates", "check", "--json")
    assert (misnamed.code, misnamed.errors) == (1, "")
    problems = {row["file"]: row["problem"] or "" for row in misnamed.lines}
    assert list(problems) == ["any.txt.j2", "campaign.any.txt.j2", "oops.txt.j2"]
    assert problems["oops.txt.j2"].startswith("oops.txt.j2 is not called as templates are: [TARGET/]KIND.PART.j2")


def test_a_preview_for_a_target_without_subscriptions_says_so(operator: Operator) -> None:
    operator.run("targets", "add", "mail", "mailto://127.0.0.1:9/?from=a@example.org&to=b@example.org&mode=insecure")
    shown = operator.run("templates", "preview", "campaign.added", "--to", "mail", "--json")
    (message,) = shown.lines
    assert "a subscription that it does not have yet" in message["body"]
    assert "that is gone" not in message["body"]
    operator.run("targets", "set", "mail", "--role", "operator")
    (message,) = operator.run("templates", "preview", "campaign.added", "--to", "mail", "--json").lines
    assert "role operator" in message["body"]


def test_the_schema_of_web_hooks_is_printed(operator: Operator) -> None:
    assert json.loads(operator.run("targets", "schema").out)["$id"] == "lootwire.webhook/1"


def test_a_target_says_where_its_mails_are_unsubscribed_from(with_phone: Operator) -> None:
    changed = with_phone.run("targets", "set", "phone", "--unsubscribe", "mailto:stop@example.org")
    assert (changed.code, "mailto:stop@example.org" in changed.out) == (0, True)
    assert 'unsubscribe = "mailto:stop@example.org"' in with_phone.run("rules", "export").out
    refused = with_phone.run("targets", "set", "phone", "--unsubscribe", "stop")
    assert refused.code == 2
    assert "'stop' is no address to unsubscribe at; write mailto:stop@example.org" in refused.errors
    assert with_phone.run("targets", "set", "phone", "--unsubscribe", "none").code == 0
    assert "unsubscribe" not in with_phone.run("rules", "export").out
