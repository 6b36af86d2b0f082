"""Commands on what somebody played, from when to when and how far: `journal`."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer

from models.errors import UsageError
from models.periods import in_words, read_period
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.library_pages import playthrough_row
from pipeline.cli.meaning import AnyTitle, Own, PersonName, game_meant, person_of, refuse_person, today, work_of_library
from pipeline.cli.opening import GREATEST, open_command
from pipeline.games.platforms import called
from pipeline.library.journal.playthroughs import (
    CLEARABLE,
    COMPLETIONS,
    Written,
    add_playthrough,
    edit_playthrough,
    finish_work,
    remove_playthrough,
)
from pipeline.library.journal.reading import check_word, read_hours, read_rating, read_when
from pipeline.library.journal.states import STATUSES
from pipeline.library.journal.turns import begin_writing
from pipeline.library.listing.pages import Through, load_playthroughs
from pipeline.runtime.output import JsonFlag, console, print_rows, show
from pipeline.runtime.runtime import utc_now

journal = make_noun(COMMANDS["journal"].help)
_DATE = "2012, 1999-Q3, nov 2020, 2020-11-21, today or yesterday: as far as you know it."
Number = Annotated[int, typer.Argument(metavar="ID", min=1, max=GREATEST, help="As `journal show` has it.")]
Platform = Annotated[str | None, typer.Option(help="What you played it on.")]
Started = Annotated[str | None, typer.Option(metavar="DATE", help=f"When you began: {_DATE}")]
Finished = Annotated[str | None, typer.Option(metavar="DATE", help="When you finished it, written as a beginning is.")]
Hours = Annotated[str | None, typer.Option(metavar="TIME", help="How long you played: 41h, 1:30 or 90 min.")]
Rating = Annotated[str | None, typer.Option(help="4/5, 8.5/10 or 85.")]
Note = Annotated[str | None, typer.Option(help="Notes.")]
Completion = Annotated[str | None, typer.Option(help="How much of it: main (the story), extras, or all.")]
Status = Annotated[str | None, typer.Option(help=f"{', '.join(STATUSES)}; without it the dates say it.")]
Replay = Annotated[bool | None, typer.Option("--replay/--no-replay", help="You had played it before.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(journal, name="journal")


@journal.callback(invoke_without_command=True)
def list_by_default(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show what you played, the last first; with a command, write it down."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        _show(None, None, None, person, as_json=as_json)


@journal.command("list")
def list_all(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show what you played, the last first."""
    _show(None, None, None, person, as_json=as_json)


@journal.command("show")
def show_journal(
    title: Annotated[str | None, typer.Argument(metavar="TITLE", help="A game of the library; all without it.")] = None,
    year: Annotated[int | None, typer.Option(min=1950, max=2100, help="What you finished in this year.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most.")] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what you played, the last first, of one game or of all."""
    _show(title, year, limit, person, as_json=as_json)


@journal.command("add")
def add(
    title: AnyTitle,
    platform: Platform = None,
    started: Started = None,
    finished: Finished = None,
    hours: Hours = None,
    rating: Rating = None,
    note: Note = None,
    completion: Completion = None,
    status: Status = None,
    replay: Replay = None,
    own: Own = False,
    person: PersonName = None,
) -> None:
    """Write down that you play a game, or played it once; without any date it begins today."""
    values = _values(platform, started, finished, hours, rating, note, completion, status, replay)
    runtime = open_command()
    owner = person_of(runtime, person)
    meant = game_meant(runtime, owner, title, own=own)
    now = utc_now()
    with runtime.engine.begin() as connection:
        begin_writing(connection)
        game = meant.game(connection, now, platform=platform)
        written = add_playthrough(connection, owner, game, values, now, today())
    _say(written)


@journal.command("edit")
def edit(
    number: Number,
    platform: Platform = None,
    started: Started = None,
    finished: Finished = None,
    hours: Hours = None,
    rating: Rating = None,
    note: Note = None,
    completion: Completion = None,
    status: Status = None,
    replay: Replay = None,
    clear: Annotated[
        list[str] | None, typer.Option(metavar="FIELD", help=f"Take a value away: {', '.join(CLEARABLE)}.")
    ] = None,
    person: PersonName = None,
) -> None:
    """Change what is written of a playthrough; no import changes it from then on."""
    values = _values(platform, started, finished, hours, rating, note, completion, status, replay)
    cleared = tuple(check_word(field, CLEARABLE, "field to clear") for field in clear or ())
    if not values and not cleared:
        raise UsageError(
            "say what to change: --finished, --hours, --rating; `lootwire journal edit --help` has them all"
        )
    now = utc_now()
    with open_command().engine.begin() as connection:
        begin_writing(connection)
        written = edit_playthrough(
            connection, person_named(connection, person), number, values, now, today(), cleared=cleared
        )
    _say(written)


@journal.command("finish")
def finish(
    title: AnyTitle,
    on: Annotated[str, typer.Option("--on", metavar="DATE", help=f"When: {_DATE}")] = "today",
    platform: Platform = None,
    hours: Hours = None,
    rating: Rating = None,
    note: Note = None,
    completion: Completion = None,
    own: Own = False,
    person: PersonName = None,
) -> None:
    """Write down that you finished a game: its playthrough that is under way, or one that you never wrote down."""
    values = _values(platform, None, on, hours, rating, note, completion, None, None)
    runtime = open_command()
    owner = person_of(runtime, person)
    meant = game_meant(runtime, owner, title, own=own)
    now = utc_now()
    with runtime.engine.begin() as connection:
        begin_writing(connection)
        game = meant.game(connection, now, platform=platform)
        written = finish_work(connection, owner, game, values, now, today())
    _say(written)


@journal.command("remove")
def remove(number: Number, person: PersonName = None) -> None:
    """Take a playthrough out of the journal; no import brings it back."""
    with open_command().engine.begin() as connection:
        begin_writing(connection)
        name = remove_playthrough(connection, person_named(connection, person), number, utc_now())
    console.print(f"{show(name)}: playthrough {number} removed", markup=False, soft_wrap=True)


def _values(
    platform: str | None,
    started: str | None,
    finished: str | None,
    hours: str | None,
    rating: str | None,
    note: str | None,
    completion: str | None,
    status: str | None,
    replay: bool | None,
) -> dict[str, Any]:
    """Return the columns of a playthrough that options give; raises `UsageError` for what cannot be read."""
    read = None if rating is None else read_rating(rating)
    values: dict[str, Any] = {
        "platform": None if platform is None else called(platform),
        "started": None if started is None else read_when(started, today()),
        "finished": None if finished is None else read_when(finished, today()),
        "seconds": None if hours is None else read_hours(hours),
        "rating": None if read is None else read.value,
        "rating_scale": None if read is None else read.scale,
        "notes": note,
        "completion": None if completion is None else check_word(completion, COMPLETIONS, "completion"),
        "status": None if status is None else check_word(status, STATUSES, "status"),
        "is_replay": replay,
    }
    return {name: value for name, value in values.items() if value is not None}


def _say(written: Written) -> None:
    where = f" on {show(written.platform)}" if written.platform else ""
    when = in_words(written.finished)
    since = in_words(written.started)
    dated = f", {when}" if when is not None else f", since {since}" if since is not None else ""
    console.print(
        f"{show(written.game)}{where}: {written.status}{dated} (playthrough {written.id})", markup=False, soft_wrap=True
    )
    if written.status_now is not None:
        line = f"It is {written.status_now} as a whole from now on; you had said {written.status_before}"
        console.print(line, markup=False, soft_wrap=True)


def _show(title: str | None, year: int | None, limit: int | None, person: str | None, *, as_json: bool) -> None:
    with open_command().engine.connect() as connection:
        owner = person_named(connection, person)
        work = None if title is None else work_of_library(connection, owner, title)
        throughs = load_playthroughs(connection, owner, None if work is None else work.work_id)
    chosen = [through for through in throughs if year is None or _year(through) == year][:limit]
    _print(chosen, title, as_json=as_json)


def _year(through: Through) -> int | None:
    period = read_period(through.finished)
    return None if period is None else period.year


def _print(throughs: Sequence[Through], title: str | None, *, as_json: bool) -> None:
    rows = [msgspec.structs.asdict(through) if as_json else playthrough_row(through) for through in throughs]
    empty = "Nothing is written down yet: `lootwire journal add TITLE`, `lootwire journal finish TITLE`."
    if title is not None:
        empty = f"Nothing is written down of {show(title)}: `lootwire journal add {title!r}`."
    columns = ("id", "game", "started", "finished", "platform", "status", "hours", "rating", "completion", "notes")
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)
