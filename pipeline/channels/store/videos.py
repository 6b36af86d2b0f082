"""Store the videos of channels, and when they are looked for."""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    DateTime,
    Table,
    bindparam,
    case,
    func,
    null,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import Insert

from models import Channel, Follow, StreamSession, Video
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.services.twitch.records import VideoRecord

VIDEOS: Table = Video.__table__  # type: ignore[assignment]
_CHANGEABLE = ("title", "url", "thumbnail_url", "seconds", "muted")
_ALL = ("channel_id", "external_id", "stream_id", "type", "published_at", "first_seen_at", *_CHANGEABLE)
_IDS = func.any(bindparam("ids", type_=ARRAY(BigInteger)))
_TIME = DateTime(timezone=True)


def known_videos(connection: Connection, channel_ids: Sequence[int]) -> set[tuple[int, str]]:
    """Return the videos of channels that are stored, by channel and external id."""
    return {(row.channel_id, row.external_id) for row in connection.execute(_KNOWN, {"ids": list(channel_ids)})}


def streams_on_air(connection: Connection, channel_ids: Sequence[int]) -> set[str]:
    """Return the ids of the streams that go on now."""
    return set(connection.scalars(_ON_AIR, {"ids": list(channel_ids)}))


def store_videos(
    connection: Connection, videos: Sequence[VideoRecord], channel_ids: Mapping[str, int], now: datetime
) -> None:
    """Insert videos, or update their titles, addresses, pictures, durations and muted parts."""
    rows = [
        {name: getattr(video, name, None) for name in _ALL}
        | {"channel_id": channel_ids[video.channel_id], "first_seen_at": now}
        for video in videos
    ]
    if rows:
        execute_rows(connection, _stored(), rows)


def note_looked(connection: Connection, channel_ids: Sequence[int], now: datetime, *, again_at: datetime) -> set[int]:
    """Note a look at channels, and when those followed by hand are next; returns those that had a look before."""
    looked_before = set(connection.scalars(_LOOKED_BEFORE, {"ids": list(channel_ids)}))
    connection.execute(_LOOKED, {"ids": list(channel_ids), "now": now, "again": again_at})
    return looked_before


@functools.cache
def _stored() -> Insert:
    statement = insert_rows(VIDEOS, _ALL)
    values = {name: statement.excluded[name] for name in _CHANGEABLE}
    return statement.on_conflict_do_update(
        index_elements=[VIDEOS.c.channel_id, VIDEOS.c.external_id],
        set_=values,
        where=tuple_(*values.values()).is_distinct_from(tuple_(*[VIDEOS.c[name] for name in _CHANGEABLE])),
    )


_KNOWN = select(VIDEOS.c.channel_id, VIDEOS.c.external_id).where(VIDEOS.c.channel_id == _IDS)
_ON_AIR = select(StreamSession.stream_id).where(StreamSession.channel_id == _IDS, StreamSession.ended_at.is_(None))
_LOOKED_BEFORE = select(Channel.id).where(Channel.id == _IDS, Channel.videos_checked_at.is_not(None))
_BY_HAND = select(Follow.id).where(Follow.kind == "channel", Follow.channel_id == Channel.id).exists()
_LOOKED = (
    update(Channel)
    .where(Channel.id == _IDS)
    .values(
        videos_checked_at=bindparam("now", type_=_TIME),
        # A stream that ended during the request makes its channel due again soon.
        videos_due_at=case(
            (
                Channel.videos_due_at.between(bindparam("now", type_=_TIME), bindparam("again", type_=_TIME)),
                Channel.videos_due_at,
            ),
            (_BY_HAND, bindparam("again", type_=_TIME)),
            else_=null(),
        ),
    )
)
