"""Figures over all channels: how many are followed and covered, what was on air, and which streams give no sign."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, Select, bindparam, func, select

from models import Channel, StreamSession
from models.airtime import LONGEST_HOLD
from models.statistics import load_summary
from pipeline.channels.following.watched import Watched, watched
from pipeline.channels.listing.watching import WhyPolled, load_coverage
from pipeline.fetch.shapes import Time

# Polls come more often: a live stream that gave no sign for so long is one that nobody looks at.
GAP_AFTER = LONGEST_HOLD
HOUR = timedelta(hours=1).total_seconds()


class ChannelsOverview(msgspec.Struct, frozen=True, kw_only=True):
    """All channels together. Those followed by name and those watched at all are of now, the rest is of the period.

    Of the watched ones EventSub tells of some in real time; the others are found by polling alone. Streams, time and
    polls are those of live streams, as in all statistics; hours per channel count the channels that were on air.
    """

    since: Time
    until: Time
    channels_followed: int
    channels_watched: int
    channels_in_real_time: int
    channels_polled: int
    channels_on_air: int
    streams_open: int
    streams_over: int
    snapshots: int
    seconds: int
    hours: float
    hours_per_channel: float | None


class ChannelCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel is watched, why if by polling alone, and what is open of it.

    `last_sign_at` is when its open stream was last known to be on, `seconds_since_sign` how long ago that is; after ten
    minutes it is a gap: nobody saw how the stream went on, and no poll has closed it.
    """

    login: str
    display_name: str | None
    external_id: str
    watched_by: Literal["eventsub", "poll"]
    reason: WhyPolled | None
    session_id: int | None
    stream_since: Time | None
    last_sign_at: Time | None
    seconds_since_sign: int | None
    is_gap: bool


def load_overview(connection: Connection, since: datetime, until: datetime, now: datetime) -> ChannelsOverview:
    """Return the figures over all channels of a period."""
    channels, coverage = watched(connection, now), load_coverage(connection, now)
    in_real_time = sum(coverage.lack_of(channel.external_id, channel.since) is None for channel in channels)
    summary = load_summary(connection, since, until)
    per_channel = summary.seconds_per_channel
    return ChannelsOverview(
        since=since,
        until=until,
        channels_followed=sum(channel.by_hand for channel in channels),
        channels_watched=len(channels),
        channels_in_real_time=in_real_time,
        channels_polled=len(channels) - in_real_time,
        channels_on_air=summary.channels,
        streams_open=summary.streams_open,
        streams_over=summary.streams_over,
        snapshots=summary.snapshots,
        seconds=summary.seconds,
        hours=round(summary.seconds / HOUR, 2),
        hours_per_channel=None if per_channel is None else round(per_channel / HOUR, 2),
    )


def list_coverage(connection: Connection, now: datetime) -> list[ChannelCoverage]:
    """Return how each watched channel is watched, by login."""
    channels = watched(connection, now)
    return sorted(_covered(connection, channels, now), key=lambda line: (line.login, line.external_id))


def _covered(connection: Connection, channels: list[Watched], now: datetime) -> Iterator[ChannelCoverage]:
    coverage = load_coverage(connection, now)
    ids = [channel.channel_id for channel in channels]
    names: dict[int, str | None] = dict(connection.execute(_NAMES, {"ids": ids}).all())
    # Of two that are open the newest one counts.
    opened = {row.channel_id: row for row in connection.execute(_OPEN, {"ids": ids})}
    for channel in channels:
        lack = coverage.lack_of(channel.external_id, channel.since)
        row = opened.get(channel.channel_id)
        age = None if row is None else max(now - row.last_seen_at, timedelta(0))
        yield ChannelCoverage(
            login=channel.login,
            display_name=names[channel.channel_id],
            external_id=channel.external_id,
            watched_by="eventsub" if lack is None else "poll",
            reason=lack,
            session_id=row and row.id,
            stream_since=row and row.started_at,
            last_sign_at=row and row.last_seen_at,
            seconds_since_sign=None if age is None else round(age.total_seconds()),
            is_gap=age is not None and age > GAP_AFTER,
        )


_IDS = func.any(bindparam("ids", type_=ARRAY(BigInteger)))
_NAMES: Select[int, str | None] = select(Channel.id, Channel.display_name).where(Channel.id == _IDS)
_OPEN = (
    select(StreamSession.channel_id, StreamSession.id, StreamSession.started_at, StreamSession.last_seen_at)
    .where(StreamSession.channel_id == _IDS, StreamSession.ended_at.is_(None), StreamSession.is_live_stream())
    .order_by(StreamSession.started_at)
)
