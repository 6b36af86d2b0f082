"""Holds deliveries that are due until their target wants them, and drops what is muted or became pointless by then."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, func, select, text, update
from sqlalchemy.orm import aliased

from models import Delivery, DeliveryState, Event, Game
from models.events import EventKind
from notifiers.days import zone
from notifiers.standing import read_detail
from notifiers.timing.deciding import Drop, Muted, Waiting, decide
from notifiers.timing.holding import HeldFor, Hold
from notifiers.timing.settings import settings_from_json
from notifiers.timing.standing import NOTHING, Standing

# What a digest or a night may have gathered; a message lists what it has room for, and counts the rest.
MOST_GATHERED = 200


def hold_or_drop(
    connection: Connection,
    target: Any,
    rows: Sequence[Any],
    now: datetime,
    *,
    muted: Mapping[str | None, Muted],
    standings: Mapping[int, Standing],
) -> list[Any]:
    """Hold and drop what is to be held and dropped of a target's due deliveries; returns those that may go now.

    `target` has an id, `settings` and a `timezone`; `rows` are deliveries with their events, locked by the transaction.
    `muted` is what `load_mutes` says of the target, `standings` what its person has of the events' campaigns: what is
    claimed or ignored is asked last, so that a word of the last minute counts.
    """
    settings, where = settings_from_json(target.settings), zone(target.timezone)
    may_be_late = any(row.held_for or row.kind == EventKind.CAMPAIGN_LAST_CHANCE for row in rows)
    if not settings.holds and not muted and not standings and not may_be_late:
        return list(rows)
    games = _game_keys(connection, rows) if muted else {}
    burst = _burst(connection, target.id) if settings.burst_seconds else []
    over = _over(connection, rows) if any(row.held_for for row in rows) else set()
    left, drops, holds = [], defaultdict(list), defaultdict(list)
    for row in rows:
        waiting = Waiting(
            kind=row.kind,
            detail=read_detail(row),
            created_at=row.created_at,
            game_key=games.get(row.id),
            held_for=row.held_for,
            attempts=row.attempts,
            standing=standings.get(row.campaign_id, NOTHING),
            is_over=row.id in over,
        )
        match decide(settings, where, now, waiting, muted=muted, burst=burst):
            case Hold() as held:
                holds[held].append(row.id)
            case Drop(reason):
                drops[reason].append(row.id)
            case None:
                left.append(row)
    _write(connection, holds, drops)
    return left


def hold_all(connection: Connection, held: Hold, delivery_ids: Sequence[int]) -> None:
    """Hold deliveries, which the transaction has locked, until a time."""
    _write(connection, {held: list(delivery_ids)}, {})


def let_go(connection: Connection, target_id: int, now: datetime) -> int:
    """Have all that is held at a target looked at again now, as after a change of its settings; returns how much."""
    held = (Delivery.target_id == target_id, Delivery.state == DeliveryState.PENDING, Delivery.held_for.is_not(None))
    return connection.execute(
        update(Delivery).where(*held, Delivery.held_for != HeldFor.DAY).values(next_attempt_at=now)
    ).rowcount


def load_mutes(connection: Connection, target_ids: Sequence[int], now: datetime) -> dict[int, dict[str | None, Muted]]:
    """Return the mutes that last, by target and by the game's key; None stands for everything."""
    mutes: dict[int, dict[str | None, Muted]] = {}
    for target_id, game_key, since, until in connection.execute(_MUTES, {"ids": target_ids, "now": now}):
        mutes.setdefault(target_id, {})[game_key] = Muted(since, until)
    return mutes


_MUTES = text("SELECT target_id, game_key, created_at, until FROM mutes WHERE target_id = ANY(:ids) AND until > :now")


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
    """Return when the first and the last delivery were made that wait at a target and were never tried."""
    waiting = (Delivery.target_id == target_id, Delivery.state == text("'pending'"), Delivery.attempts == 0)
    ends = select(func.min(Delivery.created_at), func.max(Delivery.created_at)).where(*waiting)
    return [at for at in connection.execute(ends).one() if at is not None]


def _over(connection: Connection, rows: Sequence[Any]) -> set[int]:
    """Return the deliveries about a stream that has ended: a later event says so."""
    later = aliased(Event)
    ended = and_(later.channel_id == Event.channel_id, later.kind == "stream.offline", later.id > Event.id)
    about = select(Delivery.id).join(Event).where(Delivery.id == func.any([row.id for row in rows if row.channel_id]))
    return set(connection.scalars(about.where(exists().where(ended))))


def _write(connection: Connection, holds: Mapping[Hold, list[int]], drops: Mapping[str, list[int]]) -> None:
    """Write down what is held and what is dropped, in one statement for each reason."""
    for held, ids in holds.items():
        connection.execute(_HOLD, {"ids": ids, "until": held.until, "reason": held.reason})
    for reason, ids in drops.items():
        connection.execute(_DROP, {"ids": ids, "reason": reason})


# What was under way when its sender died the target may have.
_HOLD = text(
    "UPDATE deliveries SET next_attempt_at = :until, held_for = :reason, state = 'pending', lease_until = NULL, "
    "lease_token = NULL, unanswered = CASE state WHEN 'sending' THEN greatest(unanswered, 1) ELSE unanswered END "
    "WHERE id = ANY(:ids)"
)
_DROP = text(
    "UPDATE deliveries SET state = 'dropped', last_error = :reason, lease_until = NULL, lease_token = NULL "
    "WHERE id = ANY(:ids)"
)
