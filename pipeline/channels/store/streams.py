"""Load and store stream sessions, their parts and what polls saw: one statement for each kind of write."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    DateTime,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.dml import ReturningInsert

from models import Channel, Game, StreamSegment, StreamSession, StreamSnapshot
from pipeline.channels.streams.details import SERVICE, ChannelRow, GameRow
from pipeline.channels.streams.sessions import Segment, Session, Snapshot
from pipeline.database.bulk import execute_rows, insert_rows, rows_as_table

SESSIONS: Table = StreamSession.__table__  # type: ignore[assignment]
SEGMENTS: Table = StreamSegment.__table__  # type: ignore[assignment]
SNAPSHOTS: Table = StreamSnapshot.__table__  # type: ignore[assignment]
# How many of a channel's last sessions are looked at: a show that breaks off goes on with the one before.
LAST_SESSIONS = 3
STORIES_AT_ONCE = 200
# An archive is complete some minutes after its stream.
VIDEOS_AFTER = timedelta(minutes=3)
_INFO = ("title", "game_id", "language", "tags", "thumbnail_url")
_STATE = ("last_seen_at", "ended_at", "told_at", "absent_count", "listed_at", "type", "listed_type", *_INFO)
_NEW = ("channel_id", "stream_id", "story_id", "started_at", "first_seen_at", "silent", *_STATE)
SessionKey = tuple[str, str]


def load_sessions(
    connection: Connection, *, concerned: Iterable[str], heard: Iterable[str], stream_ids: Iterable[str]
) -> list[Session]:
    """Return the open sessions of the `concerned` channels (external ids), and also the last ones of those in `heard`.

    Sessions of the streams named are among them, however old they are.
    """
    wanted = {"concerned": list(concerned), "heard": list(heard), "stream_ids": list(stream_ids)}
    return [_session(row) for row in connection.execute(_KNOWN, wanted).mappings()]


def store_sessions(
    connection: Connection, sessions: Sequence[Session], channel_ids: Mapping[str, int]
) -> dict[SessionKey, int]:
    """Insert and update sessions; returns the row ids of all of them, by channel and stream."""
    ids: dict[SessionKey, int] = {(s.channel, s.stream_id): s.id for s in sessions if s.id is not None}
    if changed := [_state(s) | {"id": s.id} for s in sessions if s.id is not None]:
        execute_rows(connection, _updated(), changed)
    new = [s for s in sessions if s.id is None]
    # A story's first session comes first: the others refer to its row.
    for some in ([s for s in new if s.story == s.stream_id], [s for s in new if s.story != s.stream_id]):
        if some:
            rows = [_row(s, channel_ids, ids) for s in some]
            by_channel = {channel_ids[s.channel]: s.channel for s in some}
            added = execute_rows(connection, _inserted(), rows)
            ids |= {(by_channel[channel_id], stream_id): row_id for row_id, channel_id, stream_id in added}
    return ids


def store_segments(connection: Connection, segments: Sequence[Segment], ids: Mapping[SessionKey, int]) -> None:
    """Store parts of streams; one that began at the same moment is replaced."""
    rows = [
        {
            "session_id": ids[s.channel, s.stream_id],
            "started_at": s.started_at,
            "title": s.title,
            "game_id": s.game_id,
        }
        for s in segments
    ]
    if rows:
        execute_rows(connection, _segments_stored(), rows)


def store_snapshots(connection: Connection, snapshots: Sequence[Snapshot], ids: Mapping[SessionKey, int]) -> None:
    """Store what a round of polling saw."""
    rows = [
        {
            "session_id": ids[s.channel, s.stream_id],
            "taken_at": s.taken_at,
            "viewers": s.info.viewers,
            "title": s.info.title,
            "game_id": s.info.game_id,
            "language": s.info.language,
            "tags": s.info.tags,
        }
        for s in snapshots
    ]
    if rows:
        execute_rows(connection, _snapshots_stored(), rows)


def load_over(connection: Connection, before: datetime) -> list[list[Session]]:
    """Return all sessions of stories that ended before a time and whose end is not told; by story."""
    stories: dict[int, list[Session]] = {}
    for row in connection.execute(_OVER, {"before": before}).mappings():
        stories.setdefault(row["story_id"] or row["id"], []).append(_session(row))
    return list(stories.values())


def load_on_air(connection: Connection, stories: Sequence[str]) -> dict[str, Session]:
    """Return the last sessions of stories whose end is not told, by the story's first stream."""
    return {row["story"]: _session(row) for row in connection.execute(_ON_AIR, {"stories": list(stories)}).mappings()}


def settle_stories(connection: Connection, firsts: Sequence[Session], now: datetime) -> None:
    """Mark the ends of stories, by their first sessions, as told, and note that there may be new videos soon."""
    connection.execute(_SETTLED, {"ids": [first.id for first in firsts], "now": now})
    look_for_videos(connection, [first.channel for first in firsts], now)


def look_for_videos(connection: Connection, channels: Sequence[str], now: datetime) -> None:
    """Note that there may be new videos of channels, by external id, soon."""
    connection.execute(_VIDEOS_SOON, {"channels": list(channels), "now": now, "due": now + VIDEOS_AFTER})


def known_streams(connection: Connection, channel_ids: Sequence[int], stream_ids: Sequence[str]) -> set[str]:
    """Return which of these streams of channels have a session."""
    return set(connection.scalars(_KNOWN_STREAMS, {"ids": list(channel_ids), "stream_ids": list(stream_ids)}))


def load_unsettled(connection: Connection, categories: Sequence[int]) -> dict[str, int]:
    """Return the channels with a session that is open, or whose end is not told, as row ids by external id.

    Sessions that were recorded for one of these categories, by row id of the game, do not count.
    """
    return dict(connection.execute(_UNSETTLED, {"games": list(categories)}).all())


def close_channels(connection: Connection, channel_ids: Sequence[int], now: datetime) -> int:
    """End the open sessions of channels when they were last known live, and have no end told; returns how many."""
    if not channel_ids:
        return 0
    return connection.execute(_CLOSED, {"ids": list(channel_ids), "now": now}).rowcount


def _row(session: Session, channel_ids: Mapping[str, int], ids: Mapping[SessionKey, int]) -> dict[str, Any]:
    goes_on = session.story != session.stream_id
    return _state(session) | {
        "channel_id": channel_ids[session.channel],
        "stream_id": session.stream_id,
        "story_id": (session.story_id or ids[session.channel, session.story]) if goes_on else None,
        "started_at": session.started_at,
        "first_seen_at": session.first_seen_at,
        "silent": session.silent,
    }


def _state(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in _STATE}


@functools.cache
def _inserted() -> ReturningInsert[int, int, str]:
    return insert_rows(SESSIONS, _NEW).returning(SESSIONS.c.id, SESSIONS.c.channel_id, SESSIONS.c.stream_id)


@functools.cache
def _updated() -> Update:
    rows = rows_as_table(SESSIONS, ("id", *_STATE)).subquery("rows")
    return update(SESSIONS).where(SESSIONS.c.id == rows.c.id).values({name: rows.c[name] for name in _STATE})


@functools.cache
def _segments_stored() -> Insert:
    statement = insert_rows(SEGMENTS, ("session_id", "started_at", "title", "game_id"))
    return statement.on_conflict_do_update(
        index_elements=[SEGMENTS.c.session_id, SEGMENTS.c.started_at],
        set_={"title": statement.excluded.title, "game_id": statement.excluded.game_id},
    )


@functools.cache
def _snapshots_stored() -> Insert:
    names = ("session_id", "taken_at", "viewers", "title", "game_id", "language", "tags")
    return insert_rows(SNAPSHOTS, names).on_conflict_do_nothing()


def _sessions() -> Select[Any]:
    story = SESSIONS.alias("story")
    segment_at = select(func.max(SEGMENTS.c.started_at)).where(SEGMENTS.c.session_id == SESSIONS.c.id).scalar_subquery()
    return (
        select(
            SESSIONS,
            Channel.external_id.label("channel"),
            func.coalesce(story.c.stream_id, SESSIONS.c.stream_id).label("story"),
            func.coalesce(segment_at, SESSIONS.c.started_at).label("segment_at"),
        )
        .join(Channel, Channel.id == SESSIONS.c.channel_id)
        .outerjoin(story, story.c.id == SESSIONS.c.story_id)
    )


def _known() -> Select[Any]:
    names = ("concerned", "heard", "stream_ids")
    concerned, heard, stream_ids = (bindparam(name, type_=ARRAY(Text)) for name in names)
    channels = select(Channel.id).where(Channel.service == SERVICE)
    heard_of = channels.where(Channel.external_id == func.any(heard)).cte("heard_of")
    last = (
        select(SESSIONS.c.id)
        .where(SESSIONS.c.channel_id == heard_of.c.id)
        .order_by(SESSIONS.c.started_at.desc())
        .limit(LAST_SESSIONS)
        .lateral("last")
    )
    ids = union(
        select(SESSIONS.c.id).where(
            SESSIONS.c.ended_at.is_(None),
            SESSIONS.c.channel_id.in_(channels.where(Channel.external_id == func.any(concerned))),
        ),
        select(last.c.id).select_from(heard_of).join(last, true()),
        select(SESSIONS.c.id).where(
            SESSIONS.c.channel_id.in_(select(heard_of.c.id)), SESSIONS.c.stream_id == func.any(stream_ids)
        ),
    ).subquery("ids")
    return _sessions().join(ids, ids.c.id == SESSIONS.c.id)


def _over() -> Select[Any]:
    """Return the query of stories that ended before a moment, whose end is not told and no session is open."""
    before = bindparam("before", type_=DateTime(timezone=True))
    ended = SESSIONS.alias("ended")
    of = func.coalesce(ended.c.story_id, ended.c.id)
    other = SESSIONS.alias("other")
    goes_on = select(other.c.id).where(
        or_(other.c.id == of, other.c.story_id == of), or_(other.c.ended_at.is_(None), other.c.ended_at > before)
    )
    roots = (
        select(of.label("id"))
        .distinct()
        .where(ended.c.ended_at <= before, ended.c.told_at.is_(None), ~goes_on.exists())
        .order_by(of)
        .limit(STORIES_AT_ONCE)
        .subquery("roots")
    )
    return _sessions().join(roots, roots.c.id == _STORY_ID).order_by(_STORY_ID, SESSIONS.c.started_at, SESSIONS.c.id)


_STORY_ID = func.coalesce(SESSIONS.c.story_id, SESSIONS.c.id)
_ROOTS = SESSIONS.alias("root")
_ON_AIR = (
    _sessions()
    .where(
        SESSIONS.c.told_at.is_(None),
        _STORY_ID.in_(
            select(_ROOTS.c.id).where(_ROOTS.c.stream_id == func.any(bindparam("stories", type_=ARRAY(Text))))
        ),
    )
    .order_by(SESSIONS.c.started_at, SESSIONS.c.id)
)
_KNOWN = _known()
_OVER = _over()
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_AT = bindparam("now", type_=DateTime(timezone=True))
_KNOWN_STREAMS = select(SESSIONS.c.stream_id).where(
    SESSIONS.c.channel_id == func.any(_IDS),
    SESSIONS.c.stream_id == func.any(bindparam("stream_ids", type_=ARRAY(Text))),
)
_SETTLED = (
    update(SESSIONS)
    .where(or_(SESSIONS.c.id == func.any(_IDS), SESSIONS.c.story_id == func.any(_IDS)), SESSIONS.c.told_at.is_(None))
    .values(told_at=_AT)
)
_DUE = bindparam("due", type_=DateTime(timezone=True))
_VIDEOS_SOON = (
    update(Channel)
    .where(Channel.service == SERVICE, Channel.external_id == func.any(bindparam("channels", type_=ARRAY(Text))))
    # A channel that is due already may be asked about right now, too early for the archive to be complete.
    .values(videos_due_at=case((Channel.videos_due_at.between(_AT, _DUE), Channel.videos_due_at), else_=_DUE))
)
_IS_UNSETTLED = or_(SESSIONS.c.ended_at.is_(None), and_(SESSIONS.c.ended_at.is_not(None), SESSIONS.c.told_at.is_(None)))
_OF_CATEGORY = select(SEGMENTS.c.session_id).where(
    SEGMENTS.c.session_id == SESSIONS.c.id,
    SEGMENTS.c.game_id == func.any(bindparam("games", type_=ARRAY(BigInteger))),
)
_UNSETTLED = (
    select(Channel.external_id, Channel.id)
    .join(SESSIONS, SESSIONS.c.channel_id == Channel.id)
    .where(Channel.service == SERVICE, _IS_UNSETTLED, ~_OF_CATEGORY.exists())
    .distinct()
)
_CLOSED = (
    update(SESSIONS)
    .where(SESSIONS.c.channel_id == func.any(_IDS), _IS_UNSETTLED)
    .values(
        ended_at=func.coalesce(
            SESSIONS.c.ended_at, func.greatest(SESSIONS.c.started_at, func.least(SESSIONS.c.last_seen_at, _AT))
        ),
        told_at=_AT,
    )
)
_NAMES = tuple(name for name in Session.__struct_fields__ if name != "tags")


def _session(row: Mapping[Any, Any]) -> Session:
    tags = row["tags"]
    return Session(**{name: row[name] for name in _NAMES}, tags=None if tags is None else tuple(tags))


def load_channels(connection: Connection, external_ids: Iterable[str]) -> dict[str, ChannelRow]:
    """Return channels by external id."""
    rows = connection.execute(_CHANNELS, {"external_ids": list(external_ids)})
    return {row.external_id: ChannelRow(*row) for row in rows}


def load_games(connection: Connection, ids: Iterable[int]) -> dict[int, GameRow]:
    """Return games by row id."""
    wanted = list(ids)
    return {row.id: GameRow(*row) for row in connection.execute(_GAMES, {"ids": wanted})} if wanted else {}


_CHANNELS = select(Channel.id, Channel.external_id, Channel.login, Channel.display_name).where(
    Channel.service == SERVICE, Channel.external_id == func.any(bindparam("external_ids", type_=ARRAY(Text)))
)
_GAMES = select(Game.id, Game.name, Game.box_art_url).where(
    Game.id == func.any(bindparam("ids", type_=ARRAY(BigInteger)))
)
