"""Commands that bring a library in: `library import`, and `review`, `settle` and `undo` for lines that wait."""

from collections.abc import Iterator, Sequence
from typing import Annotated, get_args

import msgspec
import typer

from models.errors import UsageError
from models.words.units import counted_plainly
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import make_noun
from pipeline.cli.library_changes import change_in_words
from pipeline.cli.meaning import PersonName, person_of
from pipeline.cli.opening import MISUSED, SET_ASIDE, open_command, read_named
from pipeline.games.finding.finder import Choice
from pipeline.games.following.lists import choices_in_words
from pipeline.library.importing.files import Brought, Imported
from pipeline.library.records import ReadOptions, Store
from pipeline.library.take_in import SAYS_NOTHING, VERDICTS, WAITING, Line
from pipeline.operations import library_imports as operations
from pipeline.runtime.output import JsonFlag, console, errors, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

LARGEST = 256 * 1024 * 1024
SHOWN_OF_EACH = 20
STANDARD_INPUT = "-"
WORDS = {"no_game": "no game"}
library = make_noun("Show the games that you own, play and finished; with a command, bring some in.")
Lines = Annotated[
    list[str], typer.Argument(metavar="LINE... igdb:ID", help="Numbers, as `library review` shows them; then the game.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    library.command("import")(import_files)
    library.command("review")(review)
    library.command("settle")(settle_lines)
    library.command("undo")(undo_line)
    app.add_typer(library, name="library")


def import_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Exports and lists; - for standard input.")],
    format_: Annotated[
        str | None, typer.Option("--as", metavar="FORMAT", help="What the files are, where their content does not say.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="COLUMN=FIELD", help="What a column of a table holds.")
    ] = None,
    rating_scale: Annotated[
        int | None, typer.Option("--rating-scale", min=1, max=1000, help="The highest rating: 5, 10 or 100.")
    ] = None,
    store: Annotated[str | None, typer.Option(help="Where the games are from, where the file does not say.")] = None,
    platform: Annotated[str | None, typer.Option(help="What they run on, where the file does not say.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come of it; write nothing.")] = False,
    show_all: Annotated[bool, typer.Option("--all", help="Show every line, also those that change nothing.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> int:
    """Import files that say what you own, play and finished; tells what came of each line.

    Exports of Steam, Playnite, Heroic, legendary, Yamtrack, Grouvee, HowLongToBeat, Backloggd and RetroAchievements,
    Lootwire's own, any table with a column of titles, Markdown and text are recognised by their content. Each file is
    taken in whole or not at all, and again it changes nothing; what you wrote by hand stays. Lines that may mean
    several games or none that is known wait: `lootwire library review`.
    """
    options = ReadOptions(
        format=format_,
        columns=_columns(columns or []),
        rating_scale=rating_scale,
        store=_store(store),
        platform=platform,
    )
    codes: set[int] = set()
    runtime = open_command()
    owner = person_of(runtime, person)
    brought = _read_each(files, options, codes)
    for imported in operations.import_files(runtime, owner, brought, rehearse=dry_run):
        _print_json(imported) if as_json else _print(imported, person, show_all=show_all)
        if any(line.verdict in WAITING for line in imported.lines):
            codes.add(SET_ASIDE)
    return MISUSED if MISUSED in codes else max(codes, default=0)


def review(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show the lines that wait for you, and which games each may mean."""
    show_waiting(person, as_json=as_json)


def show_waiting(person: str | None, *, as_json: bool, format_: str | None = None) -> None:
    """Show the lines that wait for a person, of files and answers of all formats or of one."""
    with open_command().engine.connect() as connection:
        waiting = operations.list_waiting(connection, person_named(connection, person), format_)
    if as_json:
        for line in waiting:
            print_json(line)
        return
    shown = [msgspec.structs.asdict(line) | {"may_be": _choices(line) or line.explanation} for line in waiting]
    columns = ("line", "written", "verdict", "may_be", "file")
    print_rows(shown, as_json=False, columns=columns, empty="Nothing waits for you.")
    if shown:
        console.print(
            "Settle some: lootwire library settle LINE... igdb:ID, or --own (a game that IGDB lacks), --skip (no game)",
            markup=False,
            soft_wrap=True,
        )


def settle_lines(
    lines: Lines,
    own: Annotated[bool, typer.Option("--own", help="It is a game that IGDB lacks.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="It is no game, or none of yours.")] = False,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Say which game lines mean: IGDB's by its number, slug or address, one that IGDB lacks, or none.

    The answer holds for that title, or for that shop's id, in all that is imported or synced from now on.
    """
    if own and skip:
        raise UsageError("--own and --skip are two different answers; give one of them")
    numbers, game = (lines, None) if own or skip else (lines[:-1], lines[-1])
    if not numbers:
        raise UsageError("say which lines and which game: lootwire library settle LINE... igdb:ID")
    operations.line_numbers(numbers)
    runtime = open_command()
    settled = operations.settle_lines(runtime, person_of(runtime, person), utc_now(), numbers, game, own=own)
    if as_json:
        for each in settled:
            print_json(each)
        return
    rows = [msgspec.structs.asdict(each) for each in settled]
    print_rows(
        rows, as_json=False, columns=("line", "written", "verdict", "name", "file"), empty="Nothing was settled."
    )


def undo_line(
    line: Annotated[str, typer.Argument(metavar="LINE", help="A line's number, as `library settle` showed it.")],
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Take back the answer on a line: what it brought is removed, and the line waits again."""
    operations.line_numbers([line])
    runtime = open_command()
    waiting = operations.undo_line(runtime, person_of(runtime, person), utc_now(), line)
    if as_json:
        for each in waiting:
            print_json(each)
        return
    names = ", ".join(show(each.written) for each in waiting)
    console.print(f"{counted_plainly(len(waiting), 'line')} will wait again: {names}", markup=False, soft_wrap=True)


def _read_each(files: Sequence[str], options: ReadOptions, codes: set[int]) -> Iterator[Brought]:
    """Yield the files as they are read; of several, those that cannot be are said, and add to what is answered."""
    for file in files:
        try:
            brought = _read(file, options)
        except UsageError as error:
            if len(files) == 1:
                raise
            errors.print(f"lootwire: {show(error)}", markup=False, soft_wrap=True)
            codes.add(MISUSED)
        else:
            yield brought


def _read(file: str, options: ReadOptions) -> Brought:
    name = "standard input" if file == STANDARD_INPUT else file
    data = read_named(file, LARGEST + 1)
    if len(data) > LARGEST:
        raise UsageError(f"{name} has more than {LARGEST // 1024**2} MB, which no library has")
    return operations.bring(data, name, options)


def _columns(written: Sequence[str]) -> dict[str, str]:
    pairs = [each.rpartition("=") for each in written]
    for each, (column, _, field) in zip(written, pairs, strict=True):
        if not column or not field:
            raise UsageError(f"--map {each!r} is no COLUMN=FIELD, as in --map 'Hours played=hours'")
    return {column: field for column, _, field in pairs}


def _store(written: str | None) -> Store | None:
    if written is None:
        return None
    stores: tuple[Store, ...] = get_args(Store)
    chosen = next((store for store in stores if store == written.strip().lower()), None)
    if chosen is None:
        raise UsageError(f"--store {written!r} is none of {', '.join(stores)}")
    return chosen


def _print_json(imported: Imported) -> None:
    for line in imported.lines:
        print_json({"file": imported.name} | msgspec.structs.asdict(line))
    fields = msgspec.structs.asdict(imported)
    del fields["lines"]
    print_json({"file": fields.pop("name"), **fields})


def _print(imported: Imported, person: str | None, *, show_all: bool) -> None:
    counts = ", ".join(
        f"{imported.counts[verdict]:,} {WORDS.get(verdict, verdict)}"
        for verdict in VERDICTS
        if verdict in imported.counts
    )
    would = " (a rehearsal: nothing is written)" if imported.is_rehearsed else ""
    total = counted_plainly(len(imported.lines), "line")
    head = f"{show(imported.name)}: {show(imported.taken_for)}, {total}{would}: {counts or 'nothing'}"
    console.print(head, markup=False, soft_wrap=True)
    for note in imported.notes:
        console.print(f"  {show(note)}", markup=False, soft_wrap=True)
    rows, left = [], []
    for verdict in VERDICTS:
        lines = [line for line in imported.lines if line.verdict == verdict]
        if verdict == "same" and not show_all:
            continue
        shown = lines if show_all else lines[:SHOWN_OF_EACH]
        rows += [_row(line) for line in shown]
        left += [f"{len(lines) - len(shown):,} more {WORDS.get(verdict, verdict)}"] if len(lines) > len(shown) else []
    if rows:
        print_rows(rows, as_json=False, columns=("line", "verdict", "written", "game", "why"), empty="", needed=4)
    if left:
        console.print(f"… and {', '.join(left)}: --all or --json shows them", markup=False, soft_wrap=True)
    if silent := sum(line.explanation == SAYS_NOTHING for line in imported.lines):
        said = f"{counted_plainly(silent, 'line')} said nothing but a title"
        console.print(f"{said}: with --store STORE they are games that you own", markup=False, soft_wrap=True)
    if not imported.is_rehearsed and any(line.verdict in WAITING for line in imported.lines):
        whose = "" if person is None else f" --person {show(person)!r}"
        console.print(f"What waits for you: lootwire library review{whose}", markup=False)


def _row(line: Line) -> dict[str, object]:
    why = line.explanation
    if line.changes:
        why = "; ".join(map(change_in_words, line.changes))
    elif line.choices:
        why = choices_in_words(line.choices)
    game = line.name if line.igdb_id is None else f"{line.name} ({line.igdb_id})"
    return {
        "line": line.line,
        "verdict": WORDS.get(line.verdict, line.verdict),
        "written": line.written,
        "game": game,
        "why": why,
    }


def _choices(line: operations.WaitingAnswer) -> str:
    return choices_in_words(msgspec.convert(line.choices, tuple[Choice, ...]))
