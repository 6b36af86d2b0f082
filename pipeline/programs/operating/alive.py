"""Tells operators at their time that all goes on: once a day or a week, later where the machine was off."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from models import Delivery, DeliveryState, Event, Source, Target
from models.details import OperatorDetail
from models.events import EventKind
from notifiers.days import zone
from notifiers.operators import OPERATOR, tell_one
from notifiers.timing.digests import digest_before
from notifiers.timing.settings import settings_from_json
from pipeline.events.append import NewEvent, append_events
from pipeline.programs.operating.troubles import Trouble


def tell_alive(connection: Connection, troubles: Sequence[Trouble], now: datetime) -> Counter[str]:
    """Tell each operator's target whose heartbeat is due how all is going; returns the events of each kind.

    Of several heartbeats that were due while nothing ran the last one is told. A target that is paused misses its own.
    """
    counted = Counter[str]()
    rows = connection.execute(
        select(Target.id, Target.timezone, Target.settings, Target.heartbeat_at, Target.disabled_at)
        .where(Target.role == OPERATOR, Target.removed_at.is_(None))
        .order_by(Target.id)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    for row in rows:
        due_at = _due_at(row, now)
        if due_at is not None and row.heartbeat_at is not None and row.disabled_at is None:
            counted += _tell(connection, row, due_at, troubles, now)
        _remember(connection, row, due_at, now)
    return counted


def _due_at(row: Any, now: datetime) -> datetime | None:
    """Return when a target's last heartbeat was due; None where it is not to be told one."""
    heartbeat = settings_from_json(row.settings).heartbeat
    if heartbeat is None:
        return None
    due_at = digest_before(heartbeat, now, zone(row.timezone))
    return due_at if row.heartbeat_at is None or due_at > row.heartbeat_at else None


def _remember(connection: Connection, row: Any, due_at: datetime | None, now: datetime) -> None:
    """Write down which heartbeat was the last: the first one of a target is the next that is due."""
    has_any = settings_from_json(row.settings).heartbeat is not None
    if has_any and due_at is None:
        return
    heartbeat_at = None if not has_any else now if row.heartbeat_at is None else due_at
    if heartbeat_at != row.heartbeat_at:
        connection.execute(update(Target).where(Target.id == row.id).values(heartbeat_at=heartbeat_at))


def _tell(
    connection: Connection, row: Any, due_at: datetime, troubles: Sequence[Trouble], now: datetime
) -> Counter[str]:
    event = NewEvent(
        kind=EventKind.OPERATOR_HEARTBEAT,
        subject=f"target:{row.id}",
        identity=due_at.isoformat(),
        occurred_at=now,
        detail=_figures(connection, row.heartbeat_at, due_at, troubles, now),
    )
    # It is this target's alone, but for subscriptions that name it.
    counted = append_events(connection, [event], source_id=None, silent=False, now=now)
    event_id = connection.execute(select(Event.id).where(Event.event_key == event.event_key)).scalar_one()
    tell_one(connection, event_id, row.id, now)
    return counted


def _figures(
    connection: Connection, since: datetime, due_at: datetime, troubles: Sequence[Trouble], now: datetime
) -> OperatorDetail:
    ill = Source.failing_since.is_not(None) | Source.changed_since.is_not(None) | Source.stale_since.is_not(None)
    sources = select(func.count(), func.count().filter(~ill)).where(Source.enabled)
    total, healthy = connection.execute(sources).one()
    waiting = Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING])
    count = connection.scalar(select(func.count()).where(waiting)) or 0
    oldest = connection.scalar(select(func.min(Delivery.created_at)).where(waiting))
    # What comes after this one was due is the next one's.
    sent_between = (Delivery.sent_at >= since, Delivery.sent_at < due_at)
    sent = select(func.count()).where(Delivery.state == DeliveryState.SENT, *sent_between)
    dead_between = (Delivery.dead_at >= since, Delivery.dead_at < due_at)
    dead = select(func.count()).where(Delivery.state == DeliveryState.DEAD, *dead_between)
    return OperatorDetail(
        since=since,
        due_at=due_at,
        sources_healthy=healthy,
        sources_total=total,
        messages_sent=connection.scalar(sent) or 0,
        messages_waiting=count,
        messages_dead=connection.scalar(dead) or 0,
        oldest_waiting_seconds=max(0, round((now - oldest).total_seconds())) if oldest is not None else 0,
        troubles=tuple(trouble.headline for trouble in troubles),
    )
