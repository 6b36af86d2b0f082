"""Plans of people: what they give, what things cost by them, and the gauges that they set."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast, get_args

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from models import Balance, LedgerEntry, Person, Plan
from models.errors import LootwireError, UnknownThing, UsageError
from models.moments import Moment
from models.names import nearest
from models.printable import NAME_LENGTH, on_a_line
from pipeline.people.credits import PERIODS, Period, begin_after, begin_of, begins_between, gifts
from pipeline.people.records import ACTIONS

Gauge = Literal["sound_mb", "targets", "subscriptions", "follows", "requests_per_minute", "messages_per_day"]
GAUGES: tuple[Gauge, ...] = get_args(Gauge)
# What a period gives stands in the ledger under this action.
REPLENISH = "replenish"
# Larger figures are mistakes, and sums of them must fit a column.
MOST = 10**12
_NAME = re.compile(r"\w(?:[\w .-]{0,58}[\w.-])?")
_WORDS: dict[str, str] = {
    "sound_mb": "MB of sound",
    "requests_per_minute": "requests a minute",
    "messages_per_day": "messages a day",
}


class QuotaError(LootwireError):
    """A person has used up what their plan gives; the text says what, and what to do.

    Of credits `missing` is how many more it takes, and `more_at` when some come, where that is known.
    """

    def __init__(self, text: str, *, missing: int | None = None, more_at: datetime | None = None) -> None:
        super().__init__(text)
        self.missing = missing
        self.more_at = more_at


class PlanLine(msgspec.Struct, frozen=True, kw_only=True):
    """A plan: so many credits a period up to a ceiling, prices in credits by action, gauges by name.

    What has no price is free, and what has no gauge has no limit. `people` is how many have it.
    """

    id: int
    name: str
    credits: int
    period: Period
    ceiling: int
    prices: dict[str, int]
    gauges: dict[str, int]
    people: int
    created_at: Moment


def gauge_of(connection: Connection, person_id: int, gauge: Gauge) -> int | None:
    """Return the most that a person's plan allows of something; None without a plan, or where it names no limit."""
    limits: dict[str, Any] | None = connection.scalar(
        select(Plan.gauges).join(Person, Person.plan_id == Plan.id).where(Person.id == person_id)
    )
    return (limits or {}).get(gauge)


def check_gauge(connection: Connection, person_id: int, gauge: Gauge, wanted: int) -> None:
    """Raise `QuotaError` where a person would have more of something than their plan allows.

    `wanted` is how many there would be in all. Without a plan nothing is counted.
    """
    most = gauge_of(connection, person_id, gauge)
    if most is not None and wanted > most:
        raise QuotaError(
            f"your plan allows {most:,} {_WORDS.get(gauge, gauge)}, and this would be {wanted:,}; remove some, or ask "
            "the owner for another plan"
        )


def add_plan(
    connection: Connection,
    name: str,
    now: datetime,
    *,
    credits_: int = 0,
    period: Period = "month",
    ceiling: int | None = None,
    prices: Mapping[str, int] | None = None,
    gauges: Mapping[str, int] | None = None,
) -> PlanLine:
    """Add a plan; its ceiling is what a period gives, unless another is given.

    Raises `UsageError` for a name that is taken, and for words and figures that a plan does not have.
    """
    if not _NAME.fullmatch(name):
        raise UsageError("a plan's name has 1 to 60 letters, digits, spaces, dots, hyphens or underscores")
    if connection.scalar(select(Plan.id).where(Plan.name == name)) is not None:
        raise UsageError(f"there is a plan {name!r} already: lootwire plans change changes it")
    row = {
        "name": name,
        "credits": credits_,
        "period": period,
        "ceiling": credits_ if ceiling is None else ceiling,
        "prices": dict(prices or {}),
        "gauges": dict(gauges or {}),
    }
    _check(row)
    connection.execute(insert(Plan).values(row | {"created_at": now}))
    return load_plan(connection, name)


def change_plan(
    connection: Connection,
    name: str,
    now: datetime,
    *,
    credits_: int | None = None,
    period: Period | None = None,
    ceiling: int | None = None,
    prices: Mapping[str, int | None] | None = None,
    gauges: Mapping[str, int | None] | None = None,
) -> PlanLine:
    """Change what is given of a plan; a price or a gauge of None goes. Balances stay, and their next period gives anew.

    Raises `UsageError` as `add_plan` does, and `UnknownThing`.
    """
    plan = load_plan(connection, name)
    row = {
        "credits": plan.credits if credits_ is None else credits_,
        "period": period or plan.period,
        "ceiling": plan.ceiling if ceiling is None else ceiling,
        "prices": _merged(plan.prices, prices),
        "gauges": _merged(plan.gauges, gauges),
    }
    if ceiling is None and credits_ is not None:
        row["ceiling"] = max(plan.ceiling, credits_)
    _check(row)
    connection.execute(update(Plan).where(Plan.id == plan.id).values(row))
    if row["period"] != plan.period:
        of_plan = select(Person.id).where(Person.plan_id == plan.id)
        next_at = begin_after(cast("Period", row["period"]), now)
        connection.execute(update(Balance).where(Balance.person_id.in_(of_plan)).values(next_due_at=next_at))
    return load_plan(connection, name)


def remove_plan(connection: Connection, name: str) -> PlanLine:
    """Remove a plan that nobody has; returns what it was. Raises `UsageError` where somebody has it."""
    plan = load_plan(connection, name)
    if plan.people:
        people = "1 person has" if plan.people == 1 else f"{plan.people} people have"
        raise UsageError(f"{people} this plan; give them another one first: lootwire people set NAME --plan none")
    connection.execute(delete(Plan).where(Plan.id == plan.id))
    return plan


def list_plans(connection: Connection) -> list[PlanLine]:
    """Return all plans by name."""
    return [PlanLine(**row._asdict()) for row in connection.execute(_query().order_by(Plan.name))]


def load_plan(connection: Connection, name: str) -> PlanLine:
    """Return a plan by name; raises `UnknownThing`, which says what is like it."""
    row = connection.execute(_query().where(Plan.name == name)).one_or_none()
    if row is None:
        known = connection.scalars(select(Plan.name).order_by(Plan.name)).all()
        near = nearest(name, known) or known
        there = f"there are: {', '.join(near)}" if near else "there are none yet: lootwire plans add"
        raise UnknownThing(f"there is no plan {on_a_line(name, NAME_LENGTH)!r}; {there}")
    return PlanLine(**row._asdict())


def plan_named(connection: Connection, name: str) -> int:
    """Return a plan's row id; raises `UnknownThing`."""
    return load_plan(connection, name).id


def take_up_plan(connection: Connection, person_id: int, plan_id: int, now: datetime) -> None:
    """Give a person a plan, with the credits of its present period where that period gave them none yet."""
    plan = connection.execute(select(Plan).where(Plan.id == plan_id)).one()
    connection.execute(update(Person).where(Person.id == person_id).values(plan_id=plan_id))
    next_at = begin_after(plan.period, now)
    row = {"person_id": person_id, "credits": 0, "next_due_at": next_at}
    kept = insert_or_keep(Balance).values(row)
    connection.execute(kept.on_conflict_do_update(index_elements=["person_id"], set_={"next_due_at": next_at}))
    replenish(connection, person_id, plan, begin_of(plan.period, now), now)


def leave_plan(connection: Connection, person_id: int) -> None:
    """Leave a person without a plan: nothing is counted from now on. What was left stays for another plan."""
    connection.execute(update(Person).where(Person.id == person_id).values(plan_id=None))
    left = update(Balance).where(Balance.person_id == person_id)
    connection.execute(left.values(next_due_at=None, low_told_at=None))


def replenish(connection: Connection, person_id: int, plan: Any, since: datetime, now: datetime) -> int:
    """Give a person what the periods of a plan give that began from a moment to now; returns how many credits.

    Each period gives once, whatever the clock says later: the ledger has its reference.
    """
    balance = connection.scalar(select(Balance.credits).where(Balance.person_id == person_id).with_for_update())
    if balance is None:
        return 0
    begins = {_reference(person_id, plan.period, at): at for at in begins_between(plan.period, since, now)}
    known = select(LedgerEntry.reference).where(
        LedgerEntry.action == REPLENISH, LedgerEntry.reference.in_(list(begins))
    )
    given = {begins[reference] for reference in connection.scalars(known)}
    total = 0
    for at, amount in gifts(iter(begins.values()), given, credits_=plan.credits, ceiling=plan.ceiling, balance=balance):
        total += amount
        row = {
            "person_id": person_id,
            "action": REPLENISH,
            "reference": _reference(person_id, plan.period, at),
            "amount": amount,
            "balance_after": balance + total,
            "detail": {"plan": plan.name},
            "at": now,
        }
        connection.execute(insert(LedgerEntry).values(row))
    if total:
        more = update(Balance).where(Balance.person_id == person_id)
        connection.execute(more.values(credits=balance + total, low_told_at=None))
    return total


def _reference(person_id: int, period: str, begin: datetime) -> str:
    return f"person:{person_id}:{period}:{begin:%Y-%m-%d}"


def _merged(known: Mapping[str, int], changes: Mapping[str, int | None] | None) -> dict[str, int]:
    merged = {**known, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}


def _check(row: Mapping[str, Any]) -> None:
    if row["period"] not in PERIODS:
        raise UsageError(f"a period is one of: {', '.join(PERIODS)}")
    _check_figure("credits", row["credits"])
    _check_figure("ceiling", row["ceiling"])
    if row["ceiling"] < row["credits"]:
        raise UsageError("the ceiling is not below what a period gives")
    for word, known in (("prices", ACTIONS), ("gauges", GAUGES)):
        _check_words(word, row[word], known)


def _check_words(word: str, values: Mapping[str, Any], known: Sequence[str]) -> None:
    for name, value in values.items():
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise UsageError(f"{word} have no {on_a_line(name, NAME_LENGTH)!r}; {hint}")
        _check_figure(name, value)


def _check_figure(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise UsageError(f"{name} is a whole number from 0 to {MOST:,}")


def _query() -> Any:
    people = select(func.count()).where(Person.plan_id == Plan.id).correlate(Plan).scalar_subquery().label("people")
    names = (name for name in PlanLine.__struct_fields__ if name != "people")
    return select(*(getattr(Plan, name) for name in names), people)
