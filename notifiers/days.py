"""Holds messages about a release until its day begins in the target's own time zone."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ARRAY, BigInteger, Connection, DateTime, bindparam, delete, func, select, update

from models import Delivery, DeliveryState, Event, Target
from models.events import EventKind
from models.periods import read_period
from notifiers.timing.holding import HeldFor

logger = logging.getLogger(__name__)
_RELEASES = (
    select(Delivery.id, Delivery.created_at, Delivery.next_attempt_at, Target.timezone, Event.detail["when"].astext)
    .join(Event, Event.id == Delivery.event_id)
    .join(Target, Target.id == Delivery.target_id)
    .where(Event.kind == EventKind.RELEASE_OUT, Delivery.state == DeliveryState.PENDING, Delivery.attempts == 0)
)
_OF = _RELEASES.where(Event.id == func.any(bindparam("events", type_=ARRAY(BigInteger))))
_AT = _RELEASES.where(Delivery.target_id == bindparam("target"))
_HELD = (
    update(Delivery)
    .where(Delivery.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
    .values(next_attempt_at=bindparam("begins_at", type_=DateTime(timezone=True)), held_for=HeldFor.DAY)
)


def hold_until_day(connection: Connection, event_ids: Sequence[int]) -> None:
    """Let deliveries of releases wait for the day of the release, each by its target's clock.

    Belongs in the transaction that made the deliveries. Where the day has begun, they are due at once.
    """
    _hold(connection, connection.execute(_OF, {"events": list(event_ids)}))


def move_waiting(connection: Connection, target_id: int) -> None:
    """Hold what waits for its day at a target by the target's time zone as it is now."""
    _hold(connection, connection.execute(_AT, {"target": target_id}))


def drop_waiting(connection: Connection, event_ids: Sequence[int]) -> int:
    """Drop those deliveries of events that no worker has tried to send yet; returns how many."""
    waiting = (
        Delivery.event_id == func.any(bindparam("events", list(event_ids), type_=ARRAY(BigInteger))),
        Delivery.state == DeliveryState.PENDING,
        Delivery.attempts == 0,
    )
    return connection.execute(delete(Delivery).where(*waiting)).rowcount


def begins_first(connection: Connection, now: datetime) -> date:
    """Return the latest day that it is now, at any target or in UTC."""
    zones = connection.scalars(select(Target.timezone).where(Target.disabled_at.is_(None)).distinct())
    return max([now.astimezone(UTC).date(), *[now.astimezone(zone(name)).date() for name in zones]])


def day_begins(day: date, where: tzinfo) -> datetime:
    """Return the first moment of a day in a time zone: midnight, or what comes after it where clocks skip that."""
    return datetime.combine(day, time.min, where).astimezone(UTC)


def _hold(connection: Connection, deliveries: Iterable[Sequence[Any]]) -> None:
    waiting: dict[datetime, list[int]] = {}
    for delivery_id, created_at, next_attempt_at, timezone, when in deliveries:
        period = read_period(when)
        if period is None or period.first is None:
            continue
        begins_at = max(day_begins(period.first, zone(timezone)), created_at)
        if begins_at != next_attempt_at:
            waiting.setdefault(begins_at, []).append(delivery_id)
    for begins_at, ids in waiting.items():
        connection.execute(_HELD, {"ids": ids, "begins_at": begins_at})


def zone(name: str) -> tzinfo:
    """Return a time zone; UTC, with a warning, for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        logger.warning("this machine does not know the time zone %s: UTC is used", name)
        return UTC
