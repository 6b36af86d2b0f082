"""Holds deliveries that are due until their target wants them, and drops what is muted or became pointless by then."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_, exists, func, select, update
from sqlalchemy.orm import aliased

from models import Delivery, DeliveryState, Event, Game, Mute
from notifiers.days import zone
from notifiers.standing import read_detail
from notifiers.timing.deciding import Drop, Waiting, decide
from notifiers.timing.holding import HeldFor, Hold
from notifiers.timing.settings import settings_from_json
from notifiers.timing.standing import NOTHING, Standing

# What a digest or a night may have gathered; a message lists what it has room for, and counts the rest.
MOST_GATHERED = 200


def hold_or_drop(
    connection: Connection, target: Any, rows: Sequence[Any], now: datetime, standings: Mapping[int, Standing]
) -> list[Any]:
    """Hold and drop what is to be held and dropped of a target's due deliveries; returns those that may go now.

    `target` has an id, `settings` and a `timezone`; `rows` are deliveries with their events, locked by the transaction.
    `standings` are what the target's person has of the events' campaigns: what is claimed or ignored is asked last, so
    that a word of the last minute counts.
    """
    settings, where = settings_from_json(target.settings), zone(target.timezone)
    muted = _mutes(connection, target.id, now)
    if not settings.holds and not muted and not standings and not any(row.held_for for row in rows):
        return list(rows)
    games = _game_keys(connection, rows) if muted else {}
    burst = _burst(connection, target.id) if settings.burst_seconds else []
    left = []
    for row in rows:
        waiting = Waiting(
            kind=row.kind,
            detail=read_detail(row),
            created_at=row.created_at,
            game_key=games.get(row.id),
            held_for=row.held_for,
            attempts=row.attempts,
            standing=standings.get(row.campaign_id, NOTHING),
            is_over=partial(_is_over, connection, row),
        )
        match decide(settings, where, now, waiting, muted=muted, burst=burst):
            case Hold() as held:
                _hold(connection, row, held)
            case Drop(reason):
                _drop(connection, row.id, reason)
            case None:
                left.append(row)
    return left


def let_go(connection: Connection, target_id: int, now: datetime) -> int:
    """Have all that is held at a target looked at again now, as after a change of its settings; returns how much."""
    held = (Delivery.target_id == target_id, Delivery.state == DeliveryState.PENDING, Delivery.held_for.is_not(None))
    return connection.execute(
        update(Delivery).where(*held, Delivery.held_for != HeldFor.DAY).values(next_attempt_at=now)
    ).rowcount


def _mutes(connection: Connection, target_id: int, now: datetime) -> dict[str | None, datetime]:
    """Return until when a target is muted, by the game's key; None stands for everything."""
    rows = connection.execute(select(Mute.game_key, Mute.until).where(Mute.target_id == target_id, Mute.until > now))
    return dict(rows.all())


def _game_keys(connection: Connection, rows: Sequence[Any]) -> dict[int, str]:
    ids = [row.id for row in rows]
    keys = (
        select(Delivery.id, Game.name_key)
        .join(Event, Event.id == Delivery.event_id)
        .join(Game, Game.id == Event.game_id)
        .where(Delivery.id == func.any(ids))
    )
    return dict(connection.execute(keys).all())


def _burst(connection: Connection, target_id: int) -> list[datetime]:
    """Return when the deliveries were made that wait at a target and were never tried."""
    waiting = (Delivery.target_id == target_id, Delivery.state == DeliveryState.PENDING, Delivery.attempts == 0)
    return list(connection.scalars(select(Delivery.created_at).where(*waiting)))


def _is_over(connection: Connection, row: Any) -> bool:
    """Return whether the stream that an event is about has ended: a later event says so."""
    if row.channel_id is None:
        return False
    later = aliased(Event)
    ended = and_(later.channel_id == row.channel_id, later.kind == "stream.offline", later.id > row.event_id)
    return bool(connection.scalar(select(exists().where(ended))))


def _hold(connection: Connection, row: Any, held: Hold) -> None:
    values: dict[str, Any] = {"next_attempt_at": held.until, "held_for": held.reason}
    if row.state == DeliveryState.SENDING:
        # Its sender died: the target may have it.
        values |= {"state": DeliveryState.PENDING, "lease_until": None, "lease_token": None}
        values |= {"unanswered": max(row.unanswered, 1)}
    connection.execute(update(Delivery).where(Delivery.id == row.id).values(values))


def _drop(connection: Connection, delivery_id: int, reason: str) -> None:
    values = {"state": DeliveryState.DROPPED, "last_error": reason, "lease_until": None, "lease_token": None}
    connection.execute(update(Delivery).where(Delivery.id == delivery_id).values(values))
