"""Reads what events of sounds show."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, select

from models import Channel, Game, StreamSegment, StreamSession, Video
from pipeline.sound.chapters import Part, chapters_of_stream
from pipeline.sound.details import Shown
from pipeline.sound.records import Chapter, MediaInfo, Muted
from pipeline.sound.store.episodes import shows_wanting
from pipeline.sound.store.extractions import Claimed
from pipeline.sound.store.sounds import SoundRow


def shown_extraction(connection: Connection, claimed: Claimed, media: MediaInfo | None) -> Shown:
    """Return what is shown of an extraction that has no sound."""
    info = media or claimed.info
    channel = _channel(connection, claimed.video_id)
    return Shown(
        person_id=claimed.person_id,
        title=claimed.title if info is None else info.title,
        url=claimed.url,
        show=next(iter(shows_wanting(connection, claimed.id)), None),
        channel=channel.display_name if channel is not None else (None if info is None else info.channel),
        channel_login=None if channel is None else channel.login,
        channel_id=None if channel is None else channel.id,
        seconds=None if info is None else info.seconds,
    )


def shown_sound(connection: Connection, sound: SoundRow, *, url: str | None, show: str | None) -> Shown:
    """Return what is shown of a sound."""
    channel = None
    if sound.channel_id is not None:
        columns = (Channel.id, Channel.login, Channel.display_name)
        channel = connection.execute(select(*columns).where(Channel.id == sound.channel_id)).one_or_none()
    return Shown(
        person_id=sound.person_id,
        title=sound.title,
        url=url or sound.webpage_url,
        show=show,
        channel=channel.display_name if channel is not None else sound.artist,
        channel_login=None if channel is None else channel.login,
        channel_id=sound.channel_id,
        seconds=sound.seconds,
        chapters=msgspec.convert(sound.chapters, tuple[Chapter, ...]),
        muted=msgspec.convert(sound.muted or [], tuple[Muted, ...]),
    )


def _channel(connection: Connection, video_id: int | None) -> Any:
    if video_id is None:
        return None
    columns = (Channel.id, Channel.login, Channel.display_name)
    query = select(*columns).join(Video, Video.channel_id == Channel.id).where(Video.id == video_id)
    return connection.execute(query).one_or_none()


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """What we know ourselves of a recording, where it is a video of a channel that was seen."""

    video_id: int | None = None
    channel_id: int | None = None
    published_at: datetime | None = None
    chapters: tuple[Chapter, ...] = ()
    muted: tuple[Muted, ...] | None = None


def recording_of(connection: Connection, claimed: Claimed, info: MediaInfo, seconds: float | None) -> Recording:
    """Return what we know of what was fetched: its video, its channel, and chapters by its stream's categories."""
    is_it = Video.id == claimed.video_id
    if claimed.video_id is None:
        is_it = and_(Channel.service == info.service, Video.external_id == info.external_id)
    video = connection.execute(
        select(Video.id, Video.channel_id, Video.stream_id, Video.published_at, Video.muted)
        .join(Channel, Channel.id == Video.channel_id)
        .where(is_it)
        .limit(1)
    ).one_or_none()
    if video is None:
        channel_id = None
        if info.channel_id is not None:
            of_service = (Channel.service == info.service, Channel.external_id == info.channel_id)
            channel_id = connection.scalar(select(Channel.id).where(*of_service))
        return Recording(channel_id=channel_id)
    session = connection.execute(
        select(StreamSession.id, StreamSession.started_at, StreamSession.ended_at).where(
            StreamSession.channel_id == video.channel_id, StreamSession.stream_id == video.stream_id
        )
    ).one_or_none()
    chapters: tuple[Chapter, ...] = ()
    if session is not None:
        rows = connection.execute(
            select(StreamSegment.started_at, StreamSegment.title, StreamSegment.game_id, Game.name.label("game"))
            .outerjoin(Game, Game.id == StreamSegment.game_id)
            .where(StreamSegment.session_id == session.id)
            .order_by(StreamSegment.started_at)
        ).mappings()
        # Twitch publishes an archive at the moment when its stream begins.
        chapters = chapters_of_stream([Part(**row) for row in rows], video.published_at, seconds, session.ended_at)
    return Recording(
        video_id=video.id,
        channel_id=video.channel_id,
        published_at=video.published_at,
        chapters=chapters,
        muted=None if video.muted is None else msgspec.convert(video.muted, tuple[Muted, ...]),
    )
