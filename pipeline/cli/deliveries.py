"""Commands on what was sent: `deliveries` and `why`."""

from typing import Annotated, Any

import msgspec
import typer
from sqlalchemy import Connection

from models import DeliveryState
from models.errors import UsageError
from models.printable import NAME_LENGTH, on_a_line
from notifiers.deliveries import zone_of_delivery
from notifiers.subscriptions import says
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import GREATEST, open_command
from pipeline.cli.whose import PersonName, refuse_person
from pipeline.operations import deliveries as operations
from pipeline.operations.deliveries import DeliveryAnswer, WhyAnswer
from pipeline.runtime.output import (
    JsonFlag,
    console,
    moments_in,
    parse_since,
    print_json,
    print_rows,
    show,
    show_in,
)
from pipeline.runtime.runtime import utc_now

deliveries = make_noun(COMMANDS["deliveries"].help)
_WHAT_ERRORS_SAY = {DeliveryState.DROPPED: "dropped", DeliveryState.SENT: "in the house's own words, for"}
_COLUMNS = ("id", "state", "target", "title", "sent_at", "attempts", "next_attempt_at", "last_error")
Number = Annotated[int, typer.Argument(min=1, max=GREATEST, metavar="DELIVERY", help="A delivery's number.")]
State = Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")]
To = Annotated[str | None, typer.Option("--target", metavar="NAME", help="Only those to this target.")]
Kind = Annotated[str | None, typer.Option(help="Only of a kind (campaign.added) or a family (campaign.*) of events.")]
Since = Annotated[str | None, typer.Option(help="30d, 12h, or a time; by when they were made.")]
Most = Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most; 50 in the table.")]
ReplayDead = Annotated[bool, typer.Option("--replay", help="Send the dead again, all or --limit of them.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(deliveries, name="deliveries")
    app.command()(why)


@deliveries.callback(invoke_without_command=True)
def list_by_default(
    context: typer.Context,
    as_json: JsonFlag = False,
    state: State = None,
    target: To = None,
    kind: Kind = None,
    since: Since = None,
    limit: Most = None,
    replay_dead: ReplayDead = False,
    person: PersonName = None,
) -> int:
    """Show what was sent to whom, what waits, and what was given up."""
    refuse_person(context, person)
    if context.invoked_subcommand is not None:
        return 0
    return list_all(
        as_json=as_json,
        state=state,
        target=target,
        kind=kind,
        since=since,
        limit=limit,
        replay_dead=replay_dead,
        person=person,
    )


@deliveries.command("list")
def list_all(
    as_json: JsonFlag = False,
    state: State = None,
    target: To = None,
    kind: Kind = None,
    since: Since = None,
    limit: Most = None,
    replay_dead: ReplayDead = False,
    person: PersonName = None,
) -> int:
    """Show what was sent to whom, what waits, and what was given up."""
    if replay_dead and state not in {None, DeliveryState.DEAD}:
        raise UsageError(f"only dead deliveries are sent again, and not those that are {state}: leave --state away")
    if replay_dead and (target, kind, since) != (None, None, None):
        raise UsageError(
            "--replay sends all that is dead again, or --limit of it: leave --target, --kind, --since away"
        )
    with open_command().engine.begin() as connection:
        person_id = person_named(connection, person)
        if replay_dead:
            return _replay(connection, person_id, limit, as_json=as_json)
        rows = operations.list_deliveries(
            connection,
            person_id,
            state=state,
            target=target,
            kind=kind,
            since=parse_since(since, utc_now()),
            limit=limit or (None if as_json else 50),
        )
    shown = [msgspec.structs.asdict(row) if as_json else _delivery(row) for row in rows]
    print_rows(shown, as_json=as_json, columns=_COLUMNS, empty="No deliveries.")
    return 0


@deliveries.command("replay")
def replay(number: Number, person: PersonName = None) -> None:
    """Send a delivery again that was sent, or given up as dead; as if it were new."""
    with open_command().engine.begin() as connection:
        row = operations.replay_delivery(connection, person_named(connection, person), utc_now(), number)
    console.print(f"{on_a_line(row.title, NAME_LENGTH)} goes to {row.target} again", markup=False, soft_wrap=True)


def _replay(connection: Connection, person_id: int, limit: int | None, *, as_json: bool) -> int:
    """Have dead deliveries sent again, the newest or all, and print how many they are, or as JSON which."""
    rows = operations.replay_dead(connection, person_id, utc_now(), limit)
    if as_json:
        print_rows([msgspec.structs.asdict(row) for row in rows], as_json=True, columns=(), empty="")
    else:
        console.print(f"{len(rows)} dead {'delivery' if len(rows) == 1 else 'deliveries'} will be sent again")
    return 0


def _delivery(row: DeliveryAnswer) -> dict[str, Any]:
    """Return a delivery for the table: what is sent or given up has no next attempt."""
    is_over = row.state not in {DeliveryState.PENDING, DeliveryState.SENDING}
    return msgspec.structs.asdict(row) | ({"next_attempt_at": None} if is_over else {})


def why(
    delivery: Annotated[int, typer.Argument(min=1, max=GREATEST, help="A delivery's number.")],
    as_json: JsonFlag = False,
    person: PersonName = None,
) -> int:
    """Say why a delivery was sent, or not: the event, who asked for it, what the target answered."""
    with open_command().engine.connect() as connection:
        answer = operations.explain_delivery(connection, person_named(connection, person), delivery)
        where = zone_of_delivery(connection, delivery)
    if as_json:
        print_json(answer)
        return 0
    state = f"sent at {show_in(answer.sent_at, where)}" if answer.sent_at else str(answer.state)
    if state == DeliveryState.PENDING:
        state = f"{state}, not before {show_in(answer.next_attempt_at, where)}"
    at = show_in(answer.occurred_at, where)
    console.print(f"{on_a_line(answer.title, NAME_LENGTH)}\n{answer.kind}, {at}, {state}", markup=False)
    if answer.last_error:
        what = _WHAT_ERRORS_SAY.get(answer.state, "not taken")
        console.print(f"{what}: {show(moments_in(answer.last_error, where))}", markup=False, soft_wrap=True)
    if answer.unanswered:
        times = f"{answer.unanswered} of {answer.attempts} attempts"
        console.print(f"it may have arrived: {times} ended without an answer", markup=False)
    _print_askers(answer)
    return 0


def _print_askers(answer: WhyAnswer) -> None:
    for each in answer.subscriptions:
        because = f" – {each.because}" if each.because else ""
        said = show(says(each.conditions))
        console.print(f'subscription "{show(each.name)}" of {each.target}: {said}{because}', markup=False)
    if not answer.subscriptions and not answer.subscriptions_removed:
        console.print(f"nobody subscribed to it: {answer.target} hears it as an operator's target", markup=False)
    if answer.subscriptions_removed:
        console.print("a subscription that asked for it has been removed since")
