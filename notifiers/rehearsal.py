"""Reads past events, and says what a target's subscriptions would have sent it and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, true
from sqlalchemy.orm import aliased

from models import Event, Game, Mute, Subscription, Target
from models.events import EventKind
from models.people import OWNER_ID
from models.periods import read_period
from notifiers.conditions.conditions import LIBRARY_WORDS, Conditions, conditions_from_json
from notifiers.conditions.saying import why_wanted
from notifiers.days import day_begins, zone
from notifiers.held import MOST_GATHERED
from notifiers.holdings import load_holdings
from notifiers.match import matching
from notifiers.outbox import GROUP_SIZE
from notifiers.standing import load_standings, read_detail
from notifiers.targets import target_id_of
from notifiers.timing.deciding import Waiting
from notifiers.timing.holding import HeldFor
from notifiers.timing.rehearsing import Outcome, PastEvent, PastMute, rehearse
from notifiers.timing.settings import settings_from_json
from notifiers.timing.standing import NOTHING

_INTRODUCTIONS = frozenset({EventKind.GAME_ADDED.value, EventKind.RELEASE_ANNOUNCED.value})


@dataclass(frozen=True, kw_only=True)
class RehearsedLine:
    """A past event and what would have become of it: see `Outcome`.

    `because` says of one that a library was asked for what its game is to the person: "you own it on Steam".
    One that is `silent` was told to nobody when it came: imported history, or the first that was seen of its source.
    """

    id: int
    occurred_at: datetime
    kind: str
    title: str
    message: int | None
    sent_at: datetime | None
    held_for: str | None
    until: datetime | None
    dropped: str | None
    silent: bool = False
    because: str | None = None


def rehearse_target(
    connection: Connection,
    target: str,
    since: datetime | None,
    now: datetime,
    *,
    subscription: str | None = None,
    person_id: int = OWNER_ID,
) -> list[RehearsedLine]:
    """Return what a target would have been sent of the events since a time (None: all), in the order of events.

    By its subscriptions, settings and mutes as they are now, and by what is claimed, ignored and watched now. With
    the name of one of its subscriptions by that alone. Raises TargetError for an unknown target.
    """
    target_id = target_id_of(connection, target, person_id=person_id)
    row = connection.execute(select(Target).where(Target.id == target_id)).one()
    matched = _events(connection, matching(connection, target_id, since, subscription=subscription))
    # That a game is known from now on, and dates that it had by then, come by the hundred and are no news later either.
    events = [event for event in matched if not (event.silent and event.kind in _INTRODUCTIONS)]
    standings = load_standings(connection, row.person_id, target_id, [event.campaign_id for event in events])
    outcomes = rehearse(
        settings_from_json(row.settings),
        zone(row.timezone),
        [_past(event, row.timezone, standings.get(event.campaign_id, NOTHING)) for event in events],
        _mutes(connection, target_id),
        most=MOST_GATHERED if row.settings else GROUP_SIZE,
        now=now,
    )
    by_id = {event.id: event for event in events}
    reasons = _reasons(connection, target_id, subscription, row.person_id, list(by_id))
    return [_line(by_id[outcome.event_id], outcome, reasons.get(outcome.event_id)) for outcome in outcomes]


def _reasons(
    connection: Connection, target_id: int, subscription: str | None, person_id: int, event_ids: list[int]
) -> dict[int, str]:
    """Return what the games of events are to a person whose subscriptions ask for a library, by the events."""
    asking = select(Subscription.conditions).where(
        Subscription.target_id == target_id, true() if subscription is None else Subscription.name == subscription
    )
    wanted = {word for each in connection.scalars(asking) for word in conditions_from_json(each).library}
    if not wanted:
        return {}
    conditions = Conditions(library=tuple(word for word in LIBRARY_WORDS if word in wanted))
    holdings = load_holdings(connection, [(person_id, event_id) for event_id in event_ids])
    said = {event_id: why_wanted(conditions, holding) for (_, event_id), holding in holdings.items()}
    return {event_id: reason for event_id, reason in said.items() if reason}


def _events(connection: Connection, event_ids: list[int]) -> list[Any]:
    ended = aliased(Event)
    over_at = (
        select(func.min(ended.recorded_at))
        .where(ended.channel_id == Event.channel_id, ended.kind == EventKind.STREAM_OFFLINE, ended.id > Event.id)
        .correlate(Event)
        .scalar_subquery()
    )
    query = select(Event, Game.name_key.label("game_key"), over_at.label("over_at"))
    query = query.outerjoin(Game, Game.id == Event.game_id).where(Event.id == func.any(event_ids)).order_by(Event.id)
    return list(connection.execute(query))


def _past(event: Any, timezone: str, standing: Any) -> PastEvent:
    # History that was imported was recorded all at once.
    created_at = event.occurred_at if event.silent else max(event.occurred_at, event.recorded_at)
    detail = read_detail(event)
    period = read_period(getattr(detail, "when", None)) if event.kind == EventKind.RELEASE_OUT else None
    begins_at = day_begins(period.first, zone(timezone)) if period and period.first else created_at
    waiting = Waiting(
        kind=event.kind,
        detail=detail,
        created_at=created_at,
        game_key=event.game_key,
        held_for=HeldFor.DAY if begins_at > created_at else None,
        standing=standing,
    )
    return PastEvent(event_id=event.id, waiting=waiting, due_at=max(begins_at, created_at), over_at=event.over_at)


def _mutes(connection: Connection, target_id: int) -> list[PastMute]:
    rows = connection.execute(select(Mute.game_key, Mute.created_at, Mute.until).where(Mute.target_id == target_id))
    return [PastMute(game_key=row.game_key, begins_at=row.created_at, until=row.until) for row in rows]


def _line(event: Any, outcome: Outcome, because: str | None) -> RehearsedLine:
    is_sent, is_dropped = outcome.message is not None, outcome.reason is not None
    return RehearsedLine(
        id=event.id,
        occurred_at=event.occurred_at,
        kind=event.kind,
        title=event.title,
        message=outcome.message,
        sent_at=outcome.at if is_sent else None,
        held_for=outcome.held_for,
        until=None if is_sent or is_dropped else outcome.at,
        dropped=outcome.reason,
        silent=event.silent,
        because=because,
    )
