"""Find what can be earned right now: campaigns that allow a channel which is live and playing their game.

A rerun is no live stream. Campaigns of some categories count on the channels that they name whatever these play
(`COUNT_IN_ANY_CATEGORY`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    RowMapping,
    and_,
    bindparam,
    case,
    exists,
    func,
    null,
    or_,
    select,
    union,
)

from models import (
    AllowedChannel,
    Channel,
    DropCampaign,
    Event,
    Follow,
    GameExternalId,
    StreamSegment,
    StreamSession,
    StreamSnapshot,
)
from models.due import CLOCK_TOLERANCE
from models.events import EventKind
from pipeline.channels.following.watched import NOW, RUNNING, SERVICE
from pipeline.channels.streams.details import channel_url
from pipeline.drops.details import campaign_detail
from pipeline.drops.earning import COUNT_IN_ANY_CATEGORY, Course
from pipeline.drops.records import DropRecord
from pipeline.drops.store import campaigns
from pipeline.drops.store.campaigns import StoredCampaign, load_steps
from pipeline.events.append import NEWS_FOR, NewEvent

# A campaign has one such event in so long a time, however many of its channels go live.
QUIET_FOR = timedelta(hours=12)


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

    A campaign counts where a minute watched now counts for one of its drops that takes only watching, and the minutes
    that it takes fit before its end (`pipeline.drops.earning`).
    """
    if session_ids is None:
        rows = connection.execute(_EARNABLE, {"now": now}).mappings().all()
    else:
        rows = connection.execute(_EARNABLE_ON, {"now": now, "ids": list(session_ids)}).mappings().all()
    drops = load_steps(connection, {row["campaign_id"] for row in rows})
    counting = {row["campaign_id"]: _counting(row, drops[row["campaign_id"]], now) for row in rows}
    return [_chance(row, counting[row["campaign_id"]]) for row in rows if counting[row["campaign_id"]]]


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


def _counting(row: RowMapping, drops: Sequence[DropRecord], now: datetime) -> list[DropRecord]:
    return Course(drops, start_at=row["start_at"], end_at=row["end_at"]).count_now(now)


def _chance(row: RowMapping, drops: Sequence[DropRecord]) -> Chance:
    """Return the chance to earn the quickest of the drops that count; it exists since the first of them is open."""
    fields = {name: row[name] for name in Chance.__struct_fields__ if name in row}
    open_since = min(drop.start_at or row["since"] for drop in drops)
    minutes = min(drop.required_minutes or 0 for drop in drops)
    return Chance(**fields | {"since": max(row["since"], open_since), "minutes": minutes})


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


_ALLOWED = select(AllowedChannel.channel_id).where(
    AllowedChannel.campaign_id == DropCampaign.id, AllowedChannel.last_seen_at.is_(None)
)
_OPEN_TO_ALL = ~_ALLOWED.exists()
_NAMES_CHANNEL = _ALLOWED.where(AllowedChannel.channel_id == StreamSession.channel_id).exists()
_OF_ANY_CATEGORY = DropCampaign.game_id == func.any(
    func.array(
        select(GameExternalId.game_id)
        .where(GameExternalId.service == SERVICE, GameExternalId.external_id.in_(COUNT_IN_ANY_CATEGORY))
        .scalar_subquery()
    )
)
_COUNTS_WHATEVER_IS_PLAYED = and_(_OF_ANY_CATEGORY, _NAMES_CHANNEL)
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
    StreamSession.started_at,
    case((_COUNTS_WHATEVER_IS_PLAYED, null()), else_=_PLAYING_SINCE),
    DropCampaign.start_at,
    DropCampaign.started_at,
)
_VIEWERS = (
    select(StreamSnapshot.viewers)
    .where(StreamSnapshot.session_id == StreamSession.id)
    .order_by(StreamSnapshot.taken_at.desc())
    .limit(1)
    .scalar_subquery()
)
_PAIR = select(StreamSession.id.label("session_id"), DropCampaign.id.label("campaign_id")).where(
    StreamSession.ended_at.is_(None), StreamSession.is_live_stream(), *RUNNING
)
# Apart, so that each is a join by a key: thousands of streams meet hundreds of campaigns.
_PAIRS = union(
    _PAIR.join(DropCampaign, DropCampaign.game_id == StreamSession.game_id).where(or_(_NAMES_CHANNEL, _OPEN_TO_ALL)),
    _PAIR.join(AllowedChannel, AllowedChannel.channel_id == StreamSession.channel_id)
    .join(DropCampaign, DropCampaign.id == AllowedChannel.campaign_id)
    .where(AllowedChannel.last_seen_at.is_(None), _OF_ANY_CATEGORY),
).subquery("pairs")
_STORY = StreamSession.__table__.alias("story")
_EARNABLE = (
    select(
        StreamSession.id.label("session_id"),
        DropCampaign.id.label("campaign_id"),
        DropCampaign.name.label("campaign"),
        DropCampaign.start_at,
        DropCampaign.end_at,
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
    .join(_PAIRS, _PAIRS.c.session_id == StreamSession.id)
    .join(DropCampaign, DropCampaign.id == _PAIRS.c.campaign_id)
    .outerjoin(_STORY, _STORY.c.id == StreamSession.story_id)
    .order_by(_BY_HAND.desc(), StreamSession.started_at, StreamSession.id, DropCampaign.id)
)
_EARNABLE_ON = _EARNABLE.where(_PAIRS.c.session_id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
