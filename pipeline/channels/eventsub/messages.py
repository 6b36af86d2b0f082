"""Read EventSub's messages, from a websocket's frames and from webhooks' bodies, into frozen records.

https://dev.twitch.tv/docs/eventsub/websocket-reference/ and .../handling-webhook-events/. Their times carry up to nine
digits of a second; ours are rounded to microseconds.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from pipeline.errors import InvalidItem
from pipeline.fetch.mending import decode_mended, decode_readable
from pipeline.fetch.shapes import UNREADABLE, Time, clean, read_value, required_utc
from pipeline.services.twitch.helix_eventsub import EventSubSubscription, read_subscription

# Twitch's ids are UUIDs; a key in a table needs a limit.
LONGEST_ID = 200
LONGEST_PROBLEM = 500
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
    """Something happened that we subscribed to. `problem` says what of it could not be read, and is left out."""

    message_id: str
    type: str
    version: str
    event: Mapping[str, Any]
    sent_at: datetime
    problem: str | None = None


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
    keepalive_timeout_seconds: msgspec.Raw = msgspec.Raw(b"null")
    reconnect_url: msgspec.Raw = msgspec.Raw(b"null")


class _SessionPayload(msgspec.Struct):
    session: _Session


class _Kind(msgspec.Struct):
    """What is wanted of the subscription that a notification belongs to."""

    type: str
    version: str


class _OfSubscription(msgspec.Struct):
    subscription: msgspec.Raw
    event: msgspec.Raw = msgspec.Raw(b"null")
    challenge: msgspec.Raw = msgspec.Raw(b"null")


_FRAME = msgspec.json.Decoder(_Frame)
_SESSION = msgspec.json.Decoder(_SessionPayload)
_PAYLOAD = msgspec.json.Decoder(_OfSubscription)
_KIND = msgspec.json.Decoder(_Kind)
_TEXT = msgspec.json.Decoder(str)
_SECONDS = msgspec.json.Decoder(Annotated[float, msgspec.Meta(gt=0)])
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
            seconds = read_value(_SECONDS, session.keepalive_timeout_seconds)
            return Welcome(session.id, timedelta(seconds=min(seconds or _USUAL_KEEPALIVE, _LONGEST_KEEPALIVE)))
        case "session_keepalive":
            return Keepalive()
        case "session_reconnect":
            url = read_value(_TEXT, _SESSION.decode(payload).session.reconnect_url)
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
    kind: str, message_id: str, sent_at: datetime, payload: _OfSubscription
) -> Notification | Revocation | Challenge:
    if clean(message_id) != message_id or len(message_id) > LONGEST_ID:
        raise InvalidItem("a message whose id cannot be kept")
    at = required_utc(sent_at)
    match kind:
        case "revocation":
            subscription = read_subscription(payload.subscription)
            _check_texts(subscription.id, subscription.status, subscription.condition)
            _check_texts(subscription.type, subscription.version)
            return Revocation(message_id=message_id, subscription=subscription, sent_at=at)
        case "notification":
            return _read_notification(message_id, at, payload)
        case _:
            challenge = read_value(_TEXT, payload.challenge)
            if challenge is None:
                raise InvalidItem("a verification without its `challenge`")
            return Challenge(challenge)


def _read_notification(message_id: str, at: datetime, payload: _OfSubscription) -> Notification:
    subscription = _KIND.decode(payload.subscription)
    _check_texts(subscription.type, subscription.version)
    event, problems = decode_readable(payload.event)
    if not isinstance(event, dict):
        raise InvalidItem("a notification without its `event`")
    return Notification(
        message_id=message_id,
        type=subscription.type,
        version=subscription.version,
        event=storable(event),
        sent_at=at,
        problem="; ".join(problems)[:LONGEST_PROBLEM] or None,
    )


def _check_texts(*texts: Any) -> None:
    """Refuse a message whose row would hold a text that no row can: it would keep all messages of its batch out."""
    if any(storable(text) != text for text in texts):
        raise InvalidItem("a message whose subscription cannot be kept")


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
