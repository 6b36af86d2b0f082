"""Look for new videos of channels: soon after a stream is over, and daily of channels that are followed by hand."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import Connection, DateTime, Engine, RowMapping, bindparam, or_, select, update

from models import Channel, Follow, Source
from models.due import due
from pipeline.channels.clock import append_in_order
from pipeline.channels.store.streams import load_channels
from pipeline.channels.store.videos import known_videos, note_looked, store_videos, streams_on_air
from pipeline.channels.streams.details import SERVICE, video_event
from pipeline.channels.take_in import record_missed
from pipeline.fetch.http import Client
from pipeline.ingest.service_time import present
from pipeline.ingest.source import Answer, Ingested, Validators
from pipeline.services.twitch.helix import Helix
from pipeline.services.twitch.records import VideoRecord

# Each channel costs a request: of two thousand, each has had its turn after forty minutes.
CHANNELS_AT_ONCE = 50
VIDEOS_OF_ONE = 20
LOOK_EVERY = timedelta(seconds=60)
AGAIN_AFTER = timedelta(days=1)


class Looked(msgspec.Struct, frozen=True):
    """The videos that a round brought, by the channels' Twitch ids."""

    videos: Mapping[str, tuple[VideoRecord, ...]]


_LOOKED = msgspec.json.Decoder(Looked)


class TwitchVideos:
    """The videos of channels that are due to be looked at. `helix` makes Helix of a client."""

    name = "twitch.videos"
    service: Literal["twitch"] = "twitch"
    asks = "twitch"

    def __init__(self, engine: Engine, helix: Callable[[Client], Helix], clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._helix = helix
        self._clock = clock

    def fetch(self, client: Client, validators: Validators) -> Answer:  # noqa: ARG002 - each round asks anew
        """Ask for the newest videos of the channels that are due; raises `SourceError`."""
        asked_at = self._clock()
        with self._engine.connect() as connection:
            due = connection.scalars(_DUE, {"now": asked_at}).all()
        if not due:
            return Answer(payload=None, taken_at=asked_at, refresh_after=LOOK_EVERY)
        helix = self._helix(client)
        looked = Looked({key: tuple(helix.videos(key, limit=VIDEOS_OF_ONE)) for key in due})
        return Answer(payload=msgspec.json.encode(looked), taken_at=asked_at, refresh_after=LOOK_EVERY)

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:
        """Store new videos and append their events; a first look at a channel makes none, its videos were there before.

        The archive of a stream that goes on is not complete, and waits. One of a stream that was never seen, because it
        began and ended while nobody asked, makes the session of that; the clock then tells its end.
        """
        connection.execute(update(Source).where(Source.id == row["id"]).values(last_snapshot_at=now))
        if answer.payload is None:
            return Ingested(outcome="unchanged")
        looked = _LOOKED.decode(answer.payload).videos
        channels = load_channels(connection, looked)
        unfinished = streams_on_air(connection, [channel.id for channel in channels.values()])
        finished = [v for videos in looked.values() for v in videos if v.stream_id not in unfinished]
        known = known_videos(connection, [channel.id for channel in channels.values()])
        ids = {key: channel.id for key, channel in channels.items()}
        store_videos(connection, finished, ids, now)
        looked_before = note_looked(connection, list(ids.values()), now, again_at=now + AGAIN_AFTER)

        def is_news(video: VideoRecord) -> bool:
            channel_id = ids[video.channel_id]
            return (channel_id, video.external_id) not in known and channel_id in looked_before

        news = [(video_event(video, channels[video.channel_id]), False) for video in finished if is_news(video)]
        at = present(connection, SERVICE, now)
        record_missed(connection, [video for video in finished if is_news(video)], ids, at)
        events = append_in_order(connection, news, source_id=row["id"], now=at)
        return Ingested(
            outcome="ok" if events else "unchanged", items=len(finished), changed=events.total(), events=events
        )


_BY_HAND = select(Follow.id).where(Follow.kind == "channel", Follow.channel_id == Channel.id)
_NOW = bindparam("now", type_=DateTime(timezone=True))
_DUE = (
    select(Channel.external_id)
    .where(
        Channel.service == SERVICE,
        or_(due(Channel.videos_due_at, _NOW, AGAIN_AFTER), Channel.videos_due_at.is_(None) & _BY_HAND.exists()),
    )
    .order_by(Channel.videos_due_at.nulls_last(), Channel.id)
    .limit(CHANNELS_AT_ONCE)
)
