"""The outbox: claims deliveries that are due, and settles them when their message was taken or not.

A delivery is pending, sending, sent or dead. Claiming writes the attempt down before anything is sent, with a lease
and a token; settling counts only while the token is still the delivery's. So a worker that dies, or wakes up late,
loses nothing and overwrites nothing. All functions want a transaction at READ COMMITTED, PostgreSQL's default.
"""

import random
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import aliased

from models import Delivery, DeliveryState, Event, Subscription, Target
from models.details import CampaignDetail, EventDetail
from models.due import is_due
from models.people import OWNER_ID
from models.words import title
from models.words.holdings import Holding
from notifiers import due
from notifiers.due import BACKOFF_CAP_SECONDS, LEASE_SECONDS, UNANSWERED_PAUSES
from notifiers.held import MOST_GATHERED, hold_all, hold_or_drop, load_mutes
from notifiers.holdings import load_holdings
from notifiers.metering import Asked, Meter, meter_none
from notifiers.personal import is_own_standing
from notifiers.rests import LONGEST_REST
from notifiers.standing import as_it_stands, asks_to_link, knows_anything, load_standings, read_detail
from notifiers.timing.holding import HeldFor, Hold
from notifiers.timing.settings import settings_from_json
from notifiers.timing.standing import NOTHING, Standing
from notifiers.view import EventText

__all__ = ["LEASE_SECONDS", "UNANSWERED_PAUSES"]

GROUP_SIZE = 20
# How often targets are looked for in one claim where all that was due is held.
MOST_HELD_ROUNDS = 20
GIVE_UP_AFTER = timedelta(hours=72)
# All that time may be one jump of the clock, or a machine that was off: then a delivery is tried some minutes longer.
LEAST_ATTEMPTS = 6
BACKOFF_BASE_SECONDS = 30.0
# Full jitter may come out as nothing, and a target that just failed deserves a breath.
BACKOFF_LEAST_SECONDS = 5.0
# A delivery whose worker died this often, for so long, kills its workers.
LOST_ATTEMPTS = 10
# After so many attempts a delivery whose sender died goes alone: maybe it is what kills.
LOST_TOGETHER = 3
# Up to so many attempts what a service did not take comes again whole, some half an hour.
FEW = 6
ERROR_LENGTH = 300
# Stands for the token of what a service refused, which goes alone although it may have arrived in company.
ALONE = "alone"

# What stands in place of a subscription below a mail to an operator.
OPERATOR_RULE = "role operator"
# And below one of a person's own credits.
PLAN_RULE = "plan"

_ADDRESS = re.compile(r"\S*://\S*")


@dataclass(frozen=True, kw_only=True)
class ClaimedDelivery:
    """One delivery that this worker may send, with the number and first time of its attempts.

    `unanswered` of them the target took without an answer; the last of them was `lost` where its sender died in it.
    """

    id: int
    attempts: int
    unanswered: int
    lost: bool
    first_attempt_at: datetime
    event: EventText


@dataclass(frozen=True, kw_only=True)
class ClaimedMessage:
    """Deliveries to one target that become one message; they are ours until `lease_until`."""

    target_id: int
    target: str
    url_encrypted: bytes = field(repr=False)
    lease_token: str = field(repr=False)
    lease_until: datetime
    deliveries: tuple[ClaimedDelivery, ...]
    # Whether the target is known to take messages at once.
    is_quick: bool
    # By whose clock and in which language it is read.
    timezone: str
    locale: str
    # Where its mails can be unsubscribed from, or "".
    unsubscribe: str
    # The subscriptions that asked for it, by their names.
    rules: tuple[str, ...]
    # Under which its address is shown: its service, and a server of one's own.
    label: str = ""
    # Whether its address may be one of a private network.
    may_be_private: bool = False
    # Whose target it is.
    person_id: int = OWNER_ID
    # Whether its person has a plan, by which messages may cost something.
    is_metered: bool = False

    @property
    def events(self) -> tuple[EventText, ...]:
        """The events that the message is about, oldest first."""
        return tuple(delivery.event for delivery in self.deliveries)

    @property
    def may_have_arrived(self) -> bool:
        """Whether the target may have all of this: it took it and never answered, or the sender died meanwhile."""
        return all(delivery.unanswered or delivery.lost for delivery in self.deliveries)


def claim(
    connection: Connection,
    now: datetime,
    lease_seconds: float = LEASE_SECONDS,
    limit: int = 1,
    *,
    for_slow: int | None = None,
    busy: Collection[int] = (),
    meter: Meter = meter_none,
) -> list[ClaimedMessage]:
    """Take up to `limit` messages that are due, each for another target, and write their attempt down.

    A target has one message under way at a time, so that messages keep their order. Targets that took their last
    message soon and have none that failed come first; of the others `for_slow` are taken at most. To the `busy` ones,
    by their ids, the caller still sends, whatever became of its leases. What `meter` says to be beyond a person's plan
    is held. Commit before you send.
    """
    for _ in range(MOST_HELD_ROUNDS):
        targets = _lock_due(connection, now, limit, for_slow, busy)
        woken = 0
        if len(targets) < limit:
            woken = due.gather(connection, now, limit)
            targets = _lock_due(connection, now, limit, for_slow, busy) if woken else targets
        messages = _claim_messages(connection, targets, now, lease_seconds, meter)
        # Where all of it is held, it is due no longer, and others may have something.
        if messages or not (targets or woken):
            return messages
    return []


def _lock_due(
    connection: Connection, now: datetime, limit: int, for_slow: int | None, busy: Collection[int]
) -> list[Any]:
    """Lock targets that are due, quick ones first; those that this transaction has locked are among them again."""
    quick = due.lock_due(connection, now, is_quick=True, limit=limit, busy=busy)
    left = limit - len(quick)
    others = left if for_slow is None else min(left, for_slow)
    return [*quick, *due.lock_due(connection, now, is_quick=False, limit=others, busy=busy)]


def renew(connection: Connection, claimed: ClaimedMessage, now: datetime, lease_seconds: float = LEASE_SECONDS) -> bool:
    """Hold the lease of a message that is still under way for longer; returns whether it was still ours."""
    until = now + timedelta(seconds=lease_seconds)
    return bool(connection.execute(update(Delivery).where(_still_ours(claimed)).values(lease_until=until)).rowcount)


def settle_sent(connection: Connection, claimed: ClaimedMessage, now: datetime, *, is_quick: bool = True) -> int:
    """Write down that a message was taken, soon or not; returns for how many deliveries that still counted."""
    return settle_all_sent(connection, {is_quick: [claimed]}, now)


def settle_all_sent(connection: Connection, claimed: Mapping[bool, Sequence[ClaimedMessage]], now: datetime) -> int:
    """Write down that messages were taken, soon (True) or not; returns for how many deliveries that still counted."""
    messages = [message for each in claimed.values() for message in each]
    due.lock_targets(connection, [message.target_id for message in messages])
    deliveries = [(delivery.id, message.lease_token) for message in messages for delivery in message.deliveries]
    values = {"ids": [id_ for id_, _ in deliveries], "tokens": [token for _, token in deliveries], "now": now}
    settled = connection.execute(_SENT, values).rowcount
    for is_quick, of_kind in claimed.items():
        due.reckon(connection, [message.target_id for message in of_kind], now, is_quick=is_quick, works=True)
    return settled


_SENT = text(
    "UPDATE deliveries SET state = 'sent', sent_at = :now, last_error = NULL, lease_until = NULL, lease_token = NULL "
    "FROM unnest(CAST(:ids AS bigint[]), CAST(:tokens AS text[])) AS ours (id, token) "
    "WHERE deliveries.id = ours.id AND state = 'sending' AND lease_token = ours.token"
)


def note_problem(connection: Connection, claimed: ClaimedMessage, problem: str) -> None:
    """Write down of a message that was sent what was wrong with its template, for `lootwire why`."""
    ids = [delivery.id for delivery in claimed.deliveries]
    is_sent = and_(Delivery.id.in_(ids), Delivery.state == DeliveryState.SENT)
    connection.execute(update(Delivery).where(is_sent).values(last_error=_redacted(problem)))


def postpone(connection: Connection, claimed: ClaimedMessage, now: datetime, wait: timedelta) -> None:
    """Give a message back that nobody began to send, to be claimed after a while, as if it had not been claimed."""
    due.lock_targets(connection, [claimed.target_id])
    values = {
        "ids": [delivery.id for delivery in claimed.deliveries],
        "lost": [delivery.id for delivery in claimed.deliveries if delivery.lost],
        "token": claimed.lease_token,
        "until": now + wait,
    }
    connection.execute(_POSTPONED, values)
    due.reckon(connection, [claimed.target_id], now)


# What was under way when its sender died the target may have.
_POSTPONED = text(
    "UPDATE deliveries SET state = 'pending', next_attempt_at = :until, attempts = attempts - 1, lease_until = NULL, "
    "lease_token = NULL, first_attempt_at = CASE WHEN attempts > 1 THEN first_attempt_at END, "
    "unanswered = CASE WHEN id = ANY(CAST(:lost AS bigint[])) THEN greatest(unanswered, 1) ELSE unanswered END "
    "WHERE id = ANY(:ids) AND state = 'sending' AND lease_token = :token"
)


def settle_failed(
    connection: Connection,
    claimed: ClaimedMessage,
    now: datetime,
    error: str,
    *,
    permanent: bool = False,
    unanswered: bool = False,
    passing: bool = False,
    may_be_too_long: bool = False,
    jitter: Callable[[], float] = random.random,
) -> int:
    """Write down that a message was not taken; returns how many deliveries are dead by that.

    They are tried again after a pause, until 72 hours after their first attempt, and six times at least; after a
    permanent failure never. What the target took without an answer (`unanswered`) waits for an hour, then for six, then
    for a day. After a `passing` failure they come again as the message that they were, and after any other each comes
    alone: of several that together `may_be_too_long` none is dead before that. `jitter` returns a number from 0 to 1.
    """
    due.lock_targets(connection, [claimed.target_id])
    dead, fraction = 0, jitter()
    is_divided = may_be_too_long and len(claimed.deliveries) > 1
    pauses: list[datetime] = []
    for delivery in claimed.deliveries:
        gives_up = permanent or (_has_been_tried_enough(delivery, now) and not is_divided)
        times = delivery.unanswered + unanswered
        # Divided, they are new messages, however often they were refused together.
        attempts = 1 if is_divided else delivery.attempts
        again_at = now + (unanswered_pause(times) if unanswered else backoff(attempts, fraction))
        is_refused = not (unanswered or passing or gives_up)
        # By its token a message is known again.
        token = claimed.lease_token if passing and not gives_up else ALONE if is_refused and times else None
        values: dict[str, Any] = {"last_error": _redacted(error), "lease_until": None, "lease_token": token}
        values |= {"state": DeliveryState.DEAD, "dead_at": now} if gives_up else {"state": DeliveryState.PENDING}
        values |= {"unanswered": times} | ({} if gives_up else {"next_attempt_at": again_at})
        mine = and_(_still_ours(claimed), Delivery.id == delivery.id)
        settled = connection.execute(update(Delivery).where(mine).values(values)).rowcount
        if settled and gives_up:
            dead += 1
        elif settled:
            pauses.append(again_at)
    # New events, which fail as well, must not put off those that wait for their next attempt again and again.
    if pauses and any(delivery.attempts > 1 for delivery in claimed.deliveries):
        _hold_failed(connection, claimed, min(*pauses, now + due.LONGEST_BREAK))
    if not permanent:
        due.note_failure(connection, claimed.target_id, now)
    due.reckon(connection, [claimed.target_id], now, is_quick=False)
    return dead


def _has_been_tried_enough(delivery: ClaimedDelivery, now: datetime) -> bool:
    return delivery.attempts >= LEAST_ATTEMPTS and now - delivery.first_attempt_at >= GIVE_UP_AFTER


def let_rest(
    connection: Connection, target_id: int, now: datetime, rest: timedelta, *, with_its_service: bool = False
) -> None:
    """Send a target nothing for as long as its service asked, a day at most; a longer rest that it has goes on.

    `with_its_service` all other targets at the same service rest as well.
    """
    until = now + min(rest, LONGEST_REST)
    is_shorter = or_(Target.rests_until < until, due.is_rested(now))
    is_meant: ColumnElement[bool] = Target.id == target_id
    if with_its_service:
        own = aliased(Target)
        service = select(func.split_part(own.label, " (", 1)).where(own.id == target_id).scalar_subquery()
        is_meant = (func.split_part(Target.label, " (", 1) == service) & Target.removed_at.is_(None)
    # What another sender has in hand right now hears it from the service itself.
    meant = select(Target.id).where(is_meant, is_shorter).with_for_update(key_share=True, skip_locked=True)
    resting = update(Target).where(Target.id.in_(meant)).values(rests_until=until).returning(Target.id)
    due.reckon(connection, sorted({target_id, *connection.scalars(resting)}), now)


def backoff(attempts: int, fraction: float) -> timedelta:
    """Return the pause after this many attempts: a fraction of a window that doubles from 30 s to 1 h."""
    window = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** min(attempts - 1, 30))
    return timedelta(seconds=max(BACKOFF_LEAST_SECONDS, window * fraction))


def unanswered_pause(times: int) -> timedelta:
    """Return the pause after a target took a message for so many times without an answer."""
    return UNANSWERED_PAUSES[min(times, len(UNANSWERED_PAUSES)) - 1]


def _claim_messages(
    connection: Connection, targets: Sequence[Any], now: datetime, lease_seconds: float, meter: Meter
) -> list[ClaimedMessage]:
    """Claim the next message to each of some targets, whose rows are locked; of those with nothing to send, none."""
    groups = _within_plans(connection, targets, _groups(connection, targets, now), now, meter)
    token, until = uuid.uuid4().hex, now + timedelta(seconds=lease_seconds)
    ids = [row.id for group in groups.values() for row in group.rows]
    values = {"ids": ids, "token": token, "until": until, "now": now}
    written = {row.id: row for row in connection.execute(_SENDING, values)} if groups else {}
    for group in groups.values():
        if group.asking:
            # Of a message that comes again all is said again.
            connection.execute(_ASKING, {"ids": [row.id for row in group.rows], "asking": list(group.asking)})
    lost = [id_ for id_, group in groups.items() if any(row.state == DeliveryState.SENDING for row in group.rows)]
    due.reckon(connection, lost, now, is_quick=False)
    due.reckon(connection, [target.id for target in targets if target.id not in lost], now)
    return [
        _message(target, groups[target.id], written, token, until, now) for target in targets if target.id in groups
    ]


def _message(
    target: Any, group: "_Group", written: Mapping[int, Any], token: str, until: datetime, now: datetime
) -> ClaimedMessage:
    settings = settings_from_json(target.settings)
    return ClaimedMessage(
        target_id=target.id,
        target=target.name,
        url_encrypted=target.url_encrypted,
        lease_token=token,
        lease_until=until,
        is_quick=target.is_quick,
        timezone=target.timezone,
        locale=settings.locale,
        unsubscribe=settings.unsubscribe,
        label=target.label,
        may_be_private=settings.private,
        person_id=target.person_id,
        is_metered=bool(target.is_metered),
        rules=_rules(group.rows),
        deliveries=tuple(_claimed(row, written[row.id], group, now) for row in group.rows),
    )


# Never of the future, or a delivery would be tried for longer than the promised time.
_SENDING = text(
    "UPDATE deliveries SET state = 'sending', lease_until = :until, lease_token = :token, attempts = attempts + 1, "
    "first_attempt_at = least(first_attempt_at, :now) WHERE id = ANY(:ids) RETURNING id, attempts, first_attempt_at"
)


# That the account of a campaign is not linked is said once.
_ASKING = text("UPDATE deliveries SET asks_to_link = (id = ANY(:asking)) WHERE id = ANY(:ids)")


@dataclass(frozen=True)
class _Group:
    """Deliveries that become a message, what its person has of their campaigns, and those that ask for an account.

    `holdings` say what the games are to that person, by the events.
    """

    rows: Sequence[Any]
    standings: Mapping[int, Standing]
    asking: frozenset[int]
    holdings: Mapping[int, Holding] = field(default_factory=dict)


def _claimed(row: Any, written: Any, group: _Group, now: datetime) -> ClaimedDelivery:
    return ClaimedDelivery(
        id=row.id,
        attempts=written.attempts,
        unanswered=row.unanswered,
        lost=row.state == DeliveryState.SENDING,
        first_attempt_at=written.first_attempt_at,
        event=_event_text(row, group, now),
    )


def _groups(connection: Connection, targets: Sequence[Any], now: datetime) -> dict[int, _Group]:
    """Return the deliveries that become each target's next message, locked, by the target's id."""
    awake = {target.id: target for target in targets if _is_awake(target, now)}
    limits = {id_: _room(target) for id_, target in awake.items()}
    rows = _due_rows(connection, limits, now) if limits else {}
    muted = [target_id for target_id in rows if awake[target_id].may_be_muted]
    mutes = load_mutes(connection, muted, now) if muted else {}
    people = {awake[target_id].person_id for target_id in rows}
    known = {person_id for person_id in people if knows_anything(connection, person_id)}
    groups: dict[int, _Group] = {}
    for target_id, of_target in rows.items():
        target, standings = awake[target_id], dict[int, Standing]()
        if target.person_id in known:
            campaign_ids = [row.campaign_id for row in of_target]
            standings = load_standings(connection, target.person_id, target_id, campaign_ids)
        muted_until = mutes.get(target_id, {})
        going = hold_or_drop(connection, target, of_target, now, muted=muted_until, standings=standings)
        if group := _group(going, works=not target.failures):
            asking = asks_to_link(connection, target_id, group, standings)
            groups[target_id] = _Group(group, standings, frozenset(asking.values()))
    return _with_holdings(connection, groups, {id_: target.person_id for id_, target in awake.items()})


def _within_plans(
    connection: Connection, targets: Sequence[Any], groups: dict[int, _Group], now: datetime, meter: Meter
) -> dict[int, _Group]:
    """Hold the messages that a person's plan does not pay for; returns the others. Of people without one none is asked.

    A message is paid for with its first attempt: what comes again is the same.
    """
    asked = [
        Asked(target_id=target.id, person_id=target.person_id, delivery_id=groups[target.id].rows[0].id)
        for target in targets
        if target.is_metered and target.id in groups and _is_counted(groups[target.id].rows)
    ]
    until = meter(connection, asked, now) if asked else {}
    for target_id, at in until.items():
        hold_all(connection, Hold(at, HeldFor.QUOTA), [row.id for row in groups[target_id].rows])
    return {target_id: group for target_id, group in groups.items() if target_id not in until}


def _is_counted(rows: Sequence[Any]) -> bool:
    return not rows[0].attempts and not all(is_own_standing(row.kind) for row in rows)


def _with_holdings(
    connection: Connection, groups: Mapping[int, _Group], people: Mapping[int, int]
) -> dict[int, _Group]:
    """Return groups by their targets with what the games are to each target's person, read for all of them at once."""
    asked = [(people[id_], row.event_id) for id_, group in groups.items() for row in group.rows if row.game_id]
    holdings = load_holdings(connection, asked)
    return {id_: replace(group, holdings=_of(people[id_], group.rows, holdings)) for id_, group in groups.items()}


def _of(person_id: int, rows: Sequence[Any], holdings: Mapping[tuple[int, int], Holding]) -> dict[int, Holding]:
    return {row.event_id: each for row in rows if (each := holdings.get((person_id, row.event_id))) is not None}


def _is_awake(target: Any, now: datetime) -> bool:
    rests = target.rests_until is not None and not is_due(target.rests_until, now, LONGEST_REST)
    is_broken = target.broken_until is not None and not is_due(target.broken_until, now, due.LONGEST_BREAK)
    return not (rests or is_broken)


def _room(target: Any) -> int:
    return MOST_GATHERED if settings_from_json(target.settings).holds else GROUP_SIZE


def _due_rows(connection: Connection, limits: dict[int, int], now: datetime) -> dict[int, list[Any]]:
    """Lock and return what is due at some targets, up to each one's limit, in the order in which it goes."""
    values = {"ids": list(limits), "limits": list(limits.values()), "now": now}
    rows = connection.execute(_locking(), values).all()
    killers = [row.id for row in rows if _is_killer(row, now)]
    if killers:
        connection.execute(_BURIED, {"ids": killers, "now": now})
    by_target: dict[int, list[Any]] = {}
    for row in rows:
        if row.id not in killers:
            by_target.setdefault(row.target_id, []).append(row)
    return {target_id: of_target[: limits[target_id]] for target_id, of_target in by_target.items()}


@cache
def _locking() -> Select[*tuple[Any, ...]]:
    columns = ("id", "target_id", "event_id", "attempts", "unanswered", "state", "lease_token", "first_attempt_at")
    more = ("created_at", "held_for", "subscription_ids")
    named = func.json_agg(func.json_build_array(Subscription.id, Subscription.name))
    rules = select(named).where(Subscription.id == func.any(Delivery.subscription_ids)).correlate(Delivery)
    return (
        select(*(getattr(Delivery, name) for name in (*columns, *more)), rules.scalar_subquery().label("rules"), Event)
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.id == func.any(func.array(due.due_ids().scalar_subquery())))
        # What was removed or settled meanwhile is nobody's.
        .where(Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING]))
        .order_by(Delivery.next_attempt_at, Delivery.attempts, Delivery.event_id)
        .with_for_update(of=Delivery, skip_locked=True)
    )


def _is_killer(row: Any, now: datetime) -> bool:
    """Return whether no worker survived a delivery in all its time; everything else that is lost is tried again."""
    is_lost = row.state == DeliveryState.SENDING and row.attempts >= LOST_ATTEMPTS
    return is_lost and bool(row.first_attempt_at <= now - GIVE_UP_AFTER)


_BURIED = text(
    "UPDATE deliveries SET state = 'dead', dead_at = :now, lease_until = NULL, lease_token = NULL, "
    "last_error = 'no worker lived to finish sending it' WHERE id = ANY(:ids)"
)


def _rules(rows: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of the subscriptions that asked, the oldest first; of one that is gone there is none.

    What nobody subscribed to, an operator hears because he is one.
    """
    if not any(row.subscription_ids for row in rows):
        return (PLAN_RULE if all(is_own_standing(row.kind) for row in rows) else OPERATOR_RULE,)
    return tuple(dict(sorted((id_, name) for row in rows for id_, name in row.rules or ())).values())


def _group(rows: Sequence[Any], *, works: bool) -> Sequence[Any]:
    """Return those of the due deliveries to a target that become its next message; `works` that its last was taken."""
    if not rows or not rows[0].attempts:
        # A burst is one message. (What is replayed may have arrived, and says so; what is new may not.)
        return [row for row in rows if not row.attempts and bool(row.unanswered) == bool(rows[0].unanswered)]
    if rows[0].state == DeliveryState.SENDING and rows[0].attempts < LOST_TOGETHER:
        # Their sender died: they come again as the message that they were.
        return [row for row in rows if row.lease_token == rows[0].lease_token]
    if rows[0].lease_token == ALONE:
        return rows[:1]
    if 0 < rows[0].unanswered < len(UNANSWERED_PAUSES):
        # It may have arrived as one message, and need not come again as twenty.
        return [row for row in rows if row.unanswered == rows[0].unanswered and row.lease_token != ALONE]
    if rows[0].lease_token is not None and rows[0].state == DeliveryState.PENDING and (works or rows[0].attempts < FEW):
        # Its service was away or busy. Where it stays so, one tries whether it is the message after all.
        return [row for row in rows if row.lease_token == rows[0].lease_token]
    # What failed otherwise goes alone: if the service refuses one event of a group, the others must not share its fate.
    return rows[:1]


def _event_text(row: Any, group: _Group, now: datetime) -> EventText:
    standing, asks = group.standings.get(row.campaign_id, NOTHING), row.id in group.asking
    # Of one that cannot be read: a title alone is better than a delivery that can never be sent.
    stored = read_detail(row)
    detail = as_it_stands(row.kind, stored, standing, now, asks=asks)
    return EventText(
        kind=row.kind,
        title=row.title if _reads_alike(stored, detail) else title(row.kind, row.service, detail),
        occurred_at=row.occurred_at,
        service=row.service,
        detail=detail,
        id=row.event_id,
        key=row.event_key,
        recorded_at=row.recorded_at,
        silent=row.silent,
        rules=_rules([row]),
        library=group.holdings.get(row.event_id),
    )


def _reads_alike(stored: EventDetail, detail: EventDetail) -> bool:
    """Return whether the headline of an event is true still: that of a last chance names what can be begun."""
    if not isinstance(stored, CampaignDetail) or not isinstance(detail, CampaignDetail):
        return True
    return stored.drops_ending == detail.drops_ending


def _hold_failed(connection: Connection, claimed: ClaimedMessage, until: datetime) -> None:
    """Let what failed before at this target wait a little as well: an outage then costs one attempt a pause.

    New events still try at once, and of those that wait, the least tried goes first. A pause is a minute at most, so
    that each of many has its turn.
    """
    connection.execute(
        update(Delivery)
        .where(
            Delivery.target_id == claimed.target_id,
            Delivery.state == DeliveryState.PENDING,
            Delivery.attempts > 0,
            Delivery.next_attempt_at < until,
        )
        .values(next_attempt_at=until)
    )


def is_unsettled(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a delivery is due at a target that does not rest, or under way."""
    rested = Delivery.target_id.in_(select(Target.id).where(due.is_rested(now)))
    return or_(and_(due.is_due(now), rested), Delivery.state == DeliveryState.SENDING)


def _still_ours(claimed: ClaimedMessage) -> ColumnElement[bool]:
    return and_(
        Delivery.id.in_([delivery.id for delivery in claimed.deliveries]),
        Delivery.state == DeliveryState.SENDING,
        Delivery.lease_token == claimed.lease_token,
    )


def _redacted(error: str) -> str:
    """Return an error short and without anything that looks like an address, should one ever slip in."""
    return _ADDRESS.sub("…", " ".join(error.split()))[:ERROR_LENGTH]
