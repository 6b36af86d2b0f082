"""End what is over: stories that can no longer go on, and the sessions of channels that are not watched any more."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, Engine, select

from models import Source
from models.events import EventKind
from models.statistics import load_recap
from pipeline.channels.following.watched import followed_categories, watched_among
from pipeline.channels.store.streams import (
    close_channels,
    load_channels,
    load_games,
    load_on_air,
    load_over,
    load_unsettled,
    settle_stories,
)
from pipeline.channels.streams.details import SERVICE, ChannelRow, GameRow, later_news, news_event, stream_detail
from pipeline.channels.streams.sessions import News, Session
from pipeline.channels.watchable import earnable, watchable
from pipeline.events.append import NEWS_FOR, NewEvent, append_events
from pipeline.events.damping import HeldBack, take_due_now
from pipeline.ingest.turn import take_turn

# An event to append, and whether it is silent: published, but sent to nobody.
Pending = tuple[NewEvent, bool]


def advance(engine: Engine, now: datetime, flap: timedelta) -> Counter[str]:
    """Append what time alone brings about for streams: ends, what can be earned, changes that damping held back.

    Streams that nobody watches any more are closed.

    A story is over when `flap` has passed since its end. Returns the events by kind. Safe to call twice.
    """
    with engine.begin() as connection:
        take_turn(connection)
        source_id = _source_id(connection)
        if source_id is None:
            return Counter()
        close_unwatched(connection, now)
        counted: Counter[str] = Counter()
        while held := take_due_now(connection, EventKind.STREAM_ONLINE.family, f"{SERVICE}:", now):
            # These too may be held back, until another moment.
            counted += append_in_order(connection, _settled(connection, held), source_id=source_id, now=now)
        events = end_stories(connection, now, flap)
        events += [(event, False) for event in watchable(connection, now, earnable(connection, now))]
        return counted + append_in_order(connection, events, source_id=source_id, now=now)


def end_stories(connection: Connection, now: datetime, flap: timedelta) -> list[Pending]:
    """Return the end events of stories that can no longer go on, and mark those stories as told.

    An end happened when the story's last stream ended; that of a rerun is no event. The channels' videos become due to
    be looked for.
    """
    stories = load_over(connection, now - flap)
    if not stories:
        return []
    channels = load_channels(connection, [sessions[-1].channel for sessions in stories])
    games = load_games(connection, {s.game_id for sessions in stories for s in sessions if s.game_id is not None})
    settle_stories(connection, [sessions[0] for sessions in stories], now)
    live = [sessions for sessions in stories if any(session.is_live_stream for session in sessions)]
    return [_end(connection, sessions, channels[sessions[-1].channel], games) for sessions in live]


def close_unwatched(connection: Connection, now: datetime) -> int:
    """End the sessions of channels that are not watched any more, when they were last known live; returns how many.

    This makes no event. If the channel is followed again while the same stream goes on, its session is opened again.
    A stream that was recorded for its category stays until it ends, whatever it plays.
    """
    unsettled = load_unsettled(connection, [category.game_id for category in followed_categories(connection)])
    if not unsettled:
        return 0
    watched = {channel.external_id for channel in watched_among(connection, unsettled, now)}
    return close_channels(connection, [unsettled[key] for key in sorted(unsettled.keys() - watched)], now)


def append_in_order(
    connection: Connection, pending: Sequence[Pending], *, source_id: int, now: datetime
) -> Counter[str]:
    """Append events in the order in which they happened; one that is a day old is silent."""
    counted: Counter[str] = Counter()
    judged = [(event, silent or event.occurred_at <= now - NEWS_FOR) for event, silent in pending]
    judged.sort(key=lambda pair: pair[0].occurred_at)
    for silent, some in groupby(judged, key=itemgetter(1)):
        events = [event for event, _ in some]
        counted += append_events(connection, events, source_id=source_id, silent=silent, now=now)
    return counted


def _settled(connection: Connection, held: Sequence[HeldBack]) -> list[Pending]:
    """Return the events of titles and categories that are others than was told last, of streams that go on.

    The end of a stream shows both as they were then.
    """
    on_air = load_on_air(connection, [some.subject.removeprefix(f"{SERVICE}:") for some in held])
    channels = load_channels(connection, {session.channel for session in on_air.values()})
    games = load_games(connection, {s.game_id for s in on_air.values() if s.game_id is not None})
    events = []
    for some in held:
        session = on_air.get(some.subject.removeprefix(f"{SERVICE}:"))
        if session is not None:
            game = games.get(session.game_id) if session.game_id is not None else None
            detail = stream_detail(session, channels[session.channel], game)
            news = later_news(session, detail, some.announced, some.due_at, channels[session.channel])
            events += [(event, some.silent) for event in news]
    return events


def _end(
    connection: Connection, sessions: Sequence[Session], channel: ChannelRow, games: dict[int, GameRow]
) -> Pending:
    first, last = sessions[0], sessions[-1]
    recap = load_recap(connection, first.id) if first.id is not None else None
    game = games.get(last.game_id) if last.game_id is not None else None
    at = max(session.ended_at for session in sessions if session.ended_at is not None)
    news = News(kind=EventKind.STREAM_OFFLINE, session=last, at=at)
    return news_event(news, stream_detail(last, channel, game, recap=recap), channel), first.silent


def _source_id(connection: Connection) -> int | None:
    """Return the source that the events of time are filed under, which no source brought."""
    query = select(Source.id).where(Source.service == SERVICE)
    return connection.scalar(query.order_by((Source.name == "twitch.streams").desc(), Source.id).limit(1))
