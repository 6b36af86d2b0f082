"""Observations of channels, from EventSub's messages or from rounds of polling. All times are aware UTC."""

from datetime import datetime

import msgspec

from pipeline.catalogue.records import ChannelRecord
from pipeline.services.twitch.records import ChannelInfoRecord, StreamRecord


class WentLive(msgspec.Struct, frozen=True, kw_only=True):
    """A channel went live at `started_at`, as EventSub said at the time `at` (the message's own, not its arrival's).

    `info` is Helix' record of it, since the message itself has neither title nor category. `type` is what is on, where
    the message says that: `live`, or `rerun` and the like.
    """

    channel: ChannelRecord
    stream_id: str
    started_at: datetime
    at: datetime
    info: ChannelInfoRecord | StreamRecord | None = None
    type: str | None = None


class WentOffline(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's stream ended at the time `at`; the message does not say which one."""

    channel: ChannelRecord
    at: datetime


class Updated(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, live or not, has a new title or category since the time `at`."""

    info: ChannelInfoRecord
    at: datetime


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """One complete round: of the `channels` asked for, by external id, those in `live` were listed as live.

    `live` may hold others too (the most watched of a category); their absence from a round says nothing.
    """

    channels: frozenset[str]
    live: tuple[StreamRecord, ...]
    at: datetime


Observation = WentLive | WentOffline | Updated | Polled
