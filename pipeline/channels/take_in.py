"""Take in observations of channels, from EventSub or from polls: decide, store, append events.

Runs inside the caller's transaction, in the turn that every storing transaction takes (`take_turn`): two processes that
hear of one stream at once make one session, and none waits for another in a circle.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from models.events import EventKind
from pipeline.catalogue.records import ChannelRecord, GameRecord
from pipeline.catalogue.storing import store_channels, store_games
from pipeline.channels.clock import Pending, append_in_order, end_stories
from pipeline.channels.following.watched import followed_categories, watched_among
from pipeline.channels.store.streams import (
    known_streams,
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
from pipeline.channels.streams.sessions import News, Segment, Session, Terms
from pipeline.channels.watchable import Chance, earnable, watchable
from pipeline.ingest.turn import take_turn
from pipeline.services.twitch.records import ChannelInfoRecord, StreamRecord, VideoRecord

_Key = tuple[str, str]
ARCHIVE = "archive"


def take_in(
    connection: Connection, observations: Sequence[Observation], now: datetime, *, source_id: int, flap: timedelta
) -> Counter[str]:
    """Store what observations mean and append the events that follow; returns how many of each kind.

    A stream that is back within `flap` after its end goes on with the same story. Streams of channels that are
    not watched are left out, unless they were recorded before.
    """
    take_turn(connection)
    channel_ids = store_channels(connection, SERVICE, _channels(observations), now)
    games = store_games(connection, SERVICE, _games(observations))
    streams = set(_streams(observations))
    polled = {key for observation in observations if isinstance(observation, Polled) for key in observation.channels}
    concerned = polled | channel_ids.keys()
    known = load_sessions(connection, concerned=concerned, heard=channel_ids, stream_ids={key for _, key in streams})
    decision = decide(known, observations, _terms(connection, known, streams, games, now, flap))
    ids = {(s.channel, s.stream_id): s.id for s in known if s.id is not None}
    ids |= store_sessions(connection, decision.sessions, channel_ids)
    store_segments(connection, decision.segments, ids)
    store_snapshots(connection, decision.snapshots, ids)
    events = _events(connection, decision, ids, now)
    events += end_stories(connection, now, flap)
    return append_in_order(connection, events, source_id=source_id, now=now)


def record_missed(
    connection: Connection, videos: Sequence[VideoRecord], channel_ids: Mapping[str, int], now: datetime
) -> None:
    """Make sessions of the streams that these archives, which are over, were recorded from and that nobody saw.

    They are over too; their ends are told as any other, by the clock.
    """
    archives = {video.stream_id: video for video in videos if video.type == ARCHIVE and video.stream_id}
    seen = known_streams(connection, list(channel_ids.values()), list(archives))
    missed = [video for key, video in archives.items() if key not in seen]
    if not missed:
        return
    since = {c.external_id: c.since for c in watched_among(connection, {v.channel_id for v in missed}, now)}
    sessions = [_missed(video, since[video.channel_id], now) for video in missed if video.channel_id in since]
    ids = store_sessions(connection, sessions, channel_ids)
    parts = [
        Segment(channel=s.channel, stream_id=s.stream_id, started_at=s.started_at, title=s.title, game_id=None)
        for s in sessions
    ]
    store_segments(connection, parts, ids)


def _missed(video: VideoRecord, since: datetime, now: datetime) -> Session:
    # An archive is as long as its stream, and published when that begins.
    ended_at = min(video.published_at + timedelta(seconds=video.seconds), now)
    return Session(
        channel=video.channel_id,
        stream_id=str(video.stream_id),
        story=str(video.stream_id),
        started_at=min(video.published_at, ended_at),
        first_seen_at=now,
        last_seen_at=ended_at,
        segment_at=min(video.published_at, ended_at),
        ended_at=ended_at,
        title=video.title or None,
        silent=video.published_at < since,
    )


def _terms(
    connection: Connection,
    known: Sequence[Session],
    streams: Collection[_Key],
    games: Mapping[str, int],
    now: datetime,
    flap: timedelta,
) -> Terms:
    """Return what to judge by; the follows are only read where a stream begins, or is back."""
    on_air = {(s.channel, s.stream_id) for s in known if s.open}
    beginning = {channel for channel, stream_id in streams if (channel, stream_id) not in on_air}
    if not beginning:
        return Terms(now=now, flap=flap, since={}, games=games)
    return Terms(
        now=now,
        flap=flap,
        since={channel.external_id: channel.since for channel in watched_among(connection, beginning, now)},
        categories={category.game_id: category.since for category in followed_categories(connection)},
        games=games,
    )


def _events(connection: Connection, decision: Decision, ids: Mapping[_Key, int], now: datetime) -> list[Pending]:
    """Return the events of the news, and of the campaigns that can be earned because of it."""
    playing = {ids[part.channel, part.stream_id] for part in decision.segments}
    concerned = playing | {ids[_key(news.session)] for news in decision.news}
    if not concerned:
        return []
    chances = earnable(connection, now, concerned)
    events = _news(connection, decision, ids, chances)
    events += [(event, False) for event in watchable(connection, now, chances)]
    return events


def _news(
    connection: Connection, decision: Decision, ids: Mapping[_Key, int], chances: Iterable[Chance]
) -> list[Pending]:
    if not decision.news:
        return []
    channels = load_channels(connection, {news.session.channel for news in decision.news})
    games = load_games(connection, set(_games_of(decision.news)))
    viewers = {(s.channel, s.stream_id): s.info.viewers for s in decision.snapshots}
    campaigns: dict[int, list[str]] = {}
    for chance in chances:
        campaigns.setdefault(chance.session_id, []).append(chance.campaign)
    events = []
    for news in decision.news:
        session, channel = news.session, channels[news.session.channel]
        detail = stream_detail(
            session,
            channel,
            games.get(session.game_id) if session.game_id is not None else None,
            viewers=viewers.get(_key(session)),
            campaigns=campaigns.get(ids[_key(session)], ()),
            changes=changes_of(news, games),
        )
        events.append((news_event(news, detail, channel), session.silent))
    return events


def _key(session: Session) -> _Key:
    return session.channel, session.stream_id


def _games_of(all_news: Sequence[News]) -> Iterator[int]:
    for news in all_news:
        if news.session.game_id is not None:
            yield news.session.game_id
        if news.kind is EventKind.STREAM_CATEGORY_CHANGED:
            yield from (value for value in (news.old, news.new) if isinstance(value, int))


def _records(observations: Iterable[Observation]) -> Iterator[ChannelInfoRecord | StreamRecord]:
    for observation in observations:
        match observation:
            case WentLive(info=info) if info is not None:
                yield info
            case Updated(info=info):
                yield info
            case Polled(live=live):
                yield from live


def _channels(observations: Iterable[Observation]) -> Iterator[ChannelRecord]:
    for observation in observations:
        if isinstance(observation, WentLive | WentOffline):
            yield observation.channel
    yield from (record.channel for record in _records(observations))


def _games(observations: Iterable[Observation]) -> Iterator[GameRecord]:
    yield from (record.game for record in _records(observations) if record.game is not None)


def _streams(observations: Iterable[Observation]) -> Iterator[_Key]:
    """Yield the streams that an observation shows live, by channel and stream."""
    for observation in observations:
        if isinstance(observation, WentLive):
            yield observation.channel.external_id, observation.stream_id
        elif isinstance(observation, Polled):
            yield from ((stream.channel.external_id, stream.stream_id) for stream in observation.live)
