"""Commands on credits: `credits`."""

from typing import Annotated

import msgspec
import typer

from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import open_command
from pipeline.cli.people import print_standing
from pipeline.operations import credits as operations
from pipeline.operations import people
from pipeline.people.store.people import load_person
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows
from pipeline.runtime.runtime import utc_now

credits_of = make_noun(COMMANDS["credits"].help)
PersonName = Annotated[str | None, typer.Option("--person", metavar="NAME", help="Whose; the owner's, if not given.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(credits_of, name="credits")


@credits_of.callback(invoke_without_command=True)
def of_owner(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show what a person has left of their plan; with a command, give them credits, or see where they went."""
    if context.invoked_subcommand is None:
        show_credits(as_json=as_json)


@credits_of.command("show")
def show_credits(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show what a person has left of their plan, and when more comes."""
    with open_command().engine.connect() as connection:
        line = load_person(connection, person_named(connection, person))
        standing = people.standing_of(connection, line, utc_now())
    if as_json:
        print_json(standing)
    else:
        print_standing(standing)


@credits_of.command("grant")
def grant(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person's name.")],
    amount: Annotated[int, typer.Argument(metavar="CREDITS", help="How many.")],
    note: Annotated[str | None, typer.Option(help="What for, as the history shows it.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Give a person credits beside their plan; messages that waited for some go."""
    with open_command().engine.begin() as connection:
        granted = operations.grant(connection, person_named(connection, name), utc_now(), amount, note=note)
    if as_json:
        print_json(granted)
    else:
        console.print(f"{granted.person} has {granted.credits:,} credits", markup=False)


@credits_of.command("history")
def show_history(
    person: PersonName = None,
    limit: Annotated[int, typer.Option(min=1, help="How many entries at most.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Show where a person's credits came from and went, the newest first."""
    with open_command().engine.connect() as connection:
        owner = person_named(connection, person)
        rows = [msgspec.structs.asdict(each) for each in operations.list_entries(connection, owner, limit=limit)]
    columns = ("at", "action", "reference", "amount", "balance_after")
    empty = "Nothing yet: without a plan nothing is counted."
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)
