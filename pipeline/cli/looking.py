"""Commands that look: `sources`, `events`, `deliveries`, `why`, `quarantine`."""

import gzip
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer
from sqlalchemy import Connection, RowMapping, select, update

from models import (
    Delivery,
    DeliveryState,
    DropCampaign,
    Event,
    QuarantinedPayload,
    Source,
    Target,
)
from models.due import NEVER
from models.errors import UsageError
from models.printable import NAME_LENGTH, on_a_line
from notifiers.conditions.saying import why_wanted
from notifiers.days import zone
from notifiers.deliveries import NEXT_ATTEMPT_AT, DeliveryLine, list_deliveries, replay_newest
from notifiers.holdings import load_holdings
from notifiers.subscriptions import list_subscriptions, says
from pipeline.catalogue.people import person_named
from pipeline.catalogue.unknown import unknown_channel, unknown_organization
from pipeline.cli.commands import Listing
from pipeline.cli.opening import GREATEST, open_command
from pipeline.events.listing import EventFilter, EventLine, Viewer
from pipeline.games.finding.unknown import unknown_game
from pipeline.operations import events as operations
from pipeline.programs.sources import register, source
from pipeline.realtime.following import Followed
from pipeline.runtime.heartbeat import jumped_back_by
from pipeline.runtime.output import (
    JsonFlag,
    console,
    distance,
    errors,
    moments_in,
    parse_since,
    print_copy,
    print_json,
    print_rows,
    show,
    show_in,
)
from pipeline.runtime.runtime import utc_now

NEAR = 3
_WHAT_ERRORS_SAY = {DeliveryState.DROPPED: "dropped", DeliveryState.SENT: "in the house's own words, for"}
SUBJECTS = ("game", "organization", "campaign", "reward_campaign", "channel", "service")
Now = Annotated[str | None, typer.Option("--now", metavar="NAME", help="Make this source due at once.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=GREATEST, help="How many at most, the newest.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for listing in (events, deliveries, quarantine):
        app.command(cls=Listing)(listing)
    app.command()(why)


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
            name = source(runtime, now).name
            connection.execute(update(Source).values(next_due_at=utc_now()).where(Source.name == name))
        listed = connection.execute(select(*Source.__table__.c).order_by(Source.id)).mappings()
        rows = [_source(row) for row in listed]
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


def _source(row: RowMapping) -> dict[str, Any]:
    return {
        "name": row["name"],
        "service": row["service"],
        "state": source_state(row),
        "next_attempt_at": row["next_due_at"] if row["enabled"] and row["next_due_at"] < NEVER else None,
        "last_success_at": row["last_success_at"],
        "last_snapshot_at": row["last_snapshot_at"],
        "failing_since": row["failing_since"],
        "changed_since": row["changed_since"],
        "stale_since": row["stale_since"],
        "consecutive_failures": row["consecutive_failures"],
        "refresh_seconds": row["refresh_seconds"],
        "last_error": row["last_error"],
    }


def source_state(row: RowMapping) -> str:
    """Return a source's state in the words of its events, or `ok`, `new`, `off`."""
    if not row["enabled"]:
        return "off"
    if row["changed_since"] is not None:
        return "source.changed"
    if row["failing_since"] is not None:
        return "source.failing"
    if row["stale_since"] is not None:
        return "source.stale"
    return "ok" if row["last_success_at"] else "new"


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


def deliveries(
    as_json: JsonFlag = False,
    state: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most; 50 in the table.")] = None,
    replay_dead: Annotated[bool, typer.Option("--replay", help="Send the dead again, all or --limit of them.")] = False,
) -> int:
    """Show what was sent to whom, what waits, and what was given up."""
    if replay_dead and state not in {None, DeliveryState.DEAD}:
        raise UsageError(f"only dead deliveries are sent again, and not those that are {state}: leave --state away")
    runtime = open_command()
    with runtime.engine.begin() as connection:
        if replay_dead:
            return _replay(connection, limit, as_json=as_json)
        rows = list_deliveries(connection, state, limit or (None if as_json else 50))
    columns = ("id", "state", "target", "title", "sent_at", "attempts", "next_attempt_at", "last_error")
    shown = rows if as_json else [_delivery(row) for row in rows]
    print_rows(shown, as_json=as_json, columns=columns, empty="No deliveries.")
    return 0


def _replay(connection: Connection, limit: int | None, *, as_json: bool) -> int:
    """Have dead deliveries sent again, the newest or all, and print how many they are, or as JSON which."""
    lines = replay_newest(connection, utc_now(), limit)
    if as_json:
        print_rows(lines, as_json=True, columns=(), empty="")
    else:
        console.print(f"{len(lines)} dead {'delivery' if len(lines) == 1 else 'deliveries'} will be sent again")
    return 0


def _delivery(line: DeliveryLine) -> dict[str, Any]:
    """Return a delivery for the table: what is sent or given up has no next attempt."""
    is_over = line.state not in {DeliveryState.PENDING, DeliveryState.SENDING}
    return asdict(line) | ({"next_attempt_at": None} if is_over else {})


def why(
    delivery: Annotated[int, typer.Argument(min=1, max=GREATEST, help="A delivery's number.")],
    as_json: JsonFlag = False,
) -> int:
    """Say why a delivery was sent, or not: the event, who asked for it, what the target answered."""
    runtime = open_command()
    with runtime.engine.connect() as connection:
        query = (
            select(
                *(Delivery.id, Delivery.state, Delivery.sent_at, Delivery.subscription_ids),
                *(Delivery.attempts, Delivery.unanswered, Delivery.last_error),
                NEXT_ATTEMPT_AT.label("next_attempt_at"),
                *(Event.id.label("event_id"), Event.kind, Event.title, Event.occurred_at),
                *(Target.name.label("target"), Target.timezone, Target.person_id),
            )
            .join(Event, Event.id == Delivery.event_id)
            .join(Target, Target.id == Delivery.target_id)
            .where(Delivery.id == delivery)
        )
        row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise UsageError(f"there is no delivery {delivery}; `lootwire deliveries` lists them")
        lines = [line for line in list_subscriptions(connection) if line.id in row["subscription_ids"]]
        pair = (row["person_id"], row["event_id"])
        holding = load_holdings(connection, [pair]).get(pair)
    reasons = {line.id: why_wanted(line.conditions, holding) for line in lines}
    removed = len(row["subscription_ids"]) - len(lines)
    if as_json:
        fields = {
            name: value for name, value in row.items() if name not in {"subscription_ids", "timezone", "person_id"}
        }
        shown = [asdict(line) | {"because": reasons[line.id]} for line in lines]
        print_json(fields | {"subscriptions": shown, "subscriptions_removed": removed})
        return 0
    where = zone(row["timezone"])
    state = f"sent at {show_in(row['sent_at'], where)}" if row["sent_at"] else row["state"]
    if state == DeliveryState.PENDING:
        state = f"{state}, not before {show_in(row['next_attempt_at'], where)}"
    at = show_in(row["occurred_at"], where)
    console.print(f"{on_a_line(row['title'], NAME_LENGTH)}\n{row['kind']}, {at}, {state}", markup=False)
    if row["last_error"]:
        what = _WHAT_ERRORS_SAY.get(row["state"], "not taken")
        console.print(f"{what}: {show(moments_in(row['last_error'], where))}", markup=False, soft_wrap=True)
    if row["unanswered"]:
        times = f"{row['unanswered']} of {row['attempts']} attempts"
        console.print(f"it may have arrived: {times} ended without an answer", markup=False)
    for line in lines:
        because = f" – {reasons[line.id]}" if reasons[line.id] else ""
        console.print(f'subscription "{show(line.name)}" of {line.target}: {show(says(line))}{because}', markup=False)
    if not row["subscription_ids"]:
        console.print(f"nobody subscribed to it: {row['target']} hears it as an operator's target", markup=False)
    if removed:
        console.print("a subscription that asked for it has been removed since")
    return 0


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
            query = select(QuarantinedPayload.payload_gzip).where(QuarantinedPayload.id == payload)
            kept = connection.scalar(query)
            if kept is None:
                raise UsageError(f"there is no payload {payload}; `lootwire quarantine` lists them")
            _print_payload(gzip.decompress(kept))
            return 0
        kept_columns = [
            c for c in QuarantinedPayload.__table__.c if c.name not in {"payload_gzip", "digest", "source_id"}
        ]
        listed = (
            select(Source.name.label("source"), *kept_columns)
            .join(Source, Source.id == QuarantinedPayload.source_id)
            .order_by(QuarantinedPayload.id.desc())
            .limit(limit)
        )
        rows = list(connection.execute(listed).mappings())
    columns = ("id", "source", "reason", "detail", "origin", "times_seen", "last_seen_at")
    print_rows(rows, as_json=as_json, columns=columns, empty="Nothing is set aside.")
    return 0


def _print_payload(payload: bytes) -> None:
    """Print a payload byte for byte; on a terminal as text that it cannot obey."""
    if sys.stdout.isatty():
        print_copy(payload.decode(errors="replace"))
    else:
        sys.stdout.buffer.write(payload)
