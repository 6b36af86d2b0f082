"""Commands on games that are followed: `games follow`, `unfollow` and `followed`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import typer

from models.errors import UsageError
from models.names import nearest
from pipeline.cli.games import games
from pipeline.cli.opening import open_command
from pipeline.fetch.http import Client
from pipeline.games.finding.finder import Finder
from pipeline.games.finding.names import read_name
from pipeline.games.following.follows import find_followed, follow_game, list_followed, unfollow_game
from pipeline.operations.meaning import unclear
from pipeline.programs.sources import register
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import Runtime, utc_now

FAILED = 1
SHOWN_AT_MOST = 20
Named = Annotated[
    str, typer.Argument(metavar="NAME|SLUG|ID", help="A title, IGDB's slug, address or number; igdb:1942 for sure.")
]


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the commands belong to those on games
    """Add the commands of this module."""
    games.command("follow")(follow)
    games.command("unfollow")(unfollow)
    games.command("followed")(followed)


def follow(name: Named, as_json: JsonFlag = False) -> int:
    """Follow a game: what changes in its release dates is told from now on.

    Announced, made precise, moved, cancelled, and out on the day itself. What is known already is on its feed. To be
    told of releases of followed games, subscribe a target to them: `lootwire subscriptions add --to NAME --kind
    'release.*'`, with --game for one of them. Events are made of games that are followed or on a list, that have a
    campaign, or that a followed channel plays live; of no others.
    """
    with open_finder() as (runtime, finder):
        finding = finder.find([read_name(name, number_is_id=True)])[0]
        if finding.igdb_id is None:
            raise UsageError(unclear(finding))
        with runtime.engine.begin() as connection:
            new = follow_game(connection, finding.igdb_id, utc_now())
            known = find_followed(connection, name, finding.igdb_id, None)
    if as_json:
        print_json(msgspec.structs.asdict(finding) | {"new": new, "game_id": known[0].game_id if known else None})
        return 0
    how = "followed from now on" if new else "is followed already"
    console.print(
        f"{show(finding.name)} (IGDB {finding.igdb_id}, {show(finding.why)}): {how}", markup=False, soft_wrap=True
    )
    return 0


def unfollow(name: Named) -> int:
    """Follow a game no longer; what was recorded of it stays."""
    game_name = read_name(name, number_is_id=True)
    with open_command().engine.begin() as connection:
        matches = find_followed(connection, game_name.written, game_name.igdb_id, game_name.slug)
        names_followed = [game.name for game in list_followed(connection, None)]
        if len(matches) == 1:
            unfollow_game(connection, matches[0].game_id, utc_now())
    if len(matches) != 1:
        several = (
            f"{len(matches)} followed games: say which by number, {', '.join(str(game.igdb_id) for game in matches)}"
        )
        near = nearest(name, names_followed)
        meant = f" (did you mean {' or '.join(near)}?)" if near else ""
        missing = f"not followed{meant}; see `lootwire games followed`"
        raise UsageError(f"{name!r} is {several if matches else missing}")
    console.print(f"{show(matches[0].name)}: followed no longer", markup=False)
    return 0


def followed(as_json: JsonFlag = False) -> None:
    """Show the followed games and what of their releases lies ahead."""
    with open_command().engine.connect() as connection:
        rows = list_followed(connection, utc_now())
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


@contextmanager
def open_finder() -> Iterator[tuple[Runtime, Finder]]:
    """Give the runtime and a finder of games, with a row for every source: IGDB's answers are stored under theirs."""
    runtime = open_command()
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
    with Client() as client:
        yield runtime, Finder(engine=runtime.engine, open_igdb=lambda: runtime.igdb(client), clock=utc_now)
