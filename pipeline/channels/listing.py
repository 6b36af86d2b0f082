"""List the channels that are watched: why, what is on now, what was on last."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, RowMapping, bindparam, func, not_, select, true

from models import Channel, Game, Source, StreamSession, StreamSnapshot
from pipeline.channels.eventsub.source_row import NAME as EVENTSUB
from pipeline.channels.eventsub.source_row import Memory, load_memory
from pipeline.channels.following.watched import Watched, watched

# The program of EventSub notes each minute that all is well; silent for longer, it is gone.
EVENTSUB_SPEAKS_EVERY = timedelta(minutes=5)


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """What is on at a channel; viewers as the last poll counted them."""

    since: datetime
    title: str | None
    category: str | None
    viewers: int | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A watched channel. `why` holds `by hand` and `drops`; `covered` is `real time` or `polling`.

    `rerun` is what is on instead of a live stream, as Twitch calls it: `rerun`, `playlist`, `watch_party`, `premiere`.
    """

    login: str
    display_name: str | None
    external_id: str
    former_logins: tuple[str, ...]
    why: tuple[str, ...]
    since: datetime
    covered: str
    live: Live | None
    rerun: str | None
    last_stream_at: datetime | None


def list_watched(connection: Connection, now: datetime) -> list[Line]:
    """Return the watched channels: those followed by hand first, and of each kind the live ones first."""
    channels = watched(connection, now)
    ids = [channel.channel_id for channel in channels]
    last = {row["channel_id"]: row for row in connection.execute(_LAST, {"ids": ids}).mappings()}
    memory = _eventsub(connection, now)
    lines = [_line(channel, last[channel.channel_id], memory) for channel in channels]
    return sorted(lines, key=lambda line: ("by hand" not in line.why, line.live is None, line.login))


def _line(channel: Watched, row: RowMapping, memory: Memory | None) -> Line:
    is_live = row["started_at"] is not None and row["ended_at"] is None
    live = Live(since=row["started_at"], title=row["title"], category=row["category"], viewers=row["viewers"])
    in_time = memory is not None and memory.reconciled_at is not None and channel.since <= memory.reconciled_at
    return Line(
        login=channel.login,
        display_name=row["display_name"],
        external_id=channel.external_id,
        former_logins=tuple(row["former_logins"]),
        why=(*(["by hand"] if channel.by_hand else []), *(["drops"] if channel.in_campaign else [])),
        since=channel.since,
        covered="real time" if memory and in_time and channel.external_id not in memory.left_out else "polling",
        live=live if is_live else None,
        rerun=row["rerun"],
        last_stream_at=row["started_at"],
    )


def _eventsub(connection: Connection, now: datetime) -> Memory | None:
    """Return what EventSub has subscribed to; None where it does not work now."""
    works = select(Source.id).where(
        Source.name == EVENTSUB,
        Source.enabled,
        Source.failing_since.is_(None),
        Source.last_success_at > now - EVENTSUB_SPEAKS_EVERY,
    )
    return load_memory(connection) if connection.scalar(works) is not None else None


_NEWEST = (
    select(
        StreamSession.id, StreamSession.started_at, StreamSession.ended_at, StreamSession.title, StreamSession.game_id
    )
    .where(StreamSession.channel_id == Channel.id, StreamSession.is_live_stream())
    .order_by(StreamSession.started_at.desc())
    .limit(1)
    .correlate(Channel)
    .lateral("newest")
)
_RERUN = (
    select(func.coalesce(StreamSession.type, StreamSession.listed_type))
    .where(
        StreamSession.channel_id == Channel.id, StreamSession.ended_at.is_(None), not_(StreamSession.is_live_stream())
    )
    .limit(1)
    .correlate(Channel)
    .scalar_subquery()
)
_COUNTED = (
    select(StreamSnapshot.viewers)
    .where(StreamSnapshot.session_id == _NEWEST.c.id, StreamSnapshot.viewers.is_not(None))
    .order_by(StreamSnapshot.taken_at.desc())
    .limit(1)
    .lateral("counted")
)
_LAST = (
    select(
        Channel.id.label("channel_id"),
        Channel.display_name,
        Channel.former_logins,
        _NEWEST.c.started_at,
        _NEWEST.c.ended_at,
        _NEWEST.c.title,
        Game.name.label("category"),
        _COUNTED.c.viewers,
        _RERUN.label("rerun"),
    )
    .select_from(Channel)
    .outerjoin(_NEWEST, true())
    .outerjoin(_COUNTED, true())
    .outerjoin(Game, Game.id == _NEWEST.c.game_id)
    .where(Channel.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
)
