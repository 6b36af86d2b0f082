"""Commands on extractions: what is fetched, how far it is, and why something was not."""

from typing import Annotated, Any

import typer

from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.meaning import refuse_person
from pipeline.cli.opening import GREATEST, open_command
from pipeline.cli.sounds import PersonName
from pipeline.library.journal.reading import check_word
from pipeline.operations import extractions as operations
from pipeline.runtime.output import JsonFlag, console, distance, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now
from pipeline.sound.records import CURES
from pipeline.sound.store.extractions import STATES

SHOWN = 50
extractions = make_noun(COMMANDS["extractions"].help)
_CURES = {"never": "nothing cures it", "person": "you must act", "time": "it is tried again"}


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(extractions, name="extractions")


@extractions.callback(invoke_without_command=True)
def list_by_default(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show what is fetched for your sounds and shows, how far it is, and what went wrong."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        list_all(person=person, as_json=as_json)


@extractions.command("list")
def list_all(
    state: Annotated[
        list[str] | None, typer.Option("--state", help=f"Only these: {', '.join(STATES)}; may be repeated.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most.")] = SHOWN,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show extractions, the newest first."""
    now = utc_now()
    states: Any = [check_word(each, STATES, "state") for each in state or ()]
    with open_command().engine.connect() as connection:
        rows = operations.list_extractions(connection, person_named(connection, person), states, limit)
    if as_json:
        for row in rows:
            print_json(row)
        return
    shown = [
        {
            "extraction": row.id,
            "title": row.title or row.url,
            "host": row.host,
            "state": row.state,
            "stage": _stage(row),
            "next": distance(row.next_due_at, now) if row.state == "pending" else None,
            "error": row.error,
        }
        for row in rows
    ]
    empty = "Nothing is fetched yet: lootwire sounds add ADDRESS, or lootwire shows add CHANNEL"
    columns = ("extraction", "title", "state", "stage", "next", "error", "host")
    print_rows(shown, as_json=False, columns=columns, empty=empty)


@extractions.command("show")
def show_one(
    number: Annotated[
        int, typer.Argument(metavar="EXTRACTION", min=1, max=GREATEST, help="As `extractions` numbers it.")
    ],
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show all that is known of an extraction."""
    with open_command().engine.connect() as connection:
        row = operations.show_extraction(connection, person_named(connection, person), number)
    if as_json:
        print_json(row)
        return
    console.print(f"{show(row.title or row.url)} is extraction {row.id}", markup=False, style="bold")
    waits = row.next_due_at if row.state == "pending" else None
    cure = None if row.error_kind is None else f"{row.error_kind}: {_CURES[CURES[row.error_kind]]}"
    facts = (
        ("Address", row.url),
        ("State", row.state),
        ("Stage", _stage(row)),
        ("Error", row.error),
        ("Kind of error", cure),
        ("Attempts", row.attempts or None),
        ("Next try", waits),
        ("Deleted there", row.expires_at),
        ("Profile", row.profile),
        ("Sound", row.sound_id),
        ("Added", row.added_at),
        ("Finished", row.finished_at),
    )
    for label, value in facts:
        if value is not None:
            console.print(f"  {label}: {show(value)}", markup=False, soft_wrap=True)
    if row.state == "failed":
        console.print(f"To try it again: lootwire sounds retry {row.id}", markup=False)


def _stage(row: operations.ExtractionAnswer) -> str:
    if row.state in {"completed", "cancelled"}:
        return ""
    share = f" {row.progress:.0%}" if row.state == "processing" and row.progress else ""
    return f"{row.stage}{share}"
