"""Know which Twitch channels and categories are watched, and why."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import ARRAY, Connection, DateTime, Select, Text, bindparam, exists, func, literal, select, true

from models import AllowedChannel, Channel, DropCampaign, Follow, Game, GameExternalId

SERVICE = "twitch"
DEFAULT_TOP = 20
_AMONG = bindparam("among", type_=ARRAY(Text))


class Watched(msgspec.Struct, frozen=True):
    """A channel whose streams are watched, by its Twitch id.

    `since` is when that began: a stream that started earlier is no news. `by_hand` means that somebody added it
    by name, `in_campaign` that a running campaign names it; one of the two is true.
    """

    channel_id: int
    external_id: str
    login: str
    since: datetime
    by_hand: bool
    in_campaign: bool


class FollowedCategory(msgspec.Struct, frozen=True):
    """A category whose `top` most watched streams are recorded, by its Twitch id."""

    game_id: int
    external_id: str
    name: str
    top: int
    since: datetime


def watched(connection: Connection, now: datetime) -> list[Watched]:
    """Return the channels that are watched: those added by hand first, oldest first, then what campaigns name.

    The latter only while somebody follows `--drops`: they come and go with their campaigns.
    """
    return [Watched(*row) for row in connection.execute(_WATCHED, {"now": now})]


def watched_among(connection: Connection, external_ids: Collection[str], now: datetime) -> list[Watched]:
    """Return those of some channels, by Twitch id, that are watched; cheap where they are few."""
    return [Watched(*row) for row in connection.execute(_WATCHED_AMONG, {"now": now, "among": list(external_ids)})]


def is_anything_followed(connection: Connection) -> bool:
    """Whether anybody follows anything."""
    return bool(connection.scalar(select(exists(Follow.id))))


def followed_categories(connection: Connection) -> list[FollowedCategory]:
    """Return the followed categories, oldest wish first."""
    return [FollowedCategory(*row) for row in connection.execute(_CATEGORIES)]


def _watched(*, among: bool = False) -> Select[int, str, str, datetime, bool, bool]:
    now = bindparam("now", type_=DateTime(timezone=True))
    some = select(Channel.id).where(Channel.service == SERVICE, Channel.external_id == func.any(_AMONG))
    named_since = func.min(func.greatest(AllowedChannel.first_seen_at, DropCampaign.start_at))
    # A campaign is told as ended by the clock, a tick or two after its end: its own times decide.
    named = (
        select(AllowedChannel.channel_id, named_since.label("since"))
        .join(DropCampaign, DropCampaign.id == AllowedChannel.campaign_id)
        .where(
            DropCampaign.service == SERVICE,
            DropCampaign.ended_at.is_(None),
            DropCampaign.withdrawn_at.is_(None),
            func.coalesce(DropCampaign.start_at <= now, true()),
            func.coalesce(DropCampaign.end_at > now, true()),
            AllowedChannel.last_seen_at.is_(None),
            AllowedChannel.channel_id.in_(some) if among else true(),
        )
        .group_by(AllowedChannel.channel_id)
        .cte("named")
    )
    drops = select(Follow.created_at).where(Follow.kind == "drops").cte("drops")
    wishes = (
        select(Follow.channel_id, Follow.created_at.label("since"), literal(value=True).label("by_hand"))
        .where(Follow.kind == "channel", Follow.channel_id.in_(some) if among else true())
        .union_all(
            select(named.c.channel_id, func.greatest(named.c.since, drops.c.created_at), literal(value=False)).join(
                drops, true()
            )
        )
        .subquery("wishes")
    )
    why = (
        select(
            wishes.c.channel_id,
            func.min(wishes.c.since).label("since"),
            func.bool_or(wishes.c.by_hand).label("by_hand"),
        )
        .group_by(wishes.c.channel_id)
        .subquery("why")
    )
    return (
        select(
            Channel.id,
            Channel.external_id,
            Channel.login,
            why.c.since,
            why.c.by_hand,
            named.c.channel_id.is_not(None),
        )
        .join(why, why.c.channel_id == Channel.id)
        .outerjoin(named, named.c.channel_id == Channel.id)
        .where(Channel.service == SERVICE)
        .order_by(why.c.by_hand.desc(), why.c.since, Channel.id)
    )


_WATCHED = _watched()
_WATCHED_AMONG = _watched(among=True)
_CATEGORIES = (
    select(
        Game.id,
        GameExternalId.external_id,
        Game.name,
        func.coalesce(Follow.top, DEFAULT_TOP),
        Follow.created_at,
    )
    .join(Follow, Follow.game_id == Game.id)
    .join(GameExternalId, (GameExternalId.game_id == Game.id) & (GameExternalId.service == SERVICE))
    .where(Follow.kind == "category")
    .order_by(Follow.created_at, Game.id)
)
