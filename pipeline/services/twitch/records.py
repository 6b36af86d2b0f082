"""Twitch's answers about channels, parsed: frozen records, None where Twitch leaves a field out. Times: aware UTC."""

from datetime import datetime

import msgspec

from pipeline.catalogue.records import ChannelRecord, GameRecord


class CategoryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A Twitch category; `igdb_id` is None where Twitch knows none."""

    external_id: str
    name: str
    box_art_url: str | None = None
    igdb_id: str | None = None


class StreamRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A live stream as `GET /streams` lists it."""

    stream_id: str
    channel: ChannelRecord
    started_at: datetime
    game: GameRecord | None = None
    title: str | None = None
    viewers: int | None = None
    language: str | None = None
    tags: tuple[str, ...] | None = None
    # An address with {width} and {height} in it.
    thumbnail_url: str | None = None
    # `live`; None where Twitch says nothing, which is how it tells of an error of its own.
    type: str | None = None


class ChannelInfoRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's title, category and tags, live or not, as `GET /channels` and `channel.update` give them."""

    channel: ChannelRecord
    game: GameRecord | None = None
    title: str | None = None
    language: str | None = None
    tags: tuple[str, ...] | None = None


class MutedRecord(msgspec.Struct, frozen=True):
    """A part of a video that Twitch silenced: from `start`, for so many seconds."""

    start: int
    seconds: int


class VideoRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A video of a channel; `stream_id` is the stream that an archive was recorded from."""

    external_id: str
    channel_id: str
    title: str
    url: str
    published_at: datetime
    seconds: int
    # archive, highlight or upload
    type: str
    stream_id: str | None = None
    thumbnail_url: str | None = None
    # The parts that Twitch silenced; none of most videos, None where an answer did not say.
    muted: tuple[MutedRecord, ...] | None = None


class ClipRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A clip that somebody cut out of a channel's stream; `game_id` is the Twitch category that was on."""

    external_id: str
    channel_id: str
    title: str
    url: str
    created_at: datetime
    seconds: float
    game_id: str | None = None


class BadgeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A global chat badge: one version of a set."""

    set_id: str
    version: str
    title: str
    description: str | None = None
    image_url: str | None = None
    click_url: str | None = None

    @property
    def external_id(self) -> str:
        """The id that no other badge has."""
        return f"{self.set_id}/{self.version}"

    @property
    def start_at(self) -> datetime | None:
        """None: Twitch does not say since when a badge is given."""
        return None

    @property
    def end_at(self) -> datetime | None:
        """None: Twitch does not say until when either."""
        return None
