"""Sums over a channel's streams: time on air, viewers, categories, by weekday and hour; always by query.

*Time on air* is the sum of the sessions, without the minutes between them. *Streams* are stories: a stream that broke
off and went on within minutes is one; reruns, watch parties, premieres and playlists are none. A count of viewers holds
until the next poll, at most ten minutes, and *averages* are weighted by that time, so neither many polls nor a missed
hour of them weigh double. *Peaks* are the highest count that a poll saw. A period cuts what reaches beyond it. All
times are aware UTC; hours of the day are those of the caller's time zone.
"""

import functools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, Select, bindparam, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by

from models.airtime import average, hours, pieces, seconds, spans, viewers_by_hour, viewings
from models.catalogue import Channel, Game
from models.details import CategoryTime, StreamRecap
from models.streams import StreamSession, StreamSnapshot

EVER = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
By = Literal["hours", "streams", "average", "peak"]
Key = Literal["channel_id", "story"]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Streams of a period; viewers are None where no poll counted any."""

    streams: int = 0
    seconds: int = 0
    average_viewers: int | None = None
    peak_viewers: int | None = None


class CategoryTotals(msgspec.Struct, frozen=True, kw_only=True):
    """A category's part of a period; `name` is None for the time whose category is not known."""

    name: str | None
    seconds: int
    average_viewers: int | None = None
    peak_viewers: int | None = None


class HourTotals(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of the week, in the caller's time zone; weekday 0 is Monday."""

    weekday: int
    hour: int
    seconds: int
    average_viewers: int | None = None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A stream, live or over, with its title as last known; while it is live its recap reaches to the last poll."""

    session_id: int
    live: bool
    title: str | None
    recap: StreamRecap


class Counted(msgspec.Struct, frozen=True):
    """How many watched when a poll looked, and in which session."""

    at: datetime
    viewers: int
    session_id: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a stream with one category; `name` is None where that is not known."""

    begin: datetime
    end: datetime
    name: str | None


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """When a channel's first and last stream began, of all that are known."""

    first_stream_at: datetime
    last_stream_at: datetime


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All channels together in a period: how many were on air, their streams, what polls saw, and the time on air."""

    channels: int
    streams_open: int
    streams_over: int
    snapshots: int
    seconds: int

    @property
    def seconds_per_channel(self) -> int | None:
        """The time on air of a channel that was on air, on average; None where none was."""
        return round(self.seconds / self.channels) if self.channels else None


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A channel in a list of the top ones."""

    channel_id: int
    login: str
    display_name: str | None
    totals: Totals


def load_recap(connection: Connection, session_id: int) -> StreamRecap | None:
    """Return the recap of the whole story that a session belongs to, as far as it is known; None without one."""
    root = select(func.coalesce(StreamSession.story_id, StreamSession.id)).where(StreamSession.id == session_id)
    story_id = connection.scalar(root)
    if story_id is None:
        return None
    return _stories(connection, [story_id])[story_id].recap


def load_stories(connection: Connection, channel_ids: Sequence[int], limit: int) -> dict[int, list[Story]]:
    """Return the newest streams of each channel, newest first; channels that never streamed are left out."""
    listed = connection.execute(_NEWEST, {"ids": list(channel_ids), "limit": limit}).all()
    stories = _stories(connection, [story_id for _, story_id in listed])
    by_channel: dict[int, list[Story]] = {}
    for channel_id, story_id in listed:
        by_channel.setdefault(channel_id, []).append(stories[story_id])
    return by_channel


def load_viewers(connection: Connection, story_ids: Sequence[int]) -> dict[int, list[Counted]]:
    """Return the counts of polls during stories, by the stories' first sessions and then by time."""
    by_story: dict[int, list[Counted]] = {}
    for story_id, session_id, at, viewers in connection.execute(_VIEWERS, {"ids": list(story_ids)}):
        if viewers is not None:
            by_story.setdefault(story_id, []).append(Counted(at.astimezone(UTC), viewers, session_id))
    return by_story


def load_parts(connection: Connection, story_ids: Sequence[int]) -> dict[int, list[Part]]:
    """Return the parts of stories with their categories, by the stories' first sessions and then by time."""
    by_story: dict[int, list[Part]] = {}
    for story_id, begin, end, name in connection.execute(_parts(), _period(story_ids, EVER, NEVER)):
        parts = by_story.setdefault(story_id, [])
        part = Part(begin=begin.astimezone(UTC), end=end.astimezone(UTC), name=name)
        if parts and parts[-1].name == name and parts[-1].end == part.begin:
            part = msgspec.structs.replace(part, begin=parts.pop().begin)
        parts.append(part)
    return by_story


def load_totals(
    connection: Connection, channel_ids: Sequence[int], since: datetime, until: datetime = NEVER
) -> dict[int, Totals]:
    """Return each channel's totals in a period; channels that were not on air in it are left out."""
    rows = connection.execute(_totals("channel_id"), _period(channel_ids, since, until))
    return {row.key: _totals_of(row) for row in rows}


def load_session_totals(connection: Connection, session_ids: Sequence[int]) -> dict[int, Totals]:
    """Return the totals of single sessions, each by itself; those that are no live streams are left out."""
    rows = connection.execute(_of_sessions(), _period(session_ids, EVER, NEVER))
    return {row.key: _totals_of(row) for row in rows}


def load_reach(connection: Connection, channel_ids: Sequence[int]) -> dict[int, Reach]:
    """Return when each channel's first and last stream began; channels that never streamed are left out."""
    return {
        channel_id: Reach(first_stream_at=first.astimezone(UTC), last_stream_at=last.astimezone(UTC))
        for channel_id, first, last in connection.execute(_REACH, {"ids": list(channel_ids)})
    }


def load_summary(connection: Connection, since: datetime, until: datetime = NEVER) -> Summary:
    """Return what all channels together streamed in a period."""
    row = connection.execute(_summary(), {"since": since, "until": until}).one()
    return Summary(
        channels=row.channels,
        streams_open=row.streams_open,
        streams_over=row.streams - row.streams_open,
        snapshots=int(row.snapshots),
        seconds=round(row.seconds or 0),
    )


def load_categories(
    connection: Connection, channel_ids: Sequence[int], since: datetime, until: datetime = NEVER
) -> dict[int, list[CategoryTotals]]:
    """Return the categories that each channel streamed in a period, longest first."""
    return _categories_by(connection, "channel_id", _period(channel_ids, since, until))


def load_hours(
    connection: Connection,
    channel_ids: Sequence[int],
    since: datetime,
    until: datetime = NEVER,
    *,
    zone: str = "UTC",
    viewers: bool = True,
) -> dict[int, list[HourTotals]]:
    """Return in which hours of the week each channel was on air, in a time zone by its IANA name.

    A session is split at the full hours. Viewers belong to the hour in which a poll counted them; without `viewers`
    they are left out, which takes a fifth of the time.
    """
    wanted = _period(channel_ids, since, until) | {"zone": zone}
    seen = {tuple(key): value for *key, value in connection.execute(_seen(), wanted)} if viewers else {}
    by_channel: dict[int, list[HourTotals]] = {}
    for channel_id, weekday, hour, on_air in connection.execute(_on_air(), wanted):
        if on_air > 0:
            totals = HourTotals(
                weekday=int(weekday) - 1,
                hour=int(hour),
                seconds=round(on_air),
                average_viewers=_whole(seen.get((channel_id, weekday, hour))),
            )
            by_channel.setdefault(channel_id, []).append(totals)
    return by_channel


def load_top(
    connection: Connection, since: datetime, until: datetime = NEVER, *, by: By = "hours", limit: int = 20
) -> list[Ranked]:
    """Return the channels that were on air in a period, the first by hours, streams, average or peak viewers."""
    rows = connection.execute(_top(by), {"since": since, "until": until, "limit": limit})
    return [
        Ranked(channel_id=row.key, login=row.login, display_name=row.display_name, totals=_totals_of(row))
        for row in rows
    ]


def by_weekday(totals: Sequence[HourTotals]) -> list[int]:
    """Return the seconds on air of each weekday, Monday first."""
    return [sum(cell.seconds for cell in totals if cell.weekday == weekday) for weekday in range(7)]


def by_hour(totals: Sequence[HourTotals]) -> list[int]:
    """Return the seconds on air of each hour of the day, midnight first."""
    return [sum(cell.seconds for cell in totals if cell.hour == hour) for hour in range(24)]


_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_REACH = (
    select(StreamSession.channel_id, func.min(StreamSession.started_at), func.max(StreamSession.started_at))
    .where(StreamSession.channel_id == func.any(_IDS), StreamSession.story_id.is_(None), StreamSession.is_live_stream())
    .group_by(StreamSession.channel_id)
)
_NEWEST_OF_ONE = (
    select(StreamSession.id, StreamSession.started_at)
    .where(StreamSession.channel_id == Channel.id, StreamSession.story_id.is_(None), StreamSession.is_live_stream())
    .order_by(StreamSession.started_at.desc())
    .limit(bindparam("limit"))
    .correlate(Channel)
    .lateral("newest")
)
_NEWEST = (
    select(Channel.id, _NEWEST_OF_ONE.c.id)
    .join_from(Channel, _NEWEST_OF_ONE, true())
    .where(Channel.id == func.any(_IDS))
    .order_by(Channel.id, _NEWEST_OF_ONE.c.started_at.desc())
)
_STORY_ID = func.coalesce(StreamSession.story_id, StreamSession.id)
_VIEWERS = (
    select(_STORY_ID, StreamSnapshot.session_id, StreamSnapshot.taken_at, StreamSnapshot.viewers)
    .join(StreamSession, StreamSession.id == StreamSnapshot.session_id)
    .where(or_(StreamSession.id == func.any(_IDS), StreamSession.story_id == func.any(_IDS)))
    .order_by(StreamSnapshot.taken_at)
)
# A story goes on with its newest session's title, and is live while one of its sessions is.
_STORY = (
    select(
        _STORY_ID,
        func.bool_or(StreamSession.ended_at.is_(None)),
        func.min(StreamSession.started_at),
        func.max(func.coalesce(StreamSession.ended_at, StreamSession.last_seen_at)),
        func.array_agg(aggregate_order_by(StreamSession.title, StreamSession.started_at.desc())),
    )
    .where(
        or_(StreamSession.id == func.any(_IDS), StreamSession.story_id == func.any(_IDS)),
        StreamSession.is_live_stream(),
    )
    .group_by(_STORY_ID)
)


def _chosen(key: Key) -> ColumnElement[bool]:
    if key == "channel_id":
        return StreamSession.channel_id == func.any(_IDS)
    return or_(StreamSession.id == func.any(_IDS), StreamSession.story_id == func.any(_IDS))


@functools.cache
def _totals(key: Key | Literal["any"]) -> Select[*tuple[Any, ...]]:
    of = spans(true() if key == "any" else _chosen(key))
    seen = viewings(of)
    name: Key = "channel_id" if key == "any" else key
    viewers = (
        select(seen.c[name], average(seen).label("average"), func.max(seen.c.viewers).label("peak"))
        .group_by(seen.c[name])
        .subquery("viewers")
    )
    time = (
        select(
            of.c[name].label("key"),
            func.count(of.c.story.distinct()).label("streams"),
            func.sum(seconds(of.c.finish - of.c.start)).label("seconds"),
        )
        .group_by(of.c[name])
        .subquery("time")
    )
    return select(time, viewers.c.average, viewers.c.peak).outerjoin(viewers, viewers.c[name] == time.c.key)


@functools.cache
def _of_sessions() -> Select[*tuple[Any, ...]]:
    # Session by session: two sums that are joined would be made anew for each of them.
    seen = viewings(spans(StreamSession.id == func.any(_IDS)), every=True)
    on_air = seconds(seen.c.finish - seen.c.start)
    return select(
        seen.c.session.label("key"),
        literal(1).label("streams"),
        func.max(on_air).label("seconds"),
        average(seen).label("average"),
        func.max(seen.c.viewers).label("peak"),
    ).group_by(seen.c.session)


@functools.cache
def _summary() -> Select[*tuple[Any, ...]]:
    of = spans(true())
    p = StreamSnapshot
    # Session by session, as `viewings` reads them: a big table is never read as a whole.
    seen = (
        select(func.count().label("number"))
        .select_from(p)
        .where(p.session_id == of.c.id, p.taken_at.between(of.c.start, of.c.finish))
        .correlate(of)
        .lateral("seen")
    )
    is_open = select(StreamSession.id).where(StreamSession.id == of.c.id, StreamSession.ended_at.is_(None)).exists()
    return select(
        func.count(of.c.channel_id.distinct()).label("channels"),
        func.count(of.c.story.distinct()).label("streams"),
        func.count(of.c.story.distinct()).filter(is_open).label("streams_open"),
        func.coalesce(func.sum(seen.c.number), 0).label("snapshots"),
        func.sum(seconds(of.c.finish - of.c.start)).label("seconds"),
    ).join_from(of, seen, true())


@functools.cache
def _categories(key: Key) -> Select[*tuple[Any, ...]]:
    of = spans(_chosen(key))
    parts, seen = pieces(of), viewings(of)
    time = (
        select(parts.c[key].label("key"), parts.c.game_id, func.sum(parts.c.seconds).label("seconds"))
        .group_by(parts.c[key], parts.c.game_id)
        .subquery("time")
    )
    viewers = (
        select(
            seen.c[key].label("key"),
            seen.c.game_id,
            average(seen).label("average"),
            func.max(seen.c.viewers).label("peak"),
        )
        .group_by(seen.c[key], seen.c.game_id)
        .subquery("viewers")
    )
    same = (viewers.c.key == time.c.key) & viewers.c.game_id.is_not_distinct_from(time.c.game_id)
    return (
        select(time.c.key, Game.name, time.c.seconds, viewers.c.average, viewers.c.peak)
        .select_from(time)
        .outerjoin(viewers, same)
        .outerjoin(Game, Game.id == time.c.game_id)
        .order_by(time.c.key, time.c.seconds.desc(), Game.name)
    )


@functools.cache
def _parts() -> Select[*tuple[Any, ...]]:
    parts = pieces(spans(_chosen("story")))
    return (
        select(parts.c.story, parts.c.begin, parts.c.end, Game.name)
        .outerjoin(Game, Game.id == parts.c.game_id)
        .where(parts.c.seconds > 0)
        .order_by(parts.c.begin)
    )


@functools.cache
def _on_air() -> Select[*tuple[Any, ...]]:
    return hours(spans(_chosen("channel_id"))).order_by("channel_id", "weekday", "hour")


@functools.cache
def _seen() -> Select[*tuple[Any, ...]]:
    return viewers_by_hour(viewings(spans(_chosen("channel_id"))))


@functools.cache
def _top(by: By) -> Select[*tuple[Any, ...]]:
    totals = _totals("any").subquery("totals")
    first = {
        "hours": totals.c.seconds,
        "streams": totals.c.streams,
        "average": totals.c.average,
        "peak": totals.c.peak,
    }[by]
    return (
        select(totals, Channel.login, Channel.display_name)
        .join(Channel, Channel.id == totals.c.key)
        .order_by(first.desc().nulls_last(), totals.c.seconds.desc(), Channel.login)
        .limit(bindparam("limit"))
    )


def _stories(connection: Connection, story_ids: Sequence[int]) -> dict[int, Story]:
    wanted = _period(story_ids, EVER, NEVER)
    totals = {row.key: row for row in connection.execute(_totals("story"), wanted)}
    categories = _categories_by(connection, "story", wanted)
    stories: dict[int, Story] = {}
    for story_id, live, started_at, ended_at, titles in connection.execute(_STORY, {"ids": list(story_ids)}):
        story_totals = _totals_of(totals[story_id])
        recap = StreamRecap(
            started_at=started_at.astimezone(UTC),
            ended_at=ended_at.astimezone(UTC),
            seconds=story_totals.seconds,
            peak_viewers=story_totals.peak_viewers,
            average_viewers=story_totals.average_viewers,
            categories=tuple(
                CategoryTime(name=category.name, seconds=category.seconds)
                for category in categories[story_id]
                if category.seconds
            ),
        )
        title = next((title for title in titles if title), None)
        stories[story_id] = Story(session_id=story_id, live=live, title=title, recap=recap)
    return stories


def _categories_by(connection: Connection, key: Key, wanted: Mapping[str, Any]) -> dict[int, list[CategoryTotals]]:
    by_owner: dict[int, list[CategoryTotals]] = {}
    for owner, name, on_air, watched, peak in connection.execute(_categories(key), wanted):
        category = CategoryTotals(name=name, seconds=round(on_air), average_viewers=_whole(watched), peak_viewers=peak)
        by_owner.setdefault(owner, []).append(category)
    return by_owner


def _period(ids: Sequence[int], since: datetime, until: datetime) -> dict[str, Any]:
    return {"ids": list(ids), "since": since, "until": until}


def _totals_of(row: Any) -> Totals:
    return Totals(
        streams=row.streams, seconds=round(row.seconds), average_viewers=_whole(row.average), peak_viewers=row.peak
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)
