"""Matches new events to subscriptions, and puts what is wanted into the outbox."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Select,
    any_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import Insert, aggregate_order_by, insert

from models import Channel, Delivery, Event, Game, Organization, Subscription, Target
from models.events import EventKind


def fan_out(connection: Connection, event_ids: Sequence[int], now: datetime) -> int:
    """Put one delivery per event and target that wants it into the outbox; returns how many are new.

    Belongs inside the transaction that appended the events, so that neither exists without the other. Running it
    again adds nothing. Silent events and disabled targets get none.
    """
    if not event_ids:
        return 0
    # By default SQLAlchemy forgets an INSERT's row count.
    options: dict[str, Any] = {"preserve_rowcount": True}
    return connection.execute(
        _statement(), {"event_ids": list(event_ids), "now": now}, execution_options=options
    ).rowcount


@cache
def _statement() -> Insert:
    """Built once: it runs with every snapshot, and building costs more than running it."""
    columns = ["event_id", "target_id", "subscription_ids", "created_at", "next_attempt_at"]
    statement = insert(Delivery).from_select(columns, _wanted(), include_defaults=False)
    return statement.on_conflict_do_nothing(index_elements=["event_id", "target_id"])


def matching(target_id: int) -> Select[int]:
    """Return a query for the ids of all past events that a target's subscriptions would ask for today."""
    return (
        select(Event.id)
        .outerjoin(Game, Game.id == Event.game_id)
        .outerjoin(Organization, Organization.id == Event.organization_id)
        .outerjoin(Channel, Channel.id == Event.channel_id)
        .join(Subscription, _wishes())
        .where(Subscription.target_id == target_id)
        .distinct()
    )


def _wanted() -> Select[int, int, Sequence[int], datetime, datetime]:
    """Return the events and targets that belong together, each pair once with all subscriptions that want it."""
    at = bindparam("now", type_=DateTime(timezone=True))
    return (
        select(
            Event.id,
            Subscription.target_id,
            func.array_agg(aggregate_order_by(Subscription.id, Subscription.id)),
            at,
            at,
        )
        .select_from(Event)
        .outerjoin(Game, Game.id == Event.game_id)
        .outerjoin(Organization, Organization.id == Event.organization_id)
        .outerjoin(Channel, Channel.id == Event.channel_id)
        .join(Subscription, _wishes())
        .join(Target, Target.id == Subscription.target_id)
        .where(
            Event.id == any_(bindparam("event_ids", type_=ARRAY(BigInteger))),
            Event.silent.is_(False),
            Target.disabled_at.is_(None),
        )
        .group_by(Event.id, Subscription.target_id)
        # So that the outbox's ids are in the order of events.
        .order_by(Event.id, Subscription.target_id)
    )


def _wishes() -> ColumnElement[bool]:
    """Return the condition under which a subscription wants an event.

    A kind on request (a rerun) is wanted only where the subscription names it.

    A filter on something that the event has not never holds: a source's own events have no game, organization or
    channel, so only subscriptions without these filters hear of them. A channel is known by its former logins too.
    """
    family = func.split_part(Event.kind, ".", 1) + ".*"
    on_request = [kind.value for kind in EventKind if kind.is_on_request]
    any_of_family = or_(Subscription.kinds.is_(None), family == any_(Subscription.kinds))
    return (
        or_(Event.kind == any_(Subscription.kinds), any_of_family & Event.kind.not_in(on_request))
        & or_(Subscription.service.is_(None), Subscription.service == Event.service)
        & or_(Subscription.game_key.is_(None), Subscription.game_key == Game.name_key)
        & or_(
            Subscription.organization_key.is_(None),
            Subscription.organization_key == Organization.name_key,
        )
        & or_(
            Subscription.channel_key.is_(None),
            Subscription.channel_key == func.lower(Channel.login),
            Subscription.channel_key == any_(Channel.former_logins),
        )
    )
