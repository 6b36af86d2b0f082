"""Load what channels' pages show, and the states by which a page that is out of date is recognised."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, Select, bindparam, func, select, true

from feeds.feed_rows import ensure_feeds as ensure
from feeds.pages.channel import ChannelPage
from feeds.scopes import FeedKey
from models import Channel, Feed, Game, StreamSession
from models.statistics import (
    Totals,
    load_categories,
    load_hours,
    load_parts,
    load_stories,
    load_totals,
    load_viewers,
)

STORIES_SHOWN = 10
# Long enough for an average to mean something; for the hours of a week, to be a habit.
PERIOD = timedelta(days=30)
WEEK_PERIOD = timedelta(days=90)
REFRESH_EVERY = timedelta(minutes=5)


class PageState(msgspec.Struct, frozen=True):
    """A channel's feed, and a digest of its newest stream: a page that was written with the same is up to date."""

    feed_id: int
    path: str
    digest: str


def ensure_feeds(connection: Connection, channel_ids: Sequence[int]) -> None:
    """Give channels their feed, and with it their page, before anything has happened to them."""
    ensure(connection, [FeedKey("channel", channel_id) for channel_id in channel_ids])


def load_moving(connection: Connection) -> list[PageState]:
    """Return the states of channels whose page may change without an event: live, or over with no event of it yet."""
    return [_state(row) for row in connection.execute(_MOVING).mappings()]


def load_pages(connection: Connection, feed_ids: Sequence[int], now: datetime) -> list[tuple[PageState, ChannelPage]]:
    """Return what the pages of channels show at `now`, by their feeds, in a fixed number of queries."""
    rows = connection.execute(_OF_FEEDS, {"feeds": list(feed_ids)}).mappings().all()
    ids = [row["channel_id"] for row in rows]
    stories = load_stories(connection, ids, STORIES_SHOWN)
    newest = [channel_stories[0].session_id for channel_stories in stories.values()]
    counted, parts = load_viewers(connection, newest), load_parts(connection, newest)
    # Without an end: a poll that came after `now` counts in the newest stream, and so it does in the sums above it.
    totals = load_totals(connection, ids, now - PERIOD)
    categories = load_categories(connection, ids, now - PERIOD)
    week = load_hours(connection, ids, now - WEEK_PERIOD, viewers=False)
    pages = []
    for row in rows:
        channel_id = row["channel_id"]
        channel_stories = stories.get(channel_id, [])
        story_id = channel_stories[0].session_id if channel_stories else None
        page = ChannelPage(
            path=row["path"],
            service=row["service"],
            external_id=row["external_id"],
            login=row["login"],
            display_name=row["display_name"],
            former_logins=tuple(row["former_logins"]),
            description=row["description"],
            profile_image_url=row["profile_image_url"],
            stories=tuple(channel_stories),
            counted=tuple(counted.get(story_id or 0, ())),
            parts=tuple(parts.get(story_id or 0, ())),
            days=PERIOD.days,
            totals=totals.get(channel_id, Totals()),
            categories=tuple(categories.get(channel_id, ())),
            week_days=WEEK_PERIOD.days,
            week=tuple(week.get(channel_id, ())),
        )
        pages.append((_state(row), page))
    return pages


# By names that are the same in every database: a page of an imported export is the same byte for byte.
_PLAYING = select(Game.public_id).where(Game.id == StreamSession.game_id).correlate(StreamSession).scalar_subquery()
_NEWEST = (
    select(
        StreamSession.stream_id,
        StreamSession.started_at,
        StreamSession.last_seen_at,
        StreamSession.ended_at,
        StreamSession.title,
        _PLAYING.label("game"),
    )
    .where(StreamSession.channel_id == Feed.channel_id)
    .order_by(StreamSession.started_at.desc(), StreamSession.id.desc())
    .limit(1)
    .correlate(Feed)
    .lateral("newest")
)


def _states(*columns: Any) -> Select[*tuple[Any, ...]]:
    newest = [_NEWEST.c[name] for name in ("stream_id", "last_seen_at", "ended_at", "title", "game")]
    return (
        select(Feed.id.label("feed_id"), Feed.path, Feed.channel_id, *newest, *columns)
        .select_from(Feed)
        .outerjoin(_NEWEST, true())
        .where(Feed.scope == "channel")
        .order_by(Feed.id)
    )


_MOVING = _states().where(
    Feed.channel_id.in_(
        select(StreamSession.channel_id)
        .where(StreamSession.ended_at.is_(None))
        .union_all(
            select(StreamSession.channel_id).where(StreamSession.ended_at.is_not(None), StreamSession.told_at.is_(None))
        )
    )
)
_OF_FEEDS = (
    _states(
        Channel.service,
        Channel.external_id,
        Channel.login,
        Channel.display_name,
        Channel.former_logins,
        Channel.description,
        Channel.profile_image_url,
    )
    .join(Channel, Channel.id == Feed.channel_id)
    .where(Feed.id == func.any(bindparam("feeds", type_=ARRAY(BigInteger))))
)


def _state(row: Mapping[Any, Any]) -> PageState:
    shown = [row[name] for name in ("stream_id", "ended_at", "title", "game")]
    # Channels in campaigns are polled each minute; a page need not follow so often.
    slot = row["last_seen_at"] and int(row["last_seen_at"].timestamp() // REFRESH_EVERY.total_seconds())
    state = repr([*shown, slot]).encode()
    return PageState(row["feed_id"], row["path"], hashlib.blake2b(state, digest_size=8).hexdigest())
