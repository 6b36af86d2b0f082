"""Commands on games: `games show` tells all that is known of one, `search` finds entries of IGDB, `link` pins one."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer
from msgspec import UnsetType

from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.game_pages import how_linked, print_page
from pipeline.cli.opening import GREATEST, open_command
from pipeline.operations import game_links as links
from pipeline.operations import games as operations
from pipeline.operations.game_links import LinkAnswer
from pipeline.operations.games import GameAnswer
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

games = make_noun(COMMANDS["games"].help)
ForPerson = Annotated[
    str | None, typer.Option("--person", metavar="NAME", help="Only games that this person may see; else all.")
]
Name = Annotated[str, typer.Argument(metavar="NAME|SLUG|ID", help="A game's name, slug or id.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(games, name="games")


@games.callback(invoke_without_command=True)
def list_by_default(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the games that are known; with a command, follow some."""
    if context.invoked_subcommand is None:
        list_games(as_json=as_json)


@games.command("list")
def list_games(person: ForPerson = None, as_json: JsonFlag = False) -> None:
    """Show the games that services named, and how many campaigns each had; `games search` looks into IGDB's."""
    with open_command().engine.connect() as connection:
        viewer = None if person is None else person_named(connection, person)
        rows = [msgspec.structs.asdict(game) for game in operations.list_games(connection, viewer)]
    empty = "No game is known yet: they come with campaigns and streams, or by `lootwire games follow NAME`."
    columns = ("name", "open", "campaigns", "last_end_at", "services")
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)


@games.command("show")
def show_game(
    name: Name,
    as_json: JsonFlag = False,
    limit: Annotated[int, typer.Option(min=1, max=GREATEST, help="How many rewards at most, those offered last.")] = 20,
) -> None:
    """Tell what IGDB knows of a game, how often it has campaigns, and when each reward was last on offer."""
    with open_command().engine.connect() as connection:
        game = operations.show_game(connection, None, utc_now(), name, rewards=limit)
    if as_json:
        print_json(game)
    else:
        _print_game(game)


@games.command("search")
def search_games(
    text: Annotated[str, typer.Argument(help="A title, or how it begins; a year in parentheses helps.")],
    as_json: JsonFlag = False,
    limit: Annotated[int, typer.Option(min=1, max=40, help="How many entries at most.")] = 15,
) -> None:
    """Find entries of IGDB: in the catalogue that is kept here, and where that is no mirror by asking IGDB."""
    runtime = open_command()
    rows = [msgspec.structs.asdict(match) for match in operations.search_games(runtime, None, text, limit)]
    hint = (
        "" if operations.can_ask(runtime) else "; with TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET set IGDB is asked too"
    )
    columns = ("igdb_id", "name", "year", "type", "platforms", "score", "why")
    print_rows(rows, as_json=as_json, columns=columns, empty=f"nothing found{hint}")


@games.command("sync")
def sync_game(name: Name, as_json: JsonFlag = False) -> None:
    """Ask IGDB for a game anew, at once: its dates, platforms and all else; what changed is news as ever."""
    game = operations.sync(open_command(), None, name)
    if as_json:
        print_json(game)
    else:
        _print_game(game)


@games.command("link")
def link_game(
    name: Name,
    igdb_id: Annotated[
        int | None, typer.Argument(min=1, max=GREATEST, help="IGDB's id; `games search` finds it.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="It is no game that IGDB has.")] = False,
    unpin: Annotated[bool, typer.Option("--unpin", help="Forget what was pinned: services decide again.")] = False,
) -> None:
    """Pin which entry of IGDB a game is, whatever services say; without an id, tell what it is and could be."""
    if (igdb_id is not None) + none + unpin > 1:
        raise typer.BadParameter("give one of IGDB_ID, --none and --unpin")
    runtime = open_command()
    if igdb_id is not None or none:
        answer = links.pin_link(runtime, name, igdb_id)
        number = answer.link.igdb_id if answer.link is not None else None
        entry = "no game of IGDB" if number is None else f"{answer.entry} (IGDB {number})"
        console.print(f"{show(answer.name)}: {show(entry)}, pinned", markup=False, soft_wrap=True)
    elif unpin:
        with runtime.engine.begin() as connection:
            answer = links.unpin_link(connection, utc_now(), name)
        console.print(f"{show(answer.name)}: linked with nothing; services decide again", markup=False, soft_wrap=True)
    else:
        with runtime.engine.connect() as connection:
            _print_link(links.show_link(connection, None, name))


def _print_game(game: GameAnswer) -> None:
    if game.igdb is not None:
        print_page(game.igdb, game.link)
    if isinstance(game.services, tuple):
        _print_history(game, game.services)
        rows = [msgspec.structs.asdict(offer) for offer in game.rewards]
        print_rows(rows, as_json=False, columns=("reward", "service", "campaigns", "until", "last_campaign"), empty="")


def _print_history(history: GameAnswer, services: Sequence[str]) -> None:
    console.print(f"{show(history.name)} ({', '.join(services)})", markup=False, style="bold")
    console.print(
        f"{history.campaigns} campaigns, {history.open} open; they come every {_words(history.every)} "
        f"and last {_words(history.lasts)} (medians)"
    )
    console.print(f"from {show(history.first_start_at)} to {show(history.last_end_at)} UTC\n")


def _print_link(answer: LinkAnswer) -> None:
    known = answer.link
    if known is None:
        console.print(f"{show(answer.name)}: linked with nothing; by its name: {show(answer.why)}", markup=False)
    else:
        named = answer.entry or ("no game of IGDB" if known.igdb_id is None else "an entry")
        number = "" if known.igdb_id is None else f" (IGDB {known.igdb_id})"
        console.print(f"{show(answer.name)}: {show(named)}{number}, {how_linked(known)}", markup=False, soft_wrap=True)
    rows = [msgspec.structs.asdict(match) for match in answer.choices]
    print_rows(rows, as_json=False, columns=("igdb_id", "name", "year", "type", "score", "why"), empty="")


def _words(seconds: float | UnsetType | None) -> str:
    if not isinstance(seconds, float):
        return "(once so far)"
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 72 else f"{round(hours / 24)} days"
