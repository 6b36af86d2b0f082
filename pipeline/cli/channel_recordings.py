"""Commands on what was recorded of channels: `channels live`, `sessions`, `snapshots` and `videos`."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import typer
from sqlalchemy import Connection

from models.people import OWNER_ID
from models.statistics import EVER, NEVER
from pipeline.channels.listing.streams import list_live, list_sessions, list_snapshots
from pipeline.cli.opening import GREATEST, open_command
from pipeline.operations.channels import known_channel
from pipeline.operations.videos import list_videos
from pipeline.runtime.output import JsonFlag, parse_since, print_rows
from pipeline.runtime.runtime import utc_now

Channel = Annotated[str, typer.Argument(metavar="NAME", help="A channel: its login, its id or its address.")]
Since = Annotated[str, typer.Option(help="30d, 12h, or a time.")]
Until = Annotated[str | None, typer.Option(help="The same; until now, if none is given.")]
Limit = Annotated[int, typer.Option(min=1, max=GREATEST, help="How many at most, the newest.")]


def add_to(channels: typer.Typer) -> None:
    """Add the commands of this module to those on channels."""
    channels.command("live")(show_live)
    channels.command("sessions")(show_sessions)
    channels.command("snapshots")(show_snapshots)
    channels.command("videos")(show_videos)


def show_live(
    followed: Annotated[bool, typer.Option("--followed", help="Of channels that are followed by name alone.")] = False,
    limit: Limit = 50,
    as_json: JsonFlag = False,
) -> None:
    """Show the streams that are recorded and on now, the newest first."""
    with open_command().engine.connect() as connection:
        rows = list_live(connection, limit, person_id=OWNER_ID if followed else None)
    columns = ("login", "since", "viewers", "category", "title", "last_sign_at")
    _print(rows, columns, as_json=as_json, empty="Nothing that is recorded is live.")


def show_sessions(
    name: Channel, since: Since = "30d", until: Until = None, limit: Limit = 50, as_json: JsonFlag = False
) -> None:
    """Show the streams of a channel, the newest first."""
    now = utc_now()
    with open_command().engine.connect() as connection:
        begin, end = parse_since(since, now) or now, parse_since(until, now) or NEVER
        rows = list_sessions(connection, _id_of(connection, name), limit, since=begin, until=end)
    columns = ("id", "started_at", "ended_at", "seconds", "average_viewers", "peak_viewers", "category", "title")
    _print(rows, columns, as_json=as_json, empty="Not on air in that time.")


def show_snapshots(
    name: Channel, since: Since = "30d", until: Until = None, limit: Limit = 50, as_json: JsonFlag = False
) -> None:
    """Show what polls saw of a channel's streams, the newest first."""
    now = utc_now()
    with open_command().engine.connect() as connection:
        begin, end = parse_since(since, now) or now, parse_since(until, now) or NEVER
        rows = list_snapshots(connection, _id_of(connection, name), limit, since=begin, until=end)
    columns = ("taken_at", "session_id", "viewers", "category", "title")
    _print(rows, columns, as_json=as_json, empty="No poll saw it live in that time.")


def show_videos(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of this channel alone.")] = None,
    kind: Annotated[Literal["archive", "highlight", "upload"] | None, typer.Option(help="Of this kind alone.")] = None,
    since: Annotated[str | None, typer.Option(help="30d, 12h, or a time; by when it was published.")] = None,
    until: Until = None,
    limit: Limit = 50,
    as_json: JsonFlag = False,
) -> None:
    """Show videos of channels, the newest first, and until when Twitch keeps them at least."""
    now = utc_now()
    with open_command().engine.connect() as connection:
        rows = list_videos(
            connection,
            OWNER_ID,
            limit,
            since=parse_since(since, now) or EVER,
            until=parse_since(until, now),
            channel=name,
            kind=kind,
        )
    columns = ("published_at", "login", "type", "seconds", "expires_at", "title", "url")
    _print(rows, columns, as_json=as_json, empty="No video like that is known.")


def _id_of(connection: Connection, name: str) -> int:
    return known_channel(connection, OWNER_ID, name).channel_id


def _print(rows: Sequence[msgspec.Struct], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    listed: list[dict[str, Any]] = [msgspec.structs.asdict(row) for row in rows]
    print_rows(listed, as_json=as_json, columns=columns, empty=empty)
