"""Followed Twitch channels: the follows, their streams with titles and categories, and their videos."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId
from models.details import LIVE


class Follow(Base):
    """A person's wish to watch streams: of one channel, of a category's most watched, or of all that campaigns name.

    `kind` is `channel`, `category` (with `game_id`, and `top` streams by viewers) or `drops`; or it is `game`, a
    wish for news of a game's release dates. `origin` names the file of rules that it came from, and `written` is how
    such a file writes the name of what is followed.
    """

    __tablename__ = "follows"
    __table_args__ = (
        UniqueConstraint("person_id", "kind", "channel_id", "game_id", postgresql_nulls_not_distinct=True),
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    kind: Mapped[str]
    channel_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("channels.id"))
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    top: Mapped[int | None]
    origin: Mapped[str | None]
    written: Mapped[str | None]
    created_at: Mapped[datetime]


class StreamSession(Base):
    """One stream by the service's id, from its start to its end; never deleted.

    Twitch says in two places what it is, null where it did not: `type` is that of EventSub's message (`live`,
    `playlist`, `watch_party`, `premiere` or `rerun`), `listed_type` that of the list of live streams. The list calls
    reruns and watch parties `live` too (https://github.com/twitchdev/issues/issues/38 and 239), so the message counts
    before it. A stream of which neither says anything is live.

    A stream that follows another of its channel within minutes goes on with the same show: `story_id` is the first
    session of the story, null for that one itself. `last_seen_at` is when it was last known to be live, `told_at` is
    when an event said that the story is over, which happens once it can no longer go on.
    """

    __tablename__ = "stream_sessions"
    __table_args__ = (
        UniqueConstraint("channel_id", "stream_id"),
        Index("ix_stream_sessions_open", "channel_id", postgresql_where=text("ended_at IS NULL")),
        Index(
            "ix_stream_sessions_untold",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL AND told_at IS NULL"),
        ),
        Index(None, "channel_id", "started_at"),
        Index(None, "story_id"),
    )

    id: Mapped[BigId]
    channel_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("channels.id"))
    stream_id: Mapped[str]
    story_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("stream_sessions.id"))
    started_at: Mapped[datetime]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    # Polls in a row that did not list it, and whether any ever did: the list lags behind EventSub by minutes.
    absent_count: Mapped[int] = mapped_column(server_default=text("0"))
    listed_at: Mapped[datetime | None]
    title: Mapped[str | None]
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    language: Mapped[str | None]
    tags: Mapped[list[str] | None]
    thumbnail_url: Mapped[str | None]
    type: Mapped[str | None]
    listed_type: Mapped[str | None]
    # It was live before the channel was followed: recorded, and notified to no target.
    silent: Mapped[bool] = mapped_column(server_default=text("false"))

    @classmethod
    def is_live_stream(cls) -> ColumnElement[bool]:
        """Return the condition that a session is a live stream, no rerun or the like."""
        return func.coalesce(cls.type, cls.listed_type, LIVE) == LIVE


class StreamSegment(Base):
    """A part of a stream with one title and one category; it lasts until the next one starts or the stream ends."""

    __tablename__ = "stream_segments"

    session_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("stream_sessions.id"), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(primary_key=True)
    title: Mapped[str | None]
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))


class StreamSnapshot(Base):
    """What one poll saw of a live stream."""

    __tablename__ = "stream_snapshots"

    session_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("stream_sessions.id"), primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(primary_key=True)
    viewers: Mapped[int | None]
    title: Mapped[str | None]
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    language: Mapped[str | None]
    tags: Mapped[list[str] | None]


class Video(Base):
    """A video that a channel published; `stream_id` is the stream that an archive was recorded from.

    `muted` are the parts that Twitch silenced, `[{"start": seconds, "seconds"}]`, null where nobody has asked.
    """

    __tablename__ = "videos"
    __table_args__ = (UniqueConstraint("channel_id", "external_id"), Index(None, "channel_id", "published_at"))

    id: Mapped[BigId]
    channel_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("channels.id"))
    external_id: Mapped[str]
    stream_id: Mapped[str | None]
    # archive, highlight, upload
    type: Mapped[str]
    title: Mapped[str]
    url: Mapped[str]
    thumbnail_url: Mapped[str | None]
    published_at: Mapped[datetime]
    seconds: Mapped[int]
    muted: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    first_seen_at: Mapped[datetime]


class EventSubMessage(Base):
    """A verified message of Twitch's EventSub: the row is the work, and its id makes a second one a no-op.

    `via` is `websocket` or `webhook`; `sent_at` is Twitch's own time of the message.
    """

    __tablename__ = "eventsub_messages"
    __table_args__ = (
        Index("ix_eventsub_messages_waiting", "received_at", postgresql_where=text("handled_at IS NULL")),
        Index(None, "received_at"),
    )

    message_id: Mapped[str] = mapped_column(primary_key=True)
    subscription_type: Mapped[str]
    subscription_version: Mapped[str]
    event: Mapped[dict[str, Any]]
    via: Mapped[str]
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
