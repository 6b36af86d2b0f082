"""Commands on targets and on what each is told of: `targets` and `subscriptions`."""

import sys
from typing import Annotated

import typer
from sqlalchemy import Connection, func, select

from models import Event
from models.events import EventKind
from notifiers import targets as store
from notifiers.check import test_target
from notifiers.match import matching
from pipeline.channels.following.watched import watched
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import open_command
from pipeline.runtime.output import JsonFlag, console, parse_since, print_rows
from pipeline.runtime.runtime import utc_now

targets = make_noun(COMMANDS["targets"].help)
subscriptions = make_noun(COMMANDS["subscriptions"].help)
Name = Annotated[str, typer.Argument(help="The target's name.")]
TIMEZONE_HELP = "Where it is, such as Europe/Berlin: a release is told when its day begins there."
FAMILIES = ", ".join(sorted({f"{kind.family}.*" for kind in EventKind}))
KINDS_HELP = f"A kind such as stream.online, or a family: {FAMILIES}. May be given several times."


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(targets, name="targets")
    app.add_typer(subscriptions, name="subscriptions")


@targets.callback(invoke_without_command=True)
def list_targets(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the targets; with a command, change them."""
    if context.invoked_subcommand is None:
        show_targets(as_json=as_json)


@targets.command("list")
def show_targets(as_json: JsonFlag = False) -> None:
    """Show the targets: where each is, how many messages wait for it, and whether it is paused."""
    with open_command().engine.connect() as connection:
        rows = store.list_targets(connection)
    empty = "No targets yet: `lootwire targets add NAME URL`."
    columns = ("name", "label", "timezone", "waiting", "dead", "paused_at")
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
    url = sys.stdin.readline().strip() if url == "-" else url
    with runtime.engine.begin() as connection:
        line = store.add_target(connection, runtime.vault, name, url, utc_now(), timezone=timezone)
    console.print(f"{line.name} ({line.label}) added. Try it: lootwire targets test {line.name!r}", markup=False)
    console.print(f"Then say what it is told of: lootwire subscriptions add --to {line.name!r}", markup=False)


@targets.command("set")
def set_target(name: Name, timezone: Annotated[str, typer.Option(help=TIMEZONE_HELP)]) -> None:
    """Change a target's time zone."""
    with open_command().engine.begin() as connection:
        known = store.set_timezone(connection, name, timezone)
    console.print(f"{name} is told of releases when their day begins in {known}", markup=False)


@targets.command("test")
def try_target(name: Name) -> None:
    """Send a test message to a target, now."""
    runtime = open_command()
    test_target(runtime.engine, runtime.vault, name)
    console.print(f"sent to {name}", markup=False)


@targets.command("remove")
def remove_target(name: Name) -> None:
    """Remove a target with its subscriptions and deliveries."""
    with open_command().engine.begin() as connection:
        store.remove_target(connection, name)
    console.print(f"{name} removed", markup=False)


@subscriptions.callback(invoke_without_command=True)
def list_subscriptions(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the subscriptions; with a command, change them."""
    if context.invoked_subcommand is None:
        show_subscriptions(as_json=as_json)


@subscriptions.command("list")
def show_subscriptions(as_json: JsonFlag = False) -> None:
    """Show the subscriptions: which target is told of what."""
    with open_command().engine.connect() as connection:
        rows = store.list_subscriptions(connection)
    empty = "No subscriptions yet: `lootwire subscriptions add --to NAME`."
    columns = ("id", "target", "kinds", "service", "game", "organization", "channel")
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)


@subscriptions.command("add")
def add_subscription(
    to: Annotated[str, typer.Option("--to", help="The target's name.")],
    service: Annotated[str | None, typer.Option(help="twitch, kick or chzzk.")] = None,
    game: Annotated[str | None, typer.Option(help="A game, by name.")] = None,
    organization: Annotated[str | None, typer.Option(help="An organization, by name.")] = None,
    channel: Annotated[str | None, typer.Option(help="A Twitch channel, by login or address.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help=KINDS_HELP)] = None,
) -> None:
    """Tell a target of events from now on; without filters, of everything.

    Streams and videos are told of channels that you follow, and of no others: `lootwire channels add LOGIN`. Release
    dates are told of games that are followed, on a list, played on a followed channel that is live, or have a campaign;
    to hear of some of them alone, name them with --game: `--kind 'release.*' --game Rust`.
    """
    with open_command().engine.begin() as connection:
        line = store.add_subscription(
            connection,
            to,
            utc_now(),
            kinds=kind,
            service=service,
            game=game,
            organization=organization,
            channel=channel,
        )
        unheard = line.channel is not None and not _is_watched(connection, line.channel)
    console.print(f"subscription {line.id}: {line.target} is told from now on", markup=False)
    if unheard:
        console.print(f"{line.channel} is not followed yet: lootwire channels add {line.channel}", markup=False)


def _is_watched(connection: Connection, login: str) -> bool:
    return any(channel.login.lower() == login.lower() for channel in watched(connection, utc_now()))


@subscriptions.command("remove")
def remove_subscription(number: Annotated[int, typer.Argument(help="The subscription's number.")]) -> None:
    """Remove a subscription."""
    with open_command().engine.begin() as connection:
        store.remove_subscription(connection, number)
    console.print(f"subscription {number} removed")


@subscriptions.command("try")
def try_subscriptions(
    target: Annotated[str, typer.Argument(metavar="NAME", help="The target's name.")],
    since: Annotated[str, typer.Option(help="30d, 12h, or a time.")] = "30d",
    as_json: JsonFlag = False,
) -> None:
    """Show which past events a target's subscriptions would have told it of; sends nothing."""
    with open_command().engine.connect() as connection:
        target_id = store.target_id_of(connection, target)
        matched = matching(target_id).subquery()
        query = (
            select(Event.id, Event.occurred_at, Event.kind, Event.title)
            .where(Event.id.in_(select(matched.c.id)), Event.occurred_at >= parse_since(since, utc_now()))
            .order_by(Event.id)
        )
        rows = list(connection.execute(query).mappings())
        total = connection.scalar(select(func.count()).where(Event.occurred_at >= parse_since(since, utc_now())))
    print_rows(rows, as_json=as_json, columns=("occurred_at", "kind", "title"), empty="Nothing would have been sent.")
    if not as_json:
        console.print(f"{len(rows)} of {total} events")
