"""An event on its way to the log."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from models.details import EventDetail
from models.events import EventKind


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event about to be appended. `identity` tells it from other events of its kind and subject.

    With `damped` the identity says what changed but not when: the same change within a day makes no second event, and
    is held back. `items` says what such an event changes, each with its value before, as JSON has it. `since` returns
    what remains to be said where the last event gave other values than `items` does: the events from those values on,
    none where nothing differs from them.

    One with a `person_id` is of that person's library, and theirs alone; one that `is_private` is on no public feed.

    With `on_day` its detail's `when` is a day, and each message waits until that begins in its reader's time zone.
    """

    kind: EventKind
    subject: str
    occurred_at: datetime
    detail: EventDetail
    identity: Any = None
    damped: bool = False
    items: Mapping[str, Any] = {}
    since: Callable[[Mapping[str, Any]], "Sequence[NewEvent]"] | None = None
    on_day: bool = False
    service: str | None = None
    campaign_id: int | None = None
    reward_campaign_id: int | None = None
    game_id: int | None = None
    organization_id: int | None = None
    channel_id: int | None = None
    person_id: int | None = None
    is_private: bool = False

    @property
    def change_key(self) -> str:
        """The kind, the subject and the identity, without the time."""
        parts = [self.kind.value, self.subject]
        if self.identity is not None:
            parts.append(_fingerprint(self.identity))
        return ":".join(parts)

    @property
    def event_key(self) -> str:
        """What makes a second detection of the same event a no-op."""
        return f"{self.change_key}:{self.occurred_at:%Y%m%dT%H%M%S%f}" if self.damped else self.change_key


def _fingerprint(value: Any) -> str:
    return hashlib.blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=8).hexdigest()
