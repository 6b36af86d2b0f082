"""Reads what people have of campaigns: what they said, what Twitch's inventory says, whether accounts are linked."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    exists,
    func,
    or_,
    select,
)

from models import (
    AccountLink,
    Delivery,
    DeliveryState,
    DropBenefitEdge,
    DropCampaign,
    DropProgress,
    Event,
    Settled,
    TimeBasedDrop,
)
from models.details import CampaignDetail, EventDetail, detail_from_json, detail_type
from models.events import EventKind
from notifiers.account_links import is_linked
from notifiers.conditions.judge import ON_THE_SERVICE
from notifiers.timing.reconsidering import with_what_can_be_begun
from notifiers.timing.standing import NOTHING, DropStanding, Standing, missing_minutes

_UNSAID = (DeliveryState.DEAD, DeliveryState.DROPPED)
_PAST = frozenset({EventKind.CAMPAIGN_ENDED, EventKind.CAMPAIGN_WITHDRAWN})


def load_standings(
    connection: Connection, person_id: int, target_id: int, campaign_ids: Iterable[int | None]
) -> dict[int, Standing]:
    """Return what a person has of campaigns, as it counts at one target; without those of which nothing is known."""
    ids = sorted({each for each in campaign_ids if each is not None})
    of = {"person": person_id, "target": target_id, "campaigns": ids}
    if not ids or not knows_anything(connection, person_id):
        return {}
    drops: dict[int, list[DropStanding]] = {}
    for row in connection.execute(_drops(), of):
        drops.setdefault(row.campaign_id, []).append(_drop(row))
    return {
        row.id: Standing(settled=row.settled, drops=tuple(drops.get(row.id, ())), is_linked=row.is_linked)
        for row in connection.execute(_campaigns(), of)
    }


def knows_anything(connection: Connection, person_id: int) -> bool:
    """Return whether anything at all is known of a person: of most nothing is, which costs three looks into indexes."""
    return bool(connection.scalar(_anything(), {"person": person_id}))


def read_detail(row: Any) -> EventDetail:
    """Return the detail of an event's row; an empty one where it cannot be read."""
    try:
        return detail_from_json(row.kind, row.detail)
    except msgspec.ValidationError:
        return detail_type(row.kind)()


def as_it_stands(kind: str, detail: EventDetail, standing: Standing, now: datetime, *, asks: bool) -> EventDetail:
    """Return a detail with what it means to the person who is told; `asks` says that it asks for the account."""
    if not isinstance(detail, CampaignDetail):
        return detail
    missing = missing_minutes(kind, detail, standing, now)
    if kind == EventKind.CAMPAIGN_LAST_CHANCE and missing is None:
        detail = with_what_can_be_begun(detail, now)
    return msgspec.structs.replace(detail, missing_minutes=missing, needs_link=asks)


def asks_to_link(
    connection: Connection, target_id: int, rows: Sequence[Any], standings: dict[int, Standing]
) -> dict[int, int]:
    """Return which deliveries, by their campaigns, say that the account is not linked: the first of each campaign's.

    One that said so and was given up, or dropped, said nothing.
    """
    unlinked = {row.campaign_id: row for row in reversed(rows) if _needs_link(row, standings)}
    if not unlinked:
        return {}
    said = (
        select(Event.campaign_id)
        .join(Delivery, Delivery.event_id == Event.id)
        .where(Event.campaign_id.in_(unlinked), Delivery.target_id == target_id, Delivery.asks_to_link.is_(True))
        .where(Delivery.state.not_in(_UNSAID), Delivery.id.not_in([row.id for row in rows]))
    )
    asked = set(connection.scalars(said))
    return {campaign_id: row.id for campaign_id, row in unlinked.items() if campaign_id not in asked}


def _needs_link(row: Any, standings: dict[int, Standing]) -> bool:
    if row.campaign_id is None or standings.get(row.campaign_id, NOTHING).is_linked is not False:
        return False
    detail = read_detail(row)
    if not isinstance(detail, CampaignDetail) or row.kind in _PAST:
        return False
    kinds = {(benefit.distribution_type or "").lower() for drop in detail.drops for benefit in drop.benefits}
    return bool(detail.account_link_url) and not (kinds and kinds <= ON_THE_SERVICE)


def _drop(row: Any) -> DropStanding:
    closes_at = min(filter(None, [row.end_at, row.campaign_end_at]), default=None)
    standing = DropStanding(
        key=row.external_id,
        required_minutes=row.required_minutes,
        requires=tuple(row.precondition_drop_ids or ()),
        closes_at=closes_at,
        watched=row.minutes,
    )
    if row.claimed_at is not None:
        return replace(standing, settled="claimed")
    # Each of its benefits, and there are some.
    settled = sorted(filter(None, row.settled or ()))
    return replace(standing, settled=settled[0]) if settled and len(settled) == len(row.settled) else standing


@cache
def _anything() -> Select[bool]:
    """Built once, as the others: they run with every claim, and building costs more than running them."""
    tables = (Settled, DropProgress, AccountLink)
    return select(or_(*[exists().where(table.person_id == bindparam("person")) for table in tables]))


@cache
def _campaigns() -> Select[*tuple[Any, ...]]:
    about = or_(Settled.campaign_id == DropCampaign.id, Settled.game_id == DropCampaign.game_id)
    settled = select(Settled.state).where(about, _counts()).order_by(Settled.state).limit(1)
    return select(
        DropCampaign.id,
        settled.correlate(DropCampaign).scalar_subquery().label("settled"),
        is_linked(bindparam("person")).label("is_linked"),
    ).where(_among(DropCampaign.id))


@cache
def _drops() -> Select[*tuple[Any, ...]]:
    state = select(Settled.state).where(Settled.benefit_id == DropBenefitEdge.benefit_id, _counts())
    state = state.order_by(Settled.state).limit(1).correlate(DropBenefitEdge)
    of_drop = (DropBenefitEdge.drop_id == TimeBasedDrop.id, DropBenefitEdge.last_seen_at.is_(None))
    states = select(func.array_agg(state.scalar_subquery())).where(*of_drop)
    mine = (DropProgress.drop_id == TimeBasedDrop.id) & (DropProgress.person_id == bindparam("person"))
    return (
        select(
            TimeBasedDrop.campaign_id,
            TimeBasedDrop.external_id,
            TimeBasedDrop.required_minutes,
            TimeBasedDrop.precondition_drop_ids,
            TimeBasedDrop.end_at,
            DropCampaign.end_at.label("campaign_end_at"),
            DropProgress.minutes,
            DropProgress.claimed_at,
            states.correlate(TimeBasedDrop).scalar_subquery().label("settled"),
        )
        .join(DropCampaign, DropCampaign.id == TimeBasedDrop.campaign_id)
        .outerjoin(DropProgress, mine)
        .where(_among(TimeBasedDrop.campaign_id), TimeBasedDrop.last_seen_at.is_(None))
        .order_by(TimeBasedDrop.id)
    )


def _counts() -> ColumnElement[bool]:
    return (Settled.person_id == bindparam("person")) & or_(
        Settled.target_id.is_(None), Settled.target_id == bindparam("target")
    )


def _among(column: Any) -> Any:
    return column == func.any(bindparam("campaigns", type_=ARRAY(BigInteger)))
