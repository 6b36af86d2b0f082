"""Matches new events to subscriptions, and puts what is wanted into the outbox."""

from collections.abc import Iterable, Iterator, Sequence
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
    Text,
    bindparam,
    exists,
    func,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import Insert, aggregate_order_by, insert

from models import Delivery, Event, Game, PersonWork, Subscription, SubscriptionKey, Target
from notifiers.conditions.conditions import conditions_from_json
from notifiers.conditions.facts import EventFacts
from notifiers.conditions.judge import first_failing
from notifiers.conditions.keys import event_keys
from notifiers.conditions.reading import complete, load_facts, with_followers, with_links, with_platforms
from notifiers.people import hears

Pair = tuple[int, int]


def fan_out(connection: Connection, event_ids: Sequence[int], now: datetime) -> int:
    """Put one delivery per event and target that wants it into the outbox; returns how many are new.

    Belongs inside the transaction that appended the events, so that neither exists without the other. Running it
    again adds nothing. Silent events get none, nor do targets that are paused or whose person is disabled.
    """
    if not event_ids:
        return 0
    facts = load_facts(connection, event_ids)
    keys = _wanted_pairs(connection, facts)
    if not keys["keys"]:
        return 0
    judged = list(_judged(connection, facts, connection.execute(_judging(), keys).all()))
    values = {
        **keys,
        "judged_events": [event for event, _ in judged],
        "judged_subscriptions": [subscription for _, subscription in judged],
        "now": now,
    }
    # By default SQLAlchemy forgets an INSERT's row count.
    options: dict[str, Any] = {"preserve_rowcount": True}
    return connection.execute(_deliveries(), values, execution_options=options).rowcount


def matching(
    connection: Connection, target_id: int, since: datetime | None, *, subscription: str | None = None
) -> list[int]:
    """Return which events since a time (None: all) a target's subscriptions would ask for today, in their order.

    With the name of a subscription those that this one asks for.
    """
    rows = connection.execute(
        select(Subscription.conditions, Target.person_id)
        .join(Target, Target.id == Subscription.target_id)
        .where(Target.id == target_id, true() if subscription is None else Subscription.name == subscription)
    )
    wishes = [(conditions_from_json(row.conditions), row.person_id) for row in rows]
    event_ids = connection.scalars(select(Event.id).where(Event.occurred_at >= since if since else true())).all()
    return [
        facts.event_id
        for facts in complete(connection, load_facts(connection, event_ids))
        if any(first_failing(conditions, facts, person_id) is None for conditions, person_id in wishes)
    ]


def _wanted_pairs(connection: Connection, facts: Iterable[EventFacts]) -> dict[str, list[Any]]:
    """Return events with those of their keys under which any subscription stands: most events are wanted by nobody."""
    keys = {each.event_id: event_keys(each) for each in facts}
    asked = {"keys": list(frozenset().union(*keys.values()))}
    wanted = set(connection.scalars(_existing(), asked))
    pairs = [(event_id, key) for event_id, of_event in keys.items() for key in of_event & wanted]
    return {"event_ids": [event for event, _ in pairs], "keys": [key for _, key in pairs]}


def _judged(connection: Connection, facts: Iterable[EventFacts], candidates: Sequence[Any]) -> Iterator[Pair]:
    """Yield the pairs of event and subscription, of those whose keys agree, in which all conditions are met."""
    asked = {row.event_id for row in candidates}
    if not asked:
        return
    looked_up = with_followers(connection, [each for each in facts if each.event_id in asked])
    if any("linked" in row.conditions for row in candidates):
        looked_up = with_links(connection, looked_up)
    if any("my_platforms" in row.conditions for row in candidates):
        looked_up = with_platforms(connection, looked_up)
    by_id = {each.event_id: each for each in looked_up}
    for event_id, subscription_id, conditions, person_id in candidates:
        if first_failing(conditions_from_json(conditions), by_id[event_id], person_id) is None:
            yield event_id, subscription_id


@cache
def _existing() -> Select[str]:
    """Return the query for those keys under which any subscription stands; each is one look into the index."""
    keys = func.unnest(bindparam("keys", type_=ARRAY(Text))).table_valued("key", name="asked_keys").render_derived()
    return select(keys.c.key).where(exists().where(SubscriptionKey.key == keys.c.key))


@cache
def _judging() -> Select[*tuple[Any, ...]]:
    """Return the query for pairs whose keys agree and whose conditions say more than keys.

    Built once, as the other: they run with every snapshot, and building costs more than running them.
    """
    wanted = _wanted_keys()
    return (
        select(wanted.c.event_id, Subscription.id, Subscription.conditions, Target.person_id)
        .distinct()
        .join(SubscriptionKey, SubscriptionKey.key == wanted.c.key)
        .join(Subscription, Subscription.id == SubscriptionKey.subscription_id)
        .join(Target, Target.id == Subscription.target_id)
        .where(Subscription.is_exact.is_(False), Target.disabled_at.is_(None), hears())
    )


@cache
def _deliveries() -> Insert:
    columns = ["event_id", "target_id", "subscription_ids", "created_at", "next_attempt_at"]
    statement = insert(Delivery).from_select(columns, _wanted(), include_defaults=False)
    return statement.on_conflict_do_nothing(index_elements=["event_id", "target_id"])


def _wanted() -> Select[*tuple[Any, ...]]:
    """Return the events and targets that belong together, each pair once with all subscriptions that want it."""
    at = bindparam("now", type_=DateTime(timezone=True))
    keys = _wanted_keys()
    exact = (
        select(keys.c.event_id, SubscriptionKey.subscription_id)
        .join(SubscriptionKey, SubscriptionKey.key == keys.c.key)
        .join(Subscription, Subscription.id == SubscriptionKey.subscription_id)
        .where(Subscription.is_exact)
    )
    judged = (
        func.unnest(
            bindparam("judged_events", type_=ARRAY(BigInteger)),
            bindparam("judged_subscriptions", type_=ARRAY(BigInteger)),
        )
        .table_valued("event_id", "subscription_id", name="judged")
        .render_derived()
    )
    pairs = union_all(exact, select(judged.c.event_id, judged.c.subscription_id)).subquery("pairs")
    of_pair = aggregate_order_by(pairs.c.subscription_id.distinct(), pairs.c.subscription_id)
    return (
        select(pairs.c.event_id, Subscription.target_id, func.array_agg(of_pair), at, at)
        .join(Subscription, Subscription.id == pairs.c.subscription_id)
        .join(Target, Target.id == Subscription.target_id)
        .join(Event, Event.id == pairs.c.event_id)
        .where(Event.silent.is_(False), Target.disabled_at.is_(None), hears())
        # As `judge` has it, for those that are exact: what is of a person's library is theirs alone.
        .where(or_(Event.person_id.is_(None), Event.person_id == Target.person_id))
        .where(or_(Event.is_private.is_(False), Event.person_id.is_not(None), _has_it()))
        .group_by(pairs.c.event_id, Subscription.target_id)
        # So that the outbox's ids are in the order of events.
        .order_by(pairs.c.event_id, Subscription.target_id)
    )


def _has_it() -> ColumnElement[bool]:
    """Return whether the event's game is anything to the person whom the target belongs to."""
    of_game = (PersonWork.work_id == Game.work_id) & (PersonWork.person_id == Target.person_id)
    return exists().where(Game.id == Event.game_id, of_game, PersonWork.words != []).correlate(Event, Target)


def _wanted_keys() -> Any:
    return (
        func.unnest(bindparam("event_ids", type_=ARRAY(BigInteger)), bindparam("keys", type_=ARRAY(Text)))
        .table_valued("event_id", "key", name="wanted_keys")
        .render_derived()
    )
