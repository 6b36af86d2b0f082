"""Take in what is observed of channels, whoever tells it: decide, store, append what happened.

Runs inside the caller's transaction, in the turn that all who store take (`take_turn`): two processes that hear of one
stream at once make one session, and none waits for another in a circle.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from models.events import EventKind
from pipeline.catalogue.records import ChannelRecord, GameRecord
from pipeline.catalogue.storing import store_channels, store_games
from pipeline.channels.clock import Told, append_told, tell_over
from pipeline.channels.following.watched import followed_categories, watched_among
from pipeline.channels.store.streams import (
    load_channels,
    load_games,
    load_sessions,
    store_segments,
    store_sessions,
    store_snapshots,
)
from pipeline.channels.streams.deciding import Decision, decide
from pipeline.channels.streams.details import SERVICE, changes_of, news_event, stream_detail
from pipeline.channels.streams.observations import Observation, Polled, Updated, WentLive, WentOffline
from pipeline.channels.streams.sessions import News, Session, Terms
from pipeline.channels.watchable import Chance, earnable, watchable
from pipeline.ingest.turn import take_turn
from pipeline.services.twitch.records import ChannelInfoRecord, StreamRecord

_Key = tuple[str, str]


def take_in(
    connection: Connection, observations: Sequence[Observation], now: datetime, *, source_id: int, flap: timedelta
) -> Counter[str]:
    """Store what observations mean and append its events; returns how many of each kind.

    A stream that is back within `flap` after its end goes on with the same story. Streams of channels that nobody
    watches are left out, unless they were recorded before.
    """
    take_turn(connection)
    channel_ids = store_channels(connection, SERVICE, _channels(observations), now)
    games = store_games(connection, SERVICE, _games(observations))
    streams = set(_streams(observations))
    asked = {key for one in observations if isinstance(one, Polled) for key in one.channels} | channel_ids.keys()
    known = load_sessions(connection, asked=asked, heard=channel_ids, stream_ids={key for _, key in streams})
    decision = decide(known, observations, _terms(connection, known, streams, games, now, flap))
    ids = {(s.channel, s.stream_id): s.id for s in known if s.id is not None}
    ids |= store_sessions(connection, decision.sessions, channel_ids)
    store_segments(connection, decision.segments, ids)
    store_snapshots(connection, decision.snapshots, ids)
    told = _tell(connection, decision, ids, now)
    told += tell_over(connection, now, flap)
    return append_told(connection, told, source_id=source_id, now=now)


def _terms(
    connection: Connection,
    known: Sequence[Session],
    streams: Collection[_Key],
    games: Mapping[str, int],
    now: datetime,
    flap: timedelta,
) -> Terms:
    """Return what to judge by; who follows is only asked where a stream begins, or is back."""
    on_air = {(s.channel, s.stream_id) for s in known if s.open}
    beginning = {channel for channel, stream_id in streams if (channel, stream_id) not in on_air}
    if not beginning:
        return Terms(now=now, flap=flap, since={}, games=games)
    return Terms(
        now=now,
        flap=flap,
        since={one.external_id: one.since for one in watched_among(connection, beginning, now)},
        categories={one.game_id: one.since for one in followed_categories(connection)},
        games=games,
    )


def _tell(connection: Connection, decision: Decision, ids: Mapping[_Key, int], now: datetime) -> list[Told]:
    """Return the events of what is news, and of campaigns that can be earned because of it."""
    playing = {ids[part.channel, part.stream_id] for part in decision.segments}
    concerned = playing | {ids[_key(one.session)] for one in decision.news}
    if not concerned:
        return []
    chances = earnable(connection, now, concerned)
    told = _news(connection, decision, ids, chances)
    told += [(event, False) for event in watchable(connection, now, chances)]
    return told


def _news(connection: Connection, decision: Decision, ids: Mapping[_Key, int], chances: Iterable[Chance]) -> list[Told]:
    if not decision.news:
        return []
    channels = load_channels(connection, {one.session.channel for one in decision.news})
    games = load_games(connection, set(_games_of(decision.news)))
    viewers = {(s.channel, s.stream_id): s.info.viewers for s in decision.snapshots}
    campaigns: dict[int, list[str]] = {}
    for chance in chances:
        campaigns.setdefault(chance.session_id, []).append(chance.campaign)
    told = []
    for one in decision.news:
        session, channel = one.session, channels[one.session.channel]
        detail = stream_detail(
            session,
            channel,
            games.get(session.game_id) if session.game_id is not None else None,
            viewers=viewers.get(_key(session)),
            campaigns=campaigns.get(ids[_key(session)], ()),
            changes=changes_of(one, games),
        )
        told.append((news_event(one, detail, channel), session.silent))
    return told


def _key(session: Session) -> _Key:
    return session.channel, session.stream_id


def _games_of(news: Sequence[News]) -> Iterator[int]:
    for one in news:
        if one.session.game_id is not None:
            yield one.session.game_id
        if one.kind is EventKind.STREAM_CATEGORY_CHANGED:
            yield from (value for value in (one.old, one.new) if isinstance(value, int))


def _told(observations: Iterable[Observation]) -> Iterator[ChannelInfoRecord | StreamRecord]:
    for one in observations:
        match one:
            case WentLive(info=info) if info is not None:
                yield info
            case Updated(info=info):
                yield info
            case Polled(live=live):
                yield from live


def _channels(observations: Iterable[Observation]) -> Iterator[ChannelRecord]:
    for one in observations:
        if isinstance(one, WentLive | WentOffline):
            yield one.channel
    yield from (told.channel for told in _told(observations))


def _games(observations: Iterable[Observation]) -> Iterator[GameRecord]:
    yield from (told.game for told in _told(observations) if told.game is not None)


def _streams(observations: Iterable[Observation]) -> Iterator[_Key]:
    """Yield which streams are told to be live, by channel and stream."""
    for one in observations:
        if isinstance(one, WentLive):
            yield one.channel.external_id, one.stream_id
        elif isinstance(one, Polled):
            yield from ((stream.channel.external_id, stream.stream_id) for stream in one.live)
