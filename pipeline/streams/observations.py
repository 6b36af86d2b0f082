"""What we are told of channels, by EventSub's messages or by rounds of polling. All times are aware UTC."""

from datetime import datetime

import msgspec

from pipeline.catalogue_records import ChannelRecord
from pipeline.streams.records import ChannelInfoRecord, StreamRecord


class WentLive(msgspec.Struct, frozen=True, kw_only=True):
    """A channel went live at `started_at`, which EventSub said `at` a time (the message's own, not its arrival's).

    `info` is what was asked for after it, since the message itself tells neither title nor category.
    """

    channel: ChannelRecord
    stream_id: str
    started_at: datetime
    at: datetime
    info: ChannelInfoRecord | StreamRecord | None = None


class WentOffline(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's stream ended `at` a time; which one is not told."""

    channel: ChannelRecord
    at: datetime


class Updated(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, live or not, said something new of itself `at` a time."""

    info: ChannelInfoRecord
    at: datetime


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """One complete round: of the channels `asked` for, by external id, these were listed as live.

    `live` may hold others too (the most watched of a category); their absence from a round says nothing.
    """

    asked: frozenset[str]
    live: tuple[StreamRecord, ...]
    at: datetime


Observation = WentLive | WentOffline | Updated | Polled
