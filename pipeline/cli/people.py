"""Commands on people: `people`."""

import sys
from typing import Annotated, Any

import msgspec
import typer

from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import open_command
from pipeline.operations import people as operations
from pipeline.operations.people import PersonStanding, Removal
from pipeline.people.records import Role
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

people = make_noun(COMMANDS["people"].help)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The person's name.")]
RoleOption = Annotated[
    Role | None, typer.Option(help="guest: reads and hears; member: has what is theirs; owner: has everything.")
]
PlanOption = Annotated[str | None, typer.Option(help="What they may use up (`lootwire plans`); none: not counted.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(people, name="people")


@people.callback(invoke_without_command=True)
def list_people(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show who shares this installation; with a command, invite somebody, or change what they may."""
    if context.invoked_subcommand is None:
        show_people(as_json=as_json)


@people.command("list")
def show_people(as_json: JsonFlag = False) -> None:
    """Show who shares this installation, what each may, and how many credits each has."""
    with open_command().engine.connect() as connection:
        rows = [msgspec.structs.asdict(each) for each in operations.list_people(connection)]
    columns = ("name", "role", "plan", "credits", "disabled_at", "created_at")
    print_rows(rows, as_json=as_json, columns=columns, empty="There is nobody.")


@people.command("show")
def show_person(name: Name, as_json: JsonFlag = False) -> None:
    """Show a person: what they may, what they have, and how much of their plan is left."""
    with open_command().engine.connect() as connection:
        person = operations.show_person(connection, utc_now(), name)
    if as_json:
        print_json(person)
        return
    console.print(f"{person.name}, {person.role} since {show(person.created_at)} UTC", markup=False)
    if person.disabled_at is not None:
        console.print(f"disabled since {show(person.disabled_at)} UTC", markup=False)
    print_standing(person.standing)


def print_standing(standing: PersonStanding) -> None:
    """Print what a person has and may use."""
    if standing.plan is None:
        console.print("no plan: nothing is counted")
    else:
        more = f"; more come {show(standing.more_at)} UTC" if standing.more_at else ""
        few = ", which are few" if standing.is_low else ""
        console.print(f"plan {standing.plan}: {standing.credits:,} credits left{few}{more}", markup=False)
    rows = [{"what": each.name, "used": each.used, "allowed": each.allowed} for each in standing.gauges]
    print_rows(rows, as_json=False, columns=("what", "used", "allowed"), empty="")


@people.command("add")
def add_person(name: Name, role: RoleOption = None, plan: PlanOption = None, as_json: JsonFlag = False) -> None:
    """Add a person; `lootwire people invite NAME` then makes an address that gives them a key."""
    with open_command().engine.begin() as connection:
        person = operations.add_person(connection, utc_now(), name, role or "member", plan=plan)
    if as_json:
        print_json(person)
        return
    console.print(f"{person.name} is a {person.role} from now on", markup=False)
    console.print(f"Give them a key: lootwire people invite {person.name!r}", markup=False)


@people.command("invite")
def invite_person(name: Name, role: RoleOption = None, as_json: JsonFlag = False) -> None:
    """Print an address that gives a person a key, once within three days; who is new is added with --role."""
    runtime = open_command()
    with runtime.engine.begin() as connection:
        url = str(runtime.settings.public_url)
        invitation = operations.invite_person(connection, utc_now(), name, url, role=role)
    if as_json:
        print_json(invitation)
        return
    console.print(f"Send this to {invitation.person} alone; it works once, until {show(invitation.expires_at)} UTC:")
    sys.stdout.write(f"{invitation.address}\n")
    if not runtime.settings.api:
        console.print("The API is off (LOOTWIRE_API), and nothing answers there until it is on.", markup=False)


@people.command("set")
def set_person(
    name: Name,
    new_name: Annotated[str | None, typer.Option("--name", help="What they are called from now on.")] = None,
    role: RoleOption = None,
    plan: PlanOption = None,
    disable: Annotated[
        bool | None, typer.Option("--disable/--enable", help="Whether their keys open nothing and nothing is sent.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Change a person: name, role, plan; or disable them, so that they keep everything and can do nothing."""
    if new_name is None and role is None and plan is None and disable is None:
        raise typer.BadParameter("give what is to change: --name, --role, --plan, --disable or --enable")
    now = utc_now()
    with open_command().engine.begin() as connection:
        person = operations.change_person(connection, now, name, new_name=new_name, role=role, plan=plan)
        if disable is not None:
            change = operations.disable_person if disable else _enable
            person = change(connection, now, person.name)
    if as_json:
        print_json(person)
        return
    disabled = ", disabled" if person.disabled_at else ""
    console.print(f"{person.name}: {person.role}, {f'plan {person.plan}' if person.plan else 'no plan'}{disabled}")


def _enable(connection: Any, _now: Any, name: str) -> operations.PersonLine:
    return operations.enable_person(connection, name)


@people.command("remove")
def remove_person(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete a person with all that is theirs: sounds with their files, lists, targets, links, the library, keys.

    What others want too stays, and files in folders of their own.
    """
    runtime = open_command()
    if not yes and sys.stdin.isatty():
        with runtime.engine.connect() as connection:
            going = operations.show_removal(connection, name)
        typer.confirm(f"{_in_words(going)} Delete {name}?", abort=True, err=True)
    removal = operations.remove_person(runtime, utc_now(), name)
    if as_json:
        print_json(removal)
    else:
        console.print(f"{name} is deleted. {_in_words(removal)}", markup=False)


def _in_words(removal: Removal) -> str:
    values = msgspec.structs.asdict(removal)
    handed_over = values.pop("sounds_handed_over")
    parts = [f"{count:,} {what.replace('_', ' ')}" for what, count in values.items() if count]
    stays = f" {handed_over:,} sounds become those of others who have them too." if handed_over else ""
    return f"What goes: {', '.join(parts) or 'nothing but the name'}.{stays}"
