"""Commands on EventSub: `eventsub`, and its `status`, `subscriptions`, `messages`, `verify` and `remove`."""

import sys
from typing import Annotated

import msgspec
import typer

from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import open_command
from pipeline.operations import eventsub as operations
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

FAILED = 1
eventsub = make_noun(COMMANDS["eventsub"].help)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(eventsub, name="eventsub")


@eventsub.callback(invoke_without_command=True)
def show_by_default(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show how Twitch's messages come in; with a command, look at the subscriptions for them."""
    if context.invoked_subcommand is None:
        show_eventsub(as_json=as_json)


@eventsub.command("status")
def show_eventsub(as_json: JsonFlag = False) -> None:
    """Show how Twitch's messages come in: subscriptions wanted, enabled and failed, as the last look found them."""
    figures = operations.show_eventsub(open_command(), utc_now())
    if as_json:
        print_json(figures)
        return
    for name, value in msgspec.structs.asdict(figures).items():
        if name != "revoked":
            _print(name, value)
    for revoked in figures.revoked:
        _print("revoked", f"{revoked.type} of {revoked.subject}: {revoked.status} ({show(revoked.at)} UTC)")


@eventsub.command("subscriptions")
def list_subscriptions(
    ours: Annotated[bool | None, typer.Option("--ours/--foreign", help="Ours alone, or foreign ones alone.")] = None,
    status: Annotated[str | None, typer.Option(help="Of this status alone, such as enabled.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Of this type alone, such as stream.online.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask Twitch for the subscriptions of our application, with what each costs."""
    listed = operations.list_subscriptions(open_command(), status=status, kind=kind, ours=ours)
    rows = [msgspec.structs.asdict(each) for each in listed]
    if not as_json:
        rows = [row | {"about": ", ".join(row["condition"].values())} for row in rows]
    columns = ("id", "type", "about", "status", "cost", "method", "ours", "created_at")
    print_rows(rows, as_json=as_json, columns=columns, empty="Twitch lists no subscription like that.")


@eventsub.command("messages")
def show_messages(as_json: JsonFlag = False) -> None:
    """Count the messages that were received, handled and refused, by type, and show the last twenty."""
    with open_command().engine.connect() as connection:
        messages = operations.show_messages(connection)
    if as_json:
        print_json(messages)
        return
    rows = [msgspec.structs.asdict(each) | {"type": each.type or "unreadable"} for each in messages.by_type]
    columns = ("type", "received", "handled", "refused")
    print_rows(rows, as_json=False, columns=columns, empty="No message has come, or none is kept any more.")
    if messages.last:
        console.print()
        last = [msgspec.structs.asdict(each) for each in messages.last]
        shown = ("received_at", "type", "login", "seconds", "via", "handled_at")
        print_rows(last, as_json=False, columns=shown, empty="")


@eventsub.command("verify")
def verify(as_json: JsonFlag = False) -> int:
    """Ask Twitch for all subscriptions and compare them with those that we want; nothing is changed."""
    verified = operations.verify(open_command(), utc_now())
    if as_json:
        print_json(verified)
        return 0 if verified.is_right else FAILED
    for name, value in msgspec.structs.asdict(verified).items():
        if name not in {"missing", "ended", "unwanted"}:
            _print(name, value)
    for missing in verified.missing:
        _print("missing", f"{missing.type} of {missing.login or missing.subject}")
    for ended in verified.ended:
        _print("ended", f"{ended.type} of {', '.join(ended.condition.values())}: {ended.status}")
    for unwanted in verified.unwanted:
        _print("unwanted", f"{unwanted.type} of {', '.join(unwanted.condition.values())} ({unwanted.id})")
    return 0 if verified.is_right else FAILED


@eventsub.command("remove")
def remove(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Twitch's ids of subscriptions, foreign ones too.")
    ] = None,
    ours: Annotated[bool, typer.Option("--ours", help="All of ours; the program of EventSub makes them anew.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask on a terminal.")] = False,
) -> None:
    """Delete subscriptions at Twitch: those that are named, or all of ours.

    Those that are wanted are made anew as soon as the program of EventSub looks.
    """
    if bool(ids) is ours:
        raise typer.BadParameter("give either an ID or --ours")
    runtime, now = open_command(), utc_now()
    if ours and not yes and sys.stdin.isatty():
        typer.confirm("Delete all subscriptions of this installation at Twitch?", abort=True, err=True)
    if ours:
        console.print(f"{operations.remove_own(runtime, now)} subscriptions deleted")
    for subscription_id in ids or []:
        operations.remove_one(runtime, now, subscription_id)
        console.print(f"{show(subscription_id)} deleted", markup=False)


def _print(name: str, value: object) -> None:
    console.print(f"{name.replace('_', ' '):>24}  {show(value)}", markup=False, soft_wrap=True)
