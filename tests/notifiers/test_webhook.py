"""Web hooks get the events themselves, in a documented schema."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import msgspec
import pytest

from models.details import detail_from_json
from notifiers.check import try_target as send_test_message
from notifiers.webhook import HookBody, json_schema
from pipeline.demo.sinks import WebhookSink
from tests.notifiers.world import NOON, Notifying, full_event, hook_url
from tests.schemas import problems

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads(json.dumps(json_schema()))


def is_by_the_schema(body: Any) -> bool:
    assert list(problems(body, SCHEMA)) == []
    msgspec.convert(body, HookBody)
    return True


def test_a_web_hook_gets_the_event_its_subjects_its_detail_and_why(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks))
    world.subscribe("hook", kinds=["campaign.*"], name="campaigns")
    event_id = world.event("New drops", game="Rust", organization="Facepunch", detail=full_event().detail)
    assert world.deliver().sent == 1
    (hook,) = hooks.messages
    body = hook.json
    assert is_by_the_schema(body)
    assert (body["version"], body["title"], body["type"], body["attachments"]) == ("1.0", "New drops", "info", [])
    assert body["message"].startswith("Game: Rust")
    assert body["schema"] == "lootwire.webhook/1"
    assert body["event"] == {
        "id": event_id,
        "kind": "campaign.added",
        "key": "key-1",
        "title": "New drops",
        "service": "twitch",
        "url": "https://www.twitch.tv/drops/campaigns?dropID=a&x=1",
        "occurred_at": "2026-11-20T12:00:00Z",
        "recorded_at": "2026-11-20T12:00:00Z",
        "silent": False,
    }
    assert body["subjects"] == {"service": "twitch", "game": "Rust", "organization": "Facepunch"}
    assert body["reason"] == {"target": "hook", "subscriptions": ["hook: everything", "campaigns"]}
    assert detail_from_json("campaign.added", body["detail"]) == full_event().detail
    assert body["events"] == [{name: body[name] for name in ("event", "subjects", "detail", "reason")}]


def test_a_message_about_several_events_lists_them_each_with_its_own_reason(
    world: Notifying, hooks: WebhookSink
) -> None:
    world.target("hook", hook_url(hooks))
    world.subscribe("hook", game="Rust", name="rust")
    world.event("First")
    world.event("Second", game="Rust", channel="ann", kind="campaign.watchable")
    assert world.deliver().sent == 2
    (hook,) = hooks.messages
    assert is_by_the_schema(hook.json)
    assert "event" not in hook.json
    first, second = hook.json["events"]
    assert (first["event"]["title"], second["event"]["title"]) == ("First", "Second")
    assert first["reason"]["subscriptions"] == ["hook: everything"]
    assert second["reason"]["subscriptions"] == ["hook: everything", "rust"]
    assert second["subjects"] == {"service": "twitch", "game": "Rust", "channel": "ann"}


def test_fields_that_an_address_names_itself_stay_its_own(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks) + "?:event=lootwire&:message=text&:room=7")
    world.event("New drops")
    assert world.deliver().sent == 1
    body = hooks.messages[0].json
    assert (body["event"], body["room"]) == ("lootwire", "7")
    assert "text" in body
    assert body["events"][0]["event"]["title"] == "New drops"


def test_a_form_gets_the_same_fields_as_json(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks).replace("json://", "form://"))
    world.event("New drops & more", game="Rust")
    assert world.deliver().sent == 1
    fields = {name: values[0] for name, values in parse_qs(hooks.messages[0].body.decode()).items()}
    assert fields["title"] == "New drops & more"
    assert fields["schema"] == "lootwire.webhook/1"
    assert json.loads(fields["event"])["title"] == "New drops & more"
    assert json.loads(fields["subjects"]) == {"service": "twitch", "game": "Rust"}
    assert json.loads(fields["events"])[0]["event"] == json.loads(fields["event"])


def test_xml_gets_the_same_fields_as_json(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks).replace("json://", "xml://"))
    world.event("Drops <b> & more")
    assert world.deliver().sent == 1
    document = ET.fromstring(hooks.messages[0].body)  # noqa: S314 - our own
    fields = {each.tag.rpartition("}")[2]: each.text for each in document.iter()}
    assert fields["Subject"] == "Drops <b> & more"
    assert json.loads(fields["event"] or "")["title"] == "Drops <b> & more"
    assert json.loads(fields["events"] or "")[0]["reason"]["target"] == "hook"


def test_a_test_message_is_about_no_event(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks))
    send_test_message(world.engine, world.vault, "hook")
    (hook,) = hooks.messages
    assert is_by_the_schema(hook.json)
    assert hook.json["events"] == []


def test_a_receiver_that_finds_it_too_long_gets_it_without_details(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks))
    world.event("New drops", detail=full_event().detail)
    hooks.fail_next(1, 413)
    assert world.deliver().sent == 1
    assert hooks.refused[0].json["detail"]
    assert is_by_the_schema(hooks.messages[0].json)
    assert hooks.messages[0].json["detail"] == {}


def test_what_a_web_hook_passes_on_pings_nobody(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks))
    detail = msgspec.structs.replace(
        full_event().detail, name="@everyone [a](javascript:alert)", url="javascript:alert"
    )
    world.event("@here \u202eevil", detail=detail)
    assert world.deliver().sent == 1
    body = hooks.messages[0].json
    assert is_by_the_schema(body)
    assert body["event"]["url"] is None
    assert not re.search(r"@(everyone|here)|javascript:|\]\(|\u202e", json.dumps(body, ensure_ascii=False))


def test_the_published_schema_is_that_of_the_code() -> None:
    published = json.loads((DOCS / "webhook.schema.json").read_text())
    assert published == SCHEMA, "lootwire targets schema > docs/webhook.schema.json"


@pytest.mark.parametrize("number", [0, 1])
def test_the_documented_bodies_are_by_the_schema(number: int) -> None:
    bodies = re.findall(r"```json\n(.*?)```", (DOCS / "webhooks.md").read_text(), re.DOTALL)
    assert is_by_the_schema(json.loads(bodies[number]))


def test_the_schema_refuses_what_is_not_as_it_says() -> None:
    body = {"version": "1.0", "title": "", "message": "", "attachments": [], "type": "info"}
    assert list(problems(body, SCHEMA)) == ["$: has no schema", "$: has no events"]
    event = {"id": "1", "kind": "campaign.added"}
    wrong = body | {"schema": "lootwire.webhook/2", "events": [{"event": event, "detail": {"drops": 7}}]}
    faults = list(problems(wrong, SCHEMA))
    assert "$.schema: 'lootwire.webhook/2' is none of ['lootwire.webhook/1']" in faults
    assert "$.events[0].detail.drops: 7 is no array" in faults
    assert "$.events[0].event.id: '1' is no integer" in faults


def test_an_event_of_the_version_before_is_still_sent(world: Notifying, hooks: WebhookSink) -> None:
    world.target("hook", hook_url(hooks))
    world.event("Old", kind="campaign.of_tomorrow", service=None)
    assert world.deliver().sent == 1
    assert is_by_the_schema(hooks.messages[0].json)
    assert hooks.messages[0].json["event"]["occurred_at"] == NOON.isoformat().replace("+00:00", "Z")
