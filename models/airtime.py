"""When channels were on air, with how many viewers and which categories: the rows that statistics add up.

Each function returns a part of a query over the sessions of its condition, cut to the period from `:since` to
`:until`. A session lasts from its start to its end, or to when it was last known to be live, and never into the next
one of its channel.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    Float,
    Interval,
    Select,
    SQLColumnExpression,
    Subquery,
    Text,
    bindparam,
    case,
    column,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)

from models import StreamSegment, StreamSession, StreamSnapshot

# A count of viewers holds until the next poll; where polls failed for longer, for this long and no more.
LONGEST_HOLD = timedelta(minutes=10)
# Zones differ from UTC by quarters of an hour and change their clocks by half an hour or more.
_STEP = timedelta(minutes=30)
_SINCE = bindparam("since", type_=DateTime(timezone=True))
_UNTIL = bindparam("until", type_=DateTime(timezone=True))
_HOLD = literal(LONGEST_HOLD, Interval)

Rows = CTE | Subquery


def seconds(duration: ColumnElement[Any]) -> ColumnElement[float]:
    """Return an interval as a number of seconds."""
    return func.extract("epoch", duration).cast(Float)


def spans(chosen: ColumnElement[bool]) -> CTE:
    """Return a row for each session of the period: its `started_at` and `ended_at`, the cut `start` and `finish`.

    Only live streams count: a rerun is none.
    """
    s = StreamSession
    end = func.coalesce(s.ended_at, s.last_seen_at)
    next_start = func.lead(s.started_at).over(partition_by=s.channel_id, order_by=(s.started_at, s.id))
    sessions = (
        select(
            s.id,
            s.id.label("session"),
            s.channel_id,
            func.coalesce(s.story_id, s.id).label("story"),
            s.game_id,
            s.started_at,
            func.greatest(func.least(end, next_start), s.started_at).label("ended_at"),
        )
        .where(chosen, s.is_live_stream(), s.started_at < _UNTIL, (end > _SINCE) | (s.started_at >= _SINCE))
        .subquery("sessions")
    )
    start = func.greatest(sessions.c.started_at, _SINCE)
    finish = func.greatest(func.least(sessions.c.ended_at, _UNTIL), start)
    return select(sessions, start.label("start"), finish.label("finish")).cte("spans")


def viewings(of: CTE, *, every: bool = False) -> Subquery:
    """Return a row for each poll that counted viewers: `viewers`, and how many seconds the count held (`held`).

    With `every` a session that no poll saw has a row too, which counts none.
    """
    p = StreamSnapshot
    # Session by session, in the order of the primary key: nothing is sorted, and a big table is never read as a whole.
    seen = (
        select(p.game_id, p.taken_at, p.viewers, func.lead(p.taken_at).over(order_by=p.taken_at).label("next_at"))
        .where(p.session_id == of.c.id, p.viewers.is_not(None), p.taken_at.between(of.c.start, of.c.finish))
        .correlate(of)
        .lateral("seen")
    )
    held = func.least(seen.c.next_at, of.c.finish, seen.c.taken_at + _HOLD) - seen.c.taken_at
    columns = (seen.c.game_id, seen.c.taken_at, seen.c.viewers, seconds(held).label("held"))
    known = select(of.c.channel_id, of.c.story, of.c.session, of.c.start, of.c.finish, *columns)
    return known.join_from(of, seen, true(), isouter=every).subquery("viewings")


def average(of: Rows) -> ColumnElement[float]:
    """Return the average of `viewings`, weighted by time; a plain one where no count held for any time."""
    weighted = func.sum(of.c.viewers * of.c.held) / func.nullif(func.sum(of.c.held), 0)
    return func.coalesce(weighted, func.avg(of.c.viewers).cast(Float))


def pieces(of: CTE) -> Subquery:
    """Return one row for each part of a session with one category: from `begin` to `end`, in `seconds`.

    The first part reaches back to the session's start, unless it began so late that the category before is not known:
    then that time is a part without a category. A session of which no parts are known is one part.
    """
    g = StreamSegment
    segments = (
        select(
            g.game_id,
            g.started_at,
            func.row_number().over(order_by=g.started_at).label("number"),
            func.lead(g.started_at).over(order_by=g.started_at).label("next_at"),
        )
        .where(g.session_id == of.c.id)
        .correlate(of)
        .lateral("segments")
    )
    is_whole = segments.c.number.is_(None)
    reaches_back = (segments.c.number == 1) & ~_starts_late(segments.c.started_at, of)
    known = select(
        of,
        case((is_whole, of.c.game_id), else_=segments.c.game_id).label("category_id"),
        case((is_whole | reaches_back, of.c.started_at), else_=segments.c.started_at).label("begins_at"),
        func.coalesce(segments.c.next_at, of.c.ended_at).label("ends_at"),
    ).outerjoin_from(of, segments, true())
    first = select(func.min(g.started_at).label("at")).where(g.session_id == of.c.id).lateral("first")
    unknown = (
        select(of, null().cast(BigInteger), of.c.started_at, first.c.at)
        .join(first, true())
        .where(_starts_late(first.c.at, of))
    )
    parts = union_all(known, unknown).subquery("parts")
    begin, end = func.greatest(parts.c.begins_at, parts.c.start), func.least(parts.c.ends_at, parts.c.finish)
    return select(
        parts.c.channel_id,
        parts.c.story,
        parts.c.category_id.label("game_id"),
        begin.label("begin"),
        end.label("end"),
        func.greatest(seconds(end - begin), 0.0).label("seconds"),
    ).subquery("pieces")


def _starts_late(first: SQLColumnExpression[datetime], of: CTE) -> ColumnElement[bool]:
    return first > of.c.started_at + _HOLD


def hours(of: CTE) -> Select[*tuple[Any, ...]]:
    """Return one row for each channel, local weekday (Monday is 1) and hour in which it was on air: `seconds`.

    Sessions are cut at the hours of the time zone `:zone`.
    """
    zone = bindparam("zone", type_=Text)
    first = func.date_trunc("hour", of.c.start, zone)
    series = func.generate_series(first, of.c.finish, literal(_STEP, Interval))
    steps = series.table_valued(column("at", DateTime(timezone=True)), name="steps").render_derived()
    at = steps.c.at
    on_air = func.least(at + literal(_STEP, Interval), of.c.finish) - func.greatest(at, of.c.start)
    local = func.timezone(zone, at)
    cut = (
        select(
            of.c.channel_id,
            func.extract("isodow", local).label("weekday"),
            func.extract("hour", local).label("hour"),
            func.greatest(seconds(on_air), 0.0).label("seconds"),
        )
        .join_from(of, steps, true())
        .subquery("cut")
    )
    keys = (cut.c.channel_id, cut.c.weekday, cut.c.hour)
    return select(*keys, func.sum(cut.c.seconds).label("seconds")).group_by(*keys)


def viewers_by_hour(of: Rows) -> Select[*tuple[Any, ...]]:
    """Return one row for each channel, local weekday and hour in which polls counted viewers: their `average`."""
    local = func.timezone(bindparam("zone", type_=Text), of.c.taken_at)
    keys = (of.c.channel_id, func.extract("isodow", local), func.extract("hour", local))
    return select(*keys, average(of).label("average")).group_by(*keys)
