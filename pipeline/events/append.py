"""Append events with all that follows: deliveries for the subscriptions they match, and a note for the next publish."""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, Table, bindparam, func, select
from sqlalchemy.sql.dml import ReturningInsert

from feeds.take_in import mark
from models import Event, Game
from models.pictures import sized
from models.words import title
from notifiers.days import hold_until_day
from notifiers.match import fan_out
from notifiers.operators import is_for_operators, tell_operators
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.database.ringing import Bell, ring
from pipeline.events.damping import damp
from pipeline.events.event import NewEvent

__all__ = ["NEWS_FOR", "NewEvent", "append_events"]

EVENTS: Table = Event.__table__  # type: ignore[assignment]
_BOX_ARTS = select(Game.id, Game.box_art_url).where(
    Game.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))), Game.box_art_url.is_not(None)
)
# An older event is no news but imported history, or an end that passed while nothing ran.
NEWS_FOR = timedelta(hours=24)


def append_events(
    connection: Connection, events: Sequence[NewEvent], *, source_id: int | None, silent: bool, now: datetime
) -> Counter[str]:
    """Append events that are not known yet, fan them out and note them for feeds; returns how many of each kind.

    Silent ones are on feeds, and make no deliveries. Damped ones are held back where they flap.
    """
    fresh = _painted(connection, damp(connection, events, silent=silent, now=now))
    if not fresh:
        return Counter()
    rows = [_row(event, source_id=source_id, silent=silent, now=now) for event in fresh]
    added = execute_rows(connection, _added(tuple(rows[0])), rows).all()
    ids = [event_id for event_id, _ in added]
    if ids and not silent:
        fan_out(connection, ids, now)
        if own := [event_id for event_id, kind in added if is_for_operators(kind)]:
            tell_operators(connection, own, now)
        if any(event.on_day for event in fresh):
            hold_until_day(connection, ids)
    if ids:
        mark(connection, ids)
        ring(connection, Bell.EVENTS)
    return Counter(kind for _, kind in added)


@functools.cache
def _added(names: tuple[str, ...]) -> ReturningInsert[int, str]:
    statement = insert_rows(EVENTS, names).on_conflict_do_nothing(index_elements=[EVENTS.c.event_key])
    return statement.returning(EVENTS.c.id, EVENTS.c.kind)


def _painted(connection: Connection, events: Sequence[NewEvent]) -> Sequence[NewEvent]:
    """Give events without a box art that of their game, which may be IGDB's cover."""
    plain = {event.game_id for event in events if event.game_id is not None and event.detail.box_art_url is None}
    if not plain:
        return events
    known: dict[int, str | None] = dict(connection.execute(_BOX_ARTS, {"ids": list(plain)}).all())
    return [event if event.detail.box_art_url else _with_box_art(event, known) for event in events]


def _with_box_art(event: NewEvent, known: Mapping[int, str | None]) -> NewEvent:
    address = sized(known.get(event.game_id or 0))
    if address is None:
        return event
    return msgspec.structs.replace(event, detail=msgspec.structs.replace(event.detail, box_art_url=address))


def _row(event: NewEvent, *, source_id: int | None, silent: bool, now: datetime) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "event_key": event.event_key,
        "change_key": event.change_key if event.damped else None,
        "occurred_at": event.occurred_at,
        "recorded_at": now,
        "title": title(event.kind, event.service, event.detail, event.occurred_at),
        "service": event.service,
        "source_id": source_id,
        "campaign_id": event.campaign_id,
        "reward_campaign_id": event.reward_campaign_id,
        "game_id": event.game_id,
        "organization_id": event.organization_id,
        "channel_id": event.channel_id,
        "person_id": event.person_id,
        "is_private": event.is_private or event.person_id is not None,
        "silent": silent,
        "detail": event.detail,
    }
