"""Know which Twitch channels and categories are watched, and why."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    DateTime,
    Select,
    Text,
    bindparam,
    exists,
    func,
    literal,
    select,
    true,
)

from models import AllowedChannel, Channel, DropCampaign, Follow, Game, GameExternalId

SERVICE = "twitch"
DEFAULT_TOP = 20
_AMONG = bindparam("among", type_=ARRAY(Text))
NOW = bindparam("now", type_=DateTime(timezone=True))
# The clock marks a campaign as ended a tick or two after its end: its own times decide.
RUNNING = (
    DropCampaign.service == SERVICE,
    DropCampaign.ended_at.is_(None),
    DropCampaign.withdrawn_at.is_(None),
    func.coalesce(DropCampaign.start_at <= NOW, true()),
    func.coalesce(DropCampaign.end_at > NOW, true()),
)


class Watched(msgspec.Struct, frozen=True):
    """A channel whose streams are watched, by its Twitch id.

    `since` is when that began: a stream that started earlier is no news. `by_hand` means that a person added it
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


def watched(connection: Connection, now: datetime, *, person_id: int | None = None) -> list[Watched]:
    """Return the channels that are watched: those added by hand first, oldest first, then those that campaigns name.

    The latter only while `--drops` is followed: they come and go with their campaigns. Without a person they are those
    of all people.
    """
    query = _WATCHED if person_id is None else _watched_by(person_id)
    return [Watched(*row) for row in connection.execute(query, {"now": now})]


def watched_among(connection: Connection, external_ids: Collection[str], now: datetime) -> list[Watched]:
    """Return those of some channels, by Twitch id, that are watched; cheap where they are few."""
    return [Watched(*row) for row in connection.execute(_WATCHED_AMONG, {"now": now, "among": list(external_ids)})]


def is_anything_followed(connection: Connection) -> bool:
    """Whether anything is followed."""
    return bool(connection.scalar(select(exists(Follow.id))))


def followed_categories(connection: Connection, *, person_id: int | None = None) -> list[FollowedCategory]:
    """Return the followed categories, oldest follow first.

    Without a person they are those of all people, each with the most streams that one of them wants.
    """
    query = _CATEGORIES if person_id is None else _CATEGORIES.where(Follow.person_id == person_id)
    return [FollowedCategory(*row) for row in connection.execute(query)]


def _named_by_campaigns() -> Select[int, datetime]:
    """Return the channels that running campaigns name, with since when the first of them has."""
    since = func.min(func.greatest(AllowedChannel.first_seen_at, DropCampaign.start_at))
    return (
        select(AllowedChannel.channel_id, since.label("since"))
        .join(DropCampaign, DropCampaign.id == AllowedChannel.campaign_id)
        .where(*RUNNING, AllowedChannel.last_seen_at.is_(None))
        .group_by(AllowedChannel.channel_id)
    )


def _added_by_hand() -> Select[int | None, datetime, bool]:
    by_hand = literal(value=True).label("by_hand")
    return select(Follow.channel_id, Follow.created_at.label("since"), by_hand).where(Follow.kind == "channel")


def _watched(
    by_hand: Select[int | None, datetime, bool],
    named_by_campaigns: Select[int, datetime],
    *of_whom: ColumnElement[bool],
) -> Select[int, str, str, datetime, bool, bool]:
    """Return the channels that are watched for one of two reasons, or for both, with since when the first has held."""
    named = named_by_campaigns.cte("named")
    # People follow drops one by one: they are watched since the first of them did.
    follows = select(func.min(Follow.created_at).label("created_at")).where(Follow.kind == "drops", *of_whom)
    drops = follows.group_by(Follow.kind).cte("drops")
    while_drops_are_followed = select(
        named.c.channel_id, func.greatest(named.c.since, drops.c.created_at), literal(value=False)
    ).join(drops, true())
    reasons = by_hand.union_all(while_drops_are_followed).subquery("reasons")
    together = (
        select(
            reasons.c.channel_id,
            func.min(reasons.c.since).label("since"),
            func.bool_or(reasons.c.by_hand).label("by_hand"),
        )
        .group_by(reasons.c.channel_id)
        .subquery("together")
    )
    in_campaign = named.c.channel_id.is_not(None)
    return (
        select(Channel.id, Channel.external_id, Channel.login, together.c.since, together.c.by_hand, in_campaign)
        .join(together, together.c.channel_id == Channel.id)
        .outerjoin(named, named.c.channel_id == Channel.id)
        .where(Channel.service == SERVICE)
        .order_by(together.c.by_hand.desc(), together.c.since, Channel.id)
    )


def _watched_by(person_id: int) -> Select[int, str, str, datetime, bool, bool]:
    of_person = Follow.person_id == person_id
    return _watched(_added_by_hand().where(of_person), _named_by_campaigns(), of_person)


_SOME = select(Channel.id).where(Channel.service == SERVICE, Channel.external_id == func.any(_AMONG))
_WATCHED = _watched(_added_by_hand(), _named_by_campaigns())
# For few channels, each of the reasons reads these alone.
_WATCHED_AMONG = _watched(
    _added_by_hand().where(Follow.channel_id.in_(_SOME)),
    _named_by_campaigns().where(AllowedChannel.channel_id.in_(_SOME)),
)
_CATEGORIES = (
    select(
        Game.id,
        GameExternalId.external_id,
        Game.name,
        func.max(func.coalesce(Follow.top, DEFAULT_TOP)),
        func.min(Follow.created_at),
    )
    .join(Follow, Follow.game_id == Game.id)
    .join(GameExternalId, (GameExternalId.game_id == Game.id) & (GameExternalId.service == SERVICE))
    .where(Follow.kind == "category")
    .group_by(Game.id, GameExternalId.external_id)
    .order_by(func.min(Follow.created_at), Game.id)
)
