"""The videos of channels, as they were listed."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import BigInteger, Connection, DateTime, Select, literal, select, tuple_

from models import Channel, Video
from pipeline.fetch.shapes import Time
from pipeline.services.twitch.records import MutedRecord

VideoType = Literal["archive", "highlight", "upload"]
# A video by when it was published and its number: in this order they are listed, the newest first.
VideoKey = tuple[datetime, int]


class ListedVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A video of a channel. `stream_id` is the stream that an archive was recorded from.

    `muted` are the parts that Twitch silenced, None where nobody has asked.
    """

    id: int
    external_id: str
    login: str
    display_name: str | None
    type: str
    title: str
    url: str
    thumbnail_url: str | None
    published_at: Time
    seconds: int
    stream_id: str | None
    muted: tuple[MutedRecord, ...] | None
    first_seen_at: Time


def list_videos(
    connection: Connection,
    limit: int,
    *,
    since: datetime,
    until: datetime,
    channel_id: int | None = None,
    kind: VideoType | None = None,
    after: VideoKey | None = None,
) -> list[ListedVideo]:
    """Return the videos that were published in a period, the newest first; of a channel, or of a kind, alone."""
    query = _VIDEOS.where(Video.published_at >= since, Video.published_at < until).limit(limit)
    if channel_id is not None:
        query = query.where(Video.channel_id == channel_id)
    if kind is not None:
        query = query.where(Video.type == kind)
    if after is not None:
        at, number = after
        key = tuple_(literal(at, DateTime(timezone=True)), literal(number, BigInteger))
        query = query.where(tuple_(Video.published_at, Video.id) < key)
    return [msgspec.convert(dict(row), ListedVideo) for row in connection.execute(query).mappings()]


def key_of_video(video: ListedVideo) -> VideoKey:
    """Return what a video is listed by."""
    return video.published_at, video.id


_VIDEOS: Select[*tuple[Any, ...]] = (
    select(
        *(Video.id, Video.external_id, Channel.login, Channel.display_name, Video.type, Video.title, Video.url),
        *(Video.thumbnail_url, Video.published_at, Video.seconds, Video.stream_id, Video.muted, Video.first_seen_at),
    )
    .join(Channel, Channel.id == Video.channel_id)
    .order_by(Video.published_at.desc(), Video.id.desc())
)
