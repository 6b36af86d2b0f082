"""The outbox: claims deliveries that are due, and settles them when their message was taken or not.

A delivery is pending, sending, sent or dead. Claiming writes the attempt down before anything is sent, with a lease
and a token; settling counts only while the token is still the delivery's. So a worker that dies, or wakes up late,
loses nothing and overwrites nothing. All functions want a transaction at READ COMMITTED, PostgreSQL's default.
"""

import random
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, literal, or_, select, update
from sqlalchemy.orm import aliased

from models import Delivery, DeliveryState, Event, Subscription, Target
from models.due import due, holds
from notifiers.held import MOST_GATHERED, hold_or_drop
from notifiers.rests import LONGEST_REST
from notifiers.standing import as_it_stands, asks_to_link, load_standings, read_detail
from notifiers.timing.settings import settings_from_json
from notifiers.timing.standing import NOTHING, Standing
from notifiers.view import EventText

GROUP_SIZE = 20
# How often targets are looked for in one claim where all that was due is held.
MOST_HELD_ROUNDS = 20
# A message may be under way for longer: whoever sends it renews its lease.
LEASE_SECONDS = 150
GIVE_UP_AFTER = timedelta(hours=72)
# All that time may be one jump of the clock, or a machine that was off: then a delivery is tried some minutes longer.
LEAST_ATTEMPTS = 6
BACKOFF_BASE_SECONDS = 30.0
BACKOFF_CAP_SECONDS = 3600.0
# Full jitter may come out as nothing, and a target that just failed deserves a breath.
BACKOFF_LEAST_SECONDS = 5.0
# After a message that a target took without an answer, once, twice and more often: it may have arrived.
UNANSWERED_PAUSES = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
# A delivery whose worker died this often, for so long, kills its workers.
LOST_ATTEMPTS = 10
# After so many attempts a delivery whose sender died goes alone: maybe it is what kills.
LOST_TOGETHER = 3
ERROR_LENGTH = 300
# What stands in place of a subscription below a mail to an operator.
OPERATOR_RULE = "role operator"

# How far ahead an attempt can be: a pause between two; before the first the beginning of a release's day, in the zone
# where that comes last; or no time at all, where the attempt was due when its delivery was made.
LEASE = timedelta(seconds=LEASE_SECONDS)
LONGEST_HOLD = timedelta(hours=28)
# A weekly digest, or as many days of quiet hours.
LONGEST_GATHERING = timedelta(days=9)
LONGEST_BACKOFF = timedelta(seconds=BACKOFF_CAP_SECONDS)
FURTHEST = case(
    *((Delivery.unanswered == count, literal(pause)) for count, pause in enumerate(UNANSWERED_PAUSES, 1)),
    (Delivery.unanswered > len(UNANSWERED_PAUSES), literal(UNANSWERED_PAUSES[-1])),
    (Delivery.held_for.in_(["quiet", "digest", "burst", "progress"]), literal(LONGEST_GATHERING)),
    (Delivery.attempts > 0, literal(LONGEST_BACKOFF)),
    (Delivery.next_attempt_at > Delivery.created_at, literal(LONGEST_HOLD)),
    else_=literal(timedelta(0)),
)

# Made once: it costs more than the statement that it stands in.
_OTHER = aliased(Delivery)
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
    slow: Collection[int] = (),
    for_slow: int | None = None,
    busy: Collection[int] = (),
) -> list[ClaimedMessage]:
    """Take up to `limit` messages that are due, each for another target, and write their attempt down.

    A target has one message under way at a time, so that messages keep their order. Targets that took messages and
    have none that failed come first; of the others, and of the `slow` ones by their ids, `for_slow` are taken at most.
    To the `busy` ones the caller still sends, whatever became of its leases. Commit before you send.
    """
    _bury_killers(connection, now)
    for _ in range(MOST_HELD_ROUNDS):
        targets = _targets(connection, now, limit, slow, busy)
        quick = [target for target in targets if target.is_quick]
        others = [target for target in targets if not target.is_quick][:for_slow]
        messages = [_claim_message(connection, target, now, lease_seconds) for target in (*quick, *others)]
        # Where all of it is held, it is due no longer, and others may have something.
        if any(messages) or not messages:
            break
    return [message for message in messages if message is not None]


def renew(connection: Connection, claimed: ClaimedMessage, now: datetime, lease_seconds: float = LEASE_SECONDS) -> bool:
    """Hold the lease of a message that is still under way for longer; returns whether it was still ours."""
    until = now + timedelta(seconds=lease_seconds)
    return bool(connection.execute(update(Delivery).where(_still_ours(claimed)).values(lease_until=until)).rowcount)


def settle_sent(connection: Connection, claimed: ClaimedMessage, now: datetime) -> int:
    """Write down that a message was taken; returns for how many deliveries that still counted."""
    settled = connection.execute(
        update(Delivery)
        .where(_still_ours(claimed))
        .values(state=DeliveryState.SENT, sent_at=now, last_error=None, lease_until=None, lease_token=None)
    )
    return settled.rowcount


def note_problem(connection: Connection, claimed: ClaimedMessage, problem: str) -> None:
    """Write down of a message that was sent what was wrong with its template, for `lootwire why`."""
    ids = [delivery.id for delivery in claimed.deliveries]
    is_sent = and_(Delivery.id.in_(ids), Delivery.state == DeliveryState.SENT)
    connection.execute(update(Delivery).where(is_sent).values(last_error=_redacted(problem)))


def settle_failed(
    connection: Connection,
    claimed: ClaimedMessage,
    now: datetime,
    error: str,
    *,
    permanent: bool = False,
    unanswered: bool = False,
    jitter: Callable[[], float] = random.random,
) -> int:
    """Write down that a message was not taken; returns how many deliveries are dead by that.

    They are tried again after a pause, until 72 hours after their first attempt, and six times at least; after a
    permanent failure never. What the target took without an answer (`unanswered`) waits for an hour, then for six, then
    for a day. `jitter` returns a number from 0 to 1.
    """
    dead = 0
    pauses: list[datetime] = []
    for delivery in claimed.deliveries:
        gives_up = permanent or _has_been_tried_enough(delivery, now)
        times = delivery.unanswered + unanswered
        again_at = now + (unanswered_pause(times) if unanswered else backoff(delivery.attempts, jitter()))
        values: dict[str, Any] = {"last_error": _redacted(error), "lease_until": None, "lease_token": None}
        values |= {"state": DeliveryState.DEAD, "dead_at": now} if gives_up else {"state": DeliveryState.PENDING}
        values |= {"unanswered": times} | ({} if gives_up else {"next_attempt_at": again_at})
        mine = and_(_still_ours(claimed), Delivery.id == delivery.id)
        settled = connection.execute(update(Delivery).where(mine).values(values)).rowcount
        if settled and gives_up:
            dead += 1
        elif settled:
            pauses.append(again_at)
    if pauses:
        # Nothing but an answer that never came is worth more than an hour.
        _hold_failed(connection, claimed, min(*pauses, now + LONGEST_BACKOFF))
    return dead


def _has_been_tried_enough(delivery: ClaimedDelivery, now: datetime) -> bool:
    return delivery.attempts >= LEAST_ATTEMPTS and now - delivery.first_attempt_at >= GIVE_UP_AFTER


def let_rest(connection: Connection, target_id: int, now: datetime, rest: timedelta) -> None:
    """Send a target nothing for as long as its service asked, a day at most; a longer rest that it has goes on."""
    until = now + min(rest, LONGEST_REST)
    is_shorter = or_(Target.rests_until < until, _is_rested(now))
    connection.execute(update(Target).where(Target.id == target_id, is_shorter).values(rests_until=until))


def backoff(attempts: int, fraction: float) -> timedelta:
    """Return the pause after this many attempts: a fraction of a window that doubles from 30 s to 1 h."""
    window = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** min(attempts - 1, 30))
    return timedelta(seconds=max(BACKOFF_LEAST_SECONDS, window * fraction))


def unanswered_pause(times: int) -> timedelta:
    """Return the pause after a target took a message for so many times without an answer."""
    return UNANSWERED_PAUSES[min(times, len(UNANSWERED_PAUSES)) - 1]


def _targets(
    connection: Connection, now: datetime, limit: int, slow: Collection[int], busy: Collection[int]
) -> Sequence[Any]:
    """Lock targets that have something due and nothing under way: quick ones, then those that wait longest."""
    waiting_since = (
        select(func.min(Delivery.next_attempt_at))
        .where(Delivery.target_id == Target.id, _due(now))
        .correlate(Target)
        .scalar_subquery()
    )
    is_quick = _is_quick(slow).label("is_quick")
    # NO KEY: new deliveries for the target may be added meanwhile. SKIP LOCKED: another worker has it, take the next.
    return connection.execute(
        select(
            Target.id,
            Target.name,
            Target.person_id,
            Target.url_encrypted,
            Target.settings,
            Target.timezone,
            is_quick,
        )
        .where(Target.disabled_at.is_(None), _is_rested(now), waiting_since.is_not(None), _idle(Target.id, now))
        .where(Target.id.not_in(busy))
        .order_by(is_quick.desc(), waiting_since, Target.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()


def _is_quick(slow: Collection[int]) -> ColumnElement[bool]:
    """Return the condition that a target took a message, has none that failed, and is none of the slow ones."""
    of_target = _OTHER.target_id == Target.id
    failed = and_(of_target, _OTHER.state.in_([DeliveryState.PENDING, DeliveryState.SENDING]), _OTHER.attempts > 0)
    return and_(
        exists().where(of_target, _OTHER.state == DeliveryState.SENT), ~exists().where(failed), Target.id.not_in(slow)
    )


def _claim_message(connection: Connection, target: Any, now: datetime, lease_seconds: float) -> ClaimedMessage | None:
    due_now = connection.execute(
        select(
            Delivery.id,
            Delivery.event_id,
            Delivery.attempts,
            Delivery.unanswered,
            Delivery.state,
            Delivery.lease_token,
            Delivery.created_at,
            Delivery.held_for,
            Delivery.subscription_ids,
            Event,
        )
        .join(Event, Event.id == Delivery.event_id)
        # Idle once more: between the two statements another worker may have been and gone.
        .where(Delivery.target_id == target.id, _due(now), _idle(target.id, now))
        .order_by(Delivery.next_attempt_at, Delivery.attempts, Delivery.event_id)
        .limit(MOST_GATHERED if target.settings else GROUP_SIZE)
        .with_for_update(of=Delivery, skip_locked=True)
    ).all()
    standings = load_standings(connection, target.person_id, target.id, [row.campaign_id for row in due_now])
    group = _group(hold_or_drop(connection, target, due_now, now, standings))
    if not group:
        return None
    asking = asks_to_link(connection, target.id, group, standings)
    names = _names(connection, [each for row in group for each in row.subscription_ids])
    token, until = uuid.uuid4().hex, now + timedelta(seconds=lease_seconds)
    attempts = connection.execute(
        update(Delivery)
        .where(Delivery.id.in_([row.id for row in group]))
        .values(
            state=DeliveryState.SENDING,
            lease_until=until,
            lease_token=token,
            attempts=Delivery.attempts + 1,
            # Never of the future, or a delivery would be tried for longer than the promised time.
            first_attempt_at=func.least(Delivery.first_attempt_at, now),
            # Of a message that comes again all is said again.
            **({"asks_to_link": Delivery.id.in_(list(asking.values()))} if asking else {}),
        )
        .returning(Delivery.id, Delivery.attempts, Delivery.first_attempt_at)
    )
    written = {row.id: row for row in attempts}
    return ClaimedMessage(
        target_id=target.id,
        target=target.name,
        url_encrypted=target.url_encrypted,
        lease_token=token,
        lease_until=until,
        is_quick=target.is_quick,
        timezone=target.timezone,
        locale=settings_from_json(target.settings).locale,
        unsubscribe=settings_from_json(target.settings).unsubscribe,
        rules=_rules(group, names),
        deliveries=tuple(
            ClaimedDelivery(
                id=row.id,
                attempts=written[row.id].attempts,
                unanswered=row.unanswered,
                lost=row.state == DeliveryState.SENDING,
                first_attempt_at=written[row.id].first_attempt_at,
                event=_event_text(
                    row, names, standings.get(row.campaign_id, NOTHING), now, asks=row.id in asking.values()
                ),
            )
            for row in group
        ),
    )


def _names(connection: Connection, subscription_ids: Sequence[int]) -> dict[int, str]:
    """Return the names of subscriptions by their ids, the oldest first; of one that is gone there is none."""
    ids = sorted(set(subscription_ids))
    names = select(Subscription.id, Subscription.name).where(Subscription.id == func.any(ids)).order_by(Subscription.id)
    return {row.id: row.name for row in connection.execute(names)}


def _group(rows: Sequence[Any]) -> Sequence[Any]:
    """Return those of the due deliveries to a target that become its next message."""
    if not rows or not rows[0].attempts:
        # A burst is one message. (What is replayed may have arrived, and says so; what is new may not.)
        return [row for row in rows if not row.attempts and bool(row.unanswered) == bool(rows[0].unanswered)]
    if rows[0].state == DeliveryState.SENDING and rows[0].attempts < LOST_TOGETHER:
        # Their sender died: they come again as the message that they were.
        return [row for row in rows if row.lease_token == rows[0].lease_token]
    if 0 < rows[0].unanswered < len(UNANSWERED_PAUSES):
        # It may have arrived as one message, and need not come again as twenty.
        return [row for row in rows if row.unanswered == rows[0].unanswered]
    # A delivery that failed once goes alone: if the service refuses one event of a group, the others must not share its
    # fate.
    return rows[:1]


def _rules(rows: Sequence[Any], names: Mapping[int, str]) -> tuple[str, ...]:
    """Return the names of the subscriptions that want some events, the oldest first.

    What nobody subscribed to, an operator hears because he is one.
    """
    ids = {each for row in rows for each in row.subscription_ids}
    return tuple(names[each] for each in sorted(ids) if each in names) if ids else (OPERATOR_RULE,)


def _event_text(row: Any, names: Mapping[int, str], standing: Standing, now: datetime, *, asks: bool) -> EventText:
    # Of one that cannot be read: a title alone is better than a delivery that can never be sent.
    detail = as_it_stands(row.kind, read_detail(row), standing, now, asks=asks)
    return EventText(
        kind=row.kind,
        title=row.title,
        occurred_at=row.occurred_at,
        service=row.service,
        detail=detail,
        id=row.event_id,
        key=row.event_key,
        recorded_at=row.recorded_at,
        silent=row.silent,
        rules=_rules([row], names),
    )


def _hold_failed(connection: Connection, claimed: ClaimedMessage, until: datetime) -> None:
    """Let what failed before at this target wait as well: an outage then costs one attempt a pause, not one for each.

    New events still try at once, and of those that wait, the least tried goes first.
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


def _bury_killers(connection: Connection, now: datetime) -> None:
    """Give up deliveries that no worker survived in all their time; everything else that is lost is tried again."""
    connection.execute(
        update(Delivery)
        .where(
            Delivery.state == DeliveryState.SENDING,
            due(Delivery.lease_until, now, LEASE),
            Delivery.first_attempt_at <= now - GIVE_UP_AFTER,
            Delivery.attempts >= LOST_ATTEMPTS,
        )
        .values(
            state=DeliveryState.DEAD,
            dead_at=now,
            lease_until=None,
            lease_token=None,
            last_error="no worker lived to finish sending it",
        )
    )


def is_unsettled(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a delivery is due at a target that does not rest, or under way."""
    rested = Delivery.target_id.in_(select(Target.id).where(_is_rested(now)))
    return or_(and_(_due(now), rested), Delivery.state == DeliveryState.SENDING)


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(
        # As the partial index says it, so that it is used.
        Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING]),
        or_(
            and_(Delivery.state == DeliveryState.PENDING, due(Delivery.next_attempt_at, now, FURTHEST)),
            and_(Delivery.state == DeliveryState.SENDING, due(Delivery.lease_until, now, LEASE)),
        ),
    )


def _idle(target_id: Any, now: datetime) -> ColumnElement[bool]:
    """Return the condition that no message is under way to a target."""
    is_leased = holds(_OTHER.lease_until, now, LEASE)
    under_way = and_(_OTHER.target_id == target_id, _OTHER.state == DeliveryState.SENDING, is_leased)
    return ~exists().where(under_way)


def _is_rested(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a target wants messages: the rest that its service asked for is over."""
    return or_(Target.rests_until.is_(None), due(Target.rests_until, now, LONGEST_REST))


def _still_ours(claimed: ClaimedMessage) -> ColumnElement[bool]:
    return and_(
        Delivery.id.in_([delivery.id for delivery in claimed.deliveries]),
        Delivery.state == DeliveryState.SENDING,
        Delivery.lease_token == claimed.lease_token,
    )


def _redacted(error: str) -> str:
    """Return an error short and without anything that looks like an address, should one ever slip in."""
    return _ADDRESS.sub("…", " ".join(error.split()))[:ERROR_LENGTH]
