"""The rules by which a stream session stays open, ends, and comes back. Pure: values in, values out.

Two clocks meet here, Twitch's in EventSub's messages and ours in polls, and the list of live streams lags behind both.
So evidence is weighed by its source, and no duration is ever taken as positive for granted.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from models.details import LIVE
from models.events import EventKind

# The list of live streams is cached: what EventSub says appears there up to this much later.
LIST_LAG = timedelta(minutes=3)
ABSENCES_TO_END = 2
# A round in which more than this share of the open streams is gone at once is suspect, and one absence more is needed.
SUSPECT_SHARE = 0.3
SUSPECT_COUNT = 5
# After an end that was only inferred, EventSub may still bring the true one; a later end than this is another stream's.
END_TOLD_LATE = timedelta(minutes=15)
_TICK = timedelta(microseconds=1)


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream shows, as far as it is known; None where it is not. `game_id` is the row's."""

    title: str | None = None
    game_id: int | None = None
    language: str | None = None
    tags: tuple[str, ...] | None = None
    thumbnail_url: str | None = None
    viewers: int | None = None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A stream as far as it is known; `channel` is the channel's external id, `story` the first stream's of the story.

    `segment_at` is since when its title and category hold. The row's `id` is None until it is stored, and `story_id`,
    the row of the story's first session, for that one itself.
    """

    channel: str
    stream_id: str
    story: str
    started_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    segment_at: datetime
    id: int | None = None
    story_id: int | None = None
    ended_at: datetime | None = None
    told_at: datetime | None = None
    absent_count: int = 0
    listed_at: datetime | None = None
    title: str | None = None
    game_id: int | None = None
    language: str | None = None
    tags: tuple[str, ...] | None = None
    thumbnail_url: str | None = None
    silent: bool = False
    # What is on, as EventSub's message and as the list of live streams say it.
    type: str | None = None
    listed_type: str | None = None

    @property
    def kind(self) -> str:
        """What is on: `live`, or what Twitch calls something else (`rerun`, `watch_party`)."""
        return self.type or self.listed_type or LIVE

    @property
    def is_live_stream(self) -> bool:
        """Whether it is a live stream, no rerun or the like."""
        return self.kind == LIVE

    @property
    def open(self) -> bool:
        return self.ended_at is None

    @property
    def only_listed(self) -> bool:
        """Whether the last sign of life was a listing, which may be as old as the list's cache."""
        return self.listed_at is not None and self.listed_at >= self.last_seen_at


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a stream with one title and one category."""

    channel: str
    stream_id: str
    started_at: datetime
    title: str | None
    game_id: int | None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A stream as one round of polling saw it."""

    channel: str
    stream_id: str
    taken_at: datetime
    info: Info


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth an event; `old` and `new` are titles, or row ids of games."""

    kind: EventKind
    session: Session
    at: datetime
    old: str | int | None = None
    new: str | int | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of judging sessions. A stream that goes on within `flap` after an end belongs to the same story.

    `since` holds since when channels are followed, by external id, and `categories` the same of games by row id; the
    streams of others are not recorded. `games` holds the row ids of Twitch's categories.
    """

    now: datetime
    flap: timedelta
    since: Mapping[str, datetime]
    categories: Mapping[int, datetime] = {}
    games: Mapping[str, int] = {}


def believe_clock(session: Session, now: datetime) -> Session:
    """Return the session with its times moved back to now, where a clock that ran ahead has put them later."""
    if session.last_seen_at <= now:
        return session
    seen = max(now, session.started_at)
    listed = None if session.listed_at is None else min(session.listed_at, seen)
    return msgspec.structs.replace(session, last_seen_at=seen, listed_at=listed)


def seen_live(session: Session, at: datetime, *, listed: bool) -> Session:
    """Return the session after a sign of life; an older one than the last changes nothing."""
    if at < session.last_seen_at:
        return session
    listed_at = at if listed else session.listed_at
    return msgspec.structs.replace(session, last_seen_at=at, listed_at=listed_at, absent_count=0)


def typed(session: Session, kind: str | None, *, listed: bool) -> Session:
    """Return the session with what Twitch calls it now; an empty type, an error of Twitch's, changes nothing.

    The list says `live` of reruns too, so that takes nothing back that EventSub said, unless the list itself said
    something else before.
    """
    if kind is None:
        return session
    if not listed:
        return msgspec.structs.replace(session, type=kind)
    is_live_now = kind == LIVE and session.listed_type not in {None, LIVE}
    return msgspec.structs.replace(session, listed_type=kind, type=None if is_live_now else session.type)


def ends_no_later(session: Session, at: datetime) -> Session:
    """End a session whose successor started at a time: when it was last known live, at the latest then."""
    if session.ended_at is not None and session.ended_at <= at:
        return session
    ended_at = max(session.started_at, min(session.last_seen_at, at))
    return msgspec.structs.replace(session, ended_at=ended_at, last_seen_at=ended_at)


def counts_as_absent(session: Session, at: datetime) -> bool:
    """Whether a round that does not list an open session counts: the list may not show a new stream yet."""
    if at <= session.last_seen_at:
        return False
    return session.only_listed or at - session.last_seen_at >= LIST_LAG


def absences_needed(missing: int, open_ones: int) -> int:
    """Return how many absences in a row end a stream, in a round that misses so many of those that were open."""
    suspect = missing > SUSPECT_COUNT and missing > SUSPECT_SHARE * open_ones
    return ABSENCES_TO_END + 1 if suspect else ABSENCES_TO_END


def missed(session: Session, needed: int) -> Session:
    """Count an absence; the last one needed ends the session when it was last known live."""
    count = session.absent_count + 1
    ended_at = max(session.last_seen_at, session.started_at) if count >= needed else None
    return msgspec.structs.replace(session, absent_count=count, ended_at=ended_at)


def went_offline(session: Session, at: datetime) -> Session:
    """Return the session after EventSub said that its channel went offline; unchanged where that is out of date."""
    if session.ended_at is not None:
        # Its end was inferred, from absences: this is the true one.
        late = session.absent_count > 0 and session.ended_at < at <= session.ended_at + END_TOLD_LATE
        return msgspec.structs.replace(session, ended_at=at, absent_count=0) if late else session
    known_live = session.last_seen_at - (LIST_LAG if session.only_listed else timedelta(0))
    if at < max(session.started_at, known_live):
        return session
    return msgspec.structs.replace(session, ended_at=at, last_seen_at=min(session.last_seen_at, at), absent_count=0)


def may_return(session: Session, at: datetime, *, listed: bool) -> bool:
    """Whether a sign of life brings an ended session back; a listing is no news soon after EventSub ended it."""
    if session.ended_at is None or at <= session.ended_at:
        return False
    ended_by_word = session.absent_count == 0
    return not (listed and ended_by_word and at - session.ended_at < LIST_LAG)


def returned(session: Session, at: datetime, *, listed: bool) -> Session:
    """Open an ended session again: its end may be told again, without a second event where it was told before."""
    open_again = msgspec.structs.replace(session, ended_at=None, told_at=None)
    return seen_live(open_again, max(at, session.last_seen_at), listed=listed)


def informed(session: Session, info: Info, at: datetime, now: datetime, *, listed: bool) -> Session:
    """Return the session with new information; information that may be older than the known only fills in blanks.

    A title or category that differs begins a new segment, the first one known does not.
    """
    since = min(session.segment_at, now)
    if at < since or (listed and at - since < LIST_LAG):
        return _filled(session, info)
    changed = _differs(session.title, info.title) or _differs(session.game_id, info.game_id)
    values = {name: value for name in _KEPT if (value := getattr(info, name)) is not None}
    segment_at = max(at, session.segment_at + _TICK) if changed else session.segment_at
    return msgspec.structs.replace(session, **values, segment_at=segment_at)


_KEPT = ("title", "game_id", "language", "tags", "thumbnail_url")


def _filled(session: Session, info: Info) -> Session:
    """Return the session with blanks filled in."""
    blanks = {
        name: value for name in _KEPT if getattr(session, name) is None and (value := getattr(info, name)) is not None
    }
    return msgspec.structs.replace(session, **blanks)


def _differs(known: str | int | None, new: str | int | None) -> bool:
    return known is not None and new is not None and known != new
