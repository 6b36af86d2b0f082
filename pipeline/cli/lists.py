"""Commands on lists of games: `games lists` makes them, changes them line by line, and shows what happened to them."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.errors import UsageError
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import make_noun
from pipeline.cli.games import games
from pipeline.cli.meaning import person_of
from pipeline.cli.opening import GREATEST, SET_ASIDE, open_command, read_named
from pipeline.games.finding.names import LARGEST_LIST, read_games
from pipeline.games.following import list_export
from pipeline.games.following.editing import Placed
from pipeline.games.following.list_export import Form
from pipeline.games.following.list_rows import read_list
from pipeline.games.following.lists import choices_in_words
from pipeline.operations import lists as operations
from pipeline.runtime.output import JsonFlag, console, errors, print_copy, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

SHOWN_AT_MOST = 20
lists = make_noun("Show the lists of games; with a command, make them and change them.")
ListName = Annotated[str, typer.Argument(metavar="LIST", help="The list's name.")]
Title = Annotated[
    str, typer.Argument(metavar="TITLE|PLACE|igdb:ID", help="A title as the list has it, its place, or IGDB's id.")
]
Place = Annotated[int, typer.Argument(metavar="PLACE", min=1, max=GREATEST, help="The place; 1 is the first.")]
PersonName = Annotated[str | None, typer.Option("--person", help="Whose list; the owner's, if none is given.")]
Ranked = Annotated[
    bool | None, typer.Option("--ranked/--unranked", help="Whether its order says which game is better.")
]
Wants = Annotated[
    bool | None,
    typer.Option("--wants/--no-wants", help="Whether releases of its games are told; a ranking wants none."),
]


def add_to(app: typer.Typer) -> None:  # noqa: ARG001 - the commands belong to those on games
    """Add the commands of this module."""
    games.add_typer(lists, name="lists")


@lists.callback(invoke_without_command=True)
def list_lists(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the lists of games; with a command, make them and change them."""
    if context.invoked_subcommand is None:
        show_lists(as_json=as_json)


@lists.command("list")
def show_lists(as_json: JsonFlag = False, person: PersonName = None) -> None:
    """Show the lists of games, and of how many of their lines it is sure which game they mean."""
    with open_command().engine.connect() as connection:
        listed = operations.list_lists(connection, person_named(connection, person))
    rows = [msgspec.structs.asdict(row) for row in listed]
    empty = "No lists yet: `lootwire games lists import FILE`, or `lootwire games lists create NAME`."
    columns = ("name", "entries", "sure", "unsure", "none", "ranked", "wants", "origin", "description")
    print_rows(rows, as_json=as_json, columns=columns, empty=empty, needed=2)


@lists.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the list is called.")],
    ranked: Annotated[bool, typer.Option("--ranked", help="Its order says which game is better.")] = False,
    description: Annotated[str | None, typer.Option(help="What the list is about.")] = None,
    wants: Wants = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a list of games, empty at first.

    The releases of its games are told, unless it is ranked: a ranking is of games that one knows.
    """
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        row = operations.create(connection, owner, utc_now(), name, ranked=ranked, wants=wants, description=description)
    if as_json:
        print_json(row)
        return
    console.print(f"{show(row.name)}: made; {_manner(row.ranked, row.wants)}", markup=False, soft_wrap=True)


@lists.command("describe")
def describe(
    name: ListName,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="What the list is about; '' for nothing.")] = None,
    ranked: Ranked = None,
    wants: Wants = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what a list is about, whether its order is a ranking, and whether its games' releases are told."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        row = operations.change(connection, owner, utc_now(), name, description=text, ranked=ranked, wants=wants)
    if as_json:
        print_json(row)
        return
    about = f": {show(row.description)}" if row.description else ""
    console.print(f"{show(row.name)}{about} ({_manner(row.ranked, row.wants)})", markup=False, soft_wrap=True)


@lists.command("add")
def add(
    name: ListName,
    title: Annotated[
        str, typer.Argument(metavar="TITLE", help="A title; igdb:1942 or an address at igdb.com for sure.")
    ],
    at: Annotated[int | None, typer.Option("--at", metavar="PLACE", min=1, max=GREATEST, help="At this place.")] = None,
    note: Annotated[str | None, typer.Option(help="A note beside it.")] = None,
    own: Annotated[bool, typer.Option("--own", help="Take the title as it is: IGDB does not have the game.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a game to a list, at its end or at a place."""
    runtime = open_command()
    owner = person_of(runtime, person)
    placed = operations.add_entry(runtime, owner, utc_now(), name, title, at=at, notes=note, own=own)
    _print_placed(placed, "added at", as_json=as_json)


@lists.command("move")
def move(name: ListName, title: Title, place: Place, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Move a game of a list to another place; those in between make room."""
    with open_command().engine.begin() as connection:
        placed = operations.move_entry(connection, person_named(connection, person), utc_now(), name, title, place)
    stays = placed.place == placed.place_before
    _print_placed(placed, "stands already at" if stays else f"from {placed.place_before} to", as_json=as_json)


@lists.command("note")
def note(
    name: ListName,
    title: Title,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The note; '' takes it away.")],
    person: PersonName = None,
) -> None:
    """Write a note beside a game of a list."""
    with open_command().engine.begin() as connection:
        line = operations.note_entry(connection, person_named(connection, person), utc_now(), name, title, text)
    text = show(line.notes) if line.notes else "no note"
    console.print(f"{show(line.name)}: {text}", markup=False, soft_wrap=True)


@lists.command("remove")
def remove(
    name: ListName,
    title: Annotated[
        str | None,
        typer.Argument(metavar="[TITLE|PLACE|igdb:ID]", help="The game to take off it; else the whole list."),
    ] = None,
    person: PersonName = None,
) -> None:
    """Take a game off a list, or remove the whole list; what was recorded of its games stays."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        if title is None:
            operations.remove(connection, owner, utc_now(), name)
            removed = name
        else:
            line = operations.remove_entry(connection, owner, utc_now(), name, title)
            removed = f"{show(line.name)}, which was at {line.position},"
    console.print(f"{show(removed)} removed", markup=False, soft_wrap=True)


@lists.command("log")
def show_log(name: ListName, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show what happened to a list, newest first in the table, oldest first as JSON."""
    with open_command().engine.connect() as connection:
        activities = operations.load_log(connection, person_named(connection, person), name)
    if as_json:
        for activity in activities:
            print_json(activity)
        return
    rows = [
        {"at": activity.at, "what": activity.verb, "game": change.name, **_places(change), "note": _note(change)}
        for activity in reversed(activities)
        for change in activity.changes or [list_export.EntryChange()]
    ]
    print_rows(rows, as_json=False, columns=("at", "what", "game", "from", "to", "note"), empty="Nothing happened yet.")


@lists.command("export")
def export_list(
    name: ListName,
    form: Annotated[
        Form, typer.Option("--format", help="text has a title a line; csv and json also ids, notes and days.")
    ] = Form.TEXT,
    person: PersonName = None,
) -> None:
    """Print a list so that `lootwire games lists import -` reads it again."""
    with open_command().engine.connect() as connection:
        list_id = read_list(connection, name, person_named(connection, person)).id
        written = list_export.written(connection, list_id, form)
    print_copy(written)


@lists.command("import")
def import_list(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Text (a title a line), CSV or JSON; - for standard input.")
    ],
    name: Annotated[str | None, typer.Option(help="The list's name; the file's, if none is given.")] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> int:
    """Have the releases of a list's games told; tells which game each line was taken for, and how.

    CSV and objects of JSON may have title, year, platform, and igdb_id or an address at igdb.com, which settle what a
    title leaves open. A list of the same name is replaced: what was settled and noted by hand stays with its lines.
    """
    read = read_games(read_named(file, LARGEST_LIST + 1))
    called = name or ("list" if file == "-" else Path(file).stem)
    origin = None if file == "-" else file
    runtime = open_command()
    owner = person_of(runtime, person)
    with _progress() as bar:

        def on_asked(total: int) -> Callable[[int], object]:
            task = bar.add_task("matching titles", total=total)
            return lambda count: bar.update(task, completed=count)

        imported = operations.import_list(
            runtime,
            owner,
            utc_now(),
            called,
            read,
            origin=origin,
            on_asked=on_asked,
            on_stored=lambda: bar.add_task("storing the list", total=None),
        )
    if as_json:
        for line in imported.lines:
            print_json(line)
    else:
        _print_report(imported)
    return SET_ASIDE if any(line.verdict != "sure" for line in imported.lines) else 0


@lists.command("show")
def show_list(name: ListName, as_json: JsonFlag = False, person: PersonName = None) -> None:
    """Show the lines of a list: what each was taken for, how, and how sure that is."""
    with open_command().engine.connect() as connection:
        entries = operations.list_entries(connection, person_named(connection, person), name)
    rows = [msgspec.structs.asdict(entry) for entry in entries]
    columns = ("position", "written", "verdict", "name", "igdb_id", "score", "why", "notes")
    print_rows(rows, as_json=as_json, columns=columns, empty="This list is empty.")


@lists.command("settle")
def settle(
    name: ListName,
    position: Annotated[int, typer.Argument(min=1, max=GREATEST, help="The line's number, as `lists show` tells it.")],
    game: Annotated[
        str | None, typer.Argument(metavar="[NAME|SLUG|ID]", help="A title, IGDB's slug, address or number.")
    ] = None,
    own: Annotated[bool, typer.Option("--own", help="It is a game that IGDB lacks.")] = False,
    person: PersonName = None,
) -> None:
    """Say which game a line of a list means; the answer holds for that title in lists, imports and syncs.

    An answer for one line settles the same title in other lists, too.
    """
    if (game is None) is not own:
        raise UsageError("say which game the line means, by its title or igdb:ID, or --own where IGDB lacks it")
    runtime = open_command()
    owner = person_of(runtime, person)
    settled = operations.settle_entry(runtime, owner, utc_now(), name, str(position), game)
    meant = "a game that IGDB lacks" if game is None else f"{show(settled.name)} (IGDB {settled.igdb_id})"
    console.print(f"line {position} is {meant}", markup=False)


def _manner(ranked: bool, wants: bool) -> str:
    releases = "releases of its games are told" if wants else "no releases are told for it"
    return f"{'ranked, ' if ranked else ''}{releases}"


def _places(change: list_export.EntryChange) -> dict[str, int | None]:
    return {"from": change.place_before, "to": change.place}


def _note(change: list_export.EntryChange) -> str | None:
    return change.description or change.note


def _print_placed(placed: Placed, how: str, *, as_json: bool) -> None:
    if as_json:
        print_json(placed)
        return
    console.print(
        f"{show(placed.list)}: {show(placed.name)} {how} {placed.place} (of {placed.of})", markup=False, soft_wrap=True
    )


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


def _print_report(imported: operations.ImportedList) -> None:
    count = Counter(line.verdict for line in imported.lines)
    counts = ", ".join(f"{count[verdict]} {verdict}" for verdict in ("sure", "unsure", "none") if count[verdict])
    head = f"{show(imported.name)}: {len(imported.lines)} games, read as {imported.taken_as}: {counts}"
    console.print(head, markup=False, soft_wrap=True)
    aside = [line for line in imported.lines if line.verdict != "sure"]
    for line in aside[:SHOWN_AT_MOST]:
        choices = f"; {choices_in_words(line.choices)}" if line.choices else ""
        text = f"line {line.position}, {show(line.written)}: {line.verdict}, {show(line.why)}{show(choices)}"
        errors.print(f"lootwire: {text}", markup=False, soft_wrap=True)
    if len(aside) > SHOWN_AT_MOST:
        errors.print(
            f"… and {len(aside) - SHOWN_AT_MOST} more: lootwire games lists show {imported.name!r}", markup=False
        )
    if aside:
        console.print(f"Settle a line: lootwire games lists settle {imported.name!r} LINE ID", markup=False)
