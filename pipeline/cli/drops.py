"""Commands on what somebody has, or wants no more of: `drops`."""

from dataclasses import asdict
from typing import Annotated

import typer

from notifiers import settled as store
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import open_command
from pipeline.drops.listing.naming import find_named
from pipeline.runtime.output import JsonFlag, console, print_rows, show
from pipeline.runtime.runtime import utc_now

drops = make_noun(COMMANDS["drops"].help)
Named = Annotated[
    str,
    typer.Argument(
        metavar="BENEFIT|CAMPAIGN|GAME",
        help="A name, an id of the service, or as a namesake is told: campaign:12.",
    ),
]
For = Annotated[str | None, typer.Option("--for", metavar="TARGET", help="At this target alone.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(drops, name="drops")


@drops.callback(invoke_without_command=True)
def list_drops(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show what is claimed or ignored, of which nothing reminds; with a command, change it."""
    if context.invoked_subcommand is None:
        show_drops(as_json=as_json)


@drops.command("list")
def show_drops(as_json: JsonFlag = False) -> None:
    """Show what is claimed or ignored: campaigns, games, benefits."""
    with open_command().engine.connect() as connection:
        rows = [asdict(line) for line in store.list_settled(connection)]
    columns = ("what", "id", "name", "state", "target", "created_at")
    print_rows(rows, as_json=as_json, columns=columns, empty="Nothing is claimed or ignored.")


@drops.command("claimed")
def claim(name: Named, target: For = None) -> None:
    """Be reminded no more of what you have: a benefit, a campaign, or all campaigns of a game."""
    _settle(name, "claimed", target)


@drops.command("ignored")
def ignore(name: Named, target: For = None) -> None:
    """Be reminded no more of what you do not want: a benefit, a campaign, or all campaigns of a game."""
    _settle(name, "ignored", target)


@drops.command("wanted")
def want(name: Named, target: For = None) -> None:
    """Be reminded again of what was claimed or ignored; with --for, at this target."""
    with open_command().engine.begin() as connection:
        thing = find_named(connection, name)
        was = store.unsettle(connection, thing.what, thing.id, target=target)
    how = "is reminded of again" if was else "is neither claimed nor ignored"
    console.print(f"{thing.shown} ({thing.what}) {how}{_at(target)}", markup=False, soft_wrap=True)


@drops.command("progress")
def show_progress(as_json: JsonFlag = False) -> None:
    """Show the drops that you have begun or claimed, as Twitch's inventory says; `lootwire sources login twitch`."""
    with open_command().engine.connect() as connection:
        rows = [asdict(line) for line in store.list_progress(connection)]
    columns = ("campaign", "drop", "minutes", "required_minutes", "claimed_at")
    empty = "Nothing is known of what you watch: `lootwire sources login twitch` lets Lootwire ask."
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)


def _settle(name: str, state: store.State, target: str | None) -> None:
    with open_command().engine.begin() as connection:
        thing = find_named(connection, name)
        is_new = store.settle(connection, thing.what, thing.id, state, utc_now(), target=target)
    since = "from now on" if is_new else "already"
    message = f"{thing.shown} ({thing.what}) is {state} {since}{_at(target)}: nothing reminds of it"
    console.print(message, markup=False, soft_wrap=True)


def _at(target: str | None) -> str:
    return f" at {show(target)}" if target is not None else ""
