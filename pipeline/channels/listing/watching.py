"""List the channels that are watched: why, what is on now, what was on last."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, RowMapping, bindparam, func, not_, select, true

from models import Channel, Game, Source, StreamSession, StreamSnapshot
from pipeline.channels.eventsub.source_row import NAME as EVENTSUB
from pipeline.channels.eventsub.source_row import Memory, load_memory
from pipeline.channels.following.watched import Watched, watched, watched_among
from pipeline.fetch.shapes import Time

# The program of EventSub notes each minute that all is well; silent for longer, it is gone.
EVENTSUB_SPEAKS_EVERY = timedelta(minutes=5)
# Why a channel is polled and not told of in real time: EventSub does not work, it was followed since the last look at
# the subscriptions, or Twitch's limits or its refusal leave it out.
WhyPolled = Literal["off", "not_yet", "left_out"]


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """What is on at a channel; viewers as the last poll counted them."""

    since: Time
    title: str | None
    category: str | None
    viewers: int | None


class WatchedChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A watched channel. `why` holds `by hand` and `drops`; `covered` is `real time` or `polling`.

    `rerun` is what is on instead of a live stream, as Twitch calls it: `rerun`, `playlist`, `watch_party`, `premiere`.
    """

    login: str
    display_name: str | None
    external_id: str
    former_logins: tuple[str, ...]
    why: tuple[str, ...]
    since: Time
    covered: str
    live: Live | None
    rerun: str | None
    last_stream_at: Time | None


class Coverage(msgspec.Struct, frozen=True):
    """What EventSub has subscribed to; None where it does not work now."""

    memory: Memory | None

    def lack_of(self, external_id: str, since: datetime) -> WhyPolled | None:
        """Return why a channel that is watched `since` a time is polled only; None where EventSub tells of it."""
        if self.memory is None:
            return "off"
        if self.memory.reconciled_at is None or since > self.memory.reconciled_at:
            return "not_yet"
        return "left_out" if external_id in self.memory.left_out else None


def list_watched(connection: Connection, now: datetime, *, person_id: int | None = None) -> list[WatchedChannel]:
    """Return the watched channels: those followed by hand first, and of each kind the live ones first.

    With a person they are those that the person follows, `since` and `why` included.
    """
    channels = watched(connection, now, person_id=person_id)
    # Somebody else may have followed it before: then it is subscribed to already.
    everybody = channels if person_id is None else watched(connection, now)
    return _lines(connection, channels, now, {channel.channel_id: channel.since for channel in everybody})


def list_watched_among(connection: Connection, external_ids: Collection[str], now: datetime) -> list[WatchedChannel]:
    """Return those of some channels, by Twitch id, that anybody watches."""
    channels = watched_among(connection, external_ids, now)
    return _lines(connection, channels, now, {channel.channel_id: channel.since for channel in channels})


def load_coverage(connection: Connection, now: datetime) -> Coverage:
    """Return what EventSub has subscribed to, as far as it works now."""
    works = select(Source.id).where(
        Source.name == EVENTSUB,
        Source.enabled,
        Source.failing_since.is_(None),
        Source.last_success_at > now - EVENTSUB_SPEAKS_EVERY,
    )
    return Coverage(load_memory(connection) if connection.scalar(works) is not None else None)


def _lines(
    connection: Connection, channels: Collection[Watched], now: datetime, since: dict[int, datetime]
) -> list[WatchedChannel]:
    ids = [channel.channel_id for channel in channels]
    last = {row["channel_id"]: row for row in connection.execute(_LAST, {"ids": ids}).mappings()}
    coverage = load_coverage(connection, now)
    lines = [
        _line(channel, last[channel.channel_id], coverage.lack_of(channel.external_id, since[channel.channel_id]))
        for channel in channels
    ]
    return sorted(lines, key=lambda line: ("by hand" not in line.why, line.live is None, line.login))


def _line(channel: Watched, row: RowMapping, lack: WhyPolled | None) -> WatchedChannel:
    is_live = row["started_at"] is not None and row["ended_at"] is None
    live = Live(since=row["started_at"], title=row["title"], category=row["category"], viewers=row["viewers"])
    return WatchedChannel(
        login=channel.login,
        display_name=row["display_name"],
        external_id=channel.external_id,
        former_logins=tuple(row["former_logins"]),
        why=(*(["by hand"] if channel.by_hand else []), *(["drops"] if channel.in_campaign else [])),
        since=channel.since,
        covered="real time" if lack is None else "polling",
        live=live if is_live else None,
        rerun=row["rerun"],
        last_stream_at=row["started_at"],
    )


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
