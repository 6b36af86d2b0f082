"""Read EventSub's messages, from a websocket's frames and from webhooks' bodies, into frozen records.

https://dev.twitch.tv/docs/eventsub/websocket-reference/ and .../handling-webhook-events/. Their times carry up to nine
digits of a second; ours are rounded to microseconds.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pipeline.errors import InvalidItem
from pipeline.fetch.mending import decode_mended
from pipeline.fetch.shapes import UNREADABLE, Time, clean, required_utc
from pipeline.services.twitch.helix_eventsub import EventSubSubscription

# Twitch's ids are UUIDs; a key in a table needs a limit.
LONGEST_ID = 200
SIGNED_TYPES = ("notification", "revocation", "webhook_callback_verification")


class Welcome(msgspec.Struct, frozen=True):
    """A session is open. It is silent for `keepalive` at most, and has ten seconds until something uses it."""

    session_id: str
    keepalive: timedelta


class Keepalive(msgspec.Struct, frozen=True):
    """Nothing happened, and the session lives."""


class Reconnect(msgspec.Struct, frozen=True):
    """The server goes away within 30 seconds; the session goes on at this address."""

    url: str


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened that we subscribed to."""

    message_id: str
    type: str
    version: str
    event: Mapping[str, Any]
    sent_at: datetime


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """Twitch has ended a subscription; its status says why."""

    message_id: str
    subscription: EventSubSubscription
    sent_at: datetime


class Challenge(msgspec.Struct, frozen=True):
    """A webhook has to repeat this text to prove that it wants the subscription."""

    challenge: str


class Unknown(msgspec.Struct, frozen=True):
    """A message of a kind that we do not know."""

    kind: str


Frame = Welcome | Keepalive | Reconnect | Notification | Revocation | Unknown
Body = Notification | Revocation | Challenge | Unknown


class _Metadata(msgspec.Struct):
    message_id: str
    message_type: str
    message_timestamp: Time


class _Frame(msgspec.Struct):
    metadata: _Metadata
    payload: msgspec.Raw


class _Session(msgspec.Struct):
    id: str
    keepalive_timeout_seconds: float | None = None
    reconnect_url: str | None = None


class _SessionPayload(msgspec.Struct):
    session: _Session


class _Payload(msgspec.Struct):
    subscription: EventSubSubscription
    event: dict[str, Any] | None = None
    challenge: str | None = None


_FRAME = msgspec.json.Decoder(_Frame)
_SESSION = msgspec.json.Decoder(_SessionPayload)
_PAYLOAD = msgspec.json.Decoder(_Payload)
# The documentation's value, for a session that gives none, and the longest that may be asked for.
_USUAL_KEEPALIVE = 10
_LONGEST_KEEPALIVE = 600


def read_frame(frame: str | bytes) -> Frame:
    """Read a websocket's frame; raises `InvalidItem` that names what is wrong with it."""
    try:
        outer = decode_mended(_FRAME, frame)
        return _read_payload(outer.metadata, outer.payload)
    except UNREADABLE as error:
        raise InvalidItem(str(error)) from error


def _read_payload(metadata: _Metadata, payload: msgspec.Raw) -> Frame:
    match metadata.message_type:
        case "session_welcome":
            session = _SESSION.decode(payload).session
            seconds = session.keepalive_timeout_seconds or _USUAL_KEEPALIVE
            return Welcome(session.id, timedelta(seconds=min(max(seconds, 0), _LONGEST_KEEPALIVE)))
        case "session_keepalive":
            return Keepalive()
        case "session_reconnect":
            url = _SESSION.decode(payload).session.reconnect_url
            if not url:
                raise InvalidItem("a reconnect message without its `reconnect_url`")
            _check_address(url)
            return Reconnect(url)
        case "notification" | "revocation" as kind:
            message = _read_of_subscription(
                kind, metadata.message_id, metadata.message_timestamp, decode_mended(_PAYLOAD, payload)
            )
            return message if not isinstance(message, Challenge) else Unknown(kind)
        case kind:
            return Unknown(kind)


def read_body(kind: str, message_id: str, sent_at: datetime, body: bytes) -> Body:
    """Read a webhook's body, whose headers gave the rest; raises `InvalidItem`."""
    if kind not in SIGNED_TYPES:
        return Unknown(kind)
    try:
        return _read_of_subscription(kind, message_id, sent_at, decode_mended(_PAYLOAD, body))
    except UNREADABLE as error:
        raise InvalidItem(str(error)) from error


def _check_address(url: str) -> None:
    try:
        host = urlsplit(url).hostname
    except ValueError as error:
        raise InvalidItem(f"a reconnect message whose `reconnect_url` is none: {error}") from error
    if not host:
        raise InvalidItem("a reconnect message whose `reconnect_url` names no host")


def _read_of_subscription(
    kind: str, message_id: str, sent_at: datetime, payload: _Payload
) -> Notification | Revocation | Challenge:
    if clean(message_id) != message_id or len(message_id) > LONGEST_ID:
        raise InvalidItem("a message whose id cannot be kept")
    subscription, at = payload.subscription, required_utc(sent_at)
    # A row holds these as they are, and a text that no row can hold would keep all messages of its batch out.
    texts = (subscription.id, subscription.type, subscription.version, subscription.status, subscription.condition)
    if any(storable(text) != text for text in texts):
        raise InvalidItem("a message whose subscription cannot be kept")
    match kind:
        case "revocation":
            return Revocation(message_id=message_id, subscription=subscription, sent_at=at)
        case "notification":
            if payload.event is None:
                raise InvalidItem("a notification without its `event`")
            return Notification(
                message_id=message_id,
                type=subscription.type,
                version=subscription.version,
                event=storable(payload.event),
                sent_at=at,
            )
        case _:
            if payload.challenge is None:
                raise InvalidItem("a verification without its `challenge`")
            return Challenge(payload.challenge)


def storable(value: Any) -> Any:
    """Return decoded JSON whose texts PostgreSQL can store."""
    match value:
        case str():
            return clean(value) or ""
        case dict():
            return {clean(name) or "": storable(part) for name, part in value.items()}
        case list():
            return [storable(part) for part in value]
        case _:
            return value
