"""Commands on plans: `plans`."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
import typer

from models.errors import UsageError
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import open_command
from pipeline.operations import credits as operations
from pipeline.operations.credits import PlanLine
from pipeline.people.credits import Period
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows
from pipeline.runtime.runtime import utc_now

plans = make_noun(COMMANDS["plans"].help)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The plan's name.")]
CREDITS_HELP = "How many credits a period gives."
PRICE_HELP = "What an action costs: extraction=5 for each started 10 minutes, play=1, message=1; none makes it free."
GAUGE_HELP = (
    "The most of something: sound_mb, targets, subscriptions, follows, requests_per_minute, messages_per_day; none "
    "ends the limit."
)
PriceOption = Annotated[list[str] | None, typer.Option("--price", metavar="ACTION=CREDITS", help=PRICE_HELP)]
GaugeOption = Annotated[list[str] | None, typer.Option("--gauge", metavar="NAME=MOST", help=GAUGE_HELP)]
CeilingOption = Annotated[int | None, typer.Option(help="The most that may gather; what a period gives, if not given.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(plans, name="plans")


@plans.callback(invoke_without_command=True)
def list_plans(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the plans, which say what a person may use up; with a command, make one or change one."""
    if context.invoked_subcommand is None:
        show_plans(as_json=as_json)


@plans.command("list")
def show_plans(as_json: JsonFlag = False) -> None:
    """Show the plans: what each gives, what things cost by it, its limits, and how many people have it."""
    with open_command().engine.connect() as connection:
        rows = [msgspec.structs.asdict(each) for each in operations.list_plans(connection)]
    if not as_json:
        words = ("prices", "gauges")
        rows = [
            row | {word: [f"{name} {value:,}" for name, value in row[word].items()] for word in words} for row in rows
        ]
    columns = ("name", "credits", "period", "ceiling", "prices", "gauges", "people")
    empty = "No plans: nothing is counted. lootwire plans add NAME --credits 100 makes one."
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)


@plans.command("add")
def add_plan(
    name: Name,
    credits_: Annotated[int, typer.Option("--credits", help=CREDITS_HELP)] = 0,
    period: Annotated[Period, typer.Option(help="How often it gives them, by the calendar in UTC.")] = "month",
    ceiling: CeilingOption = None,
    price: PriceOption = None,
    gauge: GaugeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a plan; `lootwire people set NAME --plan PLAN` gives it to somebody."""
    with open_command().engine.begin() as connection:
        plan = operations.add_plan(
            connection,
            name,
            utc_now(),
            credits_=credits_,
            period=period,
            ceiling=ceiling,
            prices=_set(price),
            gauges=_set(gauge),
        )
    _print(plan, as_json=as_json)


@plans.command("change")
def change_plan(
    name: Name,
    credits_: Annotated[int | None, typer.Option("--credits", help=CREDITS_HELP)] = None,
    period: Annotated[Period | None, typer.Option(help="How often it gives them.")] = None,
    ceiling: CeilingOption = None,
    price: PriceOption = None,
    gauge: GaugeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Change a plan for all who have it; what they have stays, and the next period gives by the new figures."""
    with open_command().engine.begin() as connection:
        plan = operations.change_plan(
            connection,
            name,
            utc_now(),
            credits_=credits_,
            period=period,
            ceiling=ceiling,
            prices=_read(price),
            gauges=_read(gauge),
        )
    _print(plan, as_json=as_json)


@plans.command("remove")
def remove_plan(name: Name, as_json: JsonFlag = False) -> None:
    """Remove a plan that nobody has."""
    with open_command().engine.begin() as connection:
        plan = operations.remove_plan(connection, name)
    if as_json:
        print_json(plan)
    else:
        console.print(f"The plan {plan.name} is gone", markup=False)


def _print(plan: PlanLine, *, as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    figures = [*plan.prices.items(), *plan.gauges.items()]
    more = "".join(f", {name} {value:,}" for name, value in figures)
    console.print(f"{plan.name}: {plan.credits:,} credits a {plan.period} up to {plan.ceiling:,}{more}", markup=False)


def _set(written: Iterable[str] | None) -> dict[str, int]:
    return {name: value for name, value in _read(written).items() if value is not None}


def _read(written: Iterable[str] | None) -> dict[str, int | None]:
    values: dict[str, int | None] = {}
    for text in written or ():
        name, sign, value = text.partition("=")
        if not sign or not (value == "none" or (value.isascii() and value.isdigit())):
            raise UsageError(f"{text!r} is no figure: write it as extraction=5, or extraction=none")
        values[name.strip()] = None if value == "none" else int(value)
    return values
