"""Commands on targets: `targets`."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from notifiers import targets as store
from notifiers.check import test_target
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import open_command
from pipeline.runtime.output import JsonFlag, console, print_rows
from pipeline.runtime.runtime import utc_now

targets = make_noun(COMMANDS["targets"].help)
Name = Annotated[str, typer.Argument(help="The target's name.")]
TIMEZONE_HELP = "Where it is, such as Europe/Berlin: a release is told when its day begins there."


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(targets, name="targets")


@targets.callback(invoke_without_command=True)
def list_targets(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the targets; with a command, change them."""
    if context.invoked_subcommand is None:
        show_targets(as_json=as_json)


@targets.command("list")
def show_targets(as_json: JsonFlag = False) -> None:
    """Show the targets: where each is, how many messages wait for it, and whether it is paused."""
    with open_command().engine.connect() as connection:
        rows = [asdict(line) for line in store.list_targets(connection)]
    if not as_json:
        rows = [row | {"paused_since": row["disabled_at"]} for row in rows]
    empty = "No targets yet: `lootwire targets add NAME URL`."
    columns = ("name", "label", "timezone", "waiting", "dead", "paused_since")
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)


@targets.command("add")
def add_target(
    name: Name,
    url: Annotated[
        str, typer.Argument(help="An Apprise URL; `-` reads it from standard input, out of the shell's history.")
    ],
    timezone: Annotated[str, typer.Option(help=TIMEZONE_HELP)] = "UTC",
) -> None:
    """Add a target by its Apprise URL, which is kept encrypted and never shown."""
    runtime = open_command()
    url = _read_url(url)
    with runtime.engine.begin() as connection:
        line = store.add_target(connection, runtime.vault, name, url, utc_now(), timezone=timezone)
    console.print(f"{line.name} ({line.label}) added. Try it: lootwire targets test {line.name!r}", markup=False)
    console.print(f"Then say what it is told of: lootwire subscriptions add --to {line.name!r}", markup=False)


@targets.command("set")
def set_target(
    name: Name,
    new_name: Annotated[str | None, typer.Option("--name", help="What it is called from now on.")] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Its Apprise URL from now on; `-` reads it from standard input.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help=TIMEZONE_HELP)] = None,
) -> None:
    """Change a target's name, address or time zone; its subscriptions and what waits for it stay."""
    if new_name is None and url is None and timezone is None:
        raise typer.BadParameter("give what is to change: --name, --url or --timezone")
    runtime = open_command()
    address = store.Address.of(runtime.vault, _read_url(url)) if url is not None else None
    with runtime.engine.begin() as connection:
        line = store.change_target(connection, name, new_name=new_name, address=address, timezone=timezone)
    if new_name is not None:
        console.print(f"{name} is called {line.name} from now on", markup=False)
    if url is not None:
        message = f"{line.name} is at another address now ({line.label}). Try it: lootwire targets test {line.name!r}"
        console.print(message, markup=False, soft_wrap=True)
    if timezone is not None:
        console.print(f"{line.name} is told of releases when their day begins in {line.timezone}", markup=False)


@targets.command("pause")
def pause_target(name: Name) -> None:
    """Send a target nothing until it is resumed; of what happens meanwhile it is never told."""
    with open_command().engine.begin() as connection:
        is_new = store.pause_target(connection, name, utc_now())
    state = "is paused from now on" if is_new else "is paused already"
    console.print(f"{name} {state}: lootwire targets resume {name!r} ends that", markup=False, soft_wrap=True)


@targets.command("resume")
def resume_target(name: Name) -> None:
    """Send to a paused target again: what waited when it was paused, and what happens from now on."""
    with open_command().engine.begin() as connection:
        was_paused = store.resume_target(connection, name)
    console.print(f"{name} {'is told again from now on' if was_paused else 'is not paused'}", markup=False)


@targets.command("test")
def try_target(name: Name) -> None:
    """Send a test message to a target, now."""
    runtime = open_command()
    test_target(runtime.engine, runtime.vault, name)
    console.print(f"sent to {name}", markup=False)


@targets.command("remove")
def remove_target(
    name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask on a terminal.")] = False
) -> None:
    """Remove a target with its subscriptions; what waits for it is not sent, what was sent stays on record.

    On a terminal it says first what goes, and asks.
    """
    runtime = open_command()
    if not yes and sys.stdin.isatty():
        with runtime.engine.connect() as connection:
            removal = store.look_at_removal(connection, name)
        typer.confirm(f"{_in_words(removal)} Remove {name}?", abort=True, err=True)
    with runtime.engine.begin() as connection:
        removal = store.remove_target(connection, name, utc_now())
    console.print(f"{name} removed. {_in_words(removal)}", markup=False, soft_wrap=True)


def _in_words(removal: store.Removal) -> str:
    return (
        f"{_count(removal.subscriptions, 'subscription')} and the address go with it, "
        f"{_count(removal.waiting, 'waiting message')} will not be sent, {removal.sent} sent stay on record."
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _read_url(url: str) -> str:
    return sys.stdin.readline().strip() if url == "-" else url
