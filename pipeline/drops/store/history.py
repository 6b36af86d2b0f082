"""Look back over campaigns: when a reward was on offer before, and how often a game has campaigns."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.orm import aliased

from models import DropBenefit, DropBenefitEdge, DropCampaign, Game, GameExternalId, TimeBasedDrop
from models.details import SeenBefore
from models.errors import UnknownThing
from models.names import name_key, nearest

_BEFORE, _NOW = aliased(DropCampaign), aliased(DropCampaign)
_DROP_BEFORE, _DROP_NOW = aliased(TimeBasedDrop), aliased(TimeBasedDrop)
_EDGE_BEFORE, _EDGE_NOW = aliased(DropBenefitEdge), aliased(DropBenefitEdge)
_BENEFIT_BEFORE, _BENEFIT_NOW = aliased(DropBenefit), aliased(DropBenefit)
# The last campaign before each new one, of the same organization and game, that gave a benefit of the same name.
_SEEN_BEFORE = (
    select(_NOW.id, _BENEFIT_NOW.name, _BEFORE.name, _BEFORE.end_at)
    .join(_DROP_NOW, _DROP_NOW.campaign_id == _NOW.id)
    .join(_EDGE_NOW, _EDGE_NOW.drop_id == _DROP_NOW.id)
    .join(_BENEFIT_NOW, _BENEFIT_NOW.id == _EDGE_NOW.benefit_id)
    .join(
        _BEFORE,
        (_BEFORE.game_id == _NOW.game_id)
        & (_BEFORE.organization_id == _NOW.organization_id)
        & (_BEFORE.id < _NOW.id)
        & (_BEFORE.end_at <= _NOW.start_at),
    )
    .join(_DROP_BEFORE, _DROP_BEFORE.campaign_id == _BEFORE.id)
    .join(_EDGE_BEFORE, _EDGE_BEFORE.drop_id == _DROP_BEFORE.id)
    .join(
        _BENEFIT_BEFORE,
        (_BENEFIT_BEFORE.id == _EDGE_BEFORE.benefit_id) & (_BENEFIT_BEFORE.name == _BENEFIT_NOW.name),
    )
    .where(_NOW.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
    .order_by(_NOW.id, _BENEFIT_NOW.name, _BEFORE.end_at.desc(), _BEFORE.id.desc())
    .ext(distinct_on(_NOW.id, _BENEFIT_NOW.name))
)

SIMILAR = 8


class GameHistory(msgspec.Struct, frozen=True, kw_only=True):
    """How a game's campaigns come and go; times are UTC, durations medians."""

    name: str
    services: tuple[str, ...]
    campaigns: int
    open: int
    first_start_at: datetime | None
    last_end_at: datetime | None
    lasts: timedelta | None
    every: timedelta | None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A reward and how often it was given."""

    reward: str
    service: str
    campaigns: int
    last_campaign: str
    until: datetime | None


def seen_before(connection: Connection, campaign_ids: Sequence[int]) -> dict[int, tuple[SeenBefore, ...]]:
    """Return which benefits of new campaigns were on offer before, by campaign row id."""
    lines: dict[int, tuple[SeenBefore, ...]] = {}
    for campaign_id, benefit, campaign, until in connection.execute(_SEEN_BEFORE, {"ids": list(campaign_ids)}):
        line = SeenBefore(benefit=benefit or "", campaign=campaign, until=until)
        lines[campaign_id] = (*lines.get(campaign_id, ()), line)
    return lines


def find_game(connection: Connection, name: str) -> int:
    """Return a game's row id by its name; raises `UnknownThing` with the names most like it."""
    key = name_key(name)
    game_id = connection.scalar(select(Game.id).where(Game.name_key == key).order_by(Game.id).limit(1))
    if game_id is not None:
        return game_id
    similar = nearest(name, connection.scalars(select(Game.name)), SIMILAR)
    hint = f"; there are: {', '.join(similar)}" if similar else ""
    raise UnknownThing(f"no game named {name!r} has had a campaign yet{hint}")


class KnownGame(msgspec.Struct, frozen=True, kw_only=True):
    """A game that some service named, and how many campaigns it had; `last_end_at` is UTC."""

    name: str
    public_id: str
    services: tuple[str, ...]
    campaigns: int
    open: int
    last_end_at: datetime | None


def known_games(connection: Connection) -> list[KnownGame]:
    """Return all games that services named, by name."""
    is_open = DropCampaign.ended_at.is_(None) & DropCampaign.withdrawn_at.is_(None)
    services = (
        select(func.array_agg(aggregate_order_by(GameExternalId.service.distinct(), GameExternalId.service)))
        .where(GameExternalId.game_id == Game.id)
        .scalar_subquery()
    )
    query = (
        select(
            *(Game.name, Game.public_id, services.label("services")),
            func.count(DropCampaign.id).label("campaigns"),
            func.count(DropCampaign.id).filter(is_open).label("open"),
            func.max(DropCampaign.end_at).label("last_end_at"),
        )
        .outerjoin(DropCampaign, DropCampaign.game_id == Game.id)
        .group_by(Game.id)
        .order_by(func.lower(Game.name), Game.id)
    )
    return [
        KnownGame(**{**row, "services": tuple(row["services"] or ())}) for row in connection.execute(query).mappings()
    ]


def game_history(connection: Connection, game_id: int) -> GameHistory:
    """Return how often a game's campaigns come and how long they last."""
    gap = DropCampaign.start_at - func.lag(DropCampaign.start_at).over(order_by=DropCampaign.start_at)
    each = (
        select(
            DropCampaign.start_at,
            DropCampaign.end_at,
            DropCampaign.ended_at,
            DropCampaign.withdrawn_at,
            gap.label("gap"),
        )
        .where(DropCampaign.game_id == game_id)
        .cte("each")
    )
    middle = func.percentile_cont(0.5)
    row = connection.execute(
        select(
            func.count(),
            func.count().filter(each.c.ended_at.is_(None), each.c.withdrawn_at.is_(None)),
            func.min(each.c.start_at),
            func.max(each.c.end_at),
            middle.within_group((each.c.end_at - each.c.start_at).asc()),
            middle.within_group(each.c.gap.asc()),
        )
    ).one()
    named = connection.scalars(
        select(GameExternalId.service)
        # IGDB has entries and no campaigns.
        .where(GameExternalId.game_id == game_id, GameExternalId.service != "igdb")
        .order_by(GameExternalId.service)
    )
    return GameHistory(
        name=connection.scalars(select(Game.name).where(Game.id == game_id)).one(),
        services=tuple(named),
        campaigns=row[0],
        open=row[1],
        first_start_at=row[2],
        last_end_at=row[3],
        lasts=row[4],
        every=row[5],
    )


def offers(connection: Connection, game_id: int, limit: int) -> list[Offer]:
    """Return a game's rewards, those offered last first."""
    rows = connection.execute(
        select(
            DropBenefit.name,
            DropCampaign.service,
            func.count(DropCampaign.id.distinct()),
            func.max(DropCampaign.end_at).label("until"),
            func.max(DropCampaign.id),
        )
        .join(DropBenefitEdge, DropBenefitEdge.benefit_id == DropBenefit.id)
        .join(TimeBasedDrop, TimeBasedDrop.id == DropBenefitEdge.drop_id)
        .join(DropCampaign, DropCampaign.id == TimeBasedDrop.campaign_id)
        .where(DropCampaign.game_id == game_id, DropBenefit.name.is_not(None))
        .group_by(DropBenefit.name, DropCampaign.service)
        .order_by(func.max(DropCampaign.end_at).desc(), DropBenefit.name)
        .limit(limit)
    ).all()
    names = dict(
        connection.execute(
            select(DropCampaign.id, DropCampaign.name).where(DropCampaign.id == func.any([row[4] for row in rows]))
        ).all()
    )
    return [
        Offer(reward=name or "", service=service, campaigns=count, until=until, last_campaign=names[last])
        for name, service, count, until, last in rows
    ]
