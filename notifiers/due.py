"""Says when deliveries are due, and keeps for each target when to look for something to send: `targets.due_at`.

Deliveries alone decide; a target's time is reckoned from them, so that a claim finds due targets by an index. Wakes,
which triggers write beside deliveries, lower it; whoever holds the target's row locked, to claim or to settle, reckons
it anew. All times are judged by the caller's clock, and `looked_at` tells when that was, so that a target is looked at
again after a clock was set back. All functions want a transaction at READ COMMITTED.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.orm import aliased

from models import Delivery, DeliveryState, Mute, Person, Target
from models.due import CLOCK_TOLERANCE, due, holds, is_impossible
from notifiers.rests import LONGEST_REST

# A message may be under way for longer: whoever sends it renews its lease.
LEASE_SECONDS = 150
LEASE = timedelta(seconds=LEASE_SECONDS)
BACKOFF_CAP_SECONDS = 3600.0
# After a message that a target took without an answer, once, twice and more often: it may have arrived.
UNANSWERED_PAUSES = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))

# How far ahead an attempt can be: a pause between two; before the first the beginning of a release's day, in the zone
# where that comes last; or no time at all, where the attempt was due when its delivery was made.
LONGEST_HOLD = timedelta(hours=28)
# A weekly digest, or as many days of quiet hours.
LONGEST_GATHERING = timedelta(days=9)
LONGEST_BACKOFF = timedelta(seconds=BACKOFF_CAP_SECONDS)
FURTHEST = case(
    *((Delivery.unanswered == count, literal(pause)) for count, pause in enumerate(UNANSWERED_PAUSES, 1)),
    (Delivery.unanswered > len(UNANSWERED_PAUSES), literal(UNANSWERED_PAUSES[-1])),
    (Delivery.held_for.in_(["quiet", "digest", "burst", "progress", "mute", "quota"]), literal(LONGEST_GATHERING)),
    (Delivery.attempts > 0, literal(LONGEST_BACKOFF)),
    (Delivery.next_attempt_at > Delivery.created_at, literal(LONGEST_HOLD)),
    else_=literal(timedelta(0)),
)

# A target at which so many messages failed in a row is tried by one message a pause, whatever is new.
FAILURES_THAT_BREAK = 5
FIRST_BREAK = timedelta(seconds=10)
LONGEST_BREAK = timedelta(seconds=60)

# Wakes that one transaction follows.
MOST_WAKES = 1_000
_NOW = bindparam("now", type_=DateTime(timezone=True))
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
# As the partial indexes say it, so that they are used.
_IS_PENDING = Delivery.state == text("'pending'")
_IS_SENDING = Delivery.state == text("'sending'")


def gather(connection: Connection, now: datetime, limit: int = MOST_WAKES) -> int:
    """Follow wakes, so that the targets that they are about are found; returns about how many targets there were.

    Nobody is waited for: what another transaction holds locked is followed next time.
    """
    return connection.execute(_GATHER, {"now": now, "limit": limit, "ahead": now + CLOCK_TOLERANCE}).rowcount


# Rows are locked before they are written, and only those that nobody else has. A target of whose last look the clock
# says that it will be was looked at by a wrong clock.
_GATHER = text(
    """
    WITH followed AS (SELECT id, target_id, at FROM wakes ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED),
    locked AS (
        SELECT id FROM targets WHERE id IN (SELECT target_id FROM followed) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ),
    wrong AS (
        SELECT id FROM targets WHERE looked_at > :ahead AND due_at IS NOT NULL
        LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
    ),
    gone AS (DELETE FROM wakes USING followed f WHERE wakes.id = f.id AND f.target_id IN (SELECT id FROM locked)),
    woken AS (
        SELECT id, min(at) AS at FROM (
            SELECT l.id, f.at FROM locked l JOIN followed f ON f.target_id = l.id UNION ALL SELECT id, :now FROM wrong
        ) AS each GROUP BY id
    )
    UPDATE targets SET due_at = least(targets.due_at, woken.at, :now), looked_at = :now
    FROM woken WHERE targets.id = woken.id
    """
)


def lock_due(
    connection: Connection, now: datetime, *, is_quick: bool, limit: int, busy: Collection[int] = ()
) -> Sequence[Any]:
    """Lock up to so many targets to look at, those that wait longest first; targets that others hold are passed over.

    Of the `busy` ones, by their ids, none.
    """
    values = {"now": now, "is_quick": is_quick, "limit": limit, "busy": list(busy)}
    return connection.execute(_due_targets(), values).all() if limit else ()


@cache
def _due_targets() -> Select[*tuple[Any, ...]]:
    columns = (Target.id, Target.name, Target.label, Target.person_id, Target.url_encrypted, Target.settings)
    # Hardly any is, and it saves a question.
    is_muted = exists().where(Mute.target_id == Target.id).label("may_be_muted")
    has_plan = select(Person.plan_id.is_not(None)).where(Person.id == Target.person_id).scalar_subquery()
    return (
        select(
            *columns,
            Target.timezone,
            Target.is_quick,
            Target.rests_until,
            Target.broken_until,
            Target.failures,
            is_muted,
            has_plan.label("is_metered"),
        )
        .where(Target.disabled_at.is_(None), Target.due_at <= _NOW, Target.is_quick == bindparam("is_quick"))
        .where(Target.id != func.all(bindparam("busy", type_=ARRAY(BigInteger))))
        .order_by(Target.due_at, Target.id)
        .limit(bindparam("limit", type_=Integer))
        # NO KEY: new deliveries for the target may be added meanwhile. SKIP LOCKED: another worker has it.
        .with_for_update(key_share=True, skip_locked=True)
    )


def lock_targets(connection: Connection, target_ids: Sequence[int]) -> None:
    """Wait for targets' rows, and hold them until the transaction ends: to settle, or to change what waits there."""
    connection.execute(_LOCK, {"ids": list(target_ids)})


_LOCK = text("SELECT FROM targets WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")


def due_ids() -> Select[int]:
    """Return the query for the ids of deliveries that are due at targets (`ids`) with no message under way.

    Of each target up to its limit (`limits`): a few looks into indexes, however much waits there.
    """
    limits = bindparam("limits", type_=ARRAY(Integer))
    asked = func.unnest(_IDS, limits).table_valued("id", "most", name="asked").render_derived()
    of_target, most = Delivery.target_id == asked.c.id, asked.c.most
    pending = (
        select(Delivery.id)
        .where(of_target, _IS_PENDING, Delivery.next_attempt_at <= _NOW)
        .order_by(Delivery.next_attempt_at, Delivery.attempts, Delivery.event_id)
        .limit(most)
        .correlate(asked)
    )
    impossible = select(Delivery.id).where(of_target, _is_impossible()).limit(most).correlate(asked)
    lost = select(Delivery.id).where(of_target, _IS_SENDING, due(Delivery.lease_until, _NOW, LEASE)).correlate(asked)
    other = aliased(Delivery)
    under_way = exists().where(
        other.target_id == asked.c.id, other.state == text("'sending'"), holds(other.lease_until, _NOW, LEASE)
    )
    each = union_all(pending, impossible, lost).lateral("each")
    return select(each.c.id).select_from(asked.join(each, true())).where(~under_way)


def _is_impossible() -> ColumnElement[bool]:
    # The first of the ranges is the index's.
    ahead = Delivery.next_attempt_at > _NOW + CLOCK_TOLERANCE
    return and_(_IS_PENDING, ahead, is_impossible(Delivery.next_attempt_at, _NOW, FURTHEST))


def note_failure(connection: Connection, target_id: int, now: datetime) -> None:
    """Count a message that a target, whose row is locked, did not take; after some in a row it is left alone a while.

    Then one message tries whether it works again, and the next pause is twice as long where it does not.
    """
    values = {"id": target_id, "now": now, "few": FAILURES_THAT_BREAK, "first": FIRST_BREAK, "longest": LONGEST_BREAK}
    connection.execute(_FAILED, values)


_FAILED = text(
    "UPDATE targets SET failures = failures + 1, broken_until = CASE WHEN failures + 1 >= CAST(:few AS integer) "
    "THEN CAST(:now AS timestamptz) + least(CAST(:first AS interval) "
    "* power(2, least(failures + 1 - CAST(:few AS integer), 20)), CAST(:longest AS interval)) END WHERE id = :id"
)


def reckon(
    connection: Connection,
    target_ids: Sequence[int],
    now: datetime,
    *,
    is_quick: bool | None = None,
    works: bool = False,
) -> None:
    """Write down when to look at targets next, by what their deliveries say; the transaction holds their rows locked.

    Belongs at the end of the transaction, which sees what it has written itself. `is_quick` is whether the target took
    a message soon; one with something that failed is not quick even so. One that `works` took a message just now.
    """
    if target_ids:
        connection.execute(_reckoning(is_quick, works=works), {"ids": list(target_ids), "now": now})


@cache
def _reckoning(is_quick: bool | None, *, works: bool) -> Update:
    pending, sending = (and_(Delivery.target_id == Target.id, state) for state in (_IS_PENDING, _IS_SENDING))
    leased = select(func.max(Delivery.lease_until)).where(sending, holds(Delivery.lease_until, _NOW, LEASE))
    lost = select(_NOW).where(sending, due(Delivery.lease_until, _NOW, LEASE)).limit(1)
    soonest = select(Delivery.next_attempt_at).where(pending).order_by(Delivery.next_attempt_at).limit(1)
    impossible = select(_NOW).where(Delivery.target_id == Target.id, _is_impossible()).limit(1)
    scalar = [each.correlate(Target).scalar_subquery() for each in (leased, lost, soonest, impossible)]
    rest = case((holds(Target.rests_until, _NOW, LONGEST_REST), Target.rests_until), else_=null())
    waits = func.coalesce(scalar[0], func.least(*scalar[1:]))
    broken = case((holds(Target.broken_until, _NOW, LONGEST_BREAK), Target.broken_until), else_=null())
    # It passes over a null.
    values: dict[str, Any] = {"due_at": func.greatest(waits, rest) if works else func.greatest(waits, rest, broken)}
    if works:
        values |= {"failures": 0, "broken_until": null()}
    if is_quick is not None:
        failed = exists().where(pending, Delivery.attempts > text("0")).correlate(Target)
        values["is_quick"] = ~failed if is_quick else false()
    return update(Target).where(Target.id == func.any(_IDS)).values(values | {"looked_at": _NOW})


def is_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a delivery is due, or was lost by its sender."""
    return and_(
        Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING]),
        or_(
            and_(Delivery.state == DeliveryState.PENDING, due(Delivery.next_attempt_at, now, FURTHEST)),
            and_(Delivery.state == DeliveryState.SENDING, due(Delivery.lease_until, now, LEASE)),
        ),
    )


def is_rested(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a target wants messages: the rest that its service asked for is over."""
    return or_(Target.rests_until.is_(None), due(Target.rests_until, now, LONGEST_REST))
