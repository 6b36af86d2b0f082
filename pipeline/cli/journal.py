"""Commands on what somebody played, from when to when and how far: `journal`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer

from models.periods import in_words
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.library_pages import playthrough_row
from pipeline.cli.meaning import AnyTitle, Own, PersonName, person_of, refuse_person
from pipeline.cli.opening import GREATEST, open_command
from pipeline.library.journal.playthroughs import CLEARABLE, Written
from pipeline.library.journal.states import STATUSES
from pipeline.library.listing.pages import Through
from pipeline.operations import journal as operations
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
    now = utc_now()
    values = _values(now, platform, started, finished, hours, rating, note, completion, status, replay)
    runtime = open_command()
    owner = person_of(runtime, person)
    written = operations.add(runtime, owner, now, title, values, platform=platform, own=own)
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
    now = utc_now()
    values = _values(now, platform, started, finished, hours, rating, note, completion, status, replay)
    with open_command().engine.begin() as connection:
        written = operations.edit(connection, person_named(connection, person), now, number, values, clear or ())
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
    now = utc_now()
    values = _values(now, platform, None, on, hours, rating, note, completion, None, None)
    runtime = open_command()
    owner = person_of(runtime, person)
    written = operations.finish(runtime, owner, now, title, values, platform=platform, own=own)
    _say(written)


@journal.command("remove")
def remove(number: Number, person: PersonName = None) -> None:
    """Take a playthrough out of the journal; no import brings it back."""
    with open_command().engine.begin() as connection:
        name = operations.remove(connection, person_named(connection, person), utc_now(), number)
    console.print(f"{show(name)}: playthrough {number} removed", markup=False, soft_wrap=True)


def _values(
    now: datetime,
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
    return operations.read_values(
        now,
        platform=platform,
        started=started,
        finished=finished,
        hours=hours,
        rating=rating,
        notes=note,
        completion=completion,
        status=status,
        is_replay=replay,
    )


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
        throughs = operations.list_playthroughs(connection, owner, title, year)
    _print(throughs[:limit], title, as_json=as_json)


def _print(throughs: Sequence[Through], title: str | None, *, as_json: bool) -> None:
    rows = [msgspec.structs.asdict(through) if as_json else playthrough_row(through) for through in throughs]
    empty = "Nothing is written down yet: `lootwire journal add TITLE`, `lootwire journal finish TITLE`."
    if title is not None:
        empty = f"Nothing is written down of {show(title)}: `lootwire journal add {title!r}`."
    columns = ("id", "game", "started", "finished", "platform", "status", "hours", "rating", "completion", "notes")
    print_rows(rows, as_json=as_json, columns=columns, empty=empty)
