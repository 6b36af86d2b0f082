"""Deliveries: what was sent to a person's targets, what waits, and why."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from models import DeliveryState, Event
from models.errors import WrongFields
from models.moments import Moment
from notifiers import deliveries as store
from notifiers import inbox, reasons
from notifiers.conditions.checks import mistake_of_kinds
from notifiers.conditions.saying import why_wanted
from notifiers.holdings import load_holdings
from notifiers.subscriptions import list_subscriptions
from pipeline.operations.subscriptions import SubscriptionAnswer, answer_of


class DeliveryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An event for a target, and where it stands.

    `unanswered` of its attempts the target took without an answer.
    """

    id: int
    state: DeliveryState
    event_id: int
    kind: str
    title: str
    target: str
    label: str
    subscription_ids: list[int]
    attempts: int
    unanswered: int
    created_at: Moment
    next_attempt_at: Moment
    first_attempt_at: Moment | None
    sent_at: Moment | None
    last_error: str | None


class AskingSubscription(SubscriptionAnswer, frozen=True, kw_only=True):
    """A subscription that asked for a delivery; `because` says what the game is to you, where it asks for that."""

    because: str | None


class WhyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Why a delivery was sent, or not: the event, what the target answered, and the subscriptions that asked for it.

    `subscriptions_removed` of them are gone. Where there was none it went to an operator's target.
    """

    id: int
    state: DeliveryState
    sent_at: Moment | None
    attempts: int
    unanswered: int
    last_error: str | None
    next_attempt_at: Moment
    event_id: int
    kind: str
    title: str
    occurred_at: Moment
    target: str
    subscriptions: list[AskingSubscription]
    subscriptions_removed: int


class InboxAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that waits, or was dropped: for what it waits and until when (`at`), or why it is gone (`reason`)."""

    delivery: int
    event_id: int
    kind: str
    title: str
    state: DeliveryState
    held_for: str | None
    at: Moment | None
    reason: str | None


class VerdictAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription and the first of its conditions that the event does not meet; null where it meets all.

    `wanted` is what that condition wants. `reason` says of a library, or of platforms, why it is met or not.
    """

    subscription: str
    failed: str | None
    wanted: bool | int | str | list[str] | None = None
    reason: str | None = None


class WhyNotAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Why a target was not told of an event: a sentence, and what each of its subscriptions says.

    `state` is that of its delivery, `held` where it is held until a time, `none` where there is no delivery.
    """

    event_id: int
    title: str
    target: str
    state: str
    reason: str
    until: Moment | None
    verdicts: list[VerdictAnswer]


def list_deliveries(
    connection: Connection,
    person_id: int,
    *,
    state: DeliveryState | None = None,
    target: str | None = None,
    kind: str | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[DeliveryAnswer]:
    """Return deliveries to a person's targets, the newest first, from behind the one whose number is `before`.

    `kind` is that of their events (`campaign.added`), or a family (`campaign.*`); `since` is when they were made.
    Raises `WrongFields` for a kind that there is not, and `UnknownThing` for an unknown target.
    """
    if kind is not None and (mistake := mistake_of_kinds([kind])) is not None:
        raise WrongFields({"/query/kind": mistake})
    lines = store.list_deliveries(
        connection, state, limit, target=target, kind=kind, since=since, before=before, person_id=person_id
    )
    return [_answer(line) for line in lines]


def explain_delivery(connection: Connection, person_id: int, delivery_id: int) -> WhyAnswer:
    """Return why a delivery was sent, or not; raises `UnknownThing` where the person has none of that number."""
    line = store.load_delivery(connection, delivery_id, person_id=person_id)
    occurred_at = connection.execute(select(Event.occurred_at).where(Event.id == line.event_id)).scalar_one()
    asking = [
        each for each in list_subscriptions(connection, person_id=person_id) if each.id in set(line.subscription_ids)
    ]
    pair = (person_id, line.event_id)
    holding = load_holdings(connection, [pair]).get(pair)
    own = {field: getattr(line, field) for field in WhyAnswer.__struct_fields__ if hasattr(line, field)}
    return WhyAnswer(
        **own,
        occurred_at=occurred_at,
        subscriptions=[
            AskingSubscription(**msgspec.structs.asdict(answer_of(each)), because=why_wanted(each.conditions, holding))
            for each in asking
        ],
        subscriptions_removed=len(line.subscription_ids) - len(asking),
    )


def replay_delivery(connection: Connection, person_id: int, now: datetime, delivery_id: int) -> DeliveryAnswer:
    """Send again what was sent, or given up as dead, as if it were new; returns the delivery as it is then.

    Raises `UnknownThing` where the person has none of that number, and `UsageError` for one in another state.
    """
    return _answer(store.replay_one(connection, delivery_id, now, person_id=person_id))


def replay_dead(
    connection: Connection, person_id: int, now: datetime, limit: int | None = None
) -> list[DeliveryAnswer]:
    """Send a person's dead deliveries again, the newest or all; returns them as they are then."""
    return [_answer(line) for line in store.replay_newest(connection, now, limit, person_id=person_id)]


def load_inbox(connection: Connection, person_id: int, now: datetime, target: str) -> list[InboxAnswer]:
    """Return what waits for a target, the next first, then what was dropped lately."""
    return [InboxAnswer(**vars(line)) for line in inbox.load_inbox(connection, target, now, person_id=person_id)]


def place_in_inbox(line: InboxAnswer) -> tuple[bool, float, int]:
    """Return by what a page of an inbox goes on: what was dropped comes last, and is not ordered by time."""
    return line.at is None, 0.0 if line.at is None else line.at.timestamp(), line.event_id


def why_not(connection: Connection, person_id: int, now: datetime, target: str, event_id: int) -> WhyNotAnswer:
    """Return why a target was not told of an event; raises `UnknownThing` where either is not there."""
    answer = reasons.why_not(connection, target, event_id, now, person_id=person_id)
    verdicts = [VerdictAnswer(**_plain(vars(verdict))) for verdict in answer.verdicts]
    return WhyNotAnswer(**(vars(answer) | {"verdicts": verdicts}))


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    wanted = fields["wanted"]
    return fields | {"wanted": [*wanted] if isinstance(wanted, tuple) else wanted}


def _answer(line: store.DeliveryLine) -> DeliveryAnswer:
    return DeliveryAnswer(**(vars(line) | {"state": DeliveryState(line.state)}))
