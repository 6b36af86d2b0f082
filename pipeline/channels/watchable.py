"""Find what can be earned right now: campaigns that allow a channel which is live and playing their game."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    bindparam,
    exists,
    func,
    or_,
    select,
    true,
)

from models import (
    AllowedChannel,
    Channel,
    DropCampaign,
    Event,
    Follow,
    StreamSegment,
    StreamSession,
    StreamSnapshot,
    TimeBasedDrop,
)
from models.due import CLOCK_TOLERANCE
from models.events import EventKind
from pipeline.channels.following.watched import NOW, RUNNING, SERVICE
from pipeline.channels.streams.details import channel_url
from pipeline.drops.details import campaign_detail
from pipeline.drops.store import campaigns
from pipeline.drops.store.campaigns import StoredCampaign
from pipeline.events.append import NEWS_FOR, NewEvent

# A campaign has one such event in so long a time, however many of its channels go live.
QUIET_FOR = timedelta(hours=12)
_MINUTE = timedelta(minutes=1)


class Chance(msgspec.Struct, frozen=True, kw_only=True):
    """A live stream on which a campaign can be earned: since when, and how many minutes it takes at least."""

    session_id: int
    campaign_id: int
    campaign: str
    minutes: int
    since: datetime
    story: str
    channel_id: int
    login: str
    display_name: str | None
    viewers: int | None
    first_seen_at: datetime
    silent: bool
    # Whether the campaign names the channel, or a person follows it by name.
    wanted: bool


def earnable(connection: Connection, now: datetime, session_ids: Iterable[int] | None = None) -> list[Chance]:
    """Return what can be earned on these open sessions, or on all: campaigns that run, and whose time still suffices.

    A campaign counts where one of its drops takes only watching, and the minutes that it takes fit before its end.
    """
    if session_ids is None:
        rows = connection.execute(_EARNABLE, {"now": now})
    else:
        rows = connection.execute(_EARNABLE_ON, {"now": now, "ids": list(session_ids)})
    return [Chance(**row) for row in rows.mappings()]


def watchable(connection: Connection, now: datetime, chances: Iterable[Chance]) -> list[NewEvent]:
    """Return the events of campaigns that can be earned as of now; of each campaign only one in a quiet period.

    What could be earned before the channel was followed is no news, nor is what could be a day ago.
    """
    news = [chance for chance in chances if chance.wanted and _is_news(chance, now)]
    if not news:
        return []
    last = connection.execute(_LAST_EVENTS, {"ids": sorted({chance.campaign_id for chance in news}), "now": now}).all()
    # What came up in the quiet time after an event makes none at its end either: by then it is no news.
    quiet_until = {campaign_id: recorded_at + QUIET_FOR for campaign_id, recorded_at in last}
    first = {
        chance.campaign_id: chance
        for chance in reversed(news)
        if chance.campaign_id not in quiet_until or chance.since > quiet_until[chance.campaign_id]
    }
    stored = campaigns.load_campaigns_by_id(connection, list(first))
    return [_event(campaign, first[campaign.id]) for campaign in stored]


def _is_news(chance: Chance, now: datetime) -> bool:
    known_before = chance.silent and chance.since <= chance.first_seen_at
    return not known_before and chance.since > now - NEWS_FOR


def _event(stored: StoredCampaign, chance: Chance) -> NewEvent:
    detail = msgspec.structs.replace(
        campaign_detail(stored.record),
        channel=chance.display_name,
        channel_login=chance.login,
        viewers=chance.viewers,
        url=channel_url(chance.login),
        required_minutes=chance.minutes,
    )
    return NewEvent(
        kind=EventKind.CAMPAIGN_WATCHABLE,
        subject=f"{SERVICE}:{stored.record.external_id}",
        identity=chance.story,
        occurred_at=chance.since,
        service=SERVICE,
        detail=detail,
        campaign_id=stored.id,
        game_id=stored.game_id,
        organization_id=stored.organization_id,
        channel_id=chance.channel_id,
    )


_LAST_EVENTS = (
    select(Event.campaign_id, func.max(Event.recorded_at))
    .where(
        Event.kind == EventKind.CAMPAIGN_WATCHABLE,
        Event.campaign_id == func.any(bindparam("ids", type_=ARRAY(BigInteger))),
        # One that a clock wrote which ran ahead must not keep the campaign quiet until then.
        Event.recorded_at <= NOW + CLOCK_TOLERANCE,
    )
    .group_by(Event.campaign_id)
)


# The least minutes that a drop of the campaign takes, of those that take only watching and can still be earned.
_DROP = (
    select(func.min(TimeBasedDrop.required_minutes).label("minutes"))
    .where(
        TimeBasedDrop.campaign_id == DropCampaign.id,
        TimeBasedDrop.last_seen_at.is_(None),
        TimeBasedDrop.required_minutes > 0,
        func.coalesce(TimeBasedDrop.required_subs, 0) == 0,
        func.coalesce(TimeBasedDrop.start_at <= NOW, true()),
        func.coalesce(
            NOW + TimeBasedDrop.required_minutes * _MINUTE <= func.least(TimeBasedDrop.end_at, DropCampaign.end_at),
            true(),
        ),
    )
    .lateral("drop")
)
_ALLOWED = select(AllowedChannel.channel_id).where(
    AllowedChannel.campaign_id == DropCampaign.id, AllowedChannel.last_seen_at.is_(None)
)
_OPEN_TO_ALL = ~_ALLOWED.exists()
_NAMES_CHANNEL = _ALLOWED.where(AllowedChannel.channel_id == StreamSession.channel_id).exists()
_BY_HAND = exists().where(Follow.kind == "channel", Follow.channel_id == StreamSession.channel_id)
_LAST_OF_ANOTHER_GAME = (
    select(func.max(StreamSegment.started_at))
    .where(StreamSegment.session_id == StreamSession.id, StreamSegment.game_id.is_distinct_from(StreamSession.game_id))
    .correlate(StreamSession)
    .scalar_subquery()
)
_SEGMENT = StreamSegment.__table__.alias("segment")
_PLAYING_SINCE = (
    select(func.min(_SEGMENT.c.started_at))
    .where(
        _SEGMENT.c.session_id == StreamSession.id,
        or_(_LAST_OF_ANOTHER_GAME.is_(None), _SEGMENT.c.started_at > _LAST_OF_ANOTHER_GAME),
    )
    .correlate(StreamSession)
    .scalar_subquery()
)
_EARNABLE_SINCE = func.greatest(
    StreamSession.started_at, _PLAYING_SINCE, DropCampaign.start_at, DropCampaign.started_at
)
_VIEWERS = (
    select(StreamSnapshot.viewers)
    .where(StreamSnapshot.session_id == StreamSession.id)
    .order_by(StreamSnapshot.taken_at.desc())
    .limit(1)
    .scalar_subquery()
)
_STORY = StreamSession.__table__.alias("story")
_EARNABLE = (
    select(
        StreamSession.id.label("session_id"),
        DropCampaign.id.label("campaign_id"),
        DropCampaign.name.label("campaign"),
        _DROP.c.minutes,
        _EARNABLE_SINCE.label("since"),
        func.coalesce(_STORY.c.stream_id, StreamSession.stream_id).label("story"),
        StreamSession.channel_id,
        Channel.login,
        Channel.display_name,
        _VIEWERS.label("viewers"),
        StreamSession.first_seen_at,
        StreamSession.silent,
        or_(_NAMES_CHANNEL, _BY_HAND).label("wanted"),
    )
    .join(Channel, Channel.id == StreamSession.channel_id)
    .join(DropCampaign, DropCampaign.game_id == StreamSession.game_id)
    .join(_DROP, _DROP.c.minutes.is_not(None))
    .outerjoin(_STORY, _STORY.c.id == StreamSession.story_id)
    .where(StreamSession.ended_at.is_(None), *RUNNING, or_(_NAMES_CHANNEL, _OPEN_TO_ALL))
    .order_by(_BY_HAND.desc(), StreamSession.started_at, StreamSession.id, DropCampaign.id)
)
_EARNABLE_ON = _EARNABLE.where(StreamSession.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
