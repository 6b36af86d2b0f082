"""Commands that look: `sources`, `events`, `quarantine`."""

import itertools
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer
from sqlalchemy import Connection, select

from models import (
    DropCampaign,
)
from models.errors import UsageError
from pipeline.catalogue.people import person_named
from pipeline.catalogue.unknown import unknown_channel, unknown_organization
from pipeline.cli.commands import Listing
from pipeline.cli.opening import GREATEST, open_command
from pipeline.events.listing import EventFilter, EventLine, Viewer
from pipeline.games.finding.unknown import unknown_game
from pipeline.operations import events as operations
from pipeline.operations.quarantine import list_quarantine, load_payload
from pipeline.operations.sources import ask_now
from pipeline.operations.sources import list_sources as load_sources
from pipeline.programs.sources import register, source
from pipeline.realtime.following import Followed
from pipeline.runtime.heartbeat import jumped_back_by
from pipeline.runtime.output import (
    JsonFlag,
    console,
    distance,
    errors,
    parse_since,
    print_copy,
    print_json,
    print_rows,
    show,
)
from pipeline.runtime.runtime import utc_now

NEAR = 3
SUBJECTS = ("game", "organization", "campaign", "reward_campaign", "channel", "service")
Now = Annotated[str | None, typer.Option("--now", metavar="NAME", help="Make this source due at once.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=GREATEST, help="How many at most, the newest.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for listing in (events, quarantine):
        app.command(cls=Listing)(listing)


def sources(
    context: typer.Context,
    as_json: JsonFlag = False,
    now: Now = None,
) -> int:
    """Show every source: how it is, when it was last asked, and when it is asked next."""
    return list_sources(as_json=as_json, now=now) if context.invoked_subcommand is None else 0


def list_sources(as_json: JsonFlag = False, now: Now = None) -> int:
    """Show every source, as `lootwire sources` does."""
    runtime = open_command()
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
        if now is not None:
            ask_now(connection, utc_now(), source(runtime, now).name)
        rows = [msgspec.structs.asdict(each) for each in load_sources(connection)]
    if as_json:
        print_rows(rows, as_json=True, columns=(), empty="")
    else:
        _print_sources(rows, utc_now())
    return 0


def _print_sources(rows: Sequence[dict[str, Any]], at: datetime) -> None:
    shown = [
        {
            "name": row["name"],
            "state": row["state"].removeprefix("source."),
            "last_success": distance(_not_ahead(row["last_success_at"], at), at),
            "next_attempt": distance(row["next_attempt_at"], at),
        }
        for row in rows
    ]
    print_rows(shown, as_json=False, columns=tuple(shown[0]) if shown else (), empty="No sources.")
    latest = max((row["last_success_at"] for row in rows if row["last_success_at"]), default=None)
    if jumped := jumped_back_by(latest, at):
        console.print(f"{jumped}: what waits for a later time is due now")
    for row in rows:
        if row["last_error"]:
            console.print(f"{row['name']}: {show(row['last_error'])}", markup=False, soft_wrap=True)


def _not_ahead(at: datetime | None, now: datetime) -> datetime | None:
    return None if at is None else min(at, now)


def events(
    as_json: JsonFlag = False,
    kind: Annotated[str | None, typer.Option(help="A kind (campaign.added) or a family (campaign.*).")] = None,
    subject: Annotated[
        str | None,
        typer.Option(help="A game, organization, campaign or stream by name, a campaign's id, or a channel's login."),
    ] = None,
    service: Annotated[str | None, typer.Option(help="Of this service: twitch, kick, chzzk.")] = None,
    game: Annotated[str | None, typer.Option(help="Of this game, by name or public id.")] = None,
    channel: Annotated[str | None, typer.Option(help="Of the channel that has or had this login.")] = None,
    since: Annotated[str | None, typer.Option(help="30d, 12h, or a time; by when it was recorded.")] = None,
    until: Annotated[str | None, typer.Option(help="30d, 12h, or a time: only what was recorded before.")] = None,
    person: Annotated[
        str | None, typer.Option(help="Only what this person may see: what is public and theirs. Else all people's.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most; 50 in the table.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show what comes, as it comes, until Ctrl-C.")] = False,
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Follow from behind this cursor on; JSON has each event's.")
    ] = None,
) -> int:
    """Show what happened, newest first in the table, oldest first as JSON, or what happens."""
    if after is not None and not follow:
        raise UsageError("--after needs --follow: it says where to go on")
    kinds = () if kind is None else (kind,)
    try:
        operations.check_kinds(kinds)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from error
    wanted = EventFilter(
        kinds=kinds,
        subject=subject,
        service=service,
        game=game,
        channel=channel,
        since=parse_since(since, utc_now()),
        until=parse_since(until, utc_now()),
    )
    runtime = open_command()
    with runtime.engine.connect() as connection:
        viewer = None if person is None else Viewer(person_id=person_named(connection, person))
    if follow:
        _follow(operations.follow_events(runtime.engine, viewer, wanted, after=after), limit, as_json=as_json)
        return 0
    with runtime.engine.connect() as connection:
        lines = operations.list_events(connection, viewer, wanted, limit=limit or (None if as_json else 50))
        if not lines and subject is not None:
            _warn_of_unknown(connection, subject)
    if as_json:
        for line in reversed(lines):
            print_json(_event(line))
        return 0
    shown = [{"at": line.occurred_at, "kind": line.kind, "title": line.title} for line in lines]
    empty = "Nothing happened yet." if wanted == EventFilter() else "Nothing like that happened."
    print_rows(shown, as_json=False, columns=("at", "kind", "title"), empty=empty)
    return 0


def _follow(followed: Iterator[Followed], limit: int | None, *, as_json: bool) -> None:
    """Print events as they come, each at once; up to `limit` of them where that is given."""
    for each in itertools.islice(followed, limit):
        if as_json:
            print_json(_event(each.event) | {"cursor": str(each.cursor)})
        else:
            line = f"{show(each.event.occurred_at)}  {each.event.kind}  {show(each.event.title)}"
            console.print(line, markup=False, soft_wrap=True)
        # Whoever reads a pipe waits for it.
        sys.stdout.flush()


def _warn_of_unknown(connection: Connection, subject: str) -> None:
    """Say so where nothing has the name: no news of a game and a typing error look the same else."""
    lookups = (unknown_game, unknown_organization, unknown_channel)
    unknown = [each for lookup in lookups if (each := lookup(connection, subject)) is not None]
    campaigns = select(DropCampaign.id).where((DropCampaign.external_id == subject) | (DropCampaign.name == subject))
    if len(unknown) < len(lookups) or connection.scalar(campaigns.limit(1)) is not None:
        return
    near = list(dict.fromkeys(name for each in unknown for name in each.near))
    meant = f" (did you mean {' or '.join(near[:NEAR])}?)" if near else ""
    message = f"lootwire: no game, organization, campaign, stream or channel {subject!r} is known yet{meant}"
    errors.print(show(message), markup=False, soft_wrap=True)


def _event(line: EventLine) -> dict[str, Any]:
    return msgspec.structs.asdict(line) | {"detail": msgspec.json.decode(line.detail)}


def quarantine(
    as_json: JsonFlag = False,
    payload: Annotated[
        int | None, typer.Option("--payload", metavar="ID", min=1, max=GREATEST, help="Print this payload.")
    ] = None,
    limit: Limit = 50,
) -> int:
    """Show payloads that were set aside, each with its reason."""
    runtime = open_command()
    with runtime.engine.connect() as connection:
        if payload is not None:
            _print_payload(load_payload(connection, payload))
            return 0
        rows = [msgspec.structs.asdict(each) for each in list_quarantine(connection, limit)]
    columns = ("id", "source", "reason", "detail", "origin", "times_seen", "last_seen_at")
    print_rows(rows, as_json=as_json, columns=columns, empty="Nothing is set aside.")
    return 0


def _print_payload(payload: bytes) -> None:
    """Print a payload byte for byte; on a terminal as text that it cannot obey."""
    if sys.stdout.isatty():
        print_copy(payload.decode(errors="replace"))
    else:
        sys.stdout.buffer.write(payload)
