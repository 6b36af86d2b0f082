"""Commands on games: `games show` tells all that is known of one, `search` finds entries of IGDB, `link` pins one."""

from datetime import timedelta
from typing import Annotated, Any

import msgspec
import typer
from sqlalchemy import Connection

from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.game_pages import how_linked, print_page
from pipeline.cli.opening import GREATEST, open_command
from pipeline.drops.store.history import GameHistory, find_game, game_history, known_games, offers
from pipeline.fetch.http import Client
from pipeline.games.finding.lookup import check_entry, find_entry, find_ours, names_of_linked, search
from pipeline.games.following.follows import renew_follows
from pipeline.games.listing import GamePage, load_page
from pipeline.games.matching.matching import match_title
from pipeline.games.matching.records import GAME_TYPES, MAIN_GAME, Scored, wanted
from pipeline.games.store.links import Link, link, load_links, unlink
from pipeline.games.store.wanted import begin_wanting
from pipeline.games.store.works import give_works
from pipeline.programs.sources import register
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import Runtime, utc_now

games = make_noun(COMMANDS["games"].help)
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
def list_games(as_json: JsonFlag = False) -> None:
    """Show the games that services named, and how many campaigns each had; `games search` looks into IGDB's."""
    with open_command().engine.connect() as connection:
        rows = [msgspec.structs.asdict(game) for game in known_games(connection)]
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
        game_id, igdb_id = _find(connection, name)
        history = None if game_id is None else game_history(connection, game_id)
        given = [] if game_id is None else offers(connection, game_id, limit)
        page = None if igdb_id is None else load_page(connection, igdb_id)
        linked = None if game_id is None else load_links(connection, [game_id]).get(game_id)
    if as_json:
        print_json(_as_json(history, page, linked) | {"rewards": given})
        return
    if page is not None:
        print_page(page, linked)
    if history is not None:
        _print_history(history)
        rows = [msgspec.structs.asdict(offer) for offer in given]
        print_rows(rows, as_json=False, columns=("reward", "service", "campaigns", "until", "last_campaign"), empty="")


@games.command("search")
def search_games(
    text: Annotated[str, typer.Argument(help="A title, or how it begins; a year in parentheses helps.")],
    as_json: JsonFlag = False,
    limit: Annotated[int, typer.Option(min=1, max=40, help="How many entries at most.")] = 15,
) -> None:
    """Find entries of IGDB: in the catalogue that is kept here, and where that is no mirror by asking IGDB."""
    runtime = _open()
    with Client() as client:
        can_ask = runtime.settings.twitch_client_id is not None and runtime.settings.twitch_client_secret is not None
        igdb = (lambda: runtime.igdb(client)) if can_ask else None
        matches = search(runtime.engine, text, limit, igdb, utc_now())
    with runtime.engine.connect() as connection:
        ours = names_of_linked(connection, matches)
    rows = [_match_row(match, ours.get(match.candidate.igdb_id)) for match in matches]
    hint = "" if can_ask else "; with TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET set IGDB is asked too"
    columns = ("igdb_id", "name", "year", "type", "platforms", "score", "why")
    print_rows(rows, as_json=as_json, columns=columns, empty=f"nothing found{hint}")


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
    runtime = _open()
    with runtime.engine.connect() as connection:
        game_id = ours(connection, name)
        title = game_history(connection, game_id).name
    if igdb_id is not None or none:
        _pin(runtime, game_id, title, igdb_id)
    elif unpin:
        with runtime.engine.begin() as connection:
            begin_wanting(connection, utc_now())
            unlink(connection, game_id)
            renew_follows(connection, utc_now())
        console.print(f"{show(title)}: linked with nothing; services decide again", markup=False, soft_wrap=True)
    else:
        _print_link(runtime, game_id, title)


def _open() -> Runtime:
    """Return the runtime, with a row for every source: IGDB's answers are stored under theirs."""
    runtime = open_command()
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
    return runtime


def _find(connection: Connection, name: str) -> tuple[int | None, int | None]:
    """Return our game and its entry in IGDB, or the entry alone; raises `UsageError` where there is neither."""
    game_id = find_ours(connection, name)
    if game_id is None:
        igdb_id = find_entry(connection, name)
        return (find_game(connection, name), None) if igdb_id is None else (None, igdb_id)
    linked = load_links(connection, [game_id]).get(game_id)
    return game_id, None if linked is None else linked.igdb_id


def ours(connection: Connection, name: str) -> int:
    """Return our game of a name, a slug or an id; raises `UsageError` where there is none, and says which are near."""
    game_id = find_ours(connection, name)
    return find_game(connection, name) if game_id is None else game_id


def _as_json(history: GameHistory | None, page: GamePage | None, linked: Link | None) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": page.name} if page is not None else {}
    if history is not None:
        # Durations as seconds: ISO 8601 durations are read by few programs.
        seconds = {"lasts": _seconds(history.lasts), "every": _seconds(history.every)}
        fields |= msgspec.structs.asdict(history) | seconds
    return fields | {"igdb": page, "link": linked}


def _print_history(history: GameHistory) -> None:
    console.print(f"{show(history.name)} ({', '.join(history.services)})", markup=False, style="bold")
    console.print(
        f"{history.campaigns} campaigns, {history.open} open; they come every {_words(history.every)} "
        f"and last {_words(history.lasts)} (medians)"
    )
    console.print(f"from {show(history.first_start_at)} to {show(history.last_end_at)} UTC\n")


def _match_row(scored: Scored, ours: str | None) -> dict[str, Any]:
    candidate = scored.candidate
    kind = "edition" if candidate.version_parent_igdb_id else GAME_TYPES.get(candidate.game_type or MAIN_GAME, "entry")
    return {
        "igdb_id": candidate.igdb_id,
        "name": candidate.name,
        "year": candidate.year,
        "type": kind,
        "platforms": candidate.platforms,
        "score": round(scored.score, 3),
        "why": scored.explanation,
        "linked_with": ours,
    }


def _pin(runtime: Runtime, game_id: int, title: str, igdb_id: int | None) -> None:
    now = utc_now()
    if igdb_id is not None:
        with Client() as client:
            entry = check_entry(runtime.engine, igdb_id, lambda: runtime.igdb(client), now)
    with runtime.engine.begin() as connection:
        begin_wanting(connection, now)
        link(connection, [Link(game_id=game_id, igdb_id=igdb_id, how="hand", confidence=1.0, pinned_at=now)])
        give_works(connection, [game_id])
        renew_follows(connection, now)
    entry_text = "no game of IGDB" if igdb_id is None else f"{entry} (IGDB {igdb_id})"
    console.print(f"{show(title)}: {show(entry_text)}, pinned", markup=False, soft_wrap=True)


def _print_link(runtime: Runtime, game_id: int, title: str) -> None:
    with runtime.engine.connect() as connection:
        known = load_links(connection, [game_id]).get(game_id)
        page = load_page(connection, known.igdb_id) if known is not None and known.igdb_id is not None else None
        decision = match_title(connection, wanted(title))
    if known is None:
        console.print(f"{show(title)}: linked with nothing; by its name: {show(decision.why)}", markup=False)
    else:
        named = page.name if page is not None else "no game of IGDB" if known.igdb_id is None else "an entry"
        number = "" if known.igdb_id is None else f" (IGDB {known.igdb_id})"
        console.print(f"{show(title)}: {show(named)}{number}, {how_linked(known)}", markup=False, soft_wrap=True)
    rows = [_match_row(match, None) for match in decision.ranked[:8]]
    print_rows(rows, as_json=False, columns=("igdb_id", "name", "year", "type", "score", "why"), empty="")


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _words(duration: timedelta | None) -> str:
    if duration is None:
        return "(once so far)"
    hours = round(duration.total_seconds() / 3600)
    return f"{hours} h" if hours < 72 else f"{round(hours / 24)} days"
