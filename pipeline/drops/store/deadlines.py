"""Keep the due times of messages about a campaign's end, and hand out those that are due."""

import functools
from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, Table, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import Insert

from models import CampaignDeadline, DropCampaign
from pipeline.database.bulk import execute_rows, insert_rows

DEADLINES: Table = CampaignDeadline.__table__  # type: ignore[assignment]
AT_ONCE = 200
# Raise it when `pipeline/drops/deadlines.py` reckons otherwise: the first tick after an upgrade sets all anew.
DEADLINES_VERSION = 2
_OF = delete(CampaignDeadline).where(
    CampaignDeadline.campaign_id == func.any(bindparam("ids", type_=ARRAY(BigInteger)))
)


class Due(msgspec.Struct, frozen=True):
    """A deadline whose moment has come."""

    campaign_id: int
    kind: str
    due_at: datetime


def set_deadlines(connection: Connection, moments: Mapping[int, Mapping[str, datetime]], *, replace: bool) -> None:
    """Set the deadlines of campaigns by row id; with `replace` those that they had are dropped first."""
    if replace and moments:
        connection.execute(_OF, {"ids": list(moments)})
    rows = [
        {"campaign_id": campaign_id, "kind": kind, "due_at": due_at}
        for campaign_id, by_kind in moments.items()
        for kind, due_at in by_kind.items()
    ]
    if rows:
        execute_rows(connection, _inserted(), rows)


def outdated(connection: Connection, service: str) -> list[int]:
    """Return open campaigns whose deadlines an older version of the program has reckoned."""
    query = select(DropCampaign.id).where(
        DropCampaign.service == service,
        DropCampaign.deadlines_version < DEADLINES_VERSION,
        DropCampaign.ended_at.is_(None),
        DropCampaign.withdrawn_at.is_(None),
    )
    return list(connection.scalars(query.order_by(DropCampaign.id).limit(AT_ONCE)))


def renew(connection: Connection, moments: Mapping[int, Mapping[str, datetime]]) -> None:
    """Set the deadlines of campaigns by row id anew, reckoned by the rules of now."""
    set_deadlines(connection, moments, replace=True)
    renewed = update(DropCampaign).where(DropCampaign.id == func.any(list(moments)))
    connection.execute(renewed.values(deadlines_version=DEADLINES_VERSION))


@functools.cache
def _inserted() -> Insert:
    return insert_rows(DEADLINES, ("campaign_id", "kind", "due_at"))


def take_due(connection: Connection, service: str, now: datetime) -> list[Due]:
    """Remove deadlines that are due and return them, but for those of campaigns that are over."""
    over = select(DropCampaign.id).where(
        DropCampaign.id == CampaignDeadline.campaign_id,
        DropCampaign.ended_at.is_not(None) | DropCampaign.withdrawn_at.is_not(None),
    )
    connection.execute(delete(CampaignDeadline).where(CampaignDeadline.due_at <= now, over.exists()))
    due = (
        select(CampaignDeadline.campaign_id, CampaignDeadline.kind)
        .join(DropCampaign, DropCampaign.id == CampaignDeadline.campaign_id)
        .where(DropCampaign.service == service, CampaignDeadline.due_at <= now)
        .order_by(CampaignDeadline.due_at, CampaignDeadline.campaign_id)
        .limit(AT_ONCE)
        .cte("due")
    )
    taken = (
        delete(CampaignDeadline)
        .where(CampaignDeadline.campaign_id == due.c.campaign_id, CampaignDeadline.kind == due.c.kind)
        .returning(CampaignDeadline.campaign_id, CampaignDeadline.kind, CampaignDeadline.due_at)
    )
    deadlines = [Due(*row) for row in connection.execute(taken)]
    return sorted(deadlines, key=lambda deadline: (deadline.due_at, deadline.campaign_id))
