"""Commands on the operator's own words for messages: `templates`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from notifiers.overrides import SEVERAL, TITLE, find
from notifiers.previews import draft_for
from notifiers.render import SUFFIXES, Format, Limits, house_template
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import GREATEST, SET_ASIDE, open_command
from pipeline.cli.whose import PersonName
from pipeline.operations import templates as operations
from pipeline.operations.templates import known_kind
from pipeline.runtime.output import JsonFlag, console, errors, print_copy, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

templates = make_noun(COMMANDS["templates"].help)
FAILED = 1
KIND_HELP = "A kind such as campaign.added, or `several` for a message about several events."


class Part(StrEnum):
    """What of a message a template is for."""

    TITLE = "title"
    TXT = "txt"
    HTML = "html"
    MD = "md"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(templates, name="templates")


@templates.callback(invoke_without_command=True)
def list_templates(context: typer.Context, as_json: JsonFlag = False) -> int:
    """Show your own words for messages; with a command, try them."""
    return show_templates(as_json=as_json) if context.invoked_subcommand is None else 0


@templates.command("list")
def show_templates(as_json: JsonFlag = False) -> int:
    """Show the files with your own words for messages: for which target, kind and part each is."""
    runtime = open_command()
    folder = runtime.settings.templates
    files, strays = operations.list_templates(runtime)
    rows = [msgspec.structs.asdict(file) for file in files]
    empty = f"No templates in {folder}: `lootwire templates show campaign.added` prints one to begin with."
    if files or not strays:
        print_rows(rows, as_json=as_json, columns=("target", "kind", "part", "path"), empty=empty)
    for stray in strays:
        errors.print(f"lootwire: {show(stray)}", markup=False, soft_wrap=True)
    return SET_ASIDE if strays else 0


@templates.command("show")
def show_template(
    kind: Annotated[str, typer.Argument(help=KIND_HELP)],
    to: Annotated[str | None, typer.Option("--to", help="What this target's messages are made of.")] = None,
    part: Annotated[Part | None, typer.Option(help="Of the target's format, where it is not given.")] = None,
    person: PersonName = None,
) -> None:
    """Print the template that messages of a kind are made of: your own, or the house's, to copy and change."""
    kind = known_kind(kind)
    runtime = open_command()
    form, limits = Format.TEXT, Limits()
    if to is not None:
        with runtime.engine.connect() as connection:
            person_id = person_named(connection, person)
            folder = runtime.settings.templates
            opened, _ = draft_for(connection, runtime.vault, to, [], utc_now(), folder, person_id=person_id)
        form, limits = opened.form, opened.limits
    form = next((each for each, suffix in SUFFIXES.items() if part is not None and suffix == part), form)
    wanted = part.value if part else SUFFIXES[form]
    file = find(runtime.settings.templates, to or "", kind, wanted)
    own = runtime.settings.templates / (to or "") / f"{kind}.{wanted}.j2"
    sys.stderr.write(f"{file.path}\n" if file else f"the house's own; yours would be {own}\n")
    if file is None and wanted == TITLE:
        sys.stdout.write("{{ house }}\n")
        return
    path = file.path if file else house_template(form, limits, several=kind == SEVERAL)
    print_copy(path.read_text(encoding="utf-8"))


@templates.command("check")
def check(as_json: JsonFlag = False) -> int:
    """Try each of your templates on an event of each kind that it is for; exit with 1 where one fails."""
    runtime = open_command()
    rows = [msgspec.structs.asdict(checked) for checked in operations.try_templates(runtime, utc_now())]
    empty = f"No templates in {runtime.settings.templates}."
    print_rows(rows, as_json=as_json, columns=("file", "problem"), empty=empty)
    return FAILED if any(row["problem"] for row in rows) else 0


@templates.command("preview")
def show_preview(
    kind: Annotated[str, typer.Argument(help=KIND_HELP)],
    to: Annotated[str, typer.Option("--to", help="The target that would get it.")],
    event: Annotated[
        list[int] | None,
        typer.Option("--with", min=1, max=GREATEST, help="An event's number; else the newest of the kind."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the body to this file, for a browser.")] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> int:
    """Show a message as a target would get it, and send nothing; exit with 1 where a template fails."""
    runtime = open_command()
    with runtime.engine.connect() as connection:
        person_id = person_named(connection, person)
    message = operations.preview(runtime, utc_now(), kind, to, event or (), person_id=person_id)
    if out is not None:
        out.write_text(message.body, encoding="utf-8")
    if as_json:
        print_json(message)
    else:
        print_copy(f"{show(message.title)}\n\n{message.body}\n")
    if message.problem:
        console.print(f"in the house's own words, for {show(message.problem)}", markup=False, soft_wrap=True)
    return FAILED if message.problem else 0
