"""Commands that bring a library in: `library import`, and `review`, `settle` and `undo` for lines that wait."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, get_args

import msgspec
import typer

from feeds.take_in import TURN
from models.errors import UsageError
from models.locks import hold
from models.words.units import counted_plainly
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import make_noun
from pipeline.cli.library_changes import change_in_words
from pipeline.cli.meaning import PersonName, person_of
from pipeline.cli.opening import GREATEST, MISUSED, SET_ASIDE, open_command, read_named
from pipeline.fetch.http import Client
from pipeline.games.finding.finder import Choice, Finder
from pipeline.games.finding.names import read_name
from pipeline.games.following.lists import OpenLine, choices_in_words
from pipeline.library.formats import recognise
from pipeline.library.importing.asking import Asking
from pipeline.library.importing.files import Brought, Imported, digest_of, import_reading, rehearse_readings
from pipeline.library.importing.review import (
    Said,
    Settled,
    record_of,
    settle,
    undo,
    undo_on_list,
    waiting_lines,
    waiting_list_lines,
)
from pipeline.library.records import ReadOptions, Store
from pipeline.library.store.imports import StoredLine
from pipeline.library.take_in import SAYS_NOTHING, VERDICTS, WAITING, Line
from pipeline.programs.sources import register
from pipeline.roms import resolving
from pipeline.runtime.output import JsonFlag, console, errors, print_json, print_rows, show
from pipeline.runtime.runtime import Runtime, utc_now

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
    with _asking() as (runtime, asking):
        owner = person_of(runtime, person)
        brought = _read_each(files, options, codes)
        if dry_run:
            done: Iterable[Imported] = rehearse_readings(
                runtime.engine, list(brought), asking, person_id=owner, now=utc_now()
            )
        else:
            done = (_import(runtime, asking, each, owner) for each in brought)
        for imported in done:
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
        owner = person_named(connection, person)
        every, listed = waiting_lines(connection, owner), waiting_list_lines(connection, owner)
    lines = [line for line in every if format_ in {None, line.format}]
    of_lists = [_row_of_list(line) for line in listed if format_ is None]
    if as_json:
        for row in [*map(_row_of, lines), *of_lists]:
            print_json(row)
        return
    shown = [_row_of(line) | {"may_be": _choices(line) or line.waiting.explanation} for line in lines]
    shown += [row | {"may_be": row["explanation"]} for row in of_lists]
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
    ids, listed = _line_numbers(numbers)
    with _asking() as (runtime, asking):
        said: int | Said = "own" if own else "skip"
        if game is not None:
            said = _entry(runtime, asking, game)
        with runtime.engine.begin() as connection:
            owner, now = person_named(connection, person), utc_now()
            settled = settle(connection, owner, ids, said, now, listed=listed)
            # An answer holds for files of that title too.
            resolving.apply_decisions(connection, owner, now)
    if as_json:
        for each in settled:
            print_json(_settled_row(each))
        return
    rows = [_settled_row(each) for each in settled]
    print_rows(
        rows, as_json=False, columns=("line", "written", "verdict", "name", "file"), empty="Nothing was settled."
    )


def undo_line(
    line: Annotated[str, typer.Argument(metavar="LINE", help="A line's number, as `library settle` showed it.")],
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Take back the answer on a line: what it brought is removed, and the line waits again."""
    ids, listed = _line_numbers([line])
    runtime = open_command()
    # What was told of it is taken off the feeds, which a publish must not write meanwhile.
    with hold(runtime.engine, TURN), runtime.engine.begin() as connection:
        owner, now = person_named(connection, person), utc_now()
        if listed:
            waiting = [_row_of_list(each) for each in undo_on_list(connection, owner, listed[0], now)]
        else:
            lines = undo(connection, owner, ids[0], now)
            of_roms = [record_of(each) for each in lines if each.format == resolving.FORMAT]
            resolving.reopen(connection, owner, of_roms, now)
            waiting = [_row_of(each) for each in lines]
    if as_json:
        for each in waiting:
            print_json(each)
        return
    names = ", ".join(show(str(each["written"])) for each in waiting)
    console.print(f"{counted_plainly(len(waiting), 'line')} will wait again: {names}", markup=False, soft_wrap=True)


@contextmanager
def _asking() -> Iterator[tuple[Runtime, Asking]]:
    runtime = open_command()
    with Client() as client:
        yield (
            runtime,
            Asking(
                open_igdb=lambda: runtime.igdb(client),
                register=lambda connection: register(connection, runtime, utc_now()),
                clock=utc_now,
            ),
        )


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
    return Brought(reading=recognise(data, name, options), digest=digest_of(data, options), name=name)


def _import(runtime: Runtime, asking: Asking, brought: Brought, person_id: int) -> Imported:
    return import_reading(
        runtime.engine,
        brought.reading,
        brought.digest,
        brought.name,
        asking,
        person_id=person_id,
        now=utc_now(),
    )


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


def _line_numbers(written: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the numbers of lines of files, and of lines of lists, which have an L before them."""
    of_files, of_lists = list[int](), list[int]()
    for each in written:
        number = each[1:] if each[:1] in {"L", "l"} else each
        if not (number.isascii() and number.isdigit() and 0 < int(number) <= GREATEST):
            raise UsageError(f"{each!r} is no number of a line; `lootwire library review` shows them")
        (of_files if number == each else of_lists).append(int(number))
    return of_files, of_lists


def entry_named(written: str) -> int:
    """Return the entry of IGDB that a person names, which is stored from now on; raises `UsageError` for none."""
    with _asking() as (runtime, asking):
        return _entry(runtime, asking, written)


def _entry(runtime: Runtime, asking: Asking, written: str) -> int:
    """Return the entry of IGDB that a person names, which is stored from now on."""
    with runtime.engine.begin() as connection:
        asking.register(connection)
    finder = Finder(engine=runtime.engine, open_igdb=asking.open_igdb, clock=utc_now)
    finding = finder.find([read_name(written, number_is_id=True)])[0]
    if finding.igdb_id is None:
        may_be = f": {choices_in_words(finding.choices)}; say which by its number" if finding.choices else ""
        raise UsageError(f"{written!r} is no game for sure ({finding.why}){may_be}")
    return finding.igdb_id


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


def _row_of(line: StoredLine) -> dict[str, object]:
    waiting = line.waiting
    return {
        "line": line.id,
        "file": line.origin,
        "line_of_file": waiting.line,
        "written": waiting.written,
        "verdict": waiting.verdict,
        "explanation": waiting.explanation,
        "score": None if waiting.score is None else round(waiting.score, 4),
        "choices": waiting.choices,
        "record": waiting.record,
    }


def _row_of_list(line: OpenLine) -> dict[str, object]:
    return {
        "line": f"L{line.id}",
        "file": f"the list {line.list}",
        "line_of_file": line.position,
        "written": line.written,
        "verdict": "unknown" if line.score is None else "unsure",
        "explanation": line.why,
        "score": None if line.score is None else round(line.score, 4),
        "choices": [],
        "record": None,
    }


def _choices(line: StoredLine) -> str:
    return choices_in_words(msgspec.convert(line.waiting.choices, tuple[Choice, ...]))


def _settled_row(settled: Settled) -> dict[str, object]:
    return {
        "line": f"L{settled.id}" if settled.is_listed else settled.id,
        "file": settled.origin,
        "line_of_file": settled.line.line,
        "written": settled.line.written,
        "verdict": settled.line.verdict,
        "explanation": settled.line.explanation,
        "igdb_id": settled.line.igdb_id,
        "name": settled.line.name,
    }
