"""Decide what observations mean for the sessions that are known. Pure: values in, values out."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from models.details import LIVE
from models.events import EventKind
from pipeline.channels.streams.observations import Observation, Polled, Updated, WentLive, WentOffline
from pipeline.channels.streams.sessions import (
    Info,
    News,
    Segment,
    Session,
    Snapshot,
    Terms,
    absences_needed,
    believe_clock,
    counts_as_absent,
    ends_no_later,
    informed,
    may_return,
    missed,
    returned,
    seen_live,
    typed,
    went_offline,
)
from pipeline.services.twitch.records import ChannelInfoRecord, StreamRecord

# The order of observations of one moment: an end comes before a start, and the list is the last to know.
_ORDER: dict[type, int] = {WentOffline: 0, WentLive: 1, Updated: 2, Polled: 3}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The rows to store and the news: sessions that are new or differ, their parts and snapshots, and events."""

    sessions: Sequence[Session] = ()
    segments: Sequence[Segment] = ()
    snapshots: Sequence[Snapshot] = ()
    news: Sequence[News] = ()


class _Sign(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of life of a stream; `listed` where the list of live streams gave it."""

    channel: str
    stream_id: str
    started_at: datetime
    at: datetime
    info: Info
    listed: bool
    type: str | None = None


def decide(known: Sequence[Session], observations: Sequence[Observation], terms: Terms) -> Decision:
    """Return what observations, in any order, change about the sessions that are known of their channels.

    `known` holds all open sessions of these channels, the last ones that ended, and those of the streams observed.
    """
    book = _Book(known, terms)
    for observation in sorted(observations, key=lambda observation: (observation.at, _ORDER[type(observation)])):
        book.take(observation)
    return book.decision()


class _Book:
    """The sessions of some channels, while the observations change them one after the other."""

    def __init__(self, known: Sequence[Session], terms: Terms) -> None:
        self._terms = terms
        self._before = {(s.channel, s.stream_id): s for s in known}
        self._sessions: dict[str, dict[str, Session]] = {}
        for session in known:
            self._put(believe_clock(session, terms.now))
        self._segments: dict[tuple[str, str, datetime], Segment] = {}
        self._snapshots: list[Snapshot] = []
        self._news: list[News] = []

    def take(self, observation: Observation) -> None:
        match observation:
            case WentLive():
                self._see(_sign_of_message(observation, self._terms))
            case WentOffline(channel=channel, at=at):
                newest = self._newest(channel.external_id, until=at)
                if newest is not None:
                    self._put(went_offline(newest, at))
            case Updated(info=info, at=at):
                on_air = self._open_one(info.channel.external_id)
                if on_air is not None:
                    self._inform(on_air, _info(info, self._terms), at, listed=False)
            case Polled():
                self._take_round(observation)

    def decision(self) -> Decision:
        """Return the changes; news of a stream that began shows it as it is now, news of a change as it was then."""
        sessions = [s for ones in self._sessions.values() for s in ones.values()]
        changed = [s for s in sessions if s != self._before.get((s.channel, s.stream_id))]
        news = [
            msgspec.structs.replace(item, session=self._sessions[item.session.channel][item.session.stream_id])
            if item.kind in {EventKind.STREAM_ONLINE, EventKind.STREAM_RERUN}
            else item
            for item in self._news
        ]
        return Decision(sessions=changed, segments=list(self._segments.values()), snapshots=self._snapshots, news=news)

    def _take_round(self, polled: Polled) -> None:
        live: dict[str, StreamRecord] = {}
        for stream in polled.live:
            # Pages may repeat a row; of two streams of one channel the newer is the true one.
            listed = live.setdefault(stream.channel.external_id, stream)
            if stream.started_at > listed.started_at:
                live[stream.channel.external_id] = stream
        self._count_absences(polled, live.keys())
        for channel, stream in live.items():
            sign = _Sign(
                channel=channel,
                stream_id=stream.stream_id,
                started_at=stream.started_at,
                at=max(polled.at, stream.started_at),
                info=_info(stream, self._terms),
                listed=True,
                type=stream.type,
            )
            self._see(sign)

    def _count_absences(self, polled: Polled, live: Collection[str]) -> None:
        open_ones = [on_air for channel in polled.channels if (on_air := self._open_one(channel)) is not None]
        missing = [s for s in open_ones if s.channel not in live and counts_as_absent(s, polled.at)]
        needed = absences_needed(len(missing), len(open_ones))
        for session in missing:
            self._put(missed(session, needed))

    def _see(self, sign: _Sign) -> None:
        known = self._sessions.get(sign.channel, {}).get(sign.stream_id)
        if known is None:
            self._begin(sign)
        elif known.open:
            self._put(self._named(seen_live(known, sign.at, listed=sign.listed), sign))
        elif self._since(sign) is not None and self._is_last(known) and may_return(known, sign.at, listed=sign.listed):
            self._put(self._named(returned(known, sign.at, listed=sign.listed), sign))
        on_air = self._open_one(sign.channel)
        if on_air is not None and on_air.stream_id == sign.stream_id:
            self._inform(on_air, sign.info, sign.at, listed=sign.listed)
            self._take_snapshot(sign)

    def _named(self, session: Session, sign: _Sign) -> Session:
        """Return the session as what Twitch calls it; a rerun that turns out to be a live stream is news."""
        named = typed(session, sign.type, listed=sign.listed)
        if named.is_live_stream and not session.is_live_stream:
            self._news.append(News(kind=EventKind.STREAM_ONLINE, session=named, at=sign.at))
        return named

    def _begin(self, sign: _Sign) -> None:
        """Record a stream that was not known; one that is older than another of its channel has ended since."""
        since = self._since(sign)
        if since is None:
            return
        before = self._newest(sign.channel, until=sign.started_at)
        # The end that EventSub reported after this stream had started was this stream's.
        over_at = before.ended_at if before is not None and before.absent_count == 0 else None
        if before is not None:
            before = ends_no_later(before, sign.started_at)
            self._put(before)
        after = self._next(sign.channel, sign.started_at)
        goes_on = before is not None and _goes_on(before, sign, self._terms)
        session = Session(
            channel=sign.channel,
            stream_id=sign.stream_id,
            story=before.story if before is not None and goes_on else sign.stream_id,
            story_id=(before.story_id or before.id) if before is not None and goes_on else None,
            started_at=sign.started_at,
            first_seen_at=sign.at,
            last_seen_at=sign.at,
            listed_at=sign.at if sign.listed else None,
            segment_at=sign.started_at,
            silent=before.silent if before is not None and goes_on else sign.started_at < since or after is not None,
        )
        session = typed(session, sign.type, listed=sign.listed)
        if over_at is not None and over_at > sign.started_at:
            session = went_offline(session, over_at)
        if after is not None:
            session = ends_no_later(session, after.started_at)
        self._put(session)
        self._add_segment(session)
        if after is not None:
            self._inform(session, sign.info, sign.at, listed=sign.listed)
        if not goes_on:
            kind = EventKind.STREAM_ONLINE if session.is_live_stream else EventKind.STREAM_RERUN
            self._news.append(News(kind=kind, session=session, at=session.started_at))

    def _inform(self, session: Session, info: Info, at: datetime, *, listed: bool) -> None:
        changed = informed(session, info, at, self._terms.now, listed=listed)
        self._put(changed)
        if (changed.title, changed.game_id) == (session.title, session.game_id):
            return
        self._add_segment(changed)
        if changed.segment_at == session.segment_at or not changed.is_live_stream:
            return  # the first that is known of it, which is no change; or the next film of a playlist
        for kind, old, new in (
            (EventKind.STREAM_TITLE_CHANGED, session.title, changed.title),
            (EventKind.STREAM_CATEGORY_CHANGED, session.game_id, changed.game_id),
        ):
            if old is not None and old != new:
                self._news.append(News(kind=kind, session=changed, at=changed.segment_at, old=old, new=new))

    def _add_segment(self, session: Session) -> None:
        key = (session.channel, session.stream_id, session.segment_at)
        self._segments[key] = Segment(
            channel=session.channel,
            stream_id=session.stream_id,
            started_at=session.segment_at,
            title=session.title,
            game_id=session.game_id,
        )

    def _take_snapshot(self, sign: _Sign) -> None:
        if sign.info.viewers is not None:
            self._snapshots.append(
                Snapshot(channel=sign.channel, stream_id=sign.stream_id, taken_at=sign.at, info=sign.info)
            )

    def _put(self, session: Session) -> None:
        self._sessions.setdefault(session.channel, {})[session.stream_id] = session

    def _since(self, sign: _Sign) -> datetime | None:
        """Return since when the stream's channel, or its category, is followed; None where neither is."""
        since = self._terms.since.get(sign.channel)
        if since is None and sign.info.game_id is not None:
            return self._terms.categories.get(sign.info.game_id)
        return since

    def _open_one(self, channel: str) -> Session | None:
        return next((s for s in self._sessions.get(channel, {}).values() if s.open), None)

    def _newest(self, channel: str, *, until: datetime) -> Session | None:
        started = [s for s in self._sessions.get(channel, {}).values() if s.started_at <= until]
        return max(started, key=lambda s: s.started_at, default=None)

    def _next(self, channel: str, after: datetime) -> Session | None:
        started = [s for s in self._sessions.get(channel, {}).values() if s.started_at > after]
        return min(started, key=lambda s: s.started_at, default=None)

    def _is_last(self, session: Session) -> bool:
        return self._next(session.channel, session.started_at) is None


def _goes_on(before: Session, sign: _Sign, terms: Terms) -> bool:
    """Whether a stream goes on with the show of the one before: it began soon after, and no end was told yet.

    A rerun does not go on with a live stream, nor the other way round.
    """
    if before.told_at is not None or before.ended_at is None or sign.started_at - before.ended_at > terms.flap:
        return False
    return before.is_live_stream is ((sign.type or LIVE) == LIVE)


def _sign_of_message(message: WentLive, terms: Terms) -> _Sign:
    info = message.info
    # A moment later the list may still hold the stream before this one.
    fits = not isinstance(info, StreamRecord) or info.stream_id == message.stream_id
    return _Sign(
        channel=message.channel.external_id,
        stream_id=message.stream_id,
        started_at=message.started_at,
        at=max(message.at, message.started_at),
        info=_info(info, terms) if info is not None and fits else Info(),
        listed=False,
        type=message.type,
    )


def _info(record: ChannelInfoRecord | StreamRecord, terms: Terms) -> Info:
    return Info(
        title=record.title,
        game_id=terms.games.get(record.game.external_id) if record.game is not None else None,
        language=record.language,
        tags=record.tags,
        thumbnail_url=record.thumbnail_url if isinstance(record, StreamRecord) else None,
        viewers=record.viewers if isinstance(record, StreamRecord) else None,
    )
