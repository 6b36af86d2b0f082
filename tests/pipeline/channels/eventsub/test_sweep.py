"""Every bad value in every place of EventSub's messages: what can be read of one is told, the rest has its reason."""

from typing import Any

import msgspec
import pytest

from pipeline.channels.eventsub.messages import (
    Notification,
    Reconnect,
    Revocation,
    Unknown,
    Welcome,
    read_body,
    read_frame,
)
from pipeline.channels.eventsub.notifications import read_event
from pipeline.errors import InvalidItem
from tests.pipeline.builders import NOON, stamp
from tests.pipeline.sweep import sweep

SUBSCRIPTION = {
    "id": "s1",
    "type": "stream.online",
    "version": "1",
    "status": "enabled",
    "condition": {"broadcaster_user_id": "7"},
    "transport": {"method": "conduit", "conduit_id": "c1"},
    "created_at": stamp(NOON),
    "cost": 1,
}
BROADCASTER = {"broadcaster_user_id": "7", "broadcaster_user_login": "keeper", "broadcaster_user_name": "Keeper"}
EVENT: dict[str, Any] = {**BROADCASTER, "id": "9", "type": "live", "started_at": stamp(NOON), "new": {"x": [1, "y"]}}
# What a message must have to be told; everything else may be anything.
NEEDED = {
    ("metadata",),
    ("metadata", "message_id"),
    ("metadata", "message_type"),
    ("metadata", "message_timestamp"),
    ("payload",),
    ("payload", "subscription"),
    ("payload", "subscription", "type"),
    ("payload", "subscription", "version"),
    ("payload", "event"),
    ("payload", "event", "broadcaster_user_id"),
    ("payload", "event", "broadcaster_user_login"),
    ("payload", "event", "broadcaster_user_name"),
    ("payload", "event", "id"),
    ("payload", "event", "type"),
    ("payload", "event", "started_at"),
}


def frame(kind: str, **payload: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "message_id": "m1",
            "message_type": kind,
            "message_timestamp": stamp(NOON),
            "subscription_type": "x",
        },
        "payload": payload,
    }


def test_a_bad_value_that_a_notification_does_not_need_costs_nothing() -> None:
    lost = []
    for where, bad, sent in sweep(frame("notification", subscription=SUBSCRIPTION, event=EVENT)):
        try:
            message = read_frame(sent)
            if isinstance(message, Notification):
                read_event(message.type, message.version, message.event, message.sent_at, None)
        except InvalidItem as error:
            lost += [] if not where or where in NEEDED else [(where, bad, str(error))]

    assert lost == []


@pytest.mark.parametrize("value", [b"1e400", b"9" * 5000], ids=lambda value: value[:6].decode())
@pytest.mark.parametrize("by", ["websocket", "webhook"])
def test_an_event_with_a_value_that_no_machine_reads_is_told_without_it_and_says_why(by: str, value: bytes) -> None:
    event = EVENT | {"odd": "BAD", "list": [1, "BAD"]}
    sent = msgspec.json.encode(frame("notification", subscription=SUBSCRIPTION, event=event)).replace(b'"BAD"', value)
    body = msgspec.json.encode({"subscription": SUBSCRIPTION, "event": event}).replace(b'"BAD"', value)

    message = read_frame(sent) if by == "websocket" else read_body("notification", "m1", NOON, body)

    assert isinstance(message, Notification)
    assert message.event == EVENT | {"odd": None, "list": [1, None]}
    assert "$.odd" in (message.problem or "")
    assert "$.list.1" in (message.problem or "")


def test_what_is_nested_too_deep_is_left_out_of_an_event() -> None:
    event = EVENT | {"odd": "BAD"}
    sent = msgspec.json.encode(frame("notification", subscription=SUBSCRIPTION, event=event))

    message = read_frame(sent.replace(b'"BAD"', b"[" * 600 + b"]" * 600))

    assert isinstance(message, Notification)
    assert message.event.items() >= EVENT.items()
    assert "nested" in (message.problem or "")


def test_what_can_be_read_has_no_problem() -> None:
    message = read_frame(msgspec.json.encode(frame("notification", subscription=SUBSCRIPTION, event=EVENT)))

    assert isinstance(message, Notification)
    assert message.problem is None


@pytest.mark.parametrize(
    ("kind", "payload", "expected", "needed"),
    [
        (
            "session_welcome",
            {"session": {"id": "s", "keepalive_timeout_seconds": 10, "reconnect_url": None}},
            Welcome,
            "id",
        ),
        ("session_reconnect", {"session": {"id": "s", "reconnect_url": "wss://x"}}, Reconnect, "reconnect_url"),
        ("revocation", {"subscription": SUBSCRIPTION}, Revocation, "id status type version condition transport"),
    ],
)
def test_a_bad_value_beside_what_a_message_needs_costs_nothing(
    kind: str, payload: Any, expected: type, needed: str
) -> None:
    (part,) = payload
    read = 0
    for where, _, sent in sweep(frame(kind, **payload), under=("payload", part)):
        if len(where) > 2 and where[2] in {*needed.split(), "id"}:
            continue
        try:
            assert isinstance(read_frame(sent), expected | Unknown)
            read += 1
        except InvalidItem:
            assert len(where) == 2
    assert read > 0 or expected is Reconnect
