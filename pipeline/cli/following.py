"""Commands on games that are followed: `games follow`, `unfollow`, `followed` and `games lists`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.errors import UsageError
from models.names import nearest
from pipeline.cli.commands import make_noun
from pipeline.cli.games import games
from pipeline.cli.opening import GREATEST, SET_ASIDE, open_command, read_named
from pipeline.fetch.http import Client
from pipeline.games.finding.finder import Finder, Finding
from pipeline.games.finding.names import LARGEST_LIST, read_games, read_name
from pipeline.games.following import lists as following_lists
from pipeline.games.following.follows import find_followed, follow_game, list_followed, unfollow_game
from pipeline.programs.sources import register
from pipeline.runtime.output import JsonFlag, console, errors, print_json, print_rows, show
from pipeline.runtime.runtime import Runtime, utc_now

FAILED = 1
SHOWN_AT_MOST = 20
lists = make_noun("Show the lists of games whose releases are told; with a command, change them.")
Named = Annotated[
    str, typer.Argument(metavar="NAME|SLUG|ID", help="A title, IGDB's slug, address or number; igdb:1942 for sure.")
]
ListName = Annotated[str, typer.Argument(metavar="LIST", help="The list's name.")]


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the commands belong to those on games
    """Add the commands of this module."""
    games.command("follow")(follow)
    games.command("unfollow")(unfollow)
    games.command("followed")(followed)
    games.add_typer(lists, name="lists")


def follow(name: Named, as_json: JsonFlag = False) -> int:
    """Follow a game: what changes in its release dates is told from now on.

    Announced, made precise, moved, cancelled, and out on the day itself. What is known already is on its feed. To be
    told of releases of followed games, subscribe a target to them: `lootwire subscriptions add --to NAME --kind
    'release.*'`, with --game for one of them. Events are made of games that are followed or on a list, that have a
    campaign, or that a followed channel plays live; of no others.
    """
    with _finder() as (runtime, finder):
        finding = finder.find([read_name(name, number_is_id=True)])[0]
        if finding.igdb_id is None:
            raise UsageError(_unclear(finding))
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


@lists.callback(invoke_without_command=True)
def list_lists(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the lists of games; with a command, change them."""
    if context.invoked_subcommand is None:
        show_lists(as_json=as_json)


@lists.command("list")
def show_lists(as_json: JsonFlag = False) -> None:
    """Show the lists of games, and of how many of their lines it is sure which game they mean."""
    with open_command().engine.connect() as connection:
        rows = [msgspec.structs.asdict(row) for row in following_lists.load_lists(connection)]
    empty = "No lists yet: `lootwire games lists import FILE`."
    print_rows(rows, as_json=as_json, columns=("name", "entries", "sure", "unsure", "none", "origin"), empty=empty)


@lists.command("import")
def import_list(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Text (a title a line), CSV or JSON; - for standard input.")
    ],
    name: Annotated[str | None, typer.Option(help="The list's name; the file's, if none is given.")] = None,
    as_json: JsonFlag = False,
) -> int:
    """Have the releases of a list's games told; tells which game each line was taken for, and how.

    CSV and objects of JSON may have title, year, platform, and igdb_id or an address at igdb.com, which settle what a
    title leaves open. A list of the same name is replaced.
    """
    read = read_games(read_named(file, LARGEST_LIST + 1))
    called = name or ("list" if file == "-" else Path(file).stem)
    with _finder() as (runtime, finder), _progress() as bar:
        task = bar.add_task("matching titles", total=len(read.games))
        findings = finder.find(read.games, lambda count: bar.update(task, completed=count))
        bar.add_task("storing the list", total=None)
        with runtime.engine.begin() as connection:
            following_lists.store_list(connection, called, None if file == "-" else file, findings, utc_now())
    if as_json:
        for position, finding in enumerate(findings, 1):
            print_json({"position": position, "written": finding.asked.written} | _fields(finding))
    else:
        _print_report(called, read.taken_as, findings)
    return SET_ASIDE if any(finding.igdb_id is None for finding in findings) else 0


@lists.command("show")
def show_list(name: ListName, as_json: JsonFlag = False) -> None:
    """Show the lines of a list: what each was taken for, how, and how sure that is."""
    with open_command().engine.connect() as connection:
        rows = [msgspec.structs.asdict(entry) for entry in following_lists.load_entries(connection, name)]
    for row in rows:
        row["score"] = None if row["score"] is None else round(row["score"], 4)
    columns = ("position", "written", "verdict", "name", "igdb_id", "score", "why")
    print_rows(rows, as_json=as_json, columns=columns, empty="This list is empty.")


@lists.command("settle")
def settle(
    name: ListName,
    position: Annotated[int, typer.Argument(min=1, max=GREATEST, help="The line's number, as `lists show` tells it.")],
    game: Named,
) -> None:
    """Say which game a line of a list means."""
    with _finder() as (runtime, finder):
        finding = finder.find([read_name(game, number_is_id=True)])[0]
        if finding.igdb_id is None:
            raise UsageError(_unclear(finding))
        with runtime.engine.begin() as connection:
            following_lists.settle_entry(connection, name, position, finding, utc_now())
    console.print(f"line {position} is {show(finding.name)} (IGDB {finding.igdb_id})", markup=False)


@lists.command("remove")
def remove(name: ListName) -> None:
    """Remove a list; what was recorded of its games stays."""
    with open_command().engine.begin() as connection:
        following_lists.remove_list(connection, name, utc_now())
    console.print(f"{show(name)} removed", markup=False)


@contextmanager
def _finder() -> Iterator[tuple[Runtime, Finder]]:
    """Give the runtime and a finder of games, with a row for every source: IGDB's answers are stored under theirs."""
    runtime = open_command()
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
    with Client() as client:
        yield runtime, Finder(engine=runtime.engine, open_igdb=lambda: runtime.igdb(client), clock=utc_now)


def _progress() -> Progress:
    """Return a bar for a terminal; where errors are piped nothing is printed."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )


def _unclear(finding: Finding) -> str:
    written = finding.asked.written
    if not finding.choices:
        return f"{written!r} is no game that is known: {finding.why}"
    choices = following_lists.choices_in_words(finding.choices)
    return f"{written!r} may be several games: {choices}; say which by its number"


def _fields(finding: Finding) -> dict[str, object]:
    fields = msgspec.structs.asdict(finding)
    del fields["asked"]
    return fields


def _print_report(name: str, taken_as: str, findings: Sequence[Finding]) -> None:
    count = Counter(finding.verdict for finding in findings)
    counts = ", ".join(f"{count[verdict]} {verdict}" for verdict in ("sure", "unsure", "none") if count[verdict])
    console.print(f"{show(name)}: {len(findings)} games, read as {taken_as}: {counts}", markup=False, soft_wrap=True)
    aside = [(position, finding) for position, finding in enumerate(findings, 1) if finding.igdb_id is None]
    for position, finding in aside[:SHOWN_AT_MOST]:
        choices = f"; {following_lists.choices_in_words(finding.choices)}" if finding.choices else ""
        line = f"line {position}, {show(finding.asked.written)}: {finding.verdict}, {show(finding.why)}{show(choices)}"
        errors.print(f"lootwire: {line}", markup=False, soft_wrap=True)
    if len(aside) > SHOWN_AT_MOST:
        errors.print(f"… and {len(aside) - SHOWN_AT_MOST} more: lootwire games lists show {name!r}", markup=False)
    if aside:
        console.print(f"Settle a line: lootwire games lists settle {name!r} LINE ID", markup=False)
