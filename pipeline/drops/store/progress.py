"""Keep what a person has watched and claimed, and whose accounts are linked, as a service tells that person."""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from models import AccountLink, DropBenefit, DropBenefitEdge, DropCampaign, DropProgress, TimeBasedDrop
from models.people import OWNER_ID
from pipeline.drops.records import PART, ProgressRecord


def store_progress(connection: Connection, service: str, records: Sequence[ProgressRecord], now: datetime) -> int:
    """Store how far drops are watched, and whether they are claimed; returns how many that changed.

    A drop that is not known yet waits for the next answer. Parts of a drop with several rewards are watched together.
    """
    of_drop = {(record.campaign_id, record.drop_id): record for record in records}
    known = connection.execute(_of_campaigns(), {"of": service, "ids": list({key for key, _ in of_drop})})
    rows = [
        {
            "person_id": OWNER_ID,
            "drop_id": row.id,
            "minutes": record.minutes,
            "claimed_at": now if record.is_claimed else None,
            "seen_at": now,
        }
        for row in known
        if (record := of_drop.get((row.campaign, row.external_id.partition(PART)[0]))) is not None
    ]
    return _upsert(connection, rows)


def store_awarded(connection: Connection, service: str, awarded: Mapping[str, datetime], now: datetime) -> int:
    """Store as claimed what was awarded while it could be earned, by the benefits' ids; returns how many that changed.

    A benefit that a campaign gives for several drops does not say for which of them it was awarded. What an inventory
    says of a drop itself counts for more, and is stored after this.
    """
    drops: dict[int, list[datetime | None]] = {}
    minutes: dict[int, int] = {}
    for row in connection.execute(_giving(), {"of": service, "ids": list(awarded)}):
        at = awarded.get(row.benefit)
        in_time = at is not None and (row.start_at or at) <= at < (row.end_at or now)
        drops.setdefault(row.id, []).append(at if in_time and row.drops == 1 else None)
        minutes[row.id] = row.required_minutes or 0
    rows = [
        {
            "person_id": OWNER_ID,
            "drop_id": drop_id,
            "minutes": minutes[drop_id],
            "claimed_at": max(known),
            "seen_at": now,
        }
        for drop_id, times in drops.items()
        if (known := [at for at in times if at is not None]) and len(known) == len(times)
    ]
    return _upsert(connection, rows)


def store_links(connection: Connection, service: str, linked: Mapping[str, bool], now: datetime) -> int:
    """Store with which campaigns' games the account is linked, by the campaigns' ids; returns how many that changed."""
    if not linked:
        return 0
    given = func.unnest(bindparam("ids", list(linked), type_=ARRAY(Text)), bindparam("linked", list(linked.values())))
    rows = given.table_valued("campaign", "is_linked", name="given").render_derived()
    of_campaign = and_(DropCampaign.service == service, DropCampaign.external_id == rows.c.campaign)
    chosen = select(literal(OWNER_ID), DropCampaign.id, rows.c.is_linked, literal(now)).join(DropCampaign, of_campaign)
    added = insert(AccountLink).from_select(["person_id", "campaign_id", "is_linked", "seen_at"], chosen)
    new = added.excluded
    changed = added.on_conflict_do_update(
        index_elements=["person_id", "campaign_id"],
        set_={"is_linked": new.is_linked, "seen_at": new.seen_at},
        where=AccountLink.is_linked != new.is_linked,
    )
    return len(connection.execute(changed.returning(AccountLink.campaign_id)).all())


def _upsert(connection: Connection, rows: Sequence[Mapping[str, object]]) -> int:
    if not rows:
        return 0
    added = insert(DropProgress).values(list(rows))
    new = added.excluded
    # When it was claimed first is not moved by seeing it again.
    claimed_at = case((new.claimed_at.is_(None), None), else_=func.coalesce(DropProgress.claimed_at, new.claimed_at))
    differs = tuple_(new.minutes, claimed_at).is_distinct_from(tuple_(DropProgress.minutes, DropProgress.claimed_at))
    changed = added.on_conflict_do_update(
        index_elements=["person_id", "drop_id"],
        set_={"minutes": new.minutes, "claimed_at": claimed_at, "seen_at": new.seen_at},
        where=differs,
    )
    return len(connection.execute(changed.returning(DropProgress.drop_id)).all())


@functools.cache
def _of_campaigns() -> Select[int, str, str]:
    return (
        select(TimeBasedDrop.id, TimeBasedDrop.external_id, DropCampaign.external_id.label("campaign"))
        .join(DropCampaign, DropCampaign.id == TimeBasedDrop.campaign_id)
        .where(DropCampaign.service == bindparam("of"), DropCampaign.external_id == _among("ids"))
        .order_by(TimeBasedDrop.id)
    )


@functools.cache
def _giving() -> Select[*tuple[Any, ...]]:
    """Return the query for all benefits of the drops of open campaigns that give one of some benefits."""
    given = select(DropBenefitEdge.drop_id).join(DropBenefit, DropBenefit.id == DropBenefitEdge.benefit_id)
    asked = given.where(DropBenefit.service == bindparam("of"), DropBenefit.external_id == _among("ids"))
    other = TimeBasedDrop.__table__.alias("other")
    edge = DropBenefitEdge.__table__.alias("other_edge")
    in_drops = (
        select(func.count())
        .select_from(other.join(edge, edge.c.drop_id == other.c.id))
        .where(other.c.campaign_id == TimeBasedDrop.campaign_id, edge.c.benefit_id == DropBenefit.id)
        .correlate(TimeBasedDrop, DropBenefit)
        .scalar_subquery()
    )
    return (
        select(
            TimeBasedDrop.id,
            TimeBasedDrop.required_minutes,
            DropBenefit.external_id.label("benefit"),
            func.coalesce(TimeBasedDrop.start_at, DropCampaign.start_at).label("start_at"),
            func.coalesce(TimeBasedDrop.end_at, DropCampaign.end_at).label("end_at"),
            in_drops.label("drops"),
        )
        .join(DropCampaign, DropCampaign.id == TimeBasedDrop.campaign_id)
        .join(DropBenefitEdge, DropBenefitEdge.drop_id == TimeBasedDrop.id)
        .join(DropBenefit, DropBenefit.id == DropBenefitEdge.benefit_id)
        .where(
            TimeBasedDrop.id.in_(asked), DropBenefitEdge.last_seen_at.is_(None), TimeBasedDrop.last_seen_at.is_(None)
        )
        .where(DropCampaign.ended_at.is_(None), DropCampaign.withdrawn_at.is_(None))
        .order_by(TimeBasedDrop.id)
    )


def _among(name: str) -> object:
    return func.any(bindparam(name, type_=ARRAY(Text)))
