"""What EventSub's messages say, as a websocket and as a webhook carry them, and what they mean."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from pipeline.catalogue.records import ChannelRecord, GameRecord
from pipeline.channels.eventsub.messages import (
    Challenge,
    Keepalive,
    Notification,
    Reconnect,
    Revocation,
    Unknown,
    Welcome,
    read_body,
    read_frame,
    storable,
)
from pipeline.channels.eventsub.notifications import ShardDisabled, channel_of, is_known, read_event
from pipeline.channels.streams.observations import Updated, WentLive, WentOffline
from pipeline.errors import InvalidItem
from pipeline.services.twitch.records import ChannelInfoRecord

AT = datetime(2026, 9, 1, 12, tzinfo=UTC)
BROADCASTER = {
    "broadcaster_user_id": "7",
    "broadcaster_user_login": "somebody",
    "broadcaster_user_name": "Somebody",
}
CHANNEL = ChannelRecord(external_id="7", login="somebody", display_name="Somebody")
SUBSCRIPTION = {
    "id": "s1",
    "type": "stream.online",
    "version": "1",
    "status": "enabled",
    "condition": {"broadcaster_user_id": "7"},
    "transport": {"method": "conduit", "conduit_id": "c1"},
    "created_at": "2026-08-01T00:00:00.123456789Z",
    "cost": 1,
}


def frame(kind: str, payload: object, **metadata: str) -> bytes:
    head = {"message_id": "m1", "message_type": kind, "message_timestamp": "2026-09-01T12:00:00.1234567Z", **metadata}
    return msgspec.json.encode({"metadata": head, "payload": payload})


def session(**values: object) -> object:
    return {"session": {"id": "s", "status": "connected", "connected_at": "2026-09-01T12:00:00Z", **values}}


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        pytest.param(
            frame("session_welcome", session(keepalive_timeout_seconds=30)),
            Welcome("s", timedelta(seconds=30)),
            id="welcome",
        ),
        pytest.param(
            frame("session_welcome", session(keepalive_timeout_seconds=None)),
            Welcome("s", timedelta(seconds=10)),
            id="welcome that does not say how long it may be silent",
        ),
        pytest.param(frame("session_keepalive", {}), Keepalive(), id="keepalive"),
        pytest.param(
            frame("session_reconnect", session(reconnect_url="wss://x")), Reconnect("wss://x"), id="reconnect"
        ),
        pytest.param(frame("session_party", {"cake": 1}), Unknown("session_party"), id="of a kind that is new"),
    ],
)
def test_a_frame_is_read(sent: bytes, message: object) -> None:
    assert read_frame(sent) == message


def test_a_notification_is_the_same_by_websocket_and_by_webhook_but_for_its_time() -> None:
    payload = {"subscription": SUBSCRIPTION, "event": {**BROADCASTER, "id": "9"}}
    by_frame = read_frame(frame("notification", payload, subscription_type="stream.online", subscription_version="1"))
    by_body = read_body("notification", "m1", AT, msgspec.json.encode(payload))
    assert isinstance(by_frame, Notification)
    assert by_frame.sent_at == datetime(2026, 9, 1, 12, 0, 0, 123457, tzinfo=UTC)
    assert by_body == msgspec.structs.replace(by_frame, sent_at=AT)


def test_a_revocation_tells_why() -> None:
    revoked = read_frame(frame("revocation", {"subscription": {**SUBSCRIPTION, "status": "user_removed"}}))
    assert isinstance(revoked, Revocation)
    assert revoked.subscription.status == "user_removed"


def test_a_challenge_is_read_from_a_webhook_alone() -> None:
    body = msgspec.json.encode({"challenge": "abc", "subscription": SUBSCRIPTION})
    assert read_body("webhook_callback_verification", "m1", AT, body) == Challenge("abc")
    assert read_body("something_else", "m1", AT, b"no matter what") == Unknown("something_else")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "truncated"),
        (b"\xff\xfe", "invalid"),
        (b"[" * 100_000, "expected"),
        (frame("session_reconnect", session()), "reconnect_url"),
        (frame("notification", {"subscription": SUBSCRIPTION}), "event"),
        (frame("notification", {"event": {}}), "subscription"),
        (frame("notification", {"subscription": SUBSCRIPTION, "event": {}}, message_id="m\0"), "cannot be kept"),
        (frame("notification", {"subscription": SUBSCRIPTION, "event": {}}, message_id="m" * 201), "cannot be kept"),
        (frame("session_keepalive", {}, message_timestamp="2026-09-01T12:00:00"), "timezone"),
    ],
)
def test_a_frame_that_cannot_be_read_says_what_is_wrong(sent: bytes, reason: str) -> None:
    with pytest.raises(InvalidItem, match=f"(?i){reason}"):
        read_frame(sent)


@pytest.mark.parametrize("bad", [rb"\ud83d", rb"\udc00", b"\0", b"\xff"], ids=repr)
def test_one_bad_character_does_not_cost_a_message(bad: bytes) -> None:
    sent = frame("notification", {"subscription": SUBSCRIPTION, "event": {"title": "lamp BAD", "id": "7"}})
    body = msgspec.json.encode({"subscription": SUBSCRIPTION, "event": {"title": "lamp BAD", "id": "7"}})

    by_websocket = read_frame(sent.replace(b"BAD", bad))
    by_webhook = read_body("notification", "m1", AT, body.replace(b"BAD", bad))

    for message in (by_websocket, by_webhook):
        assert isinstance(message, Notification)
        assert message.event["id"] == "7"
        assert message.event["title"] in {"lamp", "lamp \N{REPLACEMENT CHARACTER}"}


def test_an_event_is_kept_without_what_postgresql_cannot_store() -> None:
    assert storable({"a\0": ["x\0y", {"b": "\ud800"}], "n": 1, "none": None}) == {
        "a": ["xy", {"b": ""}],
        "n": 1,
        "none": None,
    }


INFO = ChannelInfoRecord(channel=CHANNEL, title="A title")


@pytest.mark.parametrize(
    ("kind", "version", "event", "meaning"),
    [
        (
            "stream.online",
            "1",
            {**BROADCASTER, "id": "9001", "type": "live", "started_at": "2026-09-01T11:59:00.1Z"},
            WentLive(
                channel=CHANNEL,
                stream_id="9001",
                started_at=datetime(2026, 9, 1, 11, 59, 0, 100000, tzinfo=UTC),
                at=AT,
                info=INFO,
                type="live",
            ),
        ),
        (
            "stream.online",
            "1",
            {**BROADCASTER, "id": "9001", "type": "rerun", "started_at": "2026-09-01T11:59:00Z"},
            WentLive(
                channel=CHANNEL,
                stream_id="9001",
                started_at=datetime(2026, 9, 1, 11, 59, tzinfo=UTC),
                at=AT,
                info=INFO,
                type="rerun",
            ),
        ),
        ("stream.offline", "1", BROADCASTER, WentOffline(channel=CHANNEL, at=AT)),
        (
            "channel.update",
            "2",
            {**BROADCASTER, "title": "New", "language": "en", "category_id": "1", "category_name": "Chess"},
            Updated(
                info=ChannelInfoRecord(
                    channel=CHANNEL, title="New", language="en", game=GameRecord(external_id="1", name="Chess")
                ),
                at=AT,
            ),
        ),
        (
            "channel.update",
            "2",
            {**BROADCASTER, "title": "", "language": "en", "category_id": "", "category_name": ""},
            Updated(info=ChannelInfoRecord(channel=CHANNEL, language="en"), at=AT),
        ),
        (
            "conduit.shard.disabled",
            "1",
            {
                "conduit_id": "c",
                "shard_id": "0",
                "status": "gone",
                "transport": {"method": "websocket", "session_id": "s"},
            },
            ShardDisabled("c", "0", "gone", "s"),
        ),
        ("channel.update", "1", BROADCASTER, None),
        ("channel.raid", "1", {}, None),
    ],
)
def test_an_event_means(kind: str, version: str, event: dict[str, Any], meaning: object) -> None:
    assert read_event(kind, version, event, AT, INFO) == meaning
    assert is_known(kind, version) is (meaning is not None)


@pytest.mark.parametrize(
    ("kind", "event", "missing"),
    [
        ("stream.online", {**BROADCASTER, "started_at": "2026-09-01T11:59:00Z"}, "id"),
        ("stream.online", {**BROADCASTER, "id": "9", "started_at": "yesterday"}, "started_at"),
        ("stream.offline", {**BROADCASTER, "broadcaster_user_login": ""}, "broadcaster_user_login"),
        ("stream.offline", {"broadcaster_user_login": "x"}, "broadcaster_user_id"),
        ("stream.offline", {**BROADCASTER, "broadcaster_user_id": 7}, "broadcaster_user_id"),
    ],
)
def test_an_event_without_what_it_needs_names_it(kind: str, event: dict[str, Any], missing: str) -> None:
    with pytest.raises(InvalidItem, match=missing):
        read_event(kind, "1", event, AT, None)


def test_the_channel_of_an_event_is_told_only_where_it_is_one() -> None:
    assert channel_of(BROADCASTER) == "7"
    assert channel_of({"broadcaster_user_id": ["7"]}) is None
    assert channel_of({}) is None
