"""Streams as they were recorded: which are live, the sessions of a channel, and what polls saw of them."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    RowMapping,
    Select,
    func,
    literal,
    select,
    true,
    tuple_,
)

from models import Channel, Follow, Game, StreamSession, StreamSnapshot
from models.details import LIVE
from models.statistics import Totals, load_session_totals
from pipeline.fetch.shapes import Time

# A session by its start and its number: in this order they are listed, the newest first.
SessionKey = tuple[datetime, int]
# A poll by its session's start and number, and its time.
SnapshotKey = tuple[datetime, int, datetime]


class LiveStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that is on now; viewers as of the last poll, `last_sign_at` when it was last known to be on."""

    session_id: int
    login: str
    display_name: str | None
    external_id: str
    since: Time
    title: str | None
    category: str | None
    language: str | None
    tags: tuple[str, ...]
    viewers: int | None
    last_sign_at: Time


class RecordedSession(msgspec.Struct, frozen=True, kw_only=True):
    """One stream by Twitch's id. `story_id` is the session that the show began with, its own number for that one.

    `type` is `live`, or `rerun` and the like, which statistics leave out: their viewers are None. `seconds` is the time
    on air, of a live one until it was last known to be live. The average is weighted by time.
    """

    id: int
    stream_id: str
    story_id: int
    type: str
    started_at: Time
    ended_at: Time | None
    last_sign_at: Time
    seconds: int
    title: str | None
    category: str | None
    language: str | None
    tags: tuple[str, ...]
    average_viewers: int | None
    peak_viewers: int | None


class RecordedSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What one poll saw of a stream; `stream_since` is when the stream began."""

    taken_at: Time
    session_id: int
    stream_since: Time
    viewers: int | None
    title: str | None
    category: str | None
    language: str | None
    tags: tuple[str, ...]


def list_live(
    connection: Connection, limit: int, *, after: SessionKey | None = None, person_id: int | None = None
) -> list[LiveStream]:
    """Return the recorded streams that are on now, the newest first; with a person those of channels they follow."""
    query = _LIVE.limit(limit)
    if person_id is not None:
        of_person = (Follow.person_id == person_id, Follow.kind == "channel", Follow.channel_id == Channel.id)
        query = query.where(select(Follow.id).where(*of_person).exists())
    if after is not None:
        query = query.where(_is_behind(after))
    rows = connection.execute(query).mappings()
    return [LiveStream(**_of_row(row)) for row in rows]


def list_sessions(
    connection: Connection,
    channel_id: int,
    limit: int,
    *,
    since: datetime,
    until: datetime,
    after: SessionKey | None = None,
) -> list[RecordedSession]:
    """Return a channel's sessions of a period, the newest first; those that reach into it are whole."""
    end = func.coalesce(StreamSession.ended_at, StreamSession.last_seen_at)
    in_period = (StreamSession.started_at < until, (end > since) | (StreamSession.started_at >= since))
    query = _SESSIONS.where(StreamSession.channel_id == channel_id, *in_period).limit(limit)
    if after is not None:
        query = query.where(_is_behind(after))
    rows = connection.execute(query).mappings().all()
    totals = load_session_totals(connection, [row["id"] for row in rows])
    return [_session(row, totals.get(row["id"])) for row in rows]


def list_snapshots(
    connection: Connection,
    channel_id: int,
    limit: int,
    *,
    since: datetime,
    until: datetime,
    after: SnapshotKey | None = None,
) -> list[RecordedSnapshot]:
    """Return what polls saw of a channel in a period, the newest first."""
    in_period = (StreamSnapshot.taken_at >= since, StreamSnapshot.taken_at < until)
    # A session by session, in the order of two keys: however many polls there are, only those of the page are read.
    query = _SNAPSHOTS.where(
        StreamSession.channel_id == channel_id, StreamSession.started_at < until, StreamSession.last_seen_at >= since
    )
    query = query.where(*in_period).limit(limit)
    if after is not None:
        started_at, session_id, taken_at = after
        key = tuple_(StreamSession.started_at, StreamSession.id, StreamSnapshot.taken_at)
        behind = key < tuple_(_time(started_at), literal(session_id, BigInteger), _time(taken_at))
        query = query.where(StreamSession.started_at <= started_at, behind)
    return [RecordedSnapshot(**_of_row(row)) for row in connection.execute(query).mappings()]


def key_of_live(stream: LiveStream) -> SessionKey:
    """Return what a live stream is listed by."""
    return stream.since, stream.session_id


def key_of_session(session: RecordedSession) -> SessionKey:
    """Return what a session is listed by."""
    return session.started_at, session.id


def key_of_snapshot(snapshot: RecordedSnapshot) -> SnapshotKey:
    """Return what a snapshot is listed by."""
    return snapshot.stream_since, snapshot.session_id, snapshot.taken_at


def _session(row: RowMapping, totals: Totals | None) -> RecordedSession:
    end = row["ended_at"] or row["last_sign_at"]
    whole = round(max((end - row["started_at"]).total_seconds(), 0))
    return RecordedSession(
        **_of_row(row),
        seconds=whole if totals is None else totals.seconds,
        average_viewers=None if totals is None else totals.average_viewers,
        peak_viewers=None if totals is None else totals.peak_viewers,
    )


def _of_row(row: RowMapping) -> dict[str, Any]:
    return {**row, "tags": tuple(row["tags"] or ())}


def _is_behind(after: SessionKey) -> ColumnElement[bool]:
    started_at, session_id = after
    key = tuple_(StreamSession.started_at, StreamSession.id)
    return key < tuple_(_time(started_at), literal(session_id, BigInteger))


def _time(at: datetime) -> ColumnElement[datetime]:
    return literal(at, DateTime(timezone=True))


_NEWEST_FIRST = (StreamSession.started_at.desc(), StreamSession.id.desc())
_COUNTED = (
    select(StreamSnapshot.viewers)
    .where(StreamSnapshot.session_id == StreamSession.id, StreamSnapshot.viewers.is_not(None))
    .order_by(StreamSnapshot.taken_at.desc())
    .limit(1)
    .correlate(StreamSession)
    .lateral("counted")
)
_LIVE: Select[*tuple[Any, ...]] = (
    select(
        StreamSession.id.label("session_id"),
        *(Channel.login, Channel.display_name, Channel.external_id),
        StreamSession.started_at.label("since"),
        StreamSession.title,
        Game.name.label("category"),
        *(StreamSession.language, StreamSession.tags),
        _COUNTED.c.viewers,
        StreamSession.last_seen_at.label("last_sign_at"),
    )
    .join(Channel, Channel.id == StreamSession.channel_id)
    .outerjoin(_COUNTED, true())
    .outerjoin(Game, Game.id == StreamSession.game_id)
    .where(StreamSession.ended_at.is_(None), StreamSession.is_live_stream())
    .order_by(*_NEWEST_FIRST)
)
_SESSIONS: Select[*tuple[Any, ...]] = (
    select(
        *(StreamSession.id, StreamSession.stream_id),
        func.coalesce(StreamSession.story_id, StreamSession.id).label("story_id"),
        func.coalesce(StreamSession.type, StreamSession.listed_type, LIVE).label("type"),
        *(StreamSession.started_at, StreamSession.ended_at, StreamSession.last_seen_at.label("last_sign_at")),
        StreamSession.title,
        Game.name.label("category"),
        *(StreamSession.language, StreamSession.tags),
    )
    .outerjoin(Game, Game.id == StreamSession.game_id)
    .order_by(*_NEWEST_FIRST)
)
_SNAPSHOTS: Select[*tuple[Any, ...]] = (
    select(
        *(StreamSnapshot.taken_at, StreamSnapshot.session_id, StreamSession.started_at.label("stream_since")),
        *(StreamSnapshot.viewers, StreamSnapshot.title),
        Game.name.label("category"),
        *(StreamSnapshot.language, StreamSnapshot.tags),
    )
    .join(StreamSession, StreamSession.id == StreamSnapshot.session_id)
    .outerjoin(Game, Game.id == StreamSnapshot.game_id)
    .order_by(*_NEWEST_FIRST, StreamSnapshot.taken_at.desc())
)
