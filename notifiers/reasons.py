"""Says why a target was not told of an event, or when it will be."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from models import Delivery, DeliveryState, Event, Subscription, Target
from models.details import CampaignDetail, ReleaseDetail
from models.people import OWNER_ID
from models.words.holdings import Holding
from models.words.units import moment_in_figures
from notifiers.conditions.conditions import Conditions, conditions_from_json
from notifiers.conditions.facts import EventFacts
from notifiers.conditions.judge import first_failing, may_know
from notifiers.conditions.reading import complete, load_facts
from notifiers.conditions.saying import why_unwanted, why_wanted
from notifiers.errors import UnknownTarget
from notifiers.holdings import load_holdings
from notifiers.operators import OPERATOR, is_for_operators
from notifiers.people import hears
from notifiers.standing import load_standings, read_detail
from notifiers.subscriptions import my_platforms
from notifiers.targets import target_id_of
from notifiers.timing.standing import settled_reason

_HELD = {
    "day": "it waits for the day to begin",
    "quiet": "it waits for the end of the quiet hours",
    "digest": "it waits for the digest",
    "burst": "it waits for what comes with it",
    "mute": "it waits for the end of the mute",
    "quota": "it waits until its person's plan pays for it: there are no credits left, or no messages of this day",
    "progress": "a part of it is watched already: it waits for the last moment to begin with the rest",
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A subscription and the first of its conditions that the event does not meet; None where it meets all.

    `wanted` is what that condition wants. `reason` says of a library, or of platforms, why it is met or not.
    """

    subscription: str
    failed: str | None
    wanted: Any = None
    reason: str | None = None


@dataclass(frozen=True)
class _Case:
    """An event and whom it is judged for: what its game is to that person, and on which platforms they play."""

    facts: EventFacts
    person_id: int
    holding: Holding | None
    platforms: tuple[str, ...]
    my_platforms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WhyNot:
    """Why a target was not told of an event: a sentence, and what each of its subscriptions says."""

    event_id: int
    title: str
    target: str
    state: str
    reason: str
    until: datetime | None
    verdicts: tuple[Verdict, ...]


def why_not(connection: Connection, target: str, event_id: int, now: datetime, *, person_id: int = OWNER_ID) -> WhyNot:
    """Return why a target was not told of an event; raises UnknownTarget where there is no such target or event.

    An event of somebody else's library is none, nor is one of the installation to anybody but the owner.
    """
    target_id = target_id_of(connection, target, person_id=person_id)
    facts = complete(connection, load_facts(connection, [event_id]))
    if not facts or not _may_know(facts[0], person_id):
        raise UnknownTarget(f"There is no event {event_id}; `lootwire events` lists them.")
    row = connection.execute(
        select(
            Event,
            *(Target.created_at, Target.disabled_at, Target.person_id.label("reader_id"), Target.role),
            hears().label("hears"),
            func.greatest(Target.rests_until, Target.broken_until).label("rests_until"),
        )
        .join(Target, Target.id == target_id)
        .where(Event.id == event_id)
    ).one()
    verdicts = _verdicts(connection, target_id, _case(connection, facts[0], row))
    delivery = connection.execute(
        select(Delivery).where(Delivery.event_id == event_id, Delivery.target_id == target_id)
    ).one_or_none()
    state, reason, until = (
        _of_delivery(delivery, row.rests_until, now) if delivery else ("none", _of_none(row, verdicts), None)
    )
    if delivery and delivery.state == DeliveryState.PENDING and (settled := _settled(connection, target_id, row, now)):
        reason = f"{reason}; it will be dropped then: {settled}"
    return WhyNot(
        event_id=event_id, title=row.title, target=target, state=state, reason=reason, until=until, verdicts=verdicts
    )


def _may_know(facts: EventFacts, person_id: int) -> bool:
    return may_know(facts, person_id) and (facts.family != OPERATOR or person_id == OWNER_ID)


def _settled(connection: Connection, target_id: int, row: Any, now: datetime) -> str | None:
    """Return why nobody wants to be reminded of what an event is about, None where somebody does."""
    standings = load_standings(connection, row.reader_id, target_id, [row.campaign_id])
    detail = read_detail(row)
    if row.campaign_id not in standings or not isinstance(detail, CampaignDetail):
        return None
    return settled_reason(row.kind, detail, standings[row.campaign_id], now)


def _case(connection: Connection, facts: EventFacts, row: Any) -> _Case:
    pair = (row.reader_id, facts.event_id)
    detail = read_detail(row)
    return _Case(
        facts=facts,
        person_id=row.reader_id,
        holding=load_holdings(connection, [pair]).get(pair),
        platforms=detail.platforms if isinstance(detail, ReleaseDetail) else (),
        my_platforms=my_platforms(connection, row.reader_id),
    )


def _verdicts(connection: Connection, target_id: int, case: _Case) -> tuple[Verdict, ...]:
    rows = connection.execute(
        select(Subscription.name, Subscription.conditions)
        .where(Subscription.target_id == target_id)
        .order_by(Subscription.id)
    )
    return tuple(_verdict(row.name, conditions_from_json(row.conditions), case) for row in rows)


def _verdict(name: str, conditions: Conditions, case: _Case) -> Verdict:
    failed = first_failing(conditions, case.facts, case.person_id)
    if failed is None:
        return Verdict(subscription=name, failed=None, reason=why_wanted(conditions, case.holding))
    reason = why_unwanted(
        failed,
        conditions,
        case.facts,
        case.holding,
        platforms=case.platforms,
        my_platforms=case.my_platforms,
    )
    return Verdict(subscription=name, failed=failed, wanted=getattr(conditions, failed, None), reason=reason)


def _of_delivery(delivery: Any, rests_until: datetime | None, now: datetime) -> tuple[str, str, datetime | None]:
    """Return the state of a delivery, a sentence, and until when it waits; a target that rests is sent nothing."""
    over = {
        DeliveryState.SENT: f"it was told, at {moment_in_figures(delivery.sent_at or now)}",
        DeliveryState.DROPPED: f"it was dropped: {delivery.last_error}",
        DeliveryState.DEAD: f"it was given up: {delivery.last_error}",
        DeliveryState.SENDING: "it is under way",
    }
    if delivery.state in over:
        return delivery.state, over[delivery.state], None
    if delivery.held_for and not delivery.attempts and delivery.next_attempt_at > now:
        return "held", _HELD[delivery.held_for], delivery.next_attempt_at
    if delivery.attempts:
        at = max(filter(None, [delivery.next_attempt_at, rests_until]))
        return delivery.state, f"it was refused ({delivery.last_error}) and is tried again", at
    if rests_until is not None and rests_until > now:
        return delivery.state, "the target rests: its service was away, or asked for it", rests_until
    return delivery.state, "it is about to be sent", None


def _of_none(row: Any, verdicts: tuple[Verdict, ...]) -> str:
    """Say why there is no delivery."""
    if row.silent:
        return "the event is silent: imported history, or the first that was seen of its source"
    is_operators = row.role == OPERATOR and is_for_operators(row.kind)
    if not verdicts and not is_operators:
        return "the target has no subscriptions"
    if all(verdict.failed for verdict in verdicts) and not is_operators:
        return "no subscription wants it"
    if row.recorded_at < row.created_at:
        return "it happened before there was the target"
    if row.disabled_at is not None or not row.hears:
        return "the target is paused" if row.hears else "its person is disabled, and hears nothing"
    wants = "the target hears of it as an operator's now" if is_operators else "a subscription wants it now"
    return f"{wants}, and did not when it happened, or the target was paused then"
