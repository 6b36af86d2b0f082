"""Commands that look: `sources`, `events`, `quarantine`."""

import gzip
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, RowMapping, any_, func, select, update

from models import (
    Channel,
    DropCampaign,
    Event,
    Game,
    Organization,
    QuarantinedPayload,
    RewardCampaign,
    Source,
)
from models.due import NEVER
from models.errors import UsageError
from models.events import EventKind
from models.names import name_key, nearest
from pipeline.catalogue.unknown import unknown_channel, unknown_organization
from pipeline.cli.commands import Listing
from pipeline.cli.opening import GREATEST, open_command
from pipeline.games.finding.unknown import unknown_game
from pipeline.programs.sources import register, source
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
    since: Annotated[str | None, typer.Option(help="30d, 12h, or a time; by when it was recorded.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most; 50 in the table.")] = None,
) -> int:
    """Show what happened, newest first in the table, oldest first as JSON."""
    if kind is not None and kind not in _known_kinds():
        near = nearest(kind, _known_kinds())
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise typer.BadParameter(f"there is no kind {kind!r}; {meant}there are: {', '.join(_known_kinds())}")
    runtime = open_command()
    with runtime.engine.connect() as connection:
        rows = _events(connection, kind, subject, parse_since(since, utc_now()), limit or (None if as_json else 50))
        if not rows and subject is not None:
            _warn_of_unknown(connection, subject)
        if as_json:
            for row in reversed(rows):
                print_json(_event(row))
            return 0
        shown = [{"at": row["occurred_at"], "kind": row["kind"], "title": row["title"]} for row in rows]
    empty = "Nothing happened yet." if (kind, subject, since) == (None, None, None) else "Nothing like that happened."
    print_rows(shown, as_json=False, columns=("at", "kind", "title"), empty=empty)
    return 0


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


def _known_kinds() -> list[str]:
    return [*EventKind, *sorted({f"{kind.family}.*" for kind in EventKind})]


def _events(
    connection: Connection, kind: str | None, subject: str | None, since: datetime | None, limit: int | None
) -> list[RowMapping]:
    query = (
        select(
            *Event.__table__.c,
            Source.name.label("source"),
            Game.name.label("game"),
            Game.public_id.label("game_public_id"),
            Organization.name.label("organization"),
            DropCampaign.external_id.label("campaign"),
            RewardCampaign.external_id.label("reward_campaign"),
            Channel.login.label("channel"),
        )
        .outerjoin(Source, Source.id == Event.source_id)
        .outerjoin(Game, Game.id == Event.game_id)
        .outerjoin(Organization, Organization.id == Event.organization_id)
        .outerjoin(DropCampaign, DropCampaign.id == Event.campaign_id)
        .outerjoin(RewardCampaign, RewardCampaign.id == Event.reward_campaign_id)
        .outerjoin(Channel, Channel.id == Event.channel_id)
        .order_by(Event.id.desc())
        .limit(limit)
    )
    if kind is not None:
        query = query.where(Event.kind.startswith(kind[:-1]) if kind.endswith(".*") else Event.kind == kind)
    if subject is not None:
        key = name_key(subject)
        query = query.where(
            (Game.name_key == key)
            | (Organization.name_key == key)
            | (DropCampaign.external_id == subject)
            | (RewardCampaign.external_id == subject)
            | (Event.detail["name"].astext == subject)
            | (func.lower(Channel.login) == subject.lower())
            | (subject.lower() == any_(Channel.former_logins))
        )
    if since is not None:
        query = query.where(Event.recorded_at >= since)
    return list(connection.execute(query).mappings())


def _event(row: RowMapping) -> dict[str, Any]:
    subjects = {name: row[name] for name in SUBJECTS}
    return {
        "id": row["id"],
        "kind": row["kind"],
        "key": row["event_key"],
        "title": row["title"],
        "occurred_at": row["occurred_at"],
        "recorded_at": row["recorded_at"],
        "source": row["source"],
        "subjects": {name: value for name, value in subjects.items() if value is not None},
        "silent": row["silent"],
        "detail": row["detail"],
    }


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
