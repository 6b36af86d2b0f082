"""End what is over: tell stories that can no longer go on, and close the sessions of channels that nobody watches."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection, Engine, select

from models import Source
from models.events import EventKind
from models.statistics import load_recap
from pipeline.channels.following.watched import followed_categories, watched_among
from pipeline.channels.store.streams import (
    close_channels,
    load_channels,
    load_games,
    load_over,
    load_unsettled,
    settle_stories,
)
from pipeline.channels.streams.details import SERVICE, ChannelRow, GameRow, news_event, stream_detail
from pipeline.channels.streams.sessions import News, Session
from pipeline.channels.watchable import earnable, watchable
from pipeline.events.append import NEWS_FOR, NewEvent, append_events
from pipeline.ingest.turn import take_turn

# An event and whether it is told to nobody.
Told = tuple[NewEvent, bool]


def advance(engine: Engine, now: datetime, flap: timedelta) -> Counter[str]:
    """Let time do its part for streams: tell what is over, close what nobody watches, tell what can be earned now.

    A story is over when `flap` has passed since its end. Returns the events by kind. Safe to call twice.
    """
    with engine.begin() as connection:
        take_turn(connection)
        source_id = _source_id(connection)
        if source_id is None:
            return Counter()
        close_unwatched(connection, now)
        told = tell_over(connection, now, flap)
        told += [(event, False) for event in watchable(connection, now, earnable(connection, now))]
        return append_told(connection, told, source_id=source_id, now=now)


def tell_over(connection: Connection, now: datetime, flap: timedelta) -> list[Told]:
    """Return the ends of stories that can no longer go on, and note that they are told.

    It happened at the end of the story's last stream. Their channels' videos are to be looked for.
    """
    stories = load_over(connection, now - flap)
    if not stories:
        return []
    channels = load_channels(connection, [sessions[-1].channel for sessions in stories])
    games = load_games(connection, {s.game_id for sessions in stories for s in sessions if s.game_id is not None})
    settle_stories(connection, [sessions[0] for sessions in stories], now)
    return [_end(connection, sessions, channels[sessions[-1].channel], games) for sessions in stories]


def close_unwatched(connection: Connection, now: datetime) -> int:
    """End the sessions of channels that nobody watches any more, when they were last known live; returns how many.

    Nobody is told: who stopped following does not ask. If the channel is followed again while the same stream goes on,
    its session is opened again. A stream that was recorded for its category stays until it ends, whatever it plays.
    """
    unsettled = load_unsettled(connection, [category.game_id for category in followed_categories(connection)])
    if not unsettled:
        return 0
    watched = {one.external_id for one in watched_among(connection, unsettled, now)}
    return close_channels(connection, [unsettled[key] for key in sorted(unsettled.keys() - watched)], now)


def append_told(connection: Connection, told: Sequence[Told], *, source_id: int, now: datetime) -> Counter[str]:
    """Append events in the order of their happening; what is a day old notifies nobody."""
    counted: Counter[str] = Counter()
    # Of a value that flaps within one batch the damping, which looks at what is stored, knows nothing.
    told = list({event.change_key: (event, silent) for event, silent in reversed(told)}.values())
    judged = [(event, silent or event.occurred_at <= now - NEWS_FOR) for event, silent in told]
    judged.sort(key=lambda one: one[0].occurred_at)
    for silent, some in groupby(judged, key=lambda one: one[1]):
        events = [event for event, _ in some]
        counted += append_events(connection, events, source_id=source_id, silent=silent, now=now)
    return counted


def _end(connection: Connection, sessions: Sequence[Session], channel: ChannelRow, games: dict[int, GameRow]) -> Told:
    first, last = sessions[0], sessions[-1]
    recap = load_recap(connection, first.id) if first.id is not None else None
    game = games.get(last.game_id) if last.game_id is not None else None
    at = max(session.ended_at for session in sessions if session.ended_at is not None)
    news = News(kind=EventKind.STREAM_OFFLINE, session=last, at=at)
    return news_event(news, stream_detail(last, channel, game, recap=recap), channel), first.silent


def _source_id(connection: Connection) -> int | None:
    """Return the source that such events are filed under: nobody told of them, time did."""
    query = select(Source.id).where(Source.service == SERVICE)
    return connection.scalar(query.order_by((Source.name == "twitch.streams").desc(), Source.id).limit(1))
