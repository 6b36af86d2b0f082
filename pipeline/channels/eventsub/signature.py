"""Judge whether a webhook's message is Twitch's, before any of it is read or kept.

https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#verifying-the-event-message
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import msgspec

from models.errors import LootwireError
from pipeline.fetch.shapes import Time

# Older messages could be an attacker's recording; ones from the future would stay fresh for too long.
TOLERANCE = timedelta(minutes=10)
PREFIX = "sha256="


class Forged(LootwireError):
    """A message that Twitch did not sign, or not lately; the text says which and quotes nothing of it."""


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a message, as its header holds it: over id, timestamp and the raw bytes of the body."""
    signed = message_id.encode() + timestamp.encode() + body
    return PREFIX + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def verify(secret: str, *, message_id: str, timestamp: str, signature: str, body: bytes, now: datetime) -> datetime:
    """Return when a message was sent, if it was signed with our secret at most ten minutes ago; raises `Forged`."""
    # As bytes: compare_digest takes no text beyond ASCII, which a forged header may hold.
    expected = sign(secret, message_id, timestamp, body)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape")):
        raise Forged("the signature is not that of our secret")
    sent_at = _read_time(timestamp)
    if abs(now - sent_at) > TOLERANCE:
        raise Forged("the message is older than ten minutes" if sent_at < now else "the message comes from the future")
    return sent_at


def _read_time(timestamp: str) -> datetime:
    try:
        sent_at: datetime = msgspec.convert(timestamp, Time)
        return sent_at.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        # Not chained: the library's error could quote the header.
        raise Forged("the timestamp is no time") from None
