"""Videos that channels published."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from models.moments import Moment
from models.statistics import NEVER
from pipeline.channels.listing import videos
from pipeline.channels.listing.videos import ListedVideo, VideoKey, VideoType
from pipeline.operations.channels import known_channel
from pipeline.services.twitch.records import MutedRecord
from pipeline.sound.following.shows import KEPT_FOR


class VideoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A video of a channel; an archive is the record of the stream `stream_id`.

    `expires_at` is until when Twitch keeps an archive at least; null for others, which stay. `muted` are the parts that
    Twitch silenced, null where nobody has asked.
    """

    id: int
    external_id: str
    login: str
    display_name: str | None
    type: str
    title: str
    url: str
    thumbnail_url: str | None
    published_at: Moment
    seconds: int
    stream_id: str | None
    expires_at: Moment | None
    muted: Sequence[MutedRecord] | None
    first_seen_at: Moment


def list_videos(
    connection: Connection,
    person_id: int,
    limit: int,
    *,
    since: datetime,
    until: datetime | None = None,
    channel: str | None = None,
    kind: VideoType | None = None,
    after: VideoKey | None = None,
) -> list[VideoAnswer]:
    """Return the videos of a period, the newest first; raises `UnknownThing` for a channel that is not known."""
    channel_id = None if channel is None else known_channel(connection, person_id, channel).channel_id
    listed = videos.list_videos(
        connection, limit, since=since, until=until or NEVER, channel_id=channel_id, kind=kind, after=after
    )
    return [_answer(each) for each in listed]


def key_of_video(video: VideoAnswer) -> VideoKey:
    """Return what a video is listed by."""
    return video.published_at, video.id


def _answer(video: ListedVideo) -> VideoAnswer:
    expires_at = video.published_at + KEPT_FOR if video.type == "archive" else None
    return VideoAnswer(**msgspec.structs.asdict(video), expires_at=expires_at)
