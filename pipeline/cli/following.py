"""Commands on games that are followed: `games follow`, `unfollow` and `followed`."""

from typing import Annotated

import typer

from pipeline.catalogue.people import person_named
from pipeline.cli.games import games
from pipeline.cli.opening import open_command
from pipeline.operations import games as operations
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

Whose = Annotated[
    str | None, typer.Option("--person", metavar="NAME", help="Who follows; the owner, if none is given.")
]
Named = Annotated[
    str, typer.Argument(metavar="NAME|SLUG|ID", help="A title, IGDB's slug, address or number; igdb:1942 for sure.")
]


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the commands belong to those on games
    """Add the commands of this module."""
    games.command("follow")(follow)
    games.command("unfollow")(unfollow)
    games.command("followed")(followed)


def follow(name: Named, person: Whose = None, as_json: JsonFlag = False) -> int:
    """Follow a game: what changes in its release dates is told from now on.

    Announced, made precise, moved, cancelled, and out on the day itself. What is known already is on its feed. To be
    told of releases of followed games, subscribe a target to them: `lootwire subscriptions add --to NAME --kind
    'release.*'`, with --game for one of them. Events are made of games that are followed or on a list, that have a
    campaign, or that a followed channel plays live; of no others.
    """
    runtime = open_command()
    with runtime.engine.connect() as connection:
        person_id = person_named(connection, person)
    finding = operations.follow(runtime, person_id, name)
    if as_json:
        print_json(finding)
        return 0
    how = "followed from now on" if finding.new else "is followed already"
    console.print(
        f"{show(finding.name)} (IGDB {finding.igdb_id}, {show(finding.why)}): {how}", markup=False, soft_wrap=True
    )
    return 0


def unfollow(name: Named, person: Whose = None) -> int:
    """Follow a game no longer; what was recorded of it stays."""
    with open_command().engine.begin() as connection:
        game = operations.unfollow(connection, person_named(connection, person), utc_now(), name)
    console.print(f"{show(game.name)}: followed no longer", markup=False)
    return 0


def followed(person: Whose = None, as_json: JsonFlag = False) -> None:
    """Show the followed games and what of their releases lies ahead."""
    with open_command().engine.connect() as connection:
        rows = operations.followed(connection, person_named(connection, person), utc_now())
    if as_json:
        for row in rows:
            print_json(row)
        return
    shown = [
        {"game": game.name, "igdb": game.igdb_id, "releases": "; ".join(game.releases), "lists": game.lists}
        for game in rows
    ]
    empty = "No game is followed yet: `lootwire games follow NAME`."
    print_rows(shown, as_json=False, columns=("game", "igdb", "releases", "lists"), empty=empty)
