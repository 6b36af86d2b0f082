"""Commands on what each target is told of: `subscriptions`."""

from typing import Annotated

import typer
from sqlalchemy import Connection, func, select, true

from models import Event
from models.errors import UsageError
from models.events import EventKind
from notifiers import subscriptions as store
from notifiers.match import matching
from notifiers.targets import target_id_of
from pipeline.catalogue.unknown import Unknown, unknown_channel, unknown_organization
from pipeline.channels.following.watched import watched
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import GREATEST, open_command
from pipeline.games.finding.unknown import unknown_game
from pipeline.runtime.output import JsonFlag, console, errors, parse_since, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

subscriptions = make_noun(COMMANDS["subscriptions"].help)
FAMILIES = ", ".join(sorted({f"{kind.family}.*" for kind in EventKind}))
ON_REQUEST = ", ".join(kind for kind in EventKind if kind.is_on_request)
KINDS_HELP = (
    f"A kind such as stream.online, or a family: {FAMILIES}. May be given several times. "
    f"Told only where it is named itself: {ON_REQUEST}."
)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(subscriptions, name="subscriptions")


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
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a game, organization or channel that is not known yet.")
    ] = False,
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
        unknown = _unknown(connection, line)
        if unknown and strict:
            raise UsageError("; ".join(each.sentence for each in unknown))
        unheard = line.channel is not None and not _is_watched(connection, line.channel)
    for each in unknown:
        warning = f"lootwire: {each.sentence}: the subscription waits for one of that name"
        errors.print(show(warning), markup=False, soft_wrap=True)
    console.print(f"subscription {line.id}: {line.target} is told from now on", markup=False)
    if unheard:
        console.print(f"{line.channel} is not followed yet: lootwire channels add {line.channel}", markup=False)


def _unknown(connection: Connection, line: store.SubscriptionLine) -> list[Unknown]:
    looked_up = (
        unknown_game(connection, line.game, line.service) if line.game else None,
        unknown_organization(connection, line.organization, line.service) if line.organization else None,
        unknown_channel(connection, line.channel, line.service) if line.channel else None,
    )
    return [each for each in looked_up if each is not None]


def _is_watched(connection: Connection, login: str) -> bool:
    return any(channel.login.lower() == login.lower() for channel in watched(connection, utc_now()))


@subscriptions.command("remove")
def remove_subscription(
    number: Annotated[int, typer.Argument(min=1, max=GREATEST, help="The subscription's number.")],
) -> None:
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
    """Show which past events a target's subscriptions would have told it of; sends nothing.

    Newest first in the table, oldest first as JSON, as `lootwire events` does.
    """
    begin = parse_since(since, utc_now())
    with open_command().engine.connect() as connection:
        matched = matching(connection, target_id_of(connection, target), begin)
        query = (
            select(Event.id, Event.occurred_at, Event.kind, Event.title)
            .where(Event.id == func.any(matched))
            .order_by(Event.id.desc())
        )
        rows = list(connection.execute(query).mappings())
        total = connection.scalar(select(func.count()).where(Event.occurred_at >= begin if begin else true()))
    if as_json:
        for row in reversed(rows):
            print_json(dict(row))
    else:
        shown = [{"at": row["occurred_at"], "kind": row["kind"], "title": row["title"]} for row in rows]
        print_rows(shown, as_json=False, columns=("at", "kind", "title"), empty="Nothing would have been sent.")
        console.print(f"{len(rows)} of {total} events")
