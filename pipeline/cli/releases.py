"""The command `releases`: what comes out when."""

from typing import Annotated

import msgspec
import typer

from pipeline.catalogue.people import person_named
from pipeline.cli.commands import Listing
from pipeline.cli.opening import GREATEST, open_command
from pipeline.operations.releases import list_releases
from pipeline.runtime.output import JsonFlag, parse_since, print_rows
from pipeline.runtime.runtime import utc_now

IN_TABLE = 50


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(cls=Listing)(releases)


def releases(
    since: Annotated[
        str | None, typer.Option(help="The first day, such as 2026-12-24, or 30d for a month ago; today.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="The last day.")] = None,
    platform: Annotated[str | None, typer.Option(help="On this platform, such as PC or Switch.")] = None,
    followed: Annotated[bool, typer.Option("--followed", help="Only games that are followed.")] = False,
    person: Annotated[
        str | None,
        typer.Option(
            "--person", metavar="NAME", help="Who follows, and what they may see; the owner, if none is given."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most; 50 in the table.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what comes out when, the nearest first; a quarter or a year counts until it is over."""
    now = utc_now()
    first, last = parse_since(since, now) or now, parse_since(until, now)
    with open_command().engine.connect() as connection:
        lines = list_releases(
            connection,
            person_named(connection, person),
            since=first.date(),
            until=None if last is None else last.date(),
            platform=platform,
            followed=followed,
            limit=limit or (None if as_json else IN_TABLE),
        )
    rows = [msgspec.structs.asdict(line) for line in lines]
    shown = rows if as_json else [row | {"when": row["words"]} for row in rows]
    columns = ("when", "game", "platform", "region", "stage")
    print_rows(shown, as_json=as_json, columns=columns, empty="Nothing that is known comes out then.")
