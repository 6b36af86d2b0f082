"""EventSub's messages: what they say, and how they look on a websocket and on a webhook.

https://dev.twitch.tv/docs/eventsub/handling-websocket-events/ and .../handling-webhook-events/.
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.twitch.times import seconds
from tests.twitch.world import Stream, User

NOTIFICATION, REVOCATION, CHALLENGE = "notification", "revocation", "webhook_callback_verification"
HEADER = "Twitch-Eventsub-"
# The versions in use, with the conditions that each type needs.
TYPES = {
    ("stream.online", "1"): ("broadcaster_user_id",),
    ("stream.offline", "1"): ("broadcaster_user_id",),
    ("channel.update", "2"): ("broadcaster_user_id",),
    ("user.update", "1"): ("user_id",),
    ("channel.follow", "2"): ("broadcaster_user_id", "moderator_user_id"),
    ("conduit.shard.disabled", "1"): ("client_id",),
}


def new_id() -> str:
    return str(uuid.uuid4())


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of Twitch-Eventsub-Message-Signature: HMAC-SHA256 over id, timestamp and the raw body."""
    signed = message_id.encode() + timestamp.encode() + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Message:
    """One message about a subscription; `at` as it is written, with nanoseconds."""

    id: str
    at: str
    kind: str
    subscription: dict[str, Any]
    event: dict[str, Any] | None = None
    challenge: str | None = None

    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = {} if self.challenge is None else {"challenge": self.challenge}
        payload["subscription"] = self.subscription
        if self.event is not None:
            payload["event"] = self.event
        return payload

    def envelope(self) -> bytes:
        """The message as a websocket carries it."""
        return envelope(
            self.id,
            self.kind,
            self.at,
            self.payload(),
            subscription_type=self.subscription["type"],
            subscription_version=self.subscription["version"],
        )

    def signed(self, secret: str, retry: int = 0) -> tuple[dict[str, str], bytes]:
        """The headers and the body as a webhook gets them."""
        body = msgspec.json.encode(self.payload())
        headers = {
            "Content-Type": "application/json",
            HEADER + "Message-Id": self.id,
            HEADER + "Message-Retry": str(retry),
            HEADER + "Message-Type": self.kind,
            HEADER + "Message-Signature": sign(secret, self.id, self.at, body),
            HEADER + "Message-Timestamp": self.at,
            HEADER + "Subscription-Type": self.subscription["type"],
            HEADER + "Subscription-Version": self.subscription["version"],
        }
        return headers, body


@dataclass(frozen=True)
class Sent:
    """A message that left: when (unix seconds), and to which session or callback; "" where no shard was there."""

    message: Message
    to: str
    at: float = field(compare=False)


def envelope(message_id: str, kind: str, at: str, payload: dict[str, Any], **metadata: str) -> bytes:
    """Any message as a websocket carries it."""
    head = {"message_id": message_id, "message_type": kind, "message_timestamp": at, **metadata}
    return msgspec.json.encode({"metadata": head, "payload": payload})


def _broadcaster(user: User) -> dict[str, Any]:
    return {
        "broadcaster_user_id": user.id,
        "broadcaster_user_login": user.login,
        "broadcaster_user_name": user.display_name,
    }


def stream_online(user: User, stream: Stream) -> dict[str, Any]:
    """The event tells neither title nor category."""
    return {"id": stream.id, **_broadcaster(user), "type": stream.type, "started_at": seconds(stream.started_at)}


def stream_offline(user: User) -> dict[str, Any]:
    """The event does not name the stream that ended."""
    return _broadcaster(user)


def channel_update(user: User) -> dict[str, Any]:
    """Version 2: what the channel says now, whichever part of it changed; tags are not told."""
    return {
        **_broadcaster(user),
        "title": user.title,
        "language": user.language,
        "category_id": user.category.id if user.category else "",
        "category_name": user.category.name if user.category else "",
        "content_classification_labels": list(user.labels),
    }


def user_update(user: User) -> dict[str, Any]:
    """The address is told only to applications that the user allowed to see it."""
    return {
        "user_id": user.id,
        "user_login": user.login,
        "user_name": user.display_name,
        "email": "",
        "description": user.description,
    }
