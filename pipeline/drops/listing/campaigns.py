"""Read drop campaigns as commands and the API show them: lists in pages, and one with all that hangs on it."""

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Select,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)

from models import (
    AllowedChannel,
    CampaignDeadline,
    Channel,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Game,
    Organization,
    TimeBasedDrop,
)
from models.moments import Moment
from models.names import name_key
from pipeline.drops.listing.subjects import Subject, is_named, subject_of
from pipeline.events.listing import EventFilter, EventLine, list_events

State = Literal["upcoming", "running", "ended", "withdrawn"]
# What of a campaign is shown with it at most; lists of their own have them all.
CHANNELS_SHOWN, CHANGES_SHOWN = 50, 50
_NOW = bindparam("now", type_=DateTime(timezone=True))
_STATE = case(
    (DropCampaign.withdrawn_at.is_not(None), literal("withdrawn")),
    (or_(DropCampaign.ended_at.is_not(None), DropCampaign.end_at <= _NOW), literal("ended")),
    (or_(DropCampaign.started_at.is_not(None), DropCampaign.start_at <= _NOW), literal("running")),
    else_=literal("upcoming"),
)
_OF_CAMPAIGN = and_(TimeBasedDrop.campaign_id == DropCampaign.id, TimeBasedDrop.last_seen_at.is_(None))
_IS_BOUGHT = or_(func.coalesce(TimeBasedDrop.required_subs, 0) > 0, TimeBasedDrop.required_turbo_subs > 0)
_HAS_SUBSCRIPTION = exists(select(1).where(_OF_CAMPAIGN, _IS_BOUGHT).correlate(DropCampaign))
_DROPS = select(func.count()).where(_OF_CAMPAIGN).correlate(DropCampaign).scalar_subquery()
_MINUTES = select(func.max(TimeBasedDrop.required_minutes)).where(_OF_CAMPAIGN).correlate(DropCampaign)
_IS_ALLOWED = and_(AllowedChannel.campaign_id == DropCampaign.id, AllowedChannel.last_seen_at.is_(None))
_CHANNELS = select(func.count()).where(_IS_ALLOWED).correlate(DropCampaign).scalar_subquery()


class CampaignLine(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign of a list.

    It is `withdrawn` where its service took it away before its end. `required_minutes` is for its longest drop, and
    `has_subscription` says whether some drop asks for a subscription. Without `channels` every channel counts.
    """

    id: int
    service: str
    external_id: str
    name: str
    state: State
    game: Subject | None
    organization: Subject | None
    start_at: Moment | None
    end_at: Moment | None
    first_seen_at: Moment
    drops: int
    required_minutes: int | None
    has_subscription: bool
    channels: int
    image_url: str | None
    details_url: str | None
    account_link_url: str | None


class CampaignFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which campaigns are wanted; what is not given is any. Games and organizations are named, or by public id."""

    state: State | None = None
    service: str | None = None
    game: str | None = None
    organization: str | None = None
    has_subscription: bool | None = None


class Benefit(msgspec.Struct, frozen=True, kw_only=True):
    """What a drop gives; `limit` is how often one account may have it, and `type` what its service calls its kind."""

    id: int
    external_id: str
    name: str | None
    image_url: str | None
    type: str | None
    limit: int | None


class Drop(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a campaign; `after` are the ids of the drops that have to be earned before it."""

    id: int
    external_id: str
    name: str | None
    required_minutes: int | None
    required_subs: int | None
    required_turbo_subs: int | None
    start_at: Moment | None
    end_at: Moment | None
    after: list[str]
    benefits: list[Benefit]


class ChannelOfCampaign(msgspec.Struct, frozen=True, kw_only=True):
    """A channel whose streams count for a campaign, and since when it is named."""

    id: int
    login: str
    display_name: str | None
    since: Moment


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A moment at which a message is due: `ending_soon:24h`, `last_chance`."""

    kind: str
    due_at: Moment


class CampaignPage(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign with its drops, its first channels, the deadlines that lie ahead, and its newest events."""

    campaign: CampaignLine
    description: str | None
    started_at: Moment | None
    ended_at: Moment | None
    withdrawn_at: Moment | None
    drops: list[Drop]
    channels: list[ChannelOfCampaign]
    deadlines: list[Deadline]
    changes: list[EventLine]


def list_campaigns(
    connection: Connection,
    wanted: CampaignFilter,
    now: datetime,
    *,
    before: int | None = None,
    limit: int | None = None,
) -> list[CampaignLine]:
    """Return campaigns, those that became known last first, behind the one with the id `before`."""
    values = {
        "state": wanted.state,
        "service": wanted.service,
        "game": wanted.game,
        "organization": wanted.organization,
        "has_subscription": wanted.has_subscription,
        "before": before,
    }
    given = {name: value for name, value in values.items() if value is not None}
    keys = {f"{name}_key": name_key(given[name]) for name in ("game", "organization") if name in given}
    rows = connection.execute(_query(frozenset(given)), {**given, **keys, "now": now, "most": limit})
    return [_line(row) for row in rows]


def find_campaign(connection: Connection, written: str) -> int | None:
    """Return the number of the campaign with this number, or with this id of its service."""
    is_it = DropCampaign.external_id == written
    if written.isascii() and written.isdigit() and len(written) < 19:
        is_it |= DropCampaign.id == int(written)
    # A number is ours before it is a service's.
    return connection.scalar(
        select(DropCampaign.id).where(is_it).order_by(DropCampaign.external_id == written).limit(1)
    )


def load_campaign(connection: Connection, campaign_id: int, now: datetime) -> CampaignPage:
    """Return a campaign with all that hangs on it, of which there may be thousands only the first channels."""
    row = connection.execute(_query(frozenset({"id"})), {"id": campaign_id, "now": now, "most": 1}).one()
    deadlines = select(CampaignDeadline.kind, CampaignDeadline.due_at).where(
        CampaignDeadline.campaign_id == campaign_id
    )
    return CampaignPage(
        campaign=_line(row),
        description=row.description,
        started_at=row.started_at,
        ended_at=row.ended_at,
        withdrawn_at=row.withdrawn_at,
        drops=_load_drops(connection, campaign_id),
        channels=list_channels(connection, campaign_id, limit=CHANNELS_SHOWN),
        deadlines=[
            Deadline(kind=each.kind, due_at=each.due_at)
            for each in connection.execute(deadlines.order_by(CampaignDeadline.due_at, CampaignDeadline.kind))
        ],
        # All of a campaign's are public.
        changes=list_events(connection, EventFilter(campaign_id=campaign_id), viewer=None, limit=CHANGES_SHOWN),
    )


def list_channels(
    connection: Connection, campaign_id: int, *, after: int = 0, limit: int | None = None
) -> list[ChannelOfCampaign]:
    """Return the channels that a campaign names, in the order of their ids, behind the one with the id `after`."""
    statement = (
        select(Channel.id, Channel.login, Channel.display_name, AllowedChannel.first_seen_at.label("since"))
        .join(AllowedChannel, AllowedChannel.channel_id == Channel.id)
        .where(AllowedChannel.campaign_id == campaign_id, AllowedChannel.last_seen_at.is_(None), Channel.id > after)
        .order_by(Channel.id)
        .limit(limit)
    )
    return [ChannelOfCampaign(**row) for row in connection.execute(statement).mappings()]


@functools.cache
def _query(given: frozenset[str]) -> Select[Any]:
    return (
        select(
            *DropCampaign.__table__.c,
            _STATE.label("state"),
            Game.name.label("game"),
            Game.public_id.label("game_public_id"),
            Organization.name.label("organization"),
            Organization.public_id.label("organization_public_id"),
            _DROPS.label("drops"),
            _MINUTES.scalar_subquery().label("required_minutes"),
            _HAS_SUBSCRIPTION.label("has_subscription"),
            _CHANNELS.label("channels"),
        )
        .outerjoin(Game, Game.id == DropCampaign.game_id)
        .outerjoin(Organization, Organization.id == DropCampaign.organization_id)
        .where(*_conditions(given))
        .order_by(DropCampaign.id.desc())
        .limit(bindparam("most", type_=BigInteger))
    )


def _conditions(given: frozenset[str]) -> Iterator[ColumnElement[bool]]:
    if "id" in given:
        yield DropCampaign.id == bindparam("id", type_=BigInteger)
    if "state" in given:
        yield bindparam("state", type_=Text) == _STATE
    if "service" in given:
        yield DropCampaign.service == bindparam("service", type_=Text)
    if "game" in given:
        yield is_named(Game, "game")
    if "organization" in given:
        yield is_named(Organization, "organization")
    if "has_subscription" in given:
        yield bindparam("has_subscription") == _HAS_SUBSCRIPTION
    if "before" in given:
        yield DropCampaign.id < bindparam("before", type_=BigInteger)


def _line(row: Any) -> CampaignLine:
    return CampaignLine(
        id=row.id,
        service=row.service,
        external_id=row.external_id,
        name=row.name,
        state=row.state,
        game=subject_of(row.game, row.game_public_id),
        organization=subject_of(row.organization, row.organization_public_id),
        start_at=row.start_at,
        end_at=row.end_at,
        first_seen_at=row.first_seen_at,
        drops=row.drops,
        required_minutes=row.required_minutes,
        has_subscription=row.has_subscription,
        channels=row.channels,
        image_url=row.image_url,
        details_url=row.details_url,
        account_link_url=row.account_link_url,
    )


def _load_drops(connection: Connection, campaign_id: int) -> list[Drop]:
    drops = (
        select(TimeBasedDrop)
        .where(TimeBasedDrop.campaign_id == campaign_id, TimeBasedDrop.last_seen_at.is_(None))
        .order_by(TimeBasedDrop.required_minutes.asc().nulls_last(), TimeBasedDrop.id)
    )
    benefits = _load_benefits(connection, campaign_id)
    return [
        Drop(
            id=row.id,
            external_id=row.external_id,
            name=row.name,
            required_minutes=row.required_minutes,
            required_subs=row.required_subs,
            required_turbo_subs=row.required_turbo_subs,
            start_at=row.start_at,
            end_at=row.end_at,
            after=row.precondition_drop_ids or [],
            benefits=benefits.get(row.id, []),
        )
        for row in connection.execute(drops)
    ]


def _load_benefits(connection: Connection, campaign_id: int) -> Mapping[int, list[Benefit]]:
    statement = (
        select(DropBenefit, DropBenefitEdge.drop_id, DropBenefitEdge.entitlement_limit)
        .join(DropBenefitEdge, DropBenefitEdge.benefit_id == DropBenefit.id)
        .join(TimeBasedDrop, TimeBasedDrop.id == DropBenefitEdge.drop_id)
        .where(TimeBasedDrop.campaign_id == campaign_id, DropBenefitEdge.last_seen_at.is_(None))
        .order_by(DropBenefit.id)
    )
    benefits: dict[int, list[Benefit]] = defaultdict(list)
    for row in connection.execute(statement):
        benefits[row.drop_id].append(
            Benefit(
                id=row.id,
                external_id=row.external_id,
                name=row.name,
                image_url=row.image_url,
                type=row.distribution_type,
                limit=row.entitlement_limit,
            )
        )
    return benefits
