"""`/plans`, `/ledger`: what people may use up, and where each credit went."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pipeline.operations import credits as operations
from pipeline.operations.credits import Granted, LedgerLine, PlanLine
from pipeline.people.credits import Period
from pipeline.people.store.plans import MOST
from pipeline.web.api.asking import RowId, person_meant
from pipeline.web.api.calls import Changing, Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, page_of, read_cursor
from pipeline.web.api.routing import Routes

plan_routes = Routes("plans")
ledger_routes = Routes("ledger")
Figure = Annotated[int, Meta(ge=0, le=MOST)]


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What actions cost in credits; null makes one free."""

    extraction: Figure | UnsetType | None = UNSET
    play: Figure | UnsetType | None = UNSET
    message: Figure | UnsetType | None = UNSET


class Gauges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that a person may have of something; null ends the limit."""

    sound_mb: Figure | UnsetType | None = UNSET
    targets: Figure | UnsetType | None = UNSET
    subscriptions: Figure | UnsetType | None = UNSET
    follows: Figure | UnsetType | None = UNSET
    requests_per_minute: Figure | UnsetType | None = UNSET
    messages_per_day: Figure | UnsetType | None = UNSET


class NewPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan to make; its ceiling is what a period gives, unless another is given."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    credits: Figure = 0
    period: Period = "month"
    ceiling: Figure | None = None
    prices: Prices = Prices()
    gauges: Gauges = Gauges()


class PlanChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed of a plan."""

    credits: Figure | UnsetType = UNSET
    period: Period | UnsetType = UNSET
    ceiling: Figure | UnsetType = UNSET
    prices: Prices = Prices()
    gauges: Gauges = Gauges()


class LedgerQuery(PageQuery, frozen=True, kw_only=True):
    """Whose ledger; another person's only an owner's key with the scope admin may ask."""

    person: str | None = None


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Credits to give."""

    person: str
    amount: Annotated[int, Meta(ge=1, le=MOST)]
    note: Annotated[str, Meta(max_length=300)] | None = None


@plan_routes.add("GET", "/plans", scope="admin", role="owner")
def list_plans(call: Reading, query: PageQuery) -> Page[PlanLine]:
    """List plans by name."""
    return page_of(operations.list_plans(call.connection), query, lambda each: each.name)


@plan_routes.add("POST", "/plans", scope="admin", role="owner", status=201)
def add_plan(call: Changing, body: NewPlan) -> PlanLine:
    """Make a plan."""
    return operations.add_plan(
        call.connection,
        body.name,
        call.now,
        credits_=body.credits,
        period=body.period,
        ceiling=body.ceiling,
        prices=_set(body.prices),
        gauges=_set(body.gauges),
    )


@plan_routes.add("GET", "/plans/{plan}", scope="admin", role="owner")
def show_plan(call: Reading, plan: str) -> PlanLine:
    """Show a plan."""
    return operations.show_plan(call.connection, plan)


@plan_routes.add("PATCH", "/plans/{plan}", scope="admin", role="owner")
def change_plan(call: Changing, plan: str, body: PlanChange) -> PlanLine:
    """Change a plan for all who have it.

    What they have stays, and the next period gives by the new figures.
    """
    return operations.change_plan(
        call.connection,
        plan,
        call.now,
        credits_=None if body.credits is UNSET else body.credits,
        period=None if body.period is UNSET else body.period,
        ceiling=None if body.ceiling is UNSET else body.ceiling,
        prices=_given(body.prices),
        gauges=_given(body.gauges),
    )


@plan_routes.add("DELETE", "/plans/{plan}", scope="admin", role="owner")
def remove_plan(call: Changing, plan: str) -> None:
    """Remove a plan that nobody has."""
    operations.remove_plan(call.connection, plan)


@ledger_routes.add("GET", "/ledger", scope="read")
def list_entries(call: Reading, query: LedgerQuery) -> Page[LedgerLine]:
    """List where credits came from and went, the newest first."""
    before = read_cursor(query, RowId)
    entries = operations.list_entries(
        call.connection,
        person_meant(call, query.person),
        limit=query.limit + 1,
        before_id=None if before is None else before[0],
    )
    return make_page(entries, query, lambda each: each.id)


@ledger_routes.add("POST", "/ledger", scope="admin", role="owner", status=201)
def grant(call: Changing, body: Grant) -> Granted:
    """Give a person credits beside their plan."""
    return operations.grant(call.connection, person_meant(call, body.person), call.now, body.amount, note=body.note)


def _given(figures: Prices | Gauges) -> dict[str, int | None]:
    return {name: value for name, value in msgspec.structs.asdict(figures).items() if value is not UNSET}


def _set(figures: Prices | Gauges) -> dict[str, int]:
    return {name: value for name, value in _given(figures).items() if value is not None}
